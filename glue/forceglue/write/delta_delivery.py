"""A Delta table as a delivery: replaced as a whole in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forceglue.write.delta_named import map_columns, needs_column_mapping, with_column_mapping
from forceglue.write.delta_table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from forceglue.landing.store import Store


def write_delta(rows: DataFrame, store: Store, folder: str) -> str:
    """Replaces the Delta table at `folder`; readers see the old rows or the new ones. Gives the folder's URI.

    Names that Parquet-backed Delta tables refuse (blanks, brackets, …) are kept by Delta's column mapping.
    """
    uri = store.uri(folder)
    writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    table = Table(store, folder, folder)
    there = table.state() if needs_column_mapping(rows.columns) else None
    if there is not None and not there.mapped:  # options of a write are for a new table
        map_columns(rows.sparkSession, table, there)
    (with_column_mapping(writer) if needs_column_mapping(rows.columns) else writer).save(uri)
    return uri
