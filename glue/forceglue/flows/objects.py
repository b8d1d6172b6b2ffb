"""Which objects flows read, and what of each: from the mappings and the catalog alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forceglue.describe.snapshot import find
from forceglue.errors import UsageError
from forceglue.extract.fields import choose, lets_pass
from forceglue.extract.known import bulk_refuses, event, unreadable
from forceglue.extract.window import CURSORS
from forceglue.landing.layout import folder_parts
from forceglue.landing.objects import ObjectNames, flow_token
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.names import NameIndex
from forceglue.mapping.project import Project


@dataclass(frozen=True)
class FlowObject:
    """An object that flows read.

    Attributes:
        name: the API name.
        token: what its folder is called after `Salesforce-`; the landing finds the object by it.
        fields: those that land; None: every field, new ones too.
        never: fields that do not land although every other does.
        cursor: the field that tells what changed; None: nothing tells, the object is read whole each time.
        deleted: whether deleted records land too.
        notes: what a person should know of its flows.
    """

    name: str
    token: str
    fields: tuple[str, ...] | None
    never: tuple[str, ...]
    cursor: str | None
    deleted: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """An object without flows: why, and what to do instead."""

    name: str
    why: str
    instead: str

    def __str__(self) -> str:
        return f"{self.why}; {self.instead}"


def flow_objects(project: Project) -> tuple[tuple[FlowObject, ...], tuple[LeftOut, ...]]:
    """The objects that flows read and those that they cannot read, each once, by name.

    They are the sources of all object mappings, and what lookups and datasets read without a mapping.

    Raises:
        UsageError: there is none, or a snapshot of the catalog cannot be read.
    """
    read, left_out, tokens = list[FlowObject](), list[LeftOut](), _Tokens(project)
    for name in sorted({name.lower(): name for name in _needed(project)}.values(), key=str.lower):
        try:
            known = find(project.folder, name)
        except ValueError as error:
            raise UsageError(f"{error}; `forceglue check` tells more.") from None
        facts = known.facts if known else None
        if (why_not := _left_out(facts or {"name": name})) is not None:
            left_out.append(why_not)
        else:
            read.append(_flow_object(project, name, facts, tokens))
    if not read and not left_out:
        raise UsageError("no flow to make: the project has no object mapping. `forceglue scaffold` writes some.")
    return tuple(read), tuple(left_out)


def _needed(project: Project) -> Iterator[str]:
    for m in project.objects.values():
        yield m.source
    if project.settings.unmapped != "load":  # what has no mapping is no table then: nothing can be read from it
        return
    for m in project.objects.values():
        for lookup in m.lookups.values():
            if project.looked_up(lookup.object) is None:
                yield project.catalog_table(lookup.object) or lookup.object
    for dataset in project.datasets.values():
        for reference in (dataset.source, *(join.table for join in dataset.joins)):
            if project.table(reference) is None and (name := project.catalog_table(reference)) is not None:
                yield name


def _left_out(facts: Mapping[str, Any]) -> LeftOut | None:
    name = str(facts["name"])
    if kind := event(name):
        return LeftOut(
            name, f"{kind}, which is subscribed to and not queried", "give it a flow of its own that events start"
        )
    if why := unreadable(dict(facts)):
        return LeftOut(name, why, "no API reads it as a whole: take its mapping out, or land its files yourself")
    if why := bulk_refuses(name):
        return LeftOut(name, why, f"`forceglue extract {name}` reads it by REST")
    return None


def _flow_object(project: Project, name: str, facts: Mapping[str, Any] | None, tokens: _Tokens) -> FlowObject:
    own = [project.with_defaults(m) for m in project.objects.values() if m.source.lower() == name.lower()]
    mappings = own or [project.unmapped(name)]
    deleted = any(m.target.on_delete != "keep" for m in mappings)
    if facts is None:
        never = set.intersection(*({*m.exclude} for m in mappings))
        note = f"not in the catalog, so every field lands: `forceglue catalog pull {name}`, then make the flows again"
        return FlowObject(name, tokens.of(name), None, tuple(sorted(never)), _order(mappings), deleted, (note,))
    choice = choose(dict(facts), mappings)
    everything = any(lets_pass(m) for m in mappings)
    offered = {str(field["name"]): field for field in facts["fields"]}
    cursor = next((c for c in CURSORS if c in offered and offered[c].get("type", "datetime") == "datetime"), None)
    has_deleted = any(m.deleted and NameIndex(offered).match(m.deleted) for m in mappings)
    return FlowObject(
        name=str(facts["name"]),
        token=tokens.of(name),
        fields=None if everything else tuple(field.name for field in choice.fields),
        never=tuple(choice.left_out) if everything else (),
        cursor=cursor,
        deleted=deleted and has_deleted,
        notes=tuple(_notes(name, cursor, choice.missing, [offered[f.name] for f in choice.fields])),
    )


def _order(mappings: list[ObjectMapping]) -> str:
    said = {m.order_by for m in mappings}
    return next((cursor for cursor in CURSORS if cursor in said), CURSORS[0])


def _notes(name: str, cursor: str | None, missing: tuple[str, ...], fields: list[Mapping[str, Any]]) -> Iterator[str]:
    if missing:
        yield f"left out, for the catalog has no such field: {', '.join(missing)}"
    if cursor is None:
        yield "no field tells what changed: each run of its scheduled flow reads it whole"
    elif formulas := sum(bool(field.get("calculated")) for field in fields):
        yield (
            f"{formulas} formula fields, whose change moves no {cursor}: only its full flow "
            f"and `forceglue extract {name} --refresh` read them again"
        )


class _Tokens:
    """What folders are called: by the object's label, as people know it, where that leads back to the object."""

    def __init__(self, project: Project) -> None:
        self._catalog, self._names = project.catalog, ObjectNames(project)

    def of(self, name: str) -> str:
        known = self._catalog.get(name)
        token = flow_token(known.label) if known and known.label else name
        found = self._names.find(folder_parts(f"env-Salesforce-{token}")[1])
        return token if found is not None and found.lower() == name.lower() else name
