"""`forceglue drift`: mapping, snapshot, org and table side by side, and what a run would make of the differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from forceglue.describe.access import granted, hidden
from forceglue.describe.changes import Change, changes
from forceglue.describe.choice import Chosen, chosen, did_you_mean
from forceglue.describe.effects import Effects, Severity
from forceglue.describe.reach import Reach
from forceglue.describe.snapshot import slim
from forceglue.describe.uses import Uses
from forceglue.errors import SalesforceError
from forceglue.landing.store import Store
from forceglue.mapping.catalog import CatalogObject, object_from_describe
from forceglue.mapping.checks.tables import HISTORY
from forceglue.mapping.expand import TRACEABILITY, OutputColumn
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.names import NameIndex, nearest
from forceglue.mapping.project import Project
from forceglue.mapping.types import plain_type
from forceglue.salesforce.client import BATCH, Salesforce

GRAVE: frozenset[Severity] = frozenset({"stops", "loses"})
_HIDDEN = "give the integration user's profile or permission set Read on it"


@dataclass(frozen=True)
class Finding:
    """One difference, and what follows from it.

    Attributes:
        field: of Salesforce, or the column of the table; empty for the object as a whole.
        kind: a kind of `changes`, or `object_gone`, `field_hidden` (by field-level security; where `told` says so, it
            may be deleted instead), `field_unknown` (the mapping names it, and neither snapshot nor org has it),
            `table_type`, `table_column`.
        columns: of the table that are fed by the field.
        effect: what a run would do.
        reaches: columns of other tables and datasets, as `mapping.column`, that are made of the field.
    """

    field: str
    kind: str
    severity: Severity
    effect: str
    before: str | None = None
    after: str | None = None
    columns: tuple[str, ...] = ()
    reaches: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObjectDrift:
    """What is found of one object.

    Attributes:
        mapping: its mapping; None where the project has none for it.
        policy: its `on_drift`.
        snapshot: whether there is one to compare with.
        table: whether its table is there; None where no warehouse is known.
    """

    object: str
    mapping: str | None
    policy: str
    snapshot: bool
    table: bool | None
    findings: tuple[Finding, ...]

    @property
    def grave(self) -> bool:
        """Something stops, or loses values."""
        return any(finding.severity in GRAVE for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def drift(
    project: Project, org: Salesforce, names: Sequence[str] = (), *, warehouse: Store | None = None
) -> Iterator[ObjectDrift]:
    """The objects one by one; one with several mappings once for each.

    Args:
        names: objects, mappings or tables; without, the sources of all mappings.
        warehouse: where the tables are.

    Raises:
        UsageError: no object is meant.
        SalesforceError: the org refuses describe global, or does not answer.
        LandingError: a table cannot be read.
    """
    listed = org.objects()
    objects = chosen(project, listed, names, everything=False)
    there = [one for one in objects if one.entry is not None]
    described: dict[str, dict[str, Any] | SalesforceError] = {}
    reach = Reach(project)
    for one in objects:
        if one.entry is not None and one.name not in described:
            at = there.index(one)
            described = org.describe_many([other.name for other in there[at : at + BATCH]])
        owners = [m for m in project.objects.values() if m.source.lower() == one.name.lower()]
        for own in owners or (None,):
            found = _one(project, org, one, own, described.get(one.name), listed, warehouse)
            yield _with_reach(found, reach)


def _with_reach(found: ObjectDrift, reach: Reach) -> ObjectDrift:
    """What grave findings reach beyond the object's own table."""
    told = (replace(f, reaches=reach.of(found.object, f.field)) if f.severity in GRAVE else f for f in found.findings)
    return replace(found, findings=tuple(told))


def _one(
    project: Project,
    org: Salesforce,
    one: Chosen,
    own: ObjectMapping | None,
    described: dict[str, Any] | SalesforceError | None,
    listed: Sequence[Mapping[str, Any]],
    warehouse: Store | None,
) -> ObjectDrift:
    mapping = project.with_defaults(own) if own else project.unmapped(one.name)
    before = project.catalog.get(one.name)
    table = _table(warehouse, mapping.mapping)
    if isinstance(described, dict):
        now = object_from_describe(slim(described))
        found = tuple(_findings(org, mapping, before, now, table or {}))
    else:
        near = did_you_mean(one.name, [str(entry["name"]) for entry in listed])
        why = f"{one.why_not}{near}" if described is None else str(described)
        told = f"nothing more of it lands, and its table stays as it is; {why}"
        found = (Finding("", "object_gone", "stops", told),)
    return ObjectDrift(
        one.name,
        own.mapping if own else None,
        mapping.on_drift or "evolve",
        before is not None,
        None if warehouse is None else table is not None,
        found,
    )


def _table(warehouse: Store | None, name: str) -> Mapping[str, str] | None:
    if warehouse is None:
        return None
    from forceglue.write.delta_table import Table

    state = Table(warehouse, name, name).state()
    return None if state is None else {column: plain_type(kind) for column, kind in state.columns.items()}


def _findings(
    org: Salesforce,
    mapping: ObjectMapping,
    before: CatalogObject | None,
    now: CatalogObject,
    table: Mapping[str, str],
) -> Iterator[Finding]:
    known = before.field_names if before else ()
    uses = Uses(mapping, dict.fromkeys((*known, *now.field_names)))
    effects = Effects(uses, table)
    fields = {field.name.lower(): field for field in now.fields}
    found = [c for c in (changes(before, now) if before else ()) if c.kind != "label_changed"]
    missing = [change for change in found if change.kind == "field_gone"]
    for change in found:
        if change not in missing:
            severity, told = effects.of(change, fields.get(change.field.lower()))
            yield _finding(change, change.kind, severity, told, uses)
    if before is not None and missing:
        yield from _missing(org, before, missing, effects)
    yield from _unknown(uses, now, effects)
    if table:
        yield from _of_table(mapping, uses.columns, table, {f.lower() for f in known}, set(fields))


def _missing(org: Salesforce, before: CatalogObject, gone: Sequence[Change], effects: Effects) -> Iterator[Finding]:
    """Fields of the snapshot that describe does not have: hidden, deleted, or nobody knows which."""
    readable = granted(org, before.name, [change.field for change in gone])
    fields = {field.name: field for field in before.fields}
    for change in gone:
        severity, told = effects.missing(change.field)
        verdict = hidden(fields[change.field], readable)
        if verdict is None:
            used = severity != "told"
            kind = "field_hidden" if used else "field_gone"
            told = f"hidden by field-level security, or deleted: {told}" + (f". If hidden, {_HIDDEN}" if used else "")
        elif verdict:
            kind, told = "field_hidden", f"hidden by field-level security: {told}. {_HIDDEN[0].upper()}{_HIDDEN[1:]}"
        else:
            kind = "field_gone"
        yield _finding(change, kind, severity, told, effects.uses)


def _unknown(uses: Uses, now: CatalogObject, effects: Effects) -> Iterator[Finding]:
    for name in uses.unknown:
        near = nearest(name, now.field_names)
        severity, told = effects.missing(name)
        hint = f"; did you mean {near}?" if near else ""
        columns = tuple(column.name for column in uses.of(name))
        effect = f"neither the org nor the snapshot has it, or field-level security hides it: {told}{hint}"
        yield Finding(name, "field_unknown", severity, effect, columns=columns)


def _of_table(
    mapping: ObjectMapping,
    columns: Sequence[OutputColumn],
    table: Mapping[str, str],
    known: set[str],
    there: set[str],
) -> Iterator[Finding]:
    """What the mapping says of its table, and what the table is."""
    index = NameIndex(table)
    for column in columns:
        name = index.match(column.name)
        new = (column.field or "").lower() in there - known and column.type is None
        if name is None:
            if not new:  # told as a new field already
                yield Finding(column.name, "table_column", "changes", "the next run adds the column",
                              None, column.type or "string", (column.name,))  # fmt: skip
        elif column.type and plain_type(column.type) != table[name]:
            told = (
                f"the table has {table[name]}, the mapping says {column.type}: nothing is loaded until "
                f"`forceglue run {mapping.mapping} --full-refresh` makes it anew"
            )
            yield Finding(name, "table_type", "stops", told, table[name], column.type, (name,))
    fed = {name for column in columns if (name := index.match(column.name))}
    engine = {*TRACEABILITY, *HISTORY.get(mapping.target.write, ())}
    for name, kind in table.items():
        if name not in fed and name.lower() not in engine:
            told = "nothing feeds it any more; records that are there keep the value they have"
            yield Finding(name, "table_column", "told", told, kind, None, (name,))


def _finding(change: Change, kind: str, severity: Severity, told: str, uses: Uses) -> Finding:
    columns = tuple(column.name for column in uses.of(change.field))
    return Finding(change.field, kind, severity, told, change.before, change.after, columns)
