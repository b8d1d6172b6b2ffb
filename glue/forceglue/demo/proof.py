"""Whether the tables hold what the org holds: every record, every field, compared as values and not by how they look.

The org's records are read where the simulated org keeps them, the tables as any reader of Delta sees them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from forceglue.mapping.expand import object_columns
from forceglue.simulated.salesforce.store import quoted
from forceglue.simulated.salesforce.wire import IDS, NUMBERS, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forceglue.mapping.model import ObjectMapping
    from forceglue.mapping.project import Project
    from forceglue.simulated.salesforce.org import Org
    from forceglue.simulated.salesforce.schema import ObjectSchema

_EXACT = pa.decimal256(76, 30)


@dataclass(frozen=True)
class Proof:
    """What was compared, and what differs.

    Attributes:
        deleted, merged: records in the org's recycle bin, and those of them that became part of another.
        purged: records that a table holds as deleted and the org has forgotten.
        differences: (object or field, what differs: how many records, one of them). Empty: all is the same.
    """

    objects: int = 0
    records: int = 0
    values: int = 0
    deleted: int = 0
    merged: int = 0
    purged: int = 0
    differences: tuple[tuple[str, str], ...] = ()

    def __add__(self, other: Proof) -> Proof:
        sums = (getattr(self, each.name) + getattr(other, each.name) for each in fields(Proof))
        return Proof(*sums)


def prove(org: Org, project: Project, warehouse: Path) -> Proof:
    """Compares every object of the org that can be queried with the table of its mapping."""
    found = Proof()
    for mapping in map(project.with_defaults, project.objects.values()):
        schema = org.find(mapping.source)
        if schema is not None and schema.can("queryable"):
            found += _of_object(org, schema, mapping, warehouse / mapping.mapping)
    return found


def _of_object(org: Org, schema: ObjectSchema, mapping: ObjectMapping, folder: Path) -> Proof:
    seen = [f.name for f in schema.seen if not f.compound and f.type != "base64"]
    columns = {c.field: c.name for c in object_columns(mapping, seen) if c.field and c.sql is None}
    held = org_records(org, schema, [name for name in seen if name in columns])
    if not (folder / "_delta_log").is_dir():
        lost = ((schema.name, f"there is no table {mapping.mapping}"),) if held.num_rows else ()
        return Proof(1, held.num_rows, differences=lost)
    table = _table_rows(folder, columns)
    problems: list[tuple[str, str]] = []
    ids, keys = held["Id"].combine_chunks(), table["Id"].combine_chunks()
    if pc.count_distinct(keys).as_py() != len(keys):
        problems.append((schema.name, "the table holds a record twice"))
    places = pc.index_in(ids, keys)
    if places.null_count:
        missing = ids.filter(places.is_null())
        problems.append((schema.name, f"{len(missing):,} records are not in the table, {missing[0]} for one"))
    extra = table.filter(pc.invert(pc.is_in(keys, ids)))
    deleted = _values("boolean", extra["IsDeleted"]) if "IsDeleted" in extra.column_names else None
    alive = extra if deleted is None else extra.filter(pc.fill_null(pc.invert(deleted), fill_value=True))
    if alive.num_rows:
        problems.append((schema.name, f"{alive.num_rows:,} records live in the table alone, {alive['Id'][0]} for one"))
    both = held.filter(places.is_valid())
    rows = table.take(places.drop_null())
    problems += _differing(schema, both, rows)
    return Proof(
        objects=1,
        records=held.num_rows,
        values=both.num_rows * both.num_columns,
        deleted=_count(held, "IsDeleted", "true"),
        merged=held.num_rows - held["MasterRecordId"].null_count if "MasterRecordId" in held.column_names else 0,
        purged=extra.num_rows - alive.num_rows,
        differences=tuple(problems),
    )


def _count(held: pa.Table, name: str, text: str) -> int:
    return pc.sum(pc.equal(held[name], text)).as_py() or 0 if name in held.column_names else 0


def org_records(org: Org, schema: ObjectSchema, fields: list[str]) -> pa.Table:
    """All records of an object, those in the recycle bin included, as the texts that the org keeps."""
    asked = ", ".join(map(quoted, fields))
    rows = org.store.rows(f"SELECT {asked} FROM {quoted(schema.name)}")  # noqa: S608 - names of the schema
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=fields)


def _table_rows(folder: Path, columns: dict[str, str]) -> pa.Table:
    """The table's columns under the names of the fields that they hold; a field that never landed is null."""
    from deltalake import DeltaTable

    opened = DeltaTable(str(folder))
    there = {field.name for field in opened.schema().fields}
    table = opened.to_pyarrow_table(columns=[name for name in columns.values() if name in there])
    nothing = pa.nulls(table.num_rows, pa.string())
    return pa.table({field: table[name] if name in there else nothing for field, name in columns.items()})


def _differing(schema: ObjectSchema, held: pa.Table, rows: pa.Table) -> Iterator[tuple[str, str]]:
    for name in held.column_names:
        kind = schema.known(name).type
        one, other = _values(kind, held[name]), _values(kind, rows[name])
        same = pc.or_(pc.fill_null(pc.equal(one, other), fill_value=False), pc.and_(one.is_null(), other.is_null()))
        wrong = held["Id"].filter(pc.invert(same))
        if len(wrong):
            yield f"{schema.name}.{name}", f"{len(wrong):,} records differ, {wrong[0]} for one"


def _values(kind: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values of a column of texts, or of a type of its own, in the one type that all forms of them fit."""
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if text:
        column = pc.if_else(pc.equal(column, ""), None, column)
    if kind == "boolean":
        return pc.equal(pc.utf8_lower(column), "true") if text else column
    if kind in NUMBERS or kind in WHOLE:
        return column.cast(_EXACT)
    if kind == "date":
        return column.cast(pa.date32())
    if kind == "datetime":
        plain = pc.replace_substring_regex(column, r"(Z|\+0000)$", "") if text else column
        return plain.cast(pa.timestamp("ms"), safe=False)
    return column if kind in IDS or text else column.cast(pa.string())
