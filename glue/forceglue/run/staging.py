"""The one pass: prepared rows become Parquet files, a folder per verdict, and their footers tell the counts.

Nothing is visible in any table yet. What is staged below a table's own folder can be adopted by it as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.errors import BalanceError
from forceglue.landing.store import Store
from forceglue.quality.rules import BITS, GOOD, VERDICT, mask_names
from forceglue.transform.cast import quoted
from forceglue.transform.prepared import Prepared
from forceglue.write.staged import StagedFile, staged_files

if TYPE_CHECKING:
    from pyarrow import Array
    from pyarrow.parquet import FileMetaData
    from pyspark.sql import DataFrame, Observation, SparkSession

READ_HERE = 100_000
"""Up to so many staged rows, reading narrow columns of them in Python costs less than starting a Spark job."""
_AT_A_TIME = 1_000
"""Rows of `Staged.values`: lines of some thousand characters make a few megabytes."""
_OBSERVED_WITHIN = 60.0
"""Seconds that Spark may take after the write to hand over what it counted."""


@dataclass(frozen=True)
class Staged:
    """The staged rows of one mapping.

    Attributes:
        folder: below the warehouse root.
        files: by verdict.
        read: rows that Spark read from the landed files; None where nothing was counted.
        clean: no row breaks any rule, so that nothing is left to count.
    """

    folder: str
    files: Mapping[str, tuple[StagedFile, ...]]
    read: int | None
    clean: bool

    def rows(self, verdict: str) -> int:
        return sum(f.rows for f in self.files.get(verdict, ()))

    @property
    def counts(self) -> dict[str, int]:
        """`{verdict: rows}`."""
        return {verdict: self.rows(verdict) for verdict in self.files}

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def paths(self, store: Store, verdict: str = GOOD) -> list[str]:
        return [store.uri(f.path) for f in self.files.get(verdict, ())]

    def values(self, store: Store, column: str) -> Iterator[Array]:
        """One column of the rows that are to be written, some rows at a time: however many, few are in memory."""
        import pyarrow.parquet as pq

        for file in self.files.get(GOOD, ()):
            with store.open_input(file.path) as stream:
                for some in pq.ParquetFile(stream).iter_batches(batch_size=_AT_A_TIME, columns=[column]):
                    yield some.column(0)

    def good_rows(self, spark: SparkSession, store: Store, prepared: Prepared) -> DataFrame:
        """The rows that are to be written, in the target's columns."""
        if not self.rows(GOOD):
            return spark.createDataFrame([], prepared.schema)
        # partition columns stand in the folders only
        reader = spark.read.schema(prepared.schema).option("basePath", store.uri(f"{self.folder}/{VERDICT}={GOOD}"))
        rows = reader.parquet(*self.paths(store))
        return rows if rows.columns == list(prepared.columns) else rows.selectExpr(*map(quoted, prepared.columns))


def stage(
    prepared: Prepared, store: Store, folder: str, partition_by: Sequence[str] = (), *, one_task: bool = False
) -> Staged:
    """Writes the prepared rows below `folder` of the warehouse, a folder a verdict (and partition): one Spark job.

    Args:
        one_task: the rows come from one task, which writes one file a folder anyway.
    """
    frame = prepared.frame
    if partition_by and not one_task:
        frame = _by_folder(frame, (VERDICT, *partition_by))
    frame.write.mode("overwrite").partitionBy(VERDICT, *partition_by).parquet(store.uri(folder))
    read = _observed(prepared.read) if prepared.read is not None else None
    files = staged_files(store, folder)
    clean = not any(_any_bit(f.footer, mask_names(prepared.checks)) for group in files.values() for f in group)
    return Staged(folder, files, read, clean)


def _by_folder(frame: DataFrame, names: Sequence[str]) -> DataFrame:
    """The rows of a folder together, where each task would write a file into each folder.

    A folder with very many rows is shared out to several tasks.
    """
    columns = ", ".join(map(quoted, names)).replace("{", "{{").replace("}", "}}")
    return frame.sparkSession.sql(f"SELECT /*+ REBALANCE({columns}) */ * FROM {{rows}}", rows=frame)  # noqa: S608  # quoted


def _any_bit(footer: FileMetaData, masks: list[str]) -> bool:
    wanted = set(masks)
    for group in range(footer.num_row_groups):
        for i in range(footer.num_columns):
            column = footer.row_group(group).column(i)
            if column.path_in_schema in wanted:
                statistics = column.statistics
                if statistics is None or not statistics.has_min_max or statistics.max != 0 or statistics.min != 0:
                    return True
    return False


def _observed(observation: Observation) -> int:
    """The rows counted inside the write. Spark tells them by an event, which must not be waited for without end."""
    got: list[int] = []
    waiting = threading.Thread(target=lambda: got.append(int(observation.get["rows"])), daemon=True)
    waiting.start()
    waiting.join(_OBSERVED_WITHIN)
    if not got:
        raise BalanceError("Spark did not say how many rows it read, so nothing was committed; run again")
    return got[0]


def rule_counts(spark: SparkSession, prepared: Prepared, staged: Staged, store: Store) -> dict[str, dict[str, int]]:
    """`{rule: {verdict: rows that break it}}` from the narrow mask columns; empty where every row is clean."""
    if staged.clean:
        return {}
    if staged.total <= READ_HERE:
        return _counted_here(prepared, staged, store)
    from pyspark.sql import functions as F

    masks = mask_names(prepared.checks)
    ddl = ", ".join(f"{m} bigint" for m in masks) + f", {VERDICT} string"
    frame = spark.read.schema(ddl).option("basePath", store.uri(staged.folder)).parquet(store.uri(staged.folder))
    some = F.lit(False)
    for mask in masks:
        some = some | (F.col(mask) != 0)
    sums = []
    for i in range(len(prepared.checks)):
        bit = F.lit(1 << (i % BITS)).cast("bigint")
        sums.append(F.sum((F.col(masks[i // BITS]).bitwiseAND(bit) != 0).cast("bigint")).alias(f"c{i}"))
    counts: dict[str, dict[str, int]] = {}
    for row in frame.where(some).groupBy(VERDICT).agg(*sums).collect():
        for i, check in enumerate(prepared.checks):
            if row[f"c{i}"]:
                of_rule = counts.setdefault(check.name, {})
                of_rule[row[VERDICT]] = of_rule.get(row[VERDICT], 0) + int(row[f"c{i}"])
    return counts


def _counted_here(prepared: Prepared, staged: Staged, store: Store) -> dict[str, dict[str, int]]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    masks = mask_names(prepared.checks)
    counts: dict[str, dict[str, int]] = {}
    for verdict, file in ((verdict, file) for verdict, files in staged.files.items() for file in files):
        with store.open_input(file.path) as stream:
            read = pq.ParquetFile(stream).read(columns=masks)
        for i, check in enumerate(prepared.checks):
            bit = pc.bit_wise_and(read[masks[i // BITS]], 1 << (i % BITS))
            if broken := pc.sum(pc.not_equal(bit, 0)).as_py():
                of_rule = counts.setdefault(check.name, {})
                of_rule[verdict] = of_rule.get(verdict, 0) + broken
    return counts
