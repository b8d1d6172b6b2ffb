"""Small files of a table joined into large ones. Whether that is worth it is read from the log; no JVM for the answer.

The work is Delta's own OPTIMIZE, on as many executors as there are. delta-rs would do it in the driver's memory, and
does not find the files of a partition whose value its paths must escape. No row changes: the position stays what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.mapping.names import match
from forceglue.runtime.session import beside
from forceglue.transform.cast import quoted
from forceglue.write.delta_merge import told_overtaken
from forceglue.write.delta_table import Table, TableState

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SMALL = 2
"""A file is small below this part (one half) of the size asked for."""


@dataclass(frozen=True)
class Gain:
    """What joining would do: so many small files, of so many bytes together, into so many."""

    files: int = 0
    size: int = 0
    into: int = 0

    @property
    def fewer(self) -> int:
        return self.files - self.into


def gain(table: Table, file_size: int) -> Gain:
    """What there is to gain in the table as it is now. Files of different partitions are never joined."""
    import pyarrow as pa

    opened = table.open()
    if opened is None:
        return Gain()
    told = pa.table(opened.get_add_actions())
    parts = told["partition"].to_pylist() if "partition" in told.column_names else [None] * len(told)
    groups: dict[str, list[int]] = {}
    for part, size in zip(parts, told["size_bytes"].to_pylist(), strict=True):
        if size * _SMALL < file_size:
            groups.setdefault(repr(part), []).append(size)
    found = [sizes for sizes in groups.values() if len(sizes) > 1]
    return Gain(
        sum(map(len, found)), sum(map(sum, found)), sum(-(-sum(sizes) // file_size) for sizes in found)
    )  # fmt: skip


def compact(
    spark: SparkSession, table: Table, at: TableState, *, file_size: int, cluster_by: Sequence[str] = ()
) -> tuple[int, int]:
    """Joins the small files; gives how many files there were and how many they became.

    Args:
        cluster_by: columns by whose values rows are brought together; those that the table has not, or that its files
            are kept apart by anyway, count for nothing.

    Raises:
        ConcurrentRunError: a run took files out meanwhile that were to be joined; nothing was changed.
    """
    settings = {
        "spark.databricks.delta.optimize.maxFileSize": str(file_size),
        "spark.databricks.delta.optimize.minFileSize": str(file_size // _SMALL),
        # a column without statistics brings rows together all the same
        "spark.databricks.delta.optimize.zorder.checkStatsCollection.enabled": "false",
    }
    columns = [found for c in cluster_by if (found := match(c, at.columns)) and found not in at.partitions]
    near = f" ZORDER BY ({', '.join(map(quoted, columns))})" if columns else ""
    with told_overtaken(table):
        done = beside(spark, settings).sql(f"OPTIMIZE delta.{quoted(table.uri)}{near}").first()
    metrics = done["metrics"] if done else None
    return (int(metrics["numFilesRemoved"]), int(metrics["numFilesAdded"])) if metrics else (0, 0)
