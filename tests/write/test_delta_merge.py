"""Merging a batch into a table: what is newer stands, whatever comes late, twice, or with fewer columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import deltalake
import pyarrow as pa
import pytest

from forceglue.errors import ConcurrentRunError
from forceglue.landing.store import Store
from forceglue.run.staging import StagedFile
from forceglue.write.delta_merge import Merged, MergeKeys, newer, scd2, scd2_action, session_for, upsert
from forceglue.write.delta_table import Table
from transform.kit import write

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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

    def __init__(self, spark: SparkSession, home: Path, *, history: bool = False) -> None:
        self.spark, self.home, self.batches = spark, home, 0
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
        path = write(self.home / f"t/batch-{self.batches}/a.parquet", content)
        return StagedFile(f"t/batch-{self.batches}/a.parquet", path.stat().st_size, 1, pq.read_metadata(path))

    def begin(self, rows: Rows) -> None:
        ddl = ", ".join(f"{c} {DDL[kind]}" for c, kind in self.kinds.items())
        schema = self.spark.createDataFrame([], ddl).schema
        self.table.adopt([self.staged(rows)], schema, position=1, at=None)

    def upsert(
        self, rows: Rows, *, without: Sequence[str] = (), delete: bool = False, position: int | None = None
    ) -> Merged:
        path = self.table.store.uri(self.staged(rows).path)
        data = [c for c in self.kinds if c not in without]
        return upsert(
            self.spark, self.table, [path], KEYS, data=data, columns=list(self.kinds),
            compared=[c for c in data if c != "run"], delete=delete, position=position or self.batches,
        )  # fmt: skip

    def scd2(
        self, rows: Rows, *, tracked: Sequence[str] = ("v",), close: bool = True, without: Sequence[str] = ()
    ) -> Merged:
        path = self.table.store.uri(self.staged(rows).path)
        data = [c for c in self.kinds if c not in without]
        return scd2(
            self.spark, self.table, [path], KEYS, data=data, columns=list(self.kinds),
            compared=[c for c in data if c != "run" and c not in HISTORY], tracked=tracked, close=close, position=self.batches,
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


def test_upsert_every_way_in_which_two_versions_meet(spark: SparkSession, tmp_path: Path) -> None:
    shelf = Shelf(spark, tmp_path)
    keys = (
        "newer",
        "late",
        "same",
        "same stamp",
        "no stamp there",
        "no stamp here",
        "no stamps",
        "deleted",
        "deleted late",
        "old",
        "x'\"\\",
    )
    shelf.begin([row(k, None if k in ("no stamp there", "no stamps") else 5, "old") for k in keys])
    batch = [
        row("newer", 6),
        row("late", 4),
        row("same", 5, "old"),
        row("same stamp", 5),
        row("no stamp there", 1),
        row("no stamp here", None),
        row("no stamps", None),
        row("deleted", 6, gone=True),
        row("deleted late", 4, gone=True),
        row("first", 1),
        row("first and gone", 1, gone=True),
        row("x'\"\\", 6),
    ]
    merged = shelf.upsert(batch)
    wanted = {
        ("newer", 6, "new", False, "2"), ("late", 5, "old", False, "1"), ("same", 5, "old", False, "1"), ("same stamp", 5, "new", False, "2"),
        ("no stamp there", 1, "new", False, "2"), ("no stamp here", 5, "old", False, "1"), ("no stamps", None, "new", False, "2"),
        ("deleted", 6, "new", True, "2"), ("deleted late", 5, "old", False, "1"), ("old", 5, "old", False, "1"),
        ("first", 1, "new", False, "2"), ("first and gone", 1, "new", True, "2"), ("x'\"\\", 6, "new", False, "2"),
    }  # fmt: skip
    assert set(shelf.rows("id", "at", "v", "gone", "run")) == wanted
    assert merged == Merged(2, 6, 0)
    shelf.table.confirm(2)
    again = shelf.upsert([r for r in batch if r["id"] != "no stamps"])
    assert again == Merged(0, 0, 0)
    assert set(shelf.rows("id", "at", "v", "gone", "run")) == wanted


def test_upsert_that_takes_deleted_rows_out_and_a_batch_with_fewer_columns(spark: SparkSession, tmp_path: Path) -> None:
    shelf = Shelf(spark, tmp_path)
    shelf.begin([row(k, 5, "old", "kept") for k in ("stays", "goes", "late", "changes")])
    batch = [
        row("goes", 6, w=None, gone=True),
        row("late", 4, w=None, gone=True),
        row("changes", 6, w=None),
        row("comes", 1, w=None),
        row("never", 1, gone=True),
    ]
    assert shelf.upsert(batch, without=["w"], delete=True) == Merged(1, 1, 1)
    assert shelf.rows("id", "v", "w") == [
        ("changes", "new", "kept"),
        ("comes", "new", None),
        ("late", "old", "kept"),
        ("stays", "old", "kept"),
    ]


def test_a_position_that_another_run_has_passed_commits_nothing(spark: SparkSession, tmp_path: Path) -> None:
    """Delta skips a transaction that it has seen, without a word: it must not pass for success."""
    shelf = Shelf(spark, tmp_path)
    shelf.begin([row("a", 1, "old")])
    with pytest.raises(ConcurrentRunError, match="another run wrote"):
        shelf.upsert([row("a", 2)], position=-5)
    assert shelf.rows("id", "v") == [("a", "old")]


def test_scd2_through_the_life_of_a_record(spark: SparkSession, tmp_path: Path) -> None:
    shelf = Shelf(spark, tmp_path, history=True)
    keys = ("changes", "edited", "same", "late", "no stamp", "deleted", "marked")
    shelf.begin([row(k, 5, "old", "old") for k in keys])
    batch = [
        row("changes", 6, w="old"),
        row("edited", 6, "old", "new"),
        row("same", 5, "old", "old"),
        row("late", 4),
        row("no stamp", None),
        row("deleted", 6, gone=True),
        row("first", 6),
        row("never", 6, gone=True),
    ]
    assert shelf.scd2(batch) == Merged(1, 2, 1)
    columns = ("id", "v", "w", "valid_from", "valid_to", "is_current")
    wanted = [
        ("changes", "new", "old", 6, None, True),
        ("changes", "old", "old", 5, 6, False),
        ("deleted", "old", "old", 5, 6, False),
        ("edited", "old", "new", 5, None, True),
        ("first", "new", "w", 6, None, True),
        ("late", "old", "old", 5, None, True),
        ("marked", "old", "old", 5, None, True),
        ("no stamp", "old", "old", 5, None, True),
        ("same", "old", "old", 5, None, True),
    ]
    assert shelf.rows(*columns) == wanted
    assert shelf.scd2(batch).applied == 0
    assert shelf.rows(*columns) == wanted
    # a version that comes late does not open a record that was ended after it; a later one does; w was not carried
    assert shelf.scd2(
        [row("deleted", 3, w=None), row("changes", 7, "newer", w=None), row("edited", 7, "old", w=None)], without=["w"]
    ) == Merged(0, 2, 0)
    assert shelf.scd2([row("deleted", 8, "back")]) == Merged(1, 0, 0)
    found = shelf.rows(*columns)
    assert [r for r in found if r[0] in ("changes", "deleted", "edited")] == [
        ("changes", "new", "old", 6, 7, False),
        ("changes", "newer", "old", 7, None, True),
        ("changes", "old", "old", 5, 6, False),
        ("deleted", "back", "w", 8, None, True),
        ("deleted", "old", "old", 5, 6, False),
        ("edited", "old", "new", 5, None, True),
    ]


def test_what_scd2_does_with_each_pair(spark: SparkSession) -> None:
    s = "named_struct('id', 'a', 'v', 'new', 'gone', {gone}, 'at', TIMESTAMP'2024-01-0{at} 00:00:00Z') AS s"
    t = "named_struct('id', {id}, 'v', 'old', 'gone', false, 'at', TIMESTAMP'2024-01-05 00:00:00Z') AS t"
    cases = [
        (6, "'a'", False),
        (5, "'a'", False),
        (4, "'a'", False),
        (6, "'a'", True),
        (4, "'a'", True),
        (6, "NULL", False),
        (6, "NULL", True),
    ]
    pairs = [
        f"SELECT {i} AS i, {s.format(at=at, gone=gone)}, {t.format(id=key)}" for i, (at, key, gone) in enumerate(cases)
    ]
    frame = spark.sql(" UNION ALL ".join(pairs)).coalesce(1).orderBy("i")
    columns = ["id", "v", "gone", "at"]
    outputs = [
        scd2_action(KEYS, columns, compared=columns, tracked=tracked, close=close)
        for tracked, close in ((["v"], True), (["v"], False), (["id"], True))
    ]
    got = frame.selectExpr(*outputs).collect()
    assert [r[0] for r in got] == ["version", "version", "none", "close", "none", "new", "none"]
    assert [r[1] for r in got] == ["version", "version", "none", "version", "none", "new", "new"]
    assert [r[2] for r in got] == ["edit", "edit", "none", "close", "none", "new", "none"]


def test_without_an_order_what_lands_later_is_newer() -> None:
    assert newer(MergeKeys(("id",), None, "string", None), ["v"]) == "true"


def test_a_merge_has_a_session_of_its_own_that_reads_as_the_run_does(spark: SparkSession) -> None:
    before = spark.conf.get("spark.sql.session.timeZone")
    own = session_for(spark, "m", 7)
    assert own.conf.get("spark.databricks.delta.write.txnAppId") == "forceglue/m"
    assert own.conf.get("spark.databricks.delta.write.txnVersion") == "7"
    assert own.conf.get("spark.sql.session.timeZone") == before == "UTC"
    assert spark.conf.get("spark.databricks.delta.write.txnAppId", None) is None
