"""Which records left a table that deletes them, and at which version: a late older version must not bring them back.

    _deleted/<mapping>/<position>.parquet/   key parts and order of the deleted records that a batch brought

Written before the batch is committed. A batch that is not committed then leaves what is true anyway: the record was
deleted at the source. It lands again with its batch, and a deletion is never held back by its own tombstone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from forceglue.landing.store import Store
from forceglue.transform.cast import order_sql, quoted
from forceglue.transform.ids import same_key
from forceglue.transform.latest import ORDER, key_columns
from forceglue.write.delta_merge import MergeKeys
from forceglue.write.staged import discard

if TYPE_CHECKING:
    from pyarrow.parquet import RowGroupMetaData
    from pyspark.sql import DataFrame, SparkSession

    from forceglue.write.staged import StagedFile

_FOLDER = "_deleted"


def bury(
    spark: SparkSession, store: Store, mapping: str, files: Sequence[StagedFile], keys: MergeKeys, position: int
) -> None:
    """Notes the deleted records among staged rows; no Spark job where the footers tell that there are none."""
    if keys.order is None or keys.deleted is None or not any(_any_true(file, keys.deleted) for file in files):
        return
    rows = spark.read.parquet(*(store.uri(file.path) for file in files)).where(quoted(keys.deleted))
    parts = (f"{same_key(quoted(k))} AS {name}" for k, name in zip(keys.key, key_columns(len(keys.key)), strict=True))
    told = rows.selectExpr(*parts, f"{order_sql(keys.order, keys.order_type)} AS {ORDER}")
    told.coalesce(1).write.mode("overwrite").parquet(store.uri(f"{_FOLDER}/{mapping}/{position}.parquet"))


def buried(spark: SparkSession, store: Store, mapping: str, key_parts: int) -> DataFrame | None:
    """Key parts and the order of the latest deletion of each record that left the table; None where none did."""
    found = [e.path for e in store.list(f"{_FOLDER}/{mapping}") if e.path.endswith(".parquet")]
    if not found:
        return None
    names = key_columns(key_parts)
    ddl = ", ".join([*(f"{name} string" for name in names), f"{ORDER} bigint"])
    rows = spark.read.schema(ddl).parquet(*map(store.uri, found))
    return rows.groupBy(*names).agg({ORDER: "max"}).toDF(*names, ORDER)


def exhume(store: Store, mapping: str, undone: Callable[[int], bool]) -> None:
    """Forgets what batches noted whose position is undone: loaded again with a later one, or gone back behind."""
    for folder in {e.path.split("/")[2] for e in store.list(f"{_FOLDER}/{mapping}")}:
        if undone(int(folder.removesuffix(".parquet"))):
            discard(store, f"{_FOLDER}/{mapping}/{folder}")


def forget(store: Store, mapping: str, old: Callable[[int], bool], *, dry: bool) -> int:
    """Forgets what old batches noted; gives how many. A version older than such a deletion is then as any other."""
    folders = sorted({e.path.split("/")[2] for e in store.list(f"{_FOLDER}/{mapping}")})
    gone = [folder for folder in folders if old(int(folder.removesuffix(".parquet")))]
    for folder in () if dry else gone:
        discard(store, f"{_FOLDER}/{mapping}/{folder}")
    return len(gone)


def _any_true(file: StagedFile, column: str) -> bool:
    chunks = (group.column(i) for group in _groups(file) for i in range(group.num_columns))
    told = [chunk.statistics for chunk in chunks if chunk.path_in_schema == column]
    # a group of nulls has no bounds; one without statistics may hold anything
    return any(s is None or (s.has_min_max and bool(s.max)) for s in told)


def _groups(file: StagedFile) -> Iterator[RowGroupMetaData]:
    return (file.footer.row_group(i) for i in range(file.footer.num_row_groups))
