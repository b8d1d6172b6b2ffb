"""Properties of a Delta table, and the one that makes an update of a large table cheap.

With deletion vectors a MERGE marks the old versions of rows where it would else write every file anew that holds one of
them. Readers must know them: Delta from 2.4 on, Athena, delta-rs do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from forceglue.transform.cast import quoted
from forceglue.write.delta_merge import told_overtaken

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from forceglue.write.delta_table import Table, TableState

LARGE = 64 << 20
"""Bytes of live files from which writing them anew costs more than reading past marked rows."""
VECTORS = "delta.enableDeletionVectors"


def marks_pay(at: TableState) -> bool:
    """Whether the table should take deletion vectors: it is large, and its owner has not said yes or no."""
    return at.size >= LARGE and VECTORS not in at.properties


def set_properties(spark: SparkSession, table: Table, properties: Mapping[str, str]) -> None:
    """Sets properties of a table that is there; its files stay as they are.

    Raises:
        ConcurrentRunError: another run committed at the same time.
    """
    told = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
    with told_overtaken(table):
        spark.sql(f"ALTER TABLE delta.{quoted(table.uri)} SET TBLPROPERTIES ({told})")
