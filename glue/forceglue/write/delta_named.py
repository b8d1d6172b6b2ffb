"""Tables whose columns have names that Parquet-backed Delta refuses (blanks, brackets, commas): Delta maps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forceglue.write.delta_table import Table, app_id

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameWriter

_REFUSED = set(" ,;{}()\n\t=")


def needs_column_mapping(names: Sequence[str]) -> bool:
    """Whether Delta can hold these columns only under names of its own."""
    return any(sign in name for name in names for sign in _REFUSED)


def with_column_mapping(writer: DataFrameWriter) -> DataFrameWriter:
    """The writer, creating its table with column mapping by name."""
    options = {"columnMapping.mode": "name", "minReaderVersion": "2", "minWriterVersion": "5"}
    return writer.options(**{f"delta.{name}": value for name, value in options.items()})


def write_named(table: Table, rows: DataFrame, position: int, *, replace: bool, partition_by: Sequence[str] = ()) -> None:
    """Writes the rows with Spark and sets the position in the same transaction.

    Raises:
        ConcurrentRunError: another run committed first.
    """
    mode, schema = ("overwrite", "overwriteSchema") if replace else ("append", "mergeSchema")
    writer = rows.write.format("delta").mode(mode).option(schema, "true")
    writer = writer.option("txnAppId", app_id(table.mapping)).option("txnVersion", str(position))
    with_column_mapping(writer.partitionBy(*partition_by) if partition_by else writer).save(table.uri)
    table.confirm(position)
