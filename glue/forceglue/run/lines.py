"""Rows that go nowhere but into CSV files, staged as the lines of those files instead of as columns.

A dataset can have hundreds of columns. To join them, to stage them as Parquet, to read them again and to make a line of
them costs more than all the rest; as lines they are made once, in pieces where that can be, and a delivery copies them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from forceglue.mapping.expand import OutputColumn
from forceglue.mapping.model import DatasetMapping
from forceglue.mapping.model.target import CsvDelivery
from forceglue.mapping.names import match
from forceglue.mapping.sql import columns_in
from forceglue.quality.rules import GOOD, VERDICT, mask_names
from forceglue.run.judging import ExpectationFlags
from forceglue.transform.cast import quoted
from forceglue.transform.dataset_rows import DatasetInputs, dataset_rows, plain_schema
from forceglue.transform.pieces import Layout, Piece, laid_out
from forceglue.transform.prepared import RAW, REASONS, RECORD_KEY, ROW_NUMBER, SET_ASIDE_AT, Prepared
from forceglue.transform.trace import TRACE
from forceglue.write.csv import line, rest_of_line, start_of_line

_TIMES = 2
"""So many times as many rows as the base a table may have whose rows are made into text before they are joined."""


@dataclass(frozen=True)
class Lined:
    """Rows as lines, not computed yet.

    Attributes:
        prepared: in place of the columns, those of the key and those of the lines.
        header: the names of the columns that the lines are made of.
        delimiters: `{delimiter: column of its lines}`.
    """

    prepared: Prepared
    header: tuple[str, ...]
    delimiters: dict[str, str]

    def column(self, csv: CsvDelivery) -> str:
        """The column with the lines of a delivery."""
        return self.delimiters[csv.delimiter]


def lined(mapping: DatasetMapping, inputs: DatasetInputs, flags: ExpectationFlags) -> Lined | None:
    """The rows of a dataset that is no table, as lines; None where something asks for their columns."""
    files = [delivery.csv for delivery in mapping.deliver]
    told = [csv for csv in files if csv is not None]
    if not told or len(told) < len(files):
        return None
    schema = plain_schema(mapping, inputs) if mapping.expectations else None
    if schema is not None:  # which tells what the expectations ask for before anything is made
        flags(lambda: inputs.tables[mapping.name].sparkSession.createDataFrame([], schema))
    pieces = (not mapping.expectations or schema is not None) and not (flags.asks or flags.needs_rows)
    layout = _layout(mapping, inputs, told) if pieces else None
    prepared = dataset_rows(mapping, inputs, layout)
    if flags.needs_rows:
        return None
    parts: Sequence[OutputColumn | Piece] = inputs.columns if layout is None else layout.parts
    columns = {d: f"__line_{i}" for i, d in enumerate(dict.fromkeys(csv.delimiter for csv in told))}
    names = {csv.delimiter: csv.file for csv in reversed(told)}
    lines = (_said(prepared, parts, names[d], d, column) for d, column in columns.items())
    key = tuple(dict.fromkeys(found for name in mapping.key if (found := match(name, prepared.columns))))
    # the quarantine has these columns too, where a dataset takes them over
    trace = [quoted(name) for name in prepared.columns if name.lower() in TRACE and name not in key]
    frame = prepared.frame.selectExpr(
        *map(quoted, key),
        *lines,
        *(f"IF({VERDICT} = '{GOOD}', NULL, {name}) AS {name}" for name in trace),
        *mask_names(prepared.checks),
        *(RECORD_KEY, RAW, REASONS, ROW_NUMBER, SET_ASIDE_AT, VERDICT),
    )
    staged = Prepared(frame, (*key, *columns.values()), prepared.checks, prepared.read)
    return Lined(staged, tuple(column.name for column in inputs.columns), columns)


def _layout(mapping: DatasetMapping, inputs: DatasetInputs, told: Sequence[CsvDelivery]) -> Layout | None:
    """Which columns may come in pieces; None where all are asked for, as by a row that is set aside."""
    severities = {severity for _, severity, _ in mapping.rules()}
    if severities - {"warn", "drop"} or len({csv.delimiter for csv in told}) > 1:
        return None
    names = [column.name for column in inputs.columns]
    asked = {found for said in mapping.key if (found := match(said, names))}
    for _, _, rule in mapping.rules():
        for said in columns_in(rule.sql):
            found = match(said, names) or match(said.partition(".")[0], names)
            if found is None:
                return None
            asked.add(found)
    cells = partial(rest_of_line, name=told[0].file, delimiter=told[0].delimiter)
    return laid_out(inputs.columns, asked=asked, aliases=_not_larger(mapping, inputs), cells=cells)


def _not_larger(mapping: DatasetMapping, inputs: DatasetInputs) -> set[str]:
    """The base, and what is joined to it and not so large that most of its rows may meet none."""
    base = inputs.sizes.get(mapping.name)
    sizes = ((join.name, inputs.sizes.get(join.name)) for join in mapping.joins)
    joined = {alias for alias, size in sizes if base is not None and size is not None and size <= _TIMES * base}
    return {mapping.name, *joined}


def _said(prepared: Prepared, parts: Sequence[OutputColumn | Piece], name: str, delimiter: str, column: str) -> str:
    """SQL text: the line of a row that is to be written, without its end."""
    fields = {field.name: field for field in prepared.schema.fields}

    def runs() -> Iterator[str]:
        for pieces, group in groupby(parts, lambda part: isinstance(part, Piece)):
            names = [part.name for part in group]
            if pieces:
                yield from names
                continue
            how = rest_of_line
            if names[0] == parts[0].name:
                how = line if len(names) == len(parts) else start_of_line
            yield how([fields[n] for n in names], [quoted(n) for n in names], name=name, delimiter=delimiter)

    made = list(runs())
    text = made[0] if len(made) == 1 else f"concat({', '.join(made)})"
    return f"IF({VERDICT} = '{GOOD}', {text}, NULL) AS {column}"
