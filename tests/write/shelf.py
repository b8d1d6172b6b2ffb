"""A table and batches that meet it, for every way of writing what is newer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import deltalake
import pyarrow as pa

from forceglue.landing.store import Store
from forceglue.write.delta_merge import Merged, MergeKeys, MergeTerms, scd2, upsert
from forceglue.write.delta_rewrite import rewrite
from forceglue.write.delta_table import Table, TableState
from forceglue.write.staged import StagedFile, value_range
from transform.kit import write

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

KEYS = MergeKeys(("id",), "at", "timestamp", "gone")
ZERO = datetime(2024, 5, 6, tzinfo=UTC)
KINDS = {
    "id": pa.string(),
    "v": pa.string(),
    "w": pa.string(),
    "gone": pa.bool_(),
    "run": pa.string(),
    "at": pa.timestamp("us", "UTC"),
}
HISTORY = {"valid_from": pa.timestamp("us", "UTC"), "valid_to": pa.timestamp("us", "UTC"), "is_current": pa.bool_()}
DDL = {pa.string(): "string", pa.bool_(): "boolean", pa.timestamp("us", "UTC"): "timestamp"}
Rows = Sequence[Mapping[str, Any]]


def moment(n: int | None) -> datetime | None:
    return None if n is None else ZERO + timedelta(seconds=n)


class Shelf:
    """A table and the batches that meet it; `at` is a number of seconds."""

    def __init__(self, spark: SparkSession, home: Path, *, history: bool = False, file: str = "a.parquet") -> None:
        self.spark, self.home, self.batches, self.file = spark, home, 0, file
        self.kinds = KINDS | (HISTORY if history else {})
        self.table = Table(Store(str(home)), "t", "t")

    def staged(self, rows: Rows) -> StagedFile:
        import pyarrow.parquet as pq

        self.batches += 1
        told = [
            {
                **row,
                "at": moment(row.get("at")),
                "run": f"{self.batches}",
                "valid_from": moment(row.get("at")),
                "is_current": True,
            }
            for row in rows
        ]
        content = pa.table({c: pa.array([row.get(c) for row in told], kind) for c, kind in self.kinds.items()})
        path = write(self.home / f"t/batch-{self.batches}/{self.file}", content)
        return StagedFile(f"t/batch-{self.batches}/{self.file}", path.stat().st_size, 1, pq.read_metadata(path))

    def begin(self, rows: Rows) -> None:
        self.table.adopt([self.staged(rows)], self.schema(), position=1, at=None)

    def schema(self) -> StructType:
        ddl = ", ".join(f"{c} {DDL[kind]}" for c, kind in self.kinds.items())
        return self.spark.createDataFrame([], ddl).schema

    def upsert(
        self, rows: Rows, *, without: Sequence[str] = (), delete: bool = False, position: int | None = None
    ) -> Merged:
        file = self.staged(rows)
        data = [c for c in self.kinds if c not in without]
        terms = MergeTerms(
            KEYS, data, [c for c in data if c != "run"], ends=delete, within=value_range([file], KEYS.key[0])
        )  # fmt: skip
        path, place = self.table.store.uri(file.path), position or self.batches
        return upsert(self.spark, self.table, [path], terms, schema=self.schema(), position=place)

    def rewrite(
        self, rows: Rows, *, without: Sequence[str] = (), delete: bool = False, at: TableState | None = None
    ) -> Merged:
        path = self.table.store.uri(self.staged(rows).path)
        data = [c for c in self.kinds if c not in without]
        planned = at or self.table.state()
        assert planned is not None
        return rewrite(
            self.spark, self.table, planned, [path],
            MergeTerms(KEYS, data, [c for c in data if c != "run"], ends=delete),
            schema=self.schema(), position=self.batches, folder=f"t/anew-{self.batches}",
        )  # fmt: skip

    def scd2(
        self, rows: Rows, *, tracked: Sequence[str] = ("v",), close: bool = True, without: Sequence[str] = ()
    ) -> Merged:
        file = self.staged(rows)
        data = [c for c in self.kinds if c not in without]
        compared = [c for c in data if c != "run" and c not in HISTORY]
        terms = MergeTerms(KEYS, data, compared, tracked, close, value_range([file], KEYS.key[0]))
        return scd2(
            self.spark, self.table, [self.table.store.uri(file.path)], terms,
            schema=self.schema(), position=self.batches, folder=f"met-{self.batches}",
        )  # fmt: skip

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        def plain(value: Any) -> Any:
            return round((value - ZERO).total_seconds()) if isinstance(value, datetime) else value

        found = deltalake.DeltaTable(self.table.uri).to_pyarrow_table().to_pylist()
        return sorted((tuple(plain(row[c]) for c in columns) for row in found), key=repr)


def row(
    key: str, at: int | None, v: str | None = "new", w: str | None = "w", gone: bool | None = False
) -> dict[str, Any]:
    return {"id": key, "at": at, "v": v, "w": w, "gone": gone}
