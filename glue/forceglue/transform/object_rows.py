"""The rows of an object mapping: latest version, lookups, columns and casts, rules; in this fixed order.

Everything is SQL text in few calls: a wide object has hundreds of columns, and each Column object costs round trips
to the JVM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from forceglue.mapping.expand import OutputColumn
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.names import NameIndex
from forceglue.mapping.sql import columns_in
from forceglue.quality import rules as q
from forceglue.transform.cast import as_text, quoted
from forceglue.transform.columns import (
    FIELD,
    LookedInto,
    cast_checks,
    raw_row,
    value_sql,
    with_key_and_order,
    with_lookups,
)
from forceglue.transform.latest import ORDER, ORDER_LOST, key_columns, latest_versions
from forceglue.transform.prepared import Aside, Flags, Prepared, judged, no_flags
from forceglue.transform.read import ASIDE_AT, RAW_ROW, ROW, SEQ, Batch
from forceglue.transform.trace import TRACE, literal, trace_sql

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class TableNames:
    """The columns of an object table that the engine itself uses."""

    key: tuple[str, ...]
    order: str | None
    deleted: str | None


@dataclass(frozen=True)
class ObjectInputs:
    """What an object's rows need beside the batch.

    Attributes:
        columns: the output columns, each with its final type (None: whatever its SQL gives).
        lookups: `{alias: what is looked into}`.
        names: the table's names of key, order and deleted columns.
        rejected: files (by number in the batch) of which a `reject_file` rule set every row aside.
        drop_deleted: records whose latest version is deleted are not written.
        dedupe: only the latest version of each record is kept.
        buried: key parts and order of records that left the table; None where none did. What is older stays away.
    """

    columns: tuple[OutputColumn, ...]
    lookups: Mapping[str, LookedInto]
    names: TableNames
    run_id: str
    started: datetime
    rejected: frozenset[int] = frozenset()
    drop_deleted: bool = False
    dedupe: bool = True
    flags: Flags = no_flags
    buried: DataFrame | None = None


def object_rows(batch: Batch, mapping: ObjectMapping, inputs: ObjectInputs) -> Prepared:
    """What the batch becomes under the mapping (`mapping` with its defaults filled in)."""
    from pyspark.sql import Observation
    from pyspark.sql import functions as F

    read = Observation()
    fields = NameIndex(batch.fields)
    frame, keys = with_key_and_order(batch.frame.observe(read, F.count(F.lit(1)).alias("rows")), batch, mapping, fields)
    rejected = f"{SEQ} IN ({', '.join(map(str, sorted(inputs.rejected)))})" if inputs.rejected else "false"
    if inputs.dedupe and inputs.rejected:
        # rows of a rejected file compete with nobody: all of them are set aside
        apart = f"IF({rejected}, concat_ws('/', {SEQ}, {ROW}), '') AS __apart"
        frame = latest_versions(frame.selectExpr("*", apart), [*keys, "__apart"])
    elif inputs.dedupe:
        frame = latest_versions(frame, keys)
    if inputs.buried is not None:
        frame = _without_buried(frame, inputs.buried, keys)
    frame = with_lookups(frame, mapping, inputs.columns, inputs.lookups, fields)
    late = _late(batch, mapping, inputs, fields)
    frame = _projected(frame, batch, mapping, inputs, fields, late)
    columns = (*(c.name for c in inputs.columns), *extra_columns(mapping), *TRACE)
    deleted = f"coalesce({quoted(inputs.names.deleted)}, false)" if inputs.names.deleted else None
    return judged(
        frame,
        columns,
        _checks(batch, mapping, inputs, fields, rejected),
        Aside(
            raw=raw_row(batch),
            key=f"concat_ws('/', {', '.join(keys)})",
            row=ROW,
            at=_moment(batch, inputs) if mapping.target.write == "snapshot" else literal(inputs.started),
        ),
        gone=deleted if inputs.drop_deleted else None,
        kept="__kept" if mapping.where else None,
        flags=inputs.flags,
        read=read,
        late=late,
    )


def extra_columns(mapping: ObjectMapping) -> tuple[str, ...]:
    """Columns that the write mode adds."""
    return {"scd2": ("valid_from", "valid_to", "is_current"), "snapshot": ("snapshot_at",)}.get(
        mapping.target.write, ()
    )


def _without_buried(frame: DataFrame, buried: DataFrame, keys: Sequence[str]) -> DataFrame:
    from pyspark.sql import functions as F

    there = buried.toDF(*(f"__buried_{i}" for i in range(len(keys))), "__buried_at")
    same = [f"{key} = __buried_{i}" for i, key in enumerate(keys)]
    return frame.join(there, F.expr(" AND ".join([*same, f"{ORDER} < __buried_at"])), "left_anti")


def _late(batch: Batch, mapping: ObjectMapping, inputs: ObjectInputs, fields: NameIndex) -> dict[str, str]:
    """`{column: SQL text}` of texts that pass through and that no rule asks for.

    They stand in the frame once, as the landed field, until the last step: of an object's hundreds of columns nearly
    all are such, and each step copies every row.
    """
    if mapping.expectations:
        return {}
    asked = {name.lower() for _, _, rule in mapping.rules() for name in columns_in(rule.sql)}
    asked |= {name.lower() for name in (*inputs.names.key, inputs.names.order, inputs.names.deleted) if name}
    found = {}
    for column in inputs.columns:
        field = fields.match(column.field) if column.field and column.sql is None else None
        plain = field is not None and column.type in (None, "string") and "." not in (column.field or "")
        if field and plain and batch.fields[field] == "string" and column.name.lower() not in asked:
            found[column.name] = as_text(FIELD + field, "string")
    return found


def _projected(
    frame: DataFrame,
    batch: Batch,
    mapping: ObjectMapping,
    inputs: ObjectInputs,
    fields: NameIndex,
    late: Mapping[str, str],
) -> DataFrame:
    """The landed fields under `__f_` and the output columns under their own names, but for those that come late."""
    keyed = dict(zip(inputs.names.key, key_columns(len(inputs.names.key)), strict=True))
    outputs = {}
    for column in inputs.columns:
        if column.name in late:
            continue
        as_key = column.name in keyed and column.type in (None, "string")
        outputs[column.name] = keyed[column.name] if as_key else value_sql(column, batch, mapping, fields)
    trace = trace_sql(batch.files, inputs.run_id)
    extra = {
        "valid_from": f"coalesce(timestamp_micros({ORDER}), {trace['processed_ts']})",
        "valid_to": "CAST(NULL AS TIMESTAMP)",
        "is_current": "true",
        "snapshot_at": _moment(batch, inputs),
    }
    outputs |= {name: extra[name] for name in extra_columns(mapping)} | trace
    return frame.selectExpr(
        *(f"{quoted(name)} AS {quoted(FIELD + name)}" for name in batch.fields),
        *(f"{value} AS {quoted(name)}" for name, value in outputs.items()),
        *keyed.values(),
        ORDER_LOST,
        ROW,
        SEQ,
        *((RAW_ROW, ASIDE_AT) if batch.again else ()),
        f"({mapping.where or 'true'}) AS __kept",
    )


def _moment(batch: Batch, inputs: ObjectInputs) -> str:
    """SQL text: the moment of the snapshot that a row belongs to; a row set aside before keeps that of its load."""
    return ASIDE_AT if batch.again else literal(inputs.started)


def _checks(
    batch: Batch, mapping: ObjectMapping, inputs: ObjectInputs, fields: NameIndex, rejected: str
) -> tuple[q.Check, ...]:
    no_key = " OR ".join(f"{key} IS NULL" for key in key_columns(len(inputs.names.key)))
    checks = [q.Check(q.KEY_RULE, "quarantine", "the key is set", no_key, "a record without its key belongs nowhere")]
    if inputs.names.order:
        said = f"{mapping.order_by} is a time or a number"
        stamp = fields.match(mapping.order_by or "")
        value = quoted(FIELD + stamp) if stamp else None
        checks.append(q.Check(q.ORDER_RULE, "quarantine", said, ORDER_LOST, "a version that cannot be ordered", value))
    if inputs.rejected:
        checks.append(q.Check(q.FILE_RULE, "quarantine", "no row of the file breaks a reject_file rule", rejected))
    checks.extend(cast_checks(inputs.columns, batch, mapping, fields))
    checks.extend(q.rule_check(name, severity, rule) for name, severity, rule in mapping.rules())
    return tuple(checks)
