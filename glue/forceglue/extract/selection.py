"""Which objects an extract reads, and what is known of each before its first row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forceglue.errors import UsageError
from forceglue.extract.known import lists_deletions, unreadable
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.names import nearest
from forceglue.mapping.project import Project


@dataclass(frozen=True)
class Selected:
    """An object to read.

    Attributes:
        name: as the org spells it.
        mappings: its own, or what the project makes of an object without one; with defaults.
        why_not: why it is not read after all.
        wanted: it is named or has a mapping, so that it is an error if it is not read.
        lists_deletions: Salesforce tells what was deleted of it.
    """

    name: str
    mappings: tuple[ObjectMapping, ...]
    why_not: str | None = None
    wanted: bool = True
    lists_deletions: bool = True


def select(
    project: Project, org: list[dict[str, Any]], names: tuple[str, ...], *, everything: bool
) -> tuple[Selected, ...]:
    """The objects, each once: those named, else the sources of all mappings; `everything`: all of the org.

    Args:
        org: describe global.

    Raises:
        UsageError: a name is neither an object of the org nor a mapping's.
    """
    entries = {str(entry["name"]).lower(): entry for entry in org}
    wanted = list(_named(project, entries, names)) if names else [m.source for m in project.objects.values()]
    if everything:
        wanted += [str(entry["name"]) for entry in org]
    if not wanted:
        raise UsageError("no object to read: the project has no object mapping. Name objects, or say --all.")
    found: dict[str, Selected] = {}
    for name in wanted:
        if name.lower() not in found:
            found[name.lower()] = _selected(project, entries, name, named=bool(names))
    return tuple(found.values())


def _named(project: Project, entries: Mapping[str, dict[str, Any]], names: tuple[str, ...]) -> Iterator[str]:
    unknown = []
    for name in names:
        if name.lower() in entries:
            yield name
        elif (mapping := project.looked_up(name)) is not None:
            yield mapping.source
        else:
            near = nearest(name, [str(entry["name"]) for entry in entries.values()])
            unknown.append(f"{name}" + (f" (did you mean {near}?)" if near else ""))
    if unknown:
        raise UsageError(
            f"no object of the org, as this user sees it, and no mapping is called {', '.join(unknown)}. "
            "See the spelling, and the user's permissions on the object."
        )


def _selected(project: Project, entries: Mapping[str, dict[str, Any]], name: str, *, named: bool) -> Selected:
    entry = entries.get(name.lower())
    own = [project.with_defaults(m) for m in project.objects.values() if m.source.lower() == name.lower()]
    mappings = tuple(own) or (project.unmapped(str(entry["name"]) if entry else name),)
    if entry is None:
        return Selected(name, mappings, "the org has no such object, or this user may not see it")
    why_not = unreadable(entry)
    if why_not is None and not own and project.settings.unmapped != "load" and not named:
        why_not = f"it has no mapping, and the project says `unmapped: {project.settings.unmapped}`"
    # what is no fault of anybody's (an event among the mappings, say) is an error only where it is asked for by name
    wanted = named or (bool(own) and why_not is None)
    return Selected(str(entry["name"]), mappings, why_not, wanted, lists_deletions(entry))
