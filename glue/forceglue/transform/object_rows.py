"""The rows of an object mapping: latest version, lookups, columns and casts, rules; in this fixed order.

Everything is SQL text in few calls: a wide object has hundreds of columns, and each Column object costs round trips
to the JVM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from forceglue.errors import UsageError
from forceglue.mapping.expand import OutputColumn
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.names import NameIndex, match
from forceglue.mapping.sql import columns_in
from forceglue.quality import rules as q
from forceglue.transform.cast import as_text, cast_sql, needs_cast, order_sql, present_sql, quoted
from forceglue.transform.ids import same_key
from forceglue.transform.latest import ORDER, ORDER_LOST, key_columns, latest_versions
from forceglue.transform.prepared import Aside, Flags, Prepared, judged, no_flags, raw_json
from forceglue.transform.read import ASIDE_AT, RAW_ROW, ROW, SEQ, Batch
from forceglue.transform.references import bring, brought
from forceglue.transform.trace import TRACE, literal, trace_sql

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
    frame, keys = _with_key_and_order(
        batch.frame.observe(read, F.count(F.lit(1)).alias("rows")), batch, mapping, fields
    )
    rejected = f"{SEQ} IN ({', '.join(map(str, sorted(inputs.rejected)))})" if inputs.rejected else "false"
    if inputs.dedupe and inputs.rejected:
        # rows of a rejected file compete with nobody: all of them are set aside
        apart = f"IF({rejected}, concat_ws('/', {SEQ}, {ROW}), '') AS __apart"
        frame = latest_versions(frame.selectExpr("*", apart), [*keys, "__apart"])
    elif inputs.dedupe:
        frame = latest_versions(frame, keys)
    if inputs.buried is not None:
        frame = _without_buried(frame, inputs.buried, keys)
    frame = _with_lookups(frame, mapping, inputs, fields)
    late = _late(batch, mapping, inputs, fields)
    frame = _projected(frame, batch, mapping, inputs, fields, late)
    columns = (*(c.name for c in inputs.columns), *extra_columns(mapping), *TRACE)
    deleted = f"coalesce({quoted(inputs.names.deleted)}, false)" if inputs.names.deleted else None
    return judged(
        frame,
        columns,
        _checks(batch, mapping, inputs, fields, rejected),
        Aside(
            raw=_raw(batch),
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


def _with_key_and_order(
    frame: DataFrame, batch: Batch, mapping: ObjectMapping, fields: NameIndex
) -> tuple[DataFrame, list[str]]:
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


def _without_buried(frame: DataFrame, buried: DataFrame, keys: Sequence[str]) -> DataFrame:
    from pyspark.sql import functions as F

    there = buried.toDF(*(f"__buried_{i}" for i in range(len(keys))), "__buried_at")
    same = [f"{key} = __buried_{i}" for i, key in enumerate(keys)]
    return frame.join(there, F.expr(" AND ".join([*same, f"{ORDER} < __buried_at"])), "left_anti")


def _with_lookups(frame: DataFrame, mapping: ObjectMapping, inputs: ObjectInputs, fields: NameIndex) -> DataFrame:
    in_sql = [n for text in (*(c.sql for c in inputs.columns), mapping.where) if text for n in columns_in(text)]
    used: dict[str, dict[str, str | None]] = {alias: {} for alias in mapping.lookups}
    for name in [*(c.field for c in inputs.columns if c.field), *in_sql]:
        head, _, column = name.partition(".")
        alias = match(head, mapping.lookups) if column else None
        if alias:
            used[alias][column.lower()] = inputs.lookups[alias].column(column)
    for alias, lookup in mapping.lookups.items():
        into, by = inputs.lookups[alias], fields.match(lookup.by)
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
        outputs[column.name] = keyed[column.name] if as_key else _value(column, batch, mapping, fields)
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


def _raw(batch: Batch) -> str:
    """SQL text: the raw row; every field as text, so that it reads the same whatever types the file had."""
    if batch.again:
        return RAW_ROW
    texts = (
        (f, quoted(FIELD + f) if kind == "string" else as_text(FIELD + f, kind)) for f, kind in batch.fields.items()
    )
    return raw_json({batch.spelled[field]: text for field, text in texts})


def _moment(batch: Batch, inputs: ObjectInputs) -> str:
    """SQL text: the moment of the snapshot that a row belongs to; a row set aside before keeps that of its load."""
    return ASIDE_AT if batch.again else literal(inputs.started)


def _value(column: OutputColumn, batch: Batch, mapping: ObjectMapping, fields: NameIndex) -> str:
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
    for column in inputs.columns:
        field = fields.match(column.field) if column.field else None
        if field and column.type and needs_cast(batch.fields[field], column.type):
            raw = FIELD + field
            broken = f"{present_sql(raw, batch.fields[field])} AND {quoted(column.name)} IS NULL"
            said = f"{column.name} is a {column.type}"
            checks.append(q.Check(f"cast_{column.name}", mapping.on_cast_error, said, broken, None, quoted(raw)))
    checks.extend(q.rule_check(name, severity, rule) for name, severity, rule in mapping.rules())
    return tuple(checks)
