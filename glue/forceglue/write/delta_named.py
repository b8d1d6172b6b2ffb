"""Tables that Spark itself must write: with names that plain Delta refuses (blanks, brackets), or parted anew.

Delta keeps such columns under names of its own (column mapping).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forceglue.write.delta_merge import told_overtaken
from forceglue.write.delta_properties import VECTORS, set_properties
from forceglue.write.delta_table import Table, TableState, app_id

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

_REFUSED = set(" ,;{}()\n\t=")
_MAPPING = {"columnMapping.mode": "name", "minReaderVersion": "2", "minWriterVersion": "5"}
_FEATURE = {"columnMapping.mode": "name", "feature.columnMapping": "supported"}


def needs_column_mapping(names: Sequence[str]) -> bool:
    """Whether Delta can hold these columns only under names of its own."""
    return any(sign in name for name in names for sign in _REFUSED)


def with_column_mapping(writer: DataFrameWriter) -> DataFrameWriter:
    """The writer, creating its table with column mapping by name."""
    return writer.options(**{f"delta.{name}": value for name, value in _MAPPING.items()})


def map_columns(spark: SparkSession, table: Table, at: TableState) -> None:
    """Lets a table that is there take such columns; its files stay as they are.

    Raises:
        ConcurrentRunError: another run committed at the same time.
    """
    # a table with features of its own (deletion vectors) names this one too; an older protocol counts in versions
    wanted = _FEATURE if VECTORS in at.properties else _MAPPING
    set_properties(spark, table, {f"delta.{name}": value for name, value in wanted.items()})


def write_named(
    table: Table,
    rows: DataFrame,
    position: int,
    at: TableState | None,
    *,
    replace: bool,
    partition_by: Sequence[str] = (),
) -> None:
    """Writes the rows with Spark and sets the position in the same transaction.

    Args:
        at: the state on which the plan was made.
        partition_by: of a table that is made or replaced; one that is added to keeps its own.

    Raises:
        ConcurrentRunError: another run committed first.
    """
    table.expect(at)
    named = needs_column_mapping(rows.columns)
    if at is not None and named and not at.mapped:
        map_columns(rows.sparkSession, table, at)
    if at is None:
        writer = rows.write.format("delta").mode("errorifexists")
    elif replace:
        writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    else:
        writer = rows.write.format("delta").mode("append").option("mergeSchema", "true")
    writer = writer.option("txnAppId", app_id(table.mapping)).option("txnVersion", str(position))
    parts = partition_by if at is None or replace else at.partitions
    writer = writer.partitionBy(*parts) if parts else writer
    with told_overtaken(table):
        (with_column_mapping(writer) if named and at is None else writer).save(table.uri)
    table.confirm(position)
