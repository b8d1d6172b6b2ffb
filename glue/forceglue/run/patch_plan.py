"""The plan of laying patches over a table: which files, which columns they know values for. No Spark.

Patches come after the files that bring records whole, a batch for each kind. Such a batch tells no drift, and is not
asked what `expectations` say of a load: it is none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from forceglue.landing.inventory import LandedFile
from forceglue.landing.patch import Kind
from forceglue.landing.position import Position
from forceglue.mapping.expand import OutputColumn, object_columns
from forceglue.mapping.model import ObjectMapping, Quality
from forceglue.mapping.names import NameIndex, column_name, match
from forceglue.mapping.sql import columns_in
from forceglue.run.plan import (
    ObjectPlan,
    hidden,
    in_spelling_of_table,
    landed_types,
    of_other_type,
    spelled,
    table_names,
    with_type,
)
from forceglue.transform.object_rows import TableNames, extra_columns
from forceglue.transform.overlay import fields_read, own_fields
from forceglue.transform.trace import TRACE
from forceglue.write.delta_table import TableState

Files = tuple[LandedFile, ...]


def plan_patch(
    mapping: ObjectMapping,
    kind: Kind,
    *,
    catalog_fields: Sequence[str],
    files: Sequence[LandedFile],
    position: Position,
    table: TableState,
    keeps_types: bool,
) -> ObjectPlan:
    """The plan of one kind of patches.

    Args:
        mapping: with defaults.
        files: patches of this kind that are not in the table yet, in landing order.
        table: the table as it is after the files that bring records whole.
        keeps_types: as of `plan_object`.
    """
    read, passed_over = _newest(files, position.refreshed) if kind == "refresh" else (tuple(files), ())
    types = landed_types(read, hidden(mapping))
    columns = _columns(mapping, catalog_fields, read, types, table, keeps_types=keeps_types)
    names = table_names(mapping, columns)
    carried = _completed(mapping, columns, types, names) if kind == "refresh" else _told(names, kind, mapping, types)
    if not carried or not _meets(mapping, kind):
        read, passed_over = (), tuple(files)
    mine = [c for c in columns if c.name in carried]
    return ObjectPlan(
        _as_judged(mapping, kind, mine, types),
        read,
        passed_over,
        (),
        position,
        table,
        columns,
        carried,
        names,
        "merge",
        refresh=False,
        drift=(),
        stopped=of_other_type(mapping, mine, table.columns) if read else None,
        patch=kind,
    )


def _newest(files: Sequence[LandedFile], refreshed: datetime | None) -> tuple[Files, Files]:
    """The files of the newest refresh, and the others: each refresh brings every record, so that it stands for all."""
    times = [file.patch.at for file in files if file.patch]
    at = max(times, default=refreshed)
    if at is None or (refreshed is not None and at < refreshed):
        return (), tuple(files)
    newest = tuple(f for f in files if f.patch and f.patch.at == at)
    return newest, tuple(f for f in files if f not in newest)


def _meets(mapping: ObjectMapping, kind: Kind) -> bool:
    """Whether the table has a row for each record that a patch may change."""
    target = mapping.target
    return target.write in ("upsert", "scd2") and (kind == "refresh" or target.on_delete != "keep")


def _columns(
    mapping: ObjectMapping,
    catalog_fields: Sequence[str],
    files: Sequence[LandedFile],
    types: dict[str, str],
    table: TableState,
    *,
    keeps_types: bool,
) -> tuple[OutputColumn, ...]:
    """The table's columns, those that the mapping says and those that stand there besides, and what the patch adds."""
    known = NameIndex(catalog_fields)
    landed = spelled(files)
    fresh = [landed[name] for name in types if known.match(name) is None]
    needed = (f for f in (*(mapping.key or ()), mapping.order_by, mapping.deleted) if f)
    had = [f for f in needed if match(column_name(f, mapping.naming or "snake"), table.columns)]
    columns = in_spelling_of_table(object_columns(mapping, [*catalog_fields, *fresh, *had]), table.columns)
    if mapping.on_drift in ("freeze", "ignore"):
        # what nobody has agreed to is no column, however it comes
        columns = tuple(c for c in columns if c.name in table.columns or not c.field or known.match(c.field))
    columns = tuple(with_type(c, types, table.columns, keeps_types) for c in columns)
    ours = {*TRACE, *extra_columns(mapping), *(c.name for c in columns)}
    return (*columns, *(OutputColumn(name, type=kind) for name, kind in table.columns.items() if name not in ours))


def _completed(
    mapping: ObjectMapping, columns: Sequence[OutputColumn], types: Collection[str], names: TableNames
) -> frozenset[str]:
    """Columns whose fields are all in the refresh, one of them beyond what every patch has: key and order."""
    index = NameIndex(types)
    always = {index.match(f) for f in (*(mapping.key or ()), mapping.order_by, mapping.deleted) if f}
    found = set()
    for column in columns:
        fields = {index.match(f) for f in fields_read(column, mapping)}
        if fields - always - {None} and None not in fields:
            found.add(column.name)
    return frozenset(found - {*names.key, names.order, names.deleted})


def _told(names: TableNames, kind: Kind, mapping: ObjectMapping, types: Collection[str]) -> frozenset[str]:
    """Columns that a deletion changes: the flag, and the order where it is known when."""
    if names.deleted is None:
        return frozenset()
    dated = kind == "deleted" and names.order and mapping.order_by and match(mapping.order_by, types)
    return frozenset({names.deleted, names.order} if dated and names.order else {names.deleted})


def _as_judged(
    mapping: ObjectMapping, kind: Kind, computed: Sequence[OutputColumn], types: Collection[str]
) -> ObjectMapping:
    """The mapping as far as it says something of the rows of a patch: no rule judges a deletion."""
    if kind != "refresh":
        return mapping.model_copy(update={"expectations": (), "quality": Quality(), "where": None, "lookups": {}})
    index = NameIndex(types)
    said = columns_in(mapping.where) if mapping.where else ()
    where = mapping.where if all(index.match(f) for f in own_fields(said, mapping)) else None
    told = {*(c.field for c in computed if c.field), *(n for c in computed if c.sql for n in columns_in(c.sql))}
    told |= set(said) if where else set()
    aliases = {match(name.partition(".")[0], mapping.lookups) for name in told if "." in name}
    lookups = {alias: lookup for alias, lookup in mapping.lookups.items() if alias in aliases}
    return mapping.model_copy(update={"expectations": (), "where": where, "lookups": lookups})
