"""Joining files changes no row, whatever the table is like."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from e2e.test_partitions import VALUES
from forceglue.errors import ConcurrentRunError
from forceglue.landing.store import Store
from forceglue.write.delta_clean import log_behind, remove, tidy_log, unneeded
from forceglue.write.delta_compact import Gain, compact, gain
from forceglue.write.delta_table import Table, app_id

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LARGE = 1 << 20
LATER = timedelta(days=1)


def grown(folder: Path, loads: list[list[tuple[str, Any]]], *, parted: bool) -> Table:
    for n, rows in enumerate(loads):
        content = pa.table(
            {"id": pa.array([r[0] for r in rows], pa.string()), "part": pa.array([r[1] for r in rows], pa.string())}
        )
        moved = CommitProperties(app_transactions=[Transaction(app_id("t"), n, 1)])
        write_deltalake(
            str(folder / "t"),
            content,
            mode="append",
            partition_by=["part"] if parted else None,
            commit_properties=moved,
        )
    return Table(Store(str(folder)), "t", "t")


def rows(spark: SparkSession, table: Table) -> list[Any]:
    """As Spark and delta-rs see them, which must be the same."""
    by_spark = sorted(map(tuple, spark.read.format("delta").load(table.uri).select("id", "part").collect()), key=repr)
    told = DeltaTable(table.uri).to_pyarrow_table(columns=["id", "part"]).to_pylist()
    assert sorted(((r["id"], r["part"]) for r in told), key=repr) == by_spark
    return by_spark


LOADS = st.lists(
    st.lists(st.tuples(st.text("ab", max_size=2), st.sampled_from(VALUES)), min_size=1, max_size=4),
    min_size=1,
    max_size=4,
)


@given(loads=LOADS, parted=st.booleans(), near=st.booleans())
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_rows_and_the_position_stay(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, loads: Any, parted: bool, near: bool
) -> None:
    table = grown(tmp_path_factory.mktemp("t"), loads, parted=parted)
    before, state, there = rows(spark, table), table.state(), gain(table, LARGE)
    assert state is not None
    done = compact(spark, table, state, file_size=LARGE, cluster_by=["id", "no_such_column", "part"] if near else ())
    if not near:
        assert done == (there.files, there.into)
    assert gain(table, LARGE).fewer == 0
    # whatever is not needed goes, the log is closed, and it is the same table
    old = unneeded(table, datetime.now(UTC) + LATER)
    remove(table, old)
    tidy_log(table)
    assert log_behind(table) == 0
    assert rows(spark, table) == before
    after = table.state()
    assert after is not None
    assert after.position == state.position == len(loads) - 1
    on_disk = {
        p.relative_to(table.uri).as_posix() for p in Path(table.uri).rglob("*.parquet") if "_delta_log" not in p.parts
    }
    assert on_disk == set(after.files)


def test_files_of_different_partitions_are_not_counted_together(tmp_path: Path) -> None:
    table = grown(tmp_path, [[("a", "x"), ("b", "y")], [("c", "x"), ("d", "z")]], parted=True)
    found = gain(table, LARGE)
    assert (found.files, found.into, found.fewer) == (2, 1, 1)
    assert gain(table, 1) == Gain()  # nothing is small
    assert gain(Table(Store(str(tmp_path)), "none", "none"), LARGE) == Gain()


@pytest.mark.parametrize("property_", ["delta.enableDeletionVectors", "delta.columnMapping.mode"])
def test_tables_with_features_of_their_own(spark: SparkSession, tmp_path: Path, property_: str) -> None:
    place = str(tmp_path / "t")
    said = {"delta.enableDeletionVectors": "true"}
    if property_ == "delta.columnMapping.mode":
        said = {property_: "name", "delta.minReaderVersion": "2", "delta.minWriterVersion": "5"}
    other = "the part" if "columnMapping" in property_ else "part"
    frame = spark.range(40).selectExpr("cast(id as string) AS id", f"cast(id % 2 as string) AS `{other}`")
    for n in range(3):
        frame.where(f"id % 3 = {n}").coalesce(1).write.format("delta").mode("append").options(**said).save(place)
    spark.sql(f"DELETE FROM delta.`{place}` WHERE id < 9").collect()
    table = Table(Store(str(tmp_path)), "t", "t")
    before = sorted(r.id for r in spark.read.format("delta").load(place).collect())
    remove(table, unneeded(table, datetime.now(UTC) + LATER))  # deletion vectors in force are no orphans
    assert sorted(r.id for r in spark.read.format("delta").load(place).collect()) == before
    state = table.state()
    assert state is not None
    compact(spark, table, state, file_size=LARGE)
    remove(table, unneeded(table, datetime.now(UTC) + LATER))
    tidy_log(table)
    assert sorted(r.id for r in spark.read.format("delta").load(place).collect()) == before
    assert len(table.live_files()) == 1


def test_a_log_that_does_not_reach_back_removes_nothing(tmp_path: Path) -> None:
    table = grown(tmp_path, [[("a", "x")], [("b", "x")]], parted=False)
    write_deltalake(table.uri, pa.table({"id": ["c"], "part": ["x"]}), mode="overwrite")
    for path in Path(table.uri).glob("*.parquet"):
        os.utime(path, (1, 1))
    yesterday = datetime.now(UTC) - LATER
    assert unneeded(table, yesterday) == ()  # replaced just now
    assert len(unneeded(table, datetime.now(UTC) + LATER)) == 2
    write_deltalake(table.uri, pa.table({"id": ["d"], "part": ["x"]}), mode="append")
    tidy_log(table)
    for version in (0, 1, 2):
        (Path(table.uri) / "_delta_log" / f"{version:020d}.json").unlink()
    assert unneeded(table, yesterday) == ()  # nobody knows when


def test_a_commit_in_between_wins(spark: SparkSession, tmp_path: Path) -> None:
    """The rows are those of the commit that came in between, whoever was first."""
    many = [[(str(n * 100_000 + i), "x") for i in range(100_000)] for n in range(6)]
    table = grown(tmp_path, many, parted=False)
    state = table.state()
    assert state is not None
    lost: list[BaseException] = []

    def joining() -> None:
        try:
            compact(spark, table, state, file_size=64 << 20)
        except ConcurrentRunError as error:
            lost.append(error)

    worker = threading.Thread(target=joining)
    worker.start()
    until = time.monotonic() + 60
    while len(list(Path(table.uri).glob("*.parquet"))) == len(state.files) and time.monotonic() < until:
        time.sleep(0.001)  # until the joined file is being written
    write_deltalake(table.uri, pa.table({"id": ["mine"], "part": ["x"]}), mode="overwrite")
    worker.join()
    assert [str(error) for error in lost] == [
        f"t: another run wrote {table.uri} meanwhile. Run again.",
    ]
    assert rows(spark, table) == [("mine", "x")]
