"""Which objects of the org a command means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from forceglue.errors import UsageError
from forceglue.mapping.names import nearest
from forceglue.mapping.project import Project

NOT_SEEN = (
    "the org has no such object, or this user may not see it: see the spelling, that the object is still there, and "
    "that the integration user's profile or permission set gives Read on it"
)


@dataclass(frozen=True)
class Chosen:
    """An object.

    Attributes:
        name: its API name, as the org spells it; where the org has none, as it was asked for.
        entry: what describe global says of it; None where it does not list it.
    """

    name: str
    entry: dict[str, Any] | None

    @property
    def why_not(self) -> str | None:
        """Why it cannot be described."""
        return None if self.entry is not None else NOT_SEEN


def chosen(
    project: Project, org: Sequence[dict[str, Any]], names: Sequence[str], *, everything: bool
) -> tuple[Chosen, ...]:
    """The objects, each once: those named (object, mapping or table), else the sources of all mappings.

    Args:
        org: describe global.
        everything: all that can be queried as well.

    Raises:
        UsageError: nothing is asked for, and the project has no object mapping.
    """
    entries = {str(entry["name"]).lower(): entry for entry in org}
    wanted = [in_project(project, name, entries) for name in names]
    if not names and not everything:
        wanted = [m.source for m in project.objects.values()]
    if everything:
        wanted += [str(entry["name"]) for entry in org if entry.get("queryable", True)]
    if not wanted:
        raise UsageError("no object is meant: the project has no object mapping. Name objects, or say --all.")
    found: dict[str, Chosen] = {}
    for name in wanted:
        entry = entries.get(name.lower())
        found.setdefault(name.lower(), Chosen(str(entry["name"]) if entry else name, entry))
    return tuple(found.values())


def in_project(project: Project, name: str, known: Iterable[str] = ()) -> str:
    """The API name that a person means by an object, a mapping or a table.

    Args:
        known: API names in lower case, which go first.
    """
    if name.lower() in known:
        return name
    mapping = project.looked_up(name)
    return mapping.source if mapping else name


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` (did you mean Account?)`, or nothing."""
    near = nearest(name, tuple(known))
    return f" (did you mean {near}?)" if near else ""
