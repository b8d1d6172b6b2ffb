"""What each column of an object's table holds: SQL text over the landed fields and what is looked up for them.

The ordinary rows of an object and the rows that a patch completes are made of the same pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.errors import UsageError
from forceglue.mapping.expand import OutputColumn
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.names import NameIndex, match
from forceglue.mapping.sql import columns_in
from forceglue.quality import rules as q
from forceglue.transform.cast import as_text, cast_sql, needs_cast, order_sql, present_sql, quoted
from forceglue.transform.ids import same_key
from forceglue.transform.latest import ORDER, ORDER_LOST, key_columns
from forceglue.transform.prepared import raw_json
from forceglue.transform.read import RAW_ROW, Batch
from forceglue.transform.references import bring, brought
from forceglue.transform.trace import literal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FIELD = "__f_"
"""Prefix of the landed fields once the output columns stand beside them."""


@dataclass(frozen=True)
class LookedInto:
    """The live rows of another object's table, its key column, and the column that a name means (None: never had)."""

    table: DataFrame
    key: str
    column: Callable[[str], str | None]


def with_key_and_order(
    frame: DataFrame, batch: Batch, mapping: ObjectMapping, fields: NameIndex
) -> tuple[DataFrame, list[str]]:
    """The frame with what tells records and their versions apart, and the names of the key's columns.

    Raises:
        UsageError: no file has the key.
    """
    key_fields = []
    for wanted in mapping.key or ():
        field = fields.match(wanted)
        if field is None:
            raise UsageError(
                f"{mapping.mapping}: the key field {wanted} is in none of the files; say `key:` in the mapping"
            )
        key_fields.append(field)
    order = fields.match(mapping.order_by) if mapping.order_by else None
    keys = key_columns(len(key_fields))
    stamp = order_sql(order, batch.fields[order]) if order else "CAST(NULL AS BIGINT)"
    lost = f"{present_sql(order, batch.fields[order])} AND {ORDER} IS NULL" if order else "false"
    told = (f"{same_key(quoted(field))} AS {key}" for key, field in zip(keys, key_fields, strict=True))
    return frame.selectExpr("*", *told, f"{stamp} AS {ORDER}", f"{lost} AS {ORDER_LOST}"), keys


def with_lookups(
    frame: DataFrame,
    mapping: ObjectMapping,
    columns: Sequence[OutputColumn],
    lookups: Mapping[str, LookedInto],
    fields: NameIndex,
) -> DataFrame:
    """The frame with all that the columns and the mapping's `where` say beside the landed fields.

    Args:
        lookups: `{alias: what is looked into}`, for each of the mapping's.
    """
    in_sql = [n for text in (*(c.sql for c in columns), mapping.where) if text for n in columns_in(text)]
    used: dict[str, dict[str, str | None]] = {alias: {} for alias in mapping.lookups}
    for name in [*(c.field for c in columns if c.field), *in_sql]:
        head, _, column = name.partition(".")
        alias = match(head, mapping.lookups) if column else None
        if alias:
            used[alias][column.lower()] = lookups[alias].column(column)
    for alias, lookup in mapping.lookups.items():
        into, by = lookups[alias], fields.match(lookup.by)
        here = quoted(by) if by else "CAST(NULL AS STRING)"
        frame = bring(frame, alias, into.table, [(here, into.key)], used[alias], "left")
    return _offered(frame, dict.fromkeys(in_sql), fields, used)


def _offered(
    frame: DataFrame, said: Iterable[str], fields: NameIndex, used: Mapping[str, Mapping[str, object]]
) -> DataFrame:
    """The frame with what expressions say, as they say it: a field, or `alias.column` as a member of a struct."""
    structs: dict[str, dict[str, str]] = {}
    told = {}
    for name in said:  # the same name in another case is the same name
        head, dot, column = name.partition(".")
        alias = match(head, used) if dot else None
        found = fields.match(name)
        if alias:
            structs.setdefault(alias, {})[column.lower()] = f"{quoted(brought(alias, column))} AS {quoted(column)}"
        elif found is None or found.lower() != name.lower():
            told[name.lower()] = f"{quoted(found) if found else 'CAST(NULL AS STRING)'} AS {quoted(name)}"
    offered = [*told.values(), *(f"struct({', '.join(m.values())}) AS {quoted(alias)}" for alias, m in structs.items())]
    return frame.selectExpr("*", *offered) if offered else frame


def value_sql(column: OutputColumn, batch: Batch, mapping: ObjectMapping, fields: NameIndex) -> str:
    """SQL text: what the column holds, over a frame that `with_lookups` gave."""
    kind = column.type or "string"
    if column.sql is not None:
        return f"try_cast(({column.sql}) AS {kind})" if column.type else f"({column.sql})"
    if column.field is None:
        return f"CAST({literal(column.value)} AS {kind})"
    head, _, inner = column.field.partition(".")
    alias = match(head, mapping.lookups) if inner else None
    if alias:
        looked_up = quoted(brought(alias, inner))
        return f"try_cast({looked_up} AS {kind})" if column.type else looked_up
    field = fields.match(column.field)
    return cast_sql(field, batch.fields[field], kind) if field else f"CAST(NULL AS {kind})"


def cast_checks(
    columns: Sequence[OutputColumn], batch: Batch, mapping: ObjectMapping, fields: NameIndex
) -> list[q.Check]:
    """For each column that is cast: a value that was there is still there. Asked where the fields stand as `__f_…`."""
    checks = []
    for column in columns:
        field = fields.match(column.field) if column.field else None
        if field and column.type and needs_cast(batch.fields[field], column.type):
            raw = FIELD + field
            broken = f"{present_sql(raw, batch.fields[field])} AND {quoted(column.name)} IS NULL"
            said = f"{column.name} is a {column.type}"
            checks.append(q.Check(f"cast_{column.name}", mapping.on_cast_error, said, broken, None, quoted(raw)))
    return checks


def raw_row(batch: Batch) -> str:
    """SQL text: the raw row; every field as text, so that it reads the same whatever types the file had."""
    if batch.again:
        return RAW_ROW
    texts = (
        (f, quoted(FIELD + f) if kind == "string" else as_text(FIELD + f, kind)) for f, kind in batch.fields.items()
    )
    return raw_json({batch.spelled[field]: text for field, text in texts})
