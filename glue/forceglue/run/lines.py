"""Rows that go nowhere but into CSV files, staged as the lines of those files instead of as columns.

A dataset can have hundreds of columns. To stage them as Parquet, to read them again and to make a line of them costs
more than the joins that the rows come from; as lines they are made once, and a delivery copies them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.mapping.model import DatasetMapping
from forceglue.mapping.model.target import CsvDelivery
from forceglue.mapping.names import match
from forceglue.quality.rules import GOOD, VERDICT, mask_names
from forceglue.transform.cast import quoted
from forceglue.transform.prepared import RAW, REASONS, RECORD_KEY, ROW_NUMBER, SET_ASIDE_AT, Prepared
from forceglue.transform.trace import TRACE
from forceglue.write.csv import line

if TYPE_CHECKING:
    from pyspark.sql.types import StructType


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


def lined(mapping: DatasetMapping, prepared: Prepared, *, kept: bool, reads_rows: Callable[[], bool]) -> Lined | None:
    """The rows as lines; None where something asks for their columns.

    Args:
        kept: they are kept as a table, too.
        reads_rows: whether an expectation asks for them.
    """
    files = [delivery.csv for delivery in mapping.deliver]
    told = [csv for csv in files if csv is not None]
    if kept or not told or len(told) < len(files) or reads_rows():
        return None
    schema = prepared.schema
    delimiters = {d: f"__line_{i}" for i, d in enumerate(dict.fromkeys(csv.delimiter for csv in told))}
    names = {csv.delimiter: csv.file for csv in reversed(told)}
    lines = (_lines(schema, names[d], d, column) for d, column in delimiters.items())
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
    staged = Prepared(frame, (*key, *delimiters.values()), prepared.checks, prepared.read)
    return Lined(staged, prepared.columns, delimiters)


def _lines(schema: StructType, name: str, delimiter: str, column: str) -> str:
    """SQL text: the line of a row that is to be written, without its end."""
    values = [quoted(field.name) for field in schema.fields]
    return f"IF({VERDICT} = '{GOOD}', {line(schema.fields, values, name=name, delimiter=delimiter)}, NULL) AS {column}"
