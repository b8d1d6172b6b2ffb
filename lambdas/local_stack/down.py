"""`make down`: ends exactly what `make up` started, also where that was not finished."""

from __future__ import annotations

from collections.abc import Callable

from local_stack.parts import AWS, ORG, PARTS
from local_stack.place import VARIABLES, Place


def down(place: Place, tell: Callable[[str], None]) -> None:
    """Ends the processes, Spark first: it works with the others."""
    what = {part.name: part.what for part in PARTS}
    names = [part.name for part in reversed(PARTS)]
    ended = 0
    for name in [*names, *(one for one in place.processes.names() if one not in names)]:
        kept = place.processes.end(name)
        if kept is not None:
            ended += 1
            tell(f"{what.get(name, name)} has ended (process {kept.pid})")
    if not ended:
        tell("nothing was running")
    for part in (AWS, ORG):
        if place.environ.get(VARIABLES[part.name]):
            tell(f"{VARIABLES[part.name]} is still set in this shell: unset it before the next `make up`")
