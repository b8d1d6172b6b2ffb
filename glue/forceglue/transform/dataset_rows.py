"""The rows of a dataset: a table, its joins, the columns, the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from forceglue.mapping.expand import Inputs, OutputColumn
from forceglue.mapping.model import DatasetMapping
from forceglue.mapping.names import NameIndex, match
from forceglue.mapping.sql import columns_in
from forceglue.quality import rules as q
from forceglue.transform.cast import quoted
from forceglue.transform.pieces import Layout, Piece
from forceglue.transform.prepared import Aside, Flags, Prepared, judged, no_flags, raw_json
from forceglue.transform.references import bring, brought
from forceglue.transform.trace import literal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

_SENT_WHOLE = 4_000_000
"""Cells up to which a table that comes in pieces may be sent whole to every task: Spark takes any text for 20 bytes."""


@dataclass(frozen=True)
class DatasetInputs:
    """What a dataset reads.

    Attributes:
        tables: `{alias: live rows of the table}`; the base under the mapping's own alias.
        known: `{alias: columns}` that the tables have or their mappings promise; one only promised is null.
        columns: the output columns.
        sizes: `{alias: rows of the table}`; None, or no entry, where that is not known.
    """

    tables: Mapping[str, DataFrame]
    known: Mapping[str, Sequence[str]]
    columns: tuple[OutputColumn, ...]
    started: datetime
    flags: Flags = no_flags
    sizes: Mapping[str, int | None] = field(default_factory=dict)


def dataset_rows(mapping: DatasetMapping, inputs: DatasetInputs, layout: Layout | None = None) -> Prepared:
    """What the tables become under the mapping.

    Args:
        layout: which columns come in pieces; no row may be set aside then, and no expectation asks for flags.
    """
    names = _Names(mapping, inputs)
    made, pieces = (inputs.columns, ()) if layout is None else (layout.columns, _texts(layout, inputs, names))
    columns = (*(c.name for c in made), *(piece.name for piece in pieces))
    frame = _joined(mapping, inputs, names, made, None if layout is None else pieces).selectExpr(
        *(f"{_value(column, names)} AS {quoted(column.name)}" for column in made),
        *(f"coalesce({piece.name}, {piece.absent}) AS {piece.name}" for piece in pieces),
        f"({mapping.where or 'true'}) AS __kept",
    )
    key = [quoted(k) for name in mapping.key if (k := match(name, columns))]
    return judged(
        frame,
        columns,
        tuple(q.rule_check(name, severity, rule) for name, severity, rule in mapping.rules()),
        Aside(
            raw=raw_json({c: quoted(c) for c in columns}) if layout is None else "CAST(NULL AS STRING)",
            key=f"concat_ws('/', {', '.join(key)})" if key else "NULL",
            row="NULL",
            at=literal(inputs.started),
        ),
        gone=None,
        kept="__kept" if mapping.where else None,
        flags=inputs.flags if layout is None else no_flags,
        read=None,
    )


def plain_schema(mapping: DatasetMapping, inputs: DatasetInputs) -> StructType | None:
    """The schema of the columns where all come as they are; None where a type or an expression is said."""
    from pyspark.sql.types import StringType, StructField, StructType

    if any(column.sql is not None or column.type is not None for column in inputs.columns):
        return None
    names, fields = _Names(mapping, inputs), []
    for column in inputs.columns:
        found = names.found(column.field) if column.field else None
        schema = inputs.tables[names.place(column.field)[0]].schema if column.field else None
        fields.append(StructField(column.name, schema[found].dataType if schema and found else StringType()))
    return StructType(fields)


class _Names:
    """From a name as the mapping says it to the column of the joined frame."""

    def __init__(self, mapping: DatasetMapping, inputs: DatasetInputs) -> None:
        self.base = mapping.name
        self._inputs, self._tables = Inputs(mapping, inputs.known), inputs.tables
        self._own = NameIndex(inputs.tables[mapping.name].columns)

    def place(self, said: str) -> tuple[str, str]:
        """(alias, column) that the name means."""
        alias, _, column = self._inputs.resolve(said).partition(".")
        return alias, column

    def found(self, said: str) -> str | None:
        """The column of its table that the name means; None where the table has never had it."""
        alias, column = self.place(said)
        return match(column, self._tables[alias].columns)

    def sql(self, said: str) -> str:
        alias, column = self.place(said)
        if alias != self.base:
            return quoted(brought(alias, column))
        found = self._own.match(column)
        return quoted(found) if found else "CAST(NULL AS STRING)"


@dataclass(frozen=True)
class _Text:
    """A piece of the lines: SQL texts of its value, over the rows of its input, and of what stands for no such row."""

    name: str
    alias: str
    columns: tuple[OutputColumn, ...]
    value: str
    absent: str


def _texts(layout: Layout, inputs: DatasetInputs, names: _Names) -> tuple[_Text, ...]:
    from pyspark.sql.types import StringType, StructField

    def text(piece: Piece) -> _Text:
        fields, values, absent = [], [], []
        for column in piece.columns:
            found = names.found(column.field) if column.field else None
            kind = inputs.tables[piece.alias].schema[found].dataType if found else StringType()
            fields.append(StructField(column.name, kind))
            values.append(quoted(found) if found else _value(replace(column, field=None), names))
            absent.append("CAST(NULL AS STRING)" if column.field else values[-1])
        texts = [StructField(column.name, StringType()) for column in piece.columns]
        return _Text(piece.name, piece.alias, piece.columns, layout.cells(fields, values), layout.cells(texts, absent))

    return tuple(map(text, layout.pieces))


def _joined(
    mapping: DatasetMapping,
    inputs: DatasetInputs,
    names: _Names,
    columns: Sequence[OutputColumn],
    pieces: Sequence[_Text] | None,
) -> DataFrame:
    """The base with what its joins bring for these columns and pieces.

    Args:
        pieces: None where the base stays whole: a step less where nothing is gained.
    """
    texts = [text for text in (*(c.sql for c in columns), mapping.where) if text]
    in_sql = list(dict.fromkeys(name for text in texts for name in columns_in(text)))
    said = [*(c.field for c in columns if c.field), *(here for j in mapping.joins for here in j.by), *in_sql]
    used: dict[str, dict[str, str | None]] = {alias: {} for alias in (mapping.name, *(j.name for j in mapping.joins))}
    for alias, column in map(names.place, said):
        used[alias][column] = match(column, inputs.tables[alias].columns)
    made: dict[str, list[str]] = {alias: [] for alias in used}
    for piece in pieces or ():
        made[piece.alias].append(f"{piece.value} AS {piece.name}")
    frame = inputs.tables[mapping.name]
    if pieces is not None:
        own = dict.fromkeys(quoted(found) for found in used[mapping.name].values() if found)
        frame = frame.selectExpr(*own, *made[mapping.name]) if own or made[mapping.name] else frame
    for join in mapping.joins:
        table = inputs.tables[join.name]
        there = {right: match(right, table.columns) for right in join.by.values()}
        if absent := [right for right, found in there.items() if found is None]:
            table = _with_absent(table, absent)
        cells = sum(len(piece.columns) for piece in pieces or () if piece.alias == join.name)
        if cells * (inputs.sizes.get(join.name) or 0) > _SENT_WHOLE:
            table = table.hint("merge")
        on = [(names.sql(here), there[right] or right) for here, right in join.by.items()]
        frame = bring(frame, join.name, table, on, used[join.name], join.type, made[join.name])
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
