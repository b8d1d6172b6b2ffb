"""The rows of a dataset: a table, its joins, the columns, the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from forceglue.mapping.expand import Inputs, OutputColumn
from forceglue.mapping.model import DatasetMapping
from forceglue.mapping.names import NameIndex, match
from forceglue.mapping.sql import columns_in
from forceglue.quality import rules as q
from forceglue.transform.cast import quoted
from forceglue.transform.prepared import Aside, Flags, Prepared, judged, no_flags, raw_json
from forceglue.transform.references import bring, brought
from forceglue.transform.trace import literal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class DatasetInputs:
    """What a dataset reads.

    Attributes:
        tables: `{alias: live rows of the table}`; the base under the mapping's own alias.
        known: `{alias: columns}` that the tables have or their mappings promise; one only promised is null.
        columns: the output columns.
    """

    tables: Mapping[str, DataFrame]
    known: Mapping[str, Sequence[str]]
    columns: tuple[OutputColumn, ...]
    started: datetime
    flags: Flags = no_flags


def dataset_rows(mapping: DatasetMapping, inputs: DatasetInputs) -> Prepared:
    """What the tables become under the mapping."""
    names = _Names(mapping, inputs)
    columns = tuple(c.name for c in inputs.columns)
    frame = _joined(mapping, inputs, names).selectExpr(
        *(f"{_value(column, names)} AS {quoted(column.name)}" for column in inputs.columns),
        f"({mapping.where or 'true'}) AS __kept",
    )
    key = [quoted(k) for name in mapping.key if (k := match(name, columns))]
    return judged(
        frame,
        columns,
        tuple(q.rule_check(name, severity, rule) for name, severity, rule in mapping.rules()),
        Aside(
            raw=raw_json({c: quoted(c) for c in columns}),
            key=f"concat_ws('/', {', '.join(key)})" if key else "NULL",
            row="NULL",
            at=literal(inputs.started),
        ),
        gone=None,
        kept="__kept" if mapping.where else None,
        flags=inputs.flags,
        read=None,
    )


class _Names:
    """From a name as the mapping says it to the column of the joined frame."""

    def __init__(self, mapping: DatasetMapping, inputs: DatasetInputs) -> None:
        self.base = mapping.name
        self._inputs = Inputs(mapping, inputs.known)
        self._own = NameIndex(inputs.tables[mapping.name].columns)

    def place(self, said: str) -> tuple[str, str]:
        """(alias, column) that the name means."""
        alias, _, column = self._inputs.resolve(said).partition(".")
        return alias, column

    def sql(self, said: str) -> str:
        alias, column = self.place(said)
        if alias != self.base:
            return quoted(brought(alias, column))
        found = self._own.match(column)
        return quoted(found) if found else "CAST(NULL AS STRING)"


def _expressions(mapping: DatasetMapping, inputs: DatasetInputs) -> list[str]:
    """Every name that an SQL text of the mapping says, each once."""
    texts = [text for text in (*(c.sql for c in inputs.columns), mapping.where) if text]
    return list(dict.fromkeys(name for text in texts for name in columns_in(text)))


def _joined(mapping: DatasetMapping, inputs: DatasetInputs, names: _Names) -> DataFrame:
    in_sql = _expressions(mapping, inputs)
    said = [*(c.field for c in inputs.columns if c.field), *(here for j in mapping.joins for here in j.by), *in_sql]
    used: dict[str, dict[str, str | None]] = {j.name: {} for j in mapping.joins}
    for alias, column in map(names.place, said):
        if alias in used:
            used[alias][column] = match(column, inputs.tables[alias].columns)
    frame = inputs.tables[mapping.name]
    for join in mapping.joins:
        table = inputs.tables[join.name]
        there = {right: match(right, table.columns) for right in join.by.values()}
        if absent := [right for right, found in there.items() if found is None]:
            table = _with_absent(table, absent)
        on = [(names.sql(here), there[right] or right) for here, right in join.by.items()]
        frame = bring(frame, join.name, table, on, used[join.name], join.type)
    return _offered(frame, in_sql, names)


def _with_absent(table: DataFrame, columns: Iterable[str]) -> DataFrame:
    """A table that has never had a join column matches nothing."""
    return table.selectExpr("*", *(f"CAST(NULL AS STRING) AS {quoted(name)}" for name in columns))


def _offered(frame: DataFrame, in_sql: Sequence[str], names: _Names) -> DataFrame:
    """The frame with what expressions say, as they say it: `column`, or `alias.column` as a member of a struct."""
    structs: dict[str, dict[str, str]] = {}
    told = []
    there = {c.lower() for c in frame.columns}
    for said in in_sql:  # the same name in another case is the same name
        alias, dot, column = said.lower().partition(".")
        if dot:
            structs.setdefault(alias, {})[column] = f"{names.sql(said)} AS {quoted(column)}"
        elif said.lower() not in there:
            there.add(said.lower())
            told.append(f"{names.sql(said)} AS {quoted(said)}")
    told += (f"struct({', '.join(members.values())}) AS {quoted(alias)}" for alias, members in structs.items())
    return frame.selectExpr("*", *told) if told else frame


def _value(column: OutputColumn, names: _Names) -> str:
    if column.sql is not None:
        return f"try_cast(({column.sql}) AS {column.type})" if column.type else f"({column.sql})"
    if column.field is None:
        return f"CAST({literal(column.value)} AS {column.type or 'string'})"
    if column.type is None:
        return names.sql(column.field)
    return f"try_cast({names.sql(column.field)} AS {column.type})"
