"""The plan of a run as a value: which files meet which table, in which columns, under which drift. No Spark.

`plan` shows it, `run` executes it; only `run` writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from forceglue.landing.inventory import LandedFile, ListedFile
from forceglue.landing.patch import Kind
from forceglue.landing.position import Position
from forceglue.mapping.expand import OutputColumn, object_columns
from forceglue.mapping.model import DatasetMapping, ObjectMapping
from forceglue.mapping.names import NameIndex, column_name, match
from forceglue.mapping.types import plain_type
from forceglue.run.report import DriftNote
from forceglue.transform.object_rows import TableNames
from forceglue.transform.read import logical_type
from forceglue.write.delta_table import TableState

Mode = Literal["create", "merge", "append", "replace"]


@dataclass(frozen=True)
class ObjectPlan:
    """What a run will do for one object mapping.

    Attributes:
        mapping: with the project's defaults filled in.
        files: landed and not loaded yet, in landing order.
        skipped: older loads that `write: replace` passes over. repeated: second copies of one landing.
        table: the table as it is; None where it is not there yet.
        columns: of the table after the run, each with its type (None: whatever its SQL gives).
        carried: names of the columns that this batch has values for.
        mode: how the rows get into the table. refresh: every file is loaded again and the table replaced.
        again: the rows come from the quarantine (a replay); `files` tells where they came from.
        patch: the files complete records (`patch_plan`); None where they bring them whole.
        patches: landed files that complete records and come after this batch, in batches of their own.
        stopped: why the batch is refused, by the drift policy or since the table has other types; None where it is not.
    """

    mapping: ObjectMapping
    files: tuple[LandedFile, ...]
    skipped: tuple[LandedFile, ...]
    repeated: tuple[ListedFile, ...]
    position: Position
    table: TableState | None
    columns: tuple[OutputColumn, ...]
    carried: frozenset[str]
    names: TableNames
    mode: Mode
    refresh: bool
    drift: tuple[DriftNote, ...]
    stopped: str | None
    again: bool = False
    patch: Kind | None = None
    patches: tuple[LandedFile, ...] = ()

    @property
    def name(self) -> str:
        return self.mapping.mapping

    @property
    def unchanged(self) -> bool:
        return not self.taken

    @property
    def taken(self) -> tuple[LandedFile | ListedFile, ...]:
        """Every file that the position will hold afterwards."""
        return (*self.skipped, *self.repeated, *self.files)

    @property
    def landed(self) -> int:
        return sum(f.rows or 0 for f in (*self.files, *self.skipped))

    @property
    def drops_deleted(self) -> bool:
        """Whether a deleted record is not written at all: it never is with `keep`, nor into a table made anew."""
        asked = self.mapping.target.on_delete
        return asked == "keep" or (asked in ("delete", "close") and self.mode != "merge")


@dataclass(frozen=True)
class DatasetPlan:
    """What a run will do for one dataset.

    Attributes:
        inputs: the tables that it reads, each with its version.
        fingerprint: of the mapping.
        unchanged: neither a table nor the mapping has changed.
        sizes: how many rows each table has; None where that is not known.
    """

    mapping: DatasetMapping
    position: Position
    inputs: Mapping[str, int]
    fingerprint: str
    unchanged: bool
    sizes: Mapping[str, int | None]

    @property
    def name(self) -> str:
        return self.mapping.mapping

    @property
    def rows(self) -> int | None:
        """In the tables together; None where that is not known."""
        known = [n for n in self.sizes.values() if n is not None]
        return sum(known) if len(known) == len(self.sizes) else None


def plan_object(
    mapping: ObjectMapping,
    *,
    catalog_fields: Sequence[str],
    files: Sequence[LandedFile],
    repeated: Sequence[ListedFile],
    position: Position,
    table: TableState | None,
    full_refresh: bool,
    keeps_types: bool,
    patches: Sequence[LandedFile] = (),
) -> ObjectPlan:
    """The plan of one object.

    Args:
        mapping: with defaults.
        catalog_fields: the fields that the catalog knows, in its order.
        files: not loaded yet, in landing order. patches: those that complete records, likewise.
        table: the table as it is now; a full refresh replaces it.
        keeps_types: columns without a declared type keep the type that landed (an object without a mapping file).
    """
    loads, skipped = _newest_load(files) if mapping.target.write == "replace" else (tuple(files), ())
    types = landed_types(loads, hidden(mapping))
    index = NameIndex(catalog_fields)
    known = {name.lower() for name in catalog_fields}
    landed = [name for name in types if name not in known]
    spelling = spelled(loads)
    fields = [*catalog_fields, *(spelling[name] for name in landed)]
    existing = {} if table is None or full_refresh else dict(table.columns)
    columns = object_columns(mapping, fields)
    drift, refused, left_out = _drift(mapping, columns, types, position, existing, index)
    columns = in_spelling_of_table(tuple(c for c in columns if c.name not in left_out), existing)
    columns = tuple(with_type(c, types, existing, keeps_types) for c in columns)
    mode = _mode(mapping, existing, full_refresh)
    if mode in ("merge", "append") and (other := of_other_type(mapping, columns, existing)):
        refused = f"{refused} {other}" if refused else other
    carried = frozenset(c.name for c in columns if c.field is None or "." in c.field or match(c.field, types))
    return ObjectPlan(
        mapping,
        loads,
        skipped,
        tuple(repeated),
        position,
        table,
        columns,
        carried,
        table_names(mapping, columns),
        mode,
        full_refresh,
        drift,
        refused,
        patches=tuple(patches),
    )


def table_names(mapping: ObjectMapping, columns: Sequence[OutputColumn]) -> TableNames:
    """Which columns of the table are its key, its order and its deleted flag."""
    by_field = {c.field.lower(): c.name for c in reversed(columns) if c.field}
    index = NameIndex(by_field)

    def named(field: str | None) -> str | None:
        found = index.match(field) if field else None
        return by_field[found] if found else None

    key = tuple(named(k) or column_name(k, mapping.naming or "snake") for k in mapping.key or ())
    return TableNames(key, named(mapping.order_by), named(mapping.deleted))


def fingerprint(mapping: DatasetMapping) -> str:
    """A text that changes with the mapping: a dataset is made anew when its mapping is another.

    How its table is looked after changes no row.
    """
    said = mapping.model_dump_json(exclude={"target": {"maintain"}})
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _newest_load(files: Sequence[LandedFile]) -> tuple[tuple[LandedFile, ...], tuple[LandedFile, ...]]:
    """The files of the load that landed last, and those of the loads before it."""
    if not files:
        return (), ()
    last = files[-1].flow_execution
    return tuple(f for f in files if f.flow_execution == last), tuple(f for f in files if f.flow_execution != last)


def hidden(mapping: ObjectMapping) -> frozenset[str]:
    """Fields, in lower case, that nothing may read."""
    return frozenset(name.lower() for name in mapping.exclude)


def landed_types(files: Iterable[LandedFile], never_read: frozenset[str]) -> dict[str, str]:
    """`{field in lower case: type}` over the files; text where they differ."""
    types: dict[str, str] = {}
    for file in files:
        for name, landed in file.fields:
            lower, kind = name.lower(), logical_type(landed)
            if lower not in never_read:
                types[lower] = kind if types.get(lower, kind) == kind else "string"
    return types


def spelled(files: Iterable[LandedFile]) -> dict[str, str]:
    """`{field in lower case: as it landed first}`."""
    found: dict[str, str] = {}
    for file in files:
        for name, _ in file.fields:
            found.setdefault(name.lower(), name)
    return found


def with_type(column: OutputColumn, types: Mapping[str, str], existing: Mapping[str, str], keeps: bool) -> OutputColumn:
    """The column with its final type: declared, else the table's, else what landed (if asked), else text."""
    if column.type:
        return replace(column, type=column.type.lower().replace(" ", ""))
    if column.name in existing:
        return replace(column, type=existing[column.name])
    if column.sql is not None or (column.field and "." in column.field):
        return column
    landed = match(column.field, types) if column.field else None
    kind = types[landed] if landed and keeps else "string"
    return replace(column, type=kind)


def in_spelling_of_table(columns: tuple[OutputColumn, ...], existing: Mapping[str, str]) -> tuple[OutputColumn, ...]:
    """The columns in the spelling that the table already has, so that a field's other case is no other column."""
    index = NameIndex(existing)
    out = []
    for column in columns:
        found = index.match(column.name)
        out.append(replace(column, name=found, type=column.type or existing[found]) if found else column)
    return tuple(out)


def _mode(mapping: ObjectMapping, existing: Mapping[str, str], full_refresh: bool) -> Mode:
    if not existing:
        return "replace" if full_refresh else "create"
    if mapping.target.write in ("append", "snapshot"):
        return "append"
    return "replace" if mapping.target.write == "replace" else "merge"


def of_other_type(mapping: ObjectMapping, columns: Sequence[OutputColumn], existing: Mapping[str, str]) -> str | None:
    """Why the table takes no rows of these columns: all of its files have the types that it was made with."""
    index = NameIndex(existing)
    named = [(name, c.type) for c in columns if c.type and (name := index.match(c.name))]
    other = [
        f"{name} is {existing[name]} there and {kind} in the mapping"
        for name, kind in named
        if plain_type(kind) != plain_type(existing[name])
    ]
    if not other:
        return None
    return (
        f"{mapping.mapping}: the table has other types than the mapping: {'; '.join(other)}. Nothing was loaded and "
        f"the files wait. `forceglue run {mapping.mapping} --full-refresh` makes the table anew; or say its types."
    )


def _drift(
    mapping: ObjectMapping,
    columns: Sequence[OutputColumn],
    types: Mapping[str, str],
    position: Position,
    existing: Mapping[str, str],
    catalog: NameIndex,
) -> tuple[tuple[DriftNote, ...], str | None, set[str]]:
    """What differs from the last load, why `freeze` refuses it, and the columns that `ignore` leaves out."""
    before = position.fields
    if not existing or not before or not types:
        return (), None, set()
    policy = mapping.on_drift or "evolve"
    notes: list[DriftNote] = []
    left_out: set[str] = set()
    effect = {"evolve": "a column is added", "freeze": "nothing is loaded", "ignore": "the column is left out"}[policy]
    known = NameIndex(existing)
    for column in columns:
        if (
            column.field
            and column.field.lower() in types
            and column.field.lower() not in before
            and known.match(column.name) is None
        ):
            told = effect if catalog.match(column.field) is None else "a column is added: the catalog knows it"
            notes.append(DriftNote(column.field, "appeared", policy, told))
            if policy == "ignore" and catalog.match(column.field) is None:
                left_out.add(column.name)
    kinds = {c.field.lower(): existing[found] for c in columns if c.field and (found := known.match(c.name))}
    used = {c.field.lower() for c in columns if c.field} | {f for f in before if mapping.keeps_rest}
    for field, kind in before.items():
        if field not in used:
            continue
        if field not in types:
            told = "nothing is loaded" if policy == "freeze" else "the column stays; rows keep the value they have"
            notes.append(DriftNote(field, "vanished", policy, told))
        elif types[field] != kind and kinds.get(field, "string") != "string":  # text holds whatever comes
            told = (
                "nothing is loaded"
                if policy == "freeze"
                else "values are cast to the column's type; what does not fit is set aside"
            )
            notes.append(DriftNote(field, f"changed its type from {kind} to {types[field]}", policy, told))
    frozen = [n for n in notes if n.effect == "nothing is loaded"]
    if not frozen:
        return tuple(notes), None, left_out
    what = "; ".join(f"{n.column} {n.change}" for n in frozen)
    refused = (
        f"{mapping.mapping}: on_drift is freeze and the landed files differ from the last load: {what}. "
        "Nothing was loaded and the files wait. Say `on_drift: evolve` (or ignore) to load them, or mend the flow."
    )
    return tuple(notes), refused, left_out
