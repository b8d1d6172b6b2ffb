"""A Delta table as a delivery: replaced as a whole in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from forceglue.landing.store import Store

_NEEDS_MAPPING = set(" ,;{}()\n\t=")


def write_delta(rows: DataFrame, store: Store, folder: str) -> str:
    """Replaces the Delta table at `folder`; readers see the old rows or the new ones. Gives the folder's URI.

    Names that Parquet-backed Delta tables refuse (blanks, brackets, …) are kept by Delta's column mapping.
    """
    uri = store.uri(folder)
    writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    if any(sign in name for name in rows.columns for sign in _NEEDS_MAPPING):
        writer = writer.option("delta.columnMapping.mode", "name")
        writer = writer.option("delta.minReaderVersion", "2").option("delta.minWriterVersion", "5")
    writer.save(uri)
    return uri
