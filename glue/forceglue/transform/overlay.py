"""Rows of a table completed by a patch: what the patch knows is new, every other value stays as it is in the table.

A patch meets the rows that the table has and inserts none. Only rows that it changes are left, so that a refresh of
millions of records in which nothing has changed writes nothing. Of the table no column is read that nobody asks for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from forceglue.landing.patch import Kind
from forceglue.mapping.expand import OutputColumn
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.names import NameIndex, match
from forceglue.mapping.sql import columns_in
from forceglue.quality import rules as q
from forceglue.transform.cast import order_sql, quoted
from forceglue.transform.columns import FIELD, cast_checks, raw_row, value_sql, with_key_and_order, with_lookups
from forceglue.transform.latest import ORDER, ORDER_LOST, latest_versions
from forceglue.transform.object_rows import ObjectInputs, extra_columns
from forceglue.transform.prepared import Aside, Prepared, judged
from forceglue.transform.read import ROW, SEQ, Batch
from forceglue.transform.trace import INGESTED, TRACE, literal, of_file, trace_sql

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

THERE, _STAMP, _AT = "__there_", "__stamp", "__at"
"""Prefix of the table's own columns beside a patch's row; the patch's order in the table's type; its `Patch.at`."""


@dataclass(frozen=True)
class Onto:
    """What a patch is laid over.

    Attributes:
        table: the rows that it may meet (SCD2: the current versions).
        carried: columns that the patch has values for.
        whole: the rows come out with every column, not only with those that change.
    """

    table: DataFrame
    kind: Kind
    carried: frozenset[str]
    whole: bool = False


def fields_read(column: OutputColumn, mapping: ObjectMapping) -> frozenset[str]:
    """The object's own fields that a column is made of, as the mapping says them."""
    said = columns_in(column.sql) if column.sql is not None else (column.field,) if column.field else ()
    return own_fields(said, mapping)


def own_fields(said: Collection[str], mapping: ObjectMapping) -> frozenset[str]:
    """What expressions say as fields of the object: `alias.column` is read through the field of its lookup."""
    heads = {name: match(name.partition(".")[0], mapping.lookups) if "." in name else None for name in said}
    return frozenset(mapping.lookups[alias].by if alias else name for name, alias in heads.items())


def overlay(batch: Batch, mapping: ObjectMapping, inputs: ObjectInputs, onto: Onto) -> Prepared:
    """What the patch makes of the table's rows.

    Args:
        batch: the files of one kind of patch.
        mapping: as it judges rows of a patch (`run.patch_plan`).
        inputs: `columns` with those of the table that the mapping does not know, too.
    """
    fields = NameIndex(batch.fields)
    frame, keys = with_key_and_order(batch.frame, batch, mapping, fields)
    laid = _Overlay(batch, mapping, inputs, onto, fields, keys)
    frame = with_lookups(frame, mapping, laid.computed, inputs.lookups, fields)
    # a patch brings a record once, or seldom more: only what is left of it needs to be put in order
    frame = latest_versions(laid.beside(frame).where(laid.applies()), keys)
    return judged(
        laid.over(frame),
        laid.written(),
        laid.checks(),
        Aside(raw_row(batch), f"concat_ws('/', {', '.join(keys)})", ROW, literal(inputs.started), onto.kind),
        gone=None,
        kept="__kept" if mapping.where else None,
        flags=inputs.flags,
        read=None,  # not counted inside the write: a join that can meet nothing reads no further
    )


@dataclass(frozen=True)
class _Overlay:
    batch: Batch
    mapping: ObjectMapping
    inputs: ObjectInputs
    onto: Onto
    fields: NameIndex
    keys: list[str]

    @cached_property
    def there(self) -> frozenset[str]:
        return frozenset(self.onto.table.columns)

    @cached_property
    def computed(self) -> tuple[OutputColumn, ...]:
        """Columns whose values a refresh brings; a deletion brings none but the two that say so."""
        carried = self.onto.carried if self.onto.kind == "refresh" else ()
        return tuple(c for c in self.inputs.columns if c.name in carried)

    def written(self) -> tuple[str, ...]:
        """The columns that come out: where a row is changed in place, only those that may differ."""
        names = self.inputs.names
        named = {*names.key, names.order, names.deleted, *self.onto.carried}
        data = (c.name for c in self.inputs.columns if c.name in named or (self.onto.whole and c.name in self.there))
        return (*data, *extra_columns(self.mapping), *TRACE)

    def checks(self) -> list[q.Check]:
        if self.onto.kind != "refresh":
            return []  # nobody judges a deletion
        rejected = f"{SEQ} IN ({', '.join(map(str, sorted(self.inputs.rejected)))})" if self.inputs.rejected else None
        said = "no row of the file breaks a reject_file rule"
        file = [q.Check(q.FILE_RULE, "quarantine", said, rejected)] if rejected else []
        rules = [q.rule_check(name, severity, rule) for name, severity, rule in self.mapping.rules()]
        return [*file, *cast_checks(self.computed, self.batch, self.mapping, self.fields), *rules]

    def beside(self, frame: DataFrame) -> DataFrame:
        """Each of the patch's rows beside the table's row of its record; those that meet none are gone."""
        from pyspark.sql import functions as F

        names, own = self.inputs.names, {c.name: c for c in self.inputs.columns}

        def value(column: OutputColumn) -> str:
            return value_sql(column, self.batch, self.mapping, self.fields)

        values = {c.name: value(c) for c in self.computed}
        met = []
        for i, (name, key) in enumerate(zip(names.key, self.keys, strict=True)):
            as_key = own[name].type in (None, "string")
            values[f"__met_{i}"] = key if as_key else value(own[name])
            met.append(f"__met_{i} = {quoted(THERE + name)}")
        if names.order:
            values[_STAMP] = value(own[names.order])
        patch = frame.selectExpr(
            *(f"{quoted(name)} AS {quoted(FIELD + name)}" for name in self.batch.fields),
            *(f"{text} AS {quoted(name)}" for name, text in values.items()),
            *(f"{text} AS {name}" for name, text in trace_sql(self.batch.files, self.inputs.run_id).items()),
            f"{of_file([file.patch.at if file.patch else None for file in self.batch.files])} AS {_AT}",
            *self.keys,
            ORDER,
            ORDER_LOST,
            ROW,
            SEQ,
            f"({self.mapping.where or 'true'}) AS __kept",
        )
        table = self.onto.table.selectExpr(*(f"{quoted(c)} AS {quoted(THERE + c)}" for c in self.onto.table.columns))
        return patch.join(table, F.expr(" AND ".join(met)), "inner")

    def applies(self) -> str:
        """SQL text: the patch's row is news for the table's row."""
        stamp, had = self._stamps()
        since = f"coalesce({INGESTED} >= {quoted(THERE + INGESTED)}, true)"
        if self.onto.kind == "refresh":
            newer = f"CASE WHEN {stamp} > {had} THEN true WHEN {stamp} < {had} THEN false ELSE {since} END"
            return f"({newer}) AND ({self._differs()})"
        gone = self.inputs.names.deleted
        alive = f"NOT coalesce(try_cast({quoted(THERE + gone)} AS BOOLEAN), false)" if gone in self.there else "true"
        if self.onto.kind == "deleted" and self.inputs.names.order:
            return f"{alive} AND coalesce(coalesce({stamp}, unix_micros({_AT})) >= {had}, true)"
        # what has landed since then was seen alive: when everything is loaded anew, it has not vanished again
        return f"{alive} AND coalesce(unix_micros({_AT}) >= {had}, true) AND {since}"

    def _stamps(self) -> tuple[str, str]:
        """SQL texts: the order of the patch's row and of the table's, in one form; null where there is none."""
        order = self.inputs.names.order
        if order is None or order not in self.there:
            return "CAST(NULL AS BIGINT)", "CAST(NULL AS BIGINT)"
        kind = next(c.type or "string" for c in self.inputs.columns if c.name == order)
        return order_sql(_STAMP, kind), order_sql(THERE + order, kind)

    def _differs(self) -> str:
        """SQL text: a computed value is another than the table's, or does not fit its type."""
        found = [
            f"NOT ({quoted(c.name)} <=> {quoted(THERE + c.name)})"
            if c.name in self.there
            else f"{quoted(c.name)} IS NOT NULL"
            for c in self.computed
        ]
        broken = [f"({c.broken})" for c in cast_checks(self.computed, self.batch, self.mapping, self.fields)]
        return " OR ".join([*found, *broken]) or "false"

    def over(self, frame: DataFrame) -> DataFrame:
        """The whole rows: the patch's values, and under them the table's."""
        names, computed = self.inputs.names, {c.name for c in self.computed}
        outputs, moment = {}, _AT
        for c in self.inputs.columns:
            kept = quoted(THERE + c.name) if c.name in self.there else f"CAST(NULL AS {c.type or 'string'})"
            outputs[c.name] = quoted(c.name) if c.name in computed else kept
        if self.onto.kind != "refresh" and names.deleted:
            kind = next(c.type for c in self.inputs.columns if c.name == names.deleted)
            outputs[names.deleted] = f"CAST(true AS {kind or 'boolean'})"
        if self.onto.kind == "deleted" and names.order:
            outputs[names.order] = f"coalesce({_STAMP}, {outputs[names.order]})"
            moment = f"coalesce(timestamp_micros({ORDER}), {_AT})"
        extra = {
            "valid_from": f"greatest({moment}, {THERE}valid_from)",  # a version does not end before it began
            "valid_to": "CAST(NULL AS TIMESTAMP)",
            "is_current": "true",
        }
        outputs |= {name: extra[name] for name in extra_columns(self.mapping)}
        return frame.selectExpr(
            *(quoted(FIELD + name) for name in self.batch.fields),
            *(f"{text} AS {quoted(name)}" for name, text in outputs.items()),
            *TRACE,
            *self.keys,
            ROW,
            SEQ,
            "__kept",
        )
