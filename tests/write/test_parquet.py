from __future__ import annotations

import os
import threading
from pathlib import Path

import pyarrow.dataset
import pytest
from pyspark.sql import SparkSession

from forceglue.errors import UsageError
from forceglue.landing.store import Store
from forceglue.write import parquet
from forceglue.write.parquet import write_parquet


def inside(folder: str | Path) -> list[str]:
    return sorted(item.name for item in Path(folder).iterdir())


def _ids(store: Store, folder: str) -> list[int]:
    return sorted(
        pyarrow.dataset.dataset(str(store.root) + "/" + folder, format="parquet").to_table()["id"].to_pylist()
    )


@pytest.fixture(params=["exchange", "two renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of putting a folder in another's place, whatever this machine can do."""
    if request.param == "two renames":
        monkeypatch.setattr(parquet, "_exchange", lambda one, other: False)
    return request.param


def test_a_folder_of_parquet_files_and_nothing_else(spark: SparkSession, delivery: Store) -> None:
    done = write_parquet(spark.range(0, 10, numPartitions=3), delivery, "a/My folder")
    found = inside(Path(delivery.root) / "a/My folder")
    assert found == sorted(done.files) and len(found) == 3
    assert all(name.endswith(".parquet") for name in found)
    assert done.size == sum(f.stat().st_size for f in Path(delivery.root).rglob("*.parquet"))
    assert inside(delivery.root) == ["a"]
    assert _ids(delivery, "a/My folder") == list(range(10))


def test_it_is_replaced_as_a_whole(spark: SparkSession, delivery: Store, way: str) -> None:
    write_parquet(spark.range(10), delivery, "t")
    write_parquet(spark.range(10, 12), delivery, "t")
    assert _ids(delivery, "t") == [10, 11]
    assert inside(delivery.root) == ["t"]


def test_no_rows_keep_the_columns(spark: SparkSession, delivery: Store, way: str) -> None:
    write_parquet(spark.range(10), delivery, "t")
    write_parquet(spark.range(0), delivery, "t")
    assert _ids(delivery, "t") == []


class Boom(Exception):
    """A stop at a chosen step."""


def test_a_stop_before_the_swap_leaves_the_old_folder(
    spark: SparkSession, delivery: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(spark.range(3), delivery, "t")

    def stop(*args: object) -> None:
        raise Boom

    with monkeypatch.context() as patched:
        patched.setattr(parquet, "_swap", stop)
        with pytest.raises(Boom):
            write_parquet(spark.range(5), delivery, "t")
    assert inside(delivery.root) == ["t"]
    assert _ids(delivery, "t") == [0, 1, 2]


def test_a_kill_between_two_renames_is_mended_by_the_next_delivery(
    spark: SparkSession, delivery: Store, way: str
) -> None:
    write_parquet(spark.range(3), delivery, "t")
    target = Path(delivery.root) / "t"
    target.rename(parquet._aside(target))
    with pytest.raises(Exception, match="no more"):  # whatever class Spark chooses; the old folder is back nonetheless
        write_parquet(spark.range(5).selectExpr("IF(id < 4, id, raise_error('no more')) AS id"), delivery, "t")
    assert _ids(delivery, "t") == [0, 1, 2]
    write_parquet(spark.range(5), delivery, "t")
    assert inside(delivery.root) == ["t"]


def test_a_kill_before_the_old_folder_went_is_mended_too(spark: SparkSession, delivery: Store, way: str) -> None:
    write_parquet(spark.range(3), delivery, "t")
    aside = parquet._aside(Path(delivery.root) / "t")
    aside.mkdir()
    (aside / "part-old.parquet").write_text("old")
    write_parquet(spark.range(4), delivery, "t")
    assert inside(delivery.root) == ["t"]
    assert _ids(delivery, "t") == [0, 1, 2, 3]


def test_a_second_rename_that_fails_puts_the_old_folder_back(delivery: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_exchange", lambda one, other: False)
    target = Path(delivery.root) / "t"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(FileNotFoundError):
        parquet._swap(Path(delivery.root) / "was never made", target)
    assert inside(delivery.root) == ["t"] and inside(target) == ["old"]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="only Linux exchanges two folders in one step")
def test_a_reader_always_finds_a_whole_folder(tmp_path: Path) -> None:
    target, made = tmp_path / "t", tmp_path / "made"
    for folder, name in ((target, "old"), (made, "new")):
        folder.mkdir()
        for i in range(3):
            (folder / f"{name}{i}").write_text(name)
    stop, seen = threading.Event(), set()

    def read() -> None:
        while not stop.is_set():
            seen.add(tuple(inside(target)))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(500):
        assert parquet._exchange(made, target)
    stop.set()
    reader.join()
    assert seen <= {("new0", "new1", "new2"), ("old0", "old1", "old2")}


def test_a_delta_table_or_a_file_is_not_overwritten(spark: SparkSession, delivery: Store) -> None:
    delivery.write_bytes("t/_delta_log/00000000000000000000.json", b"{}")
    with pytest.raises(UsageError, match="Delta table"):
        write_parquet(spark.range(1), delivery, "t")
    delivery.write_bytes("x.csv", b"a")
    with pytest.raises(UsageError, match="is a file"):
        write_parquet(spark.range(1), delivery, "x.csv")


def test_elsewhere_than_on_this_machine(spark: SparkSession, elsewhere: Store) -> None:
    write_parquet(spark.range(3), elsewhere, "t")
    done = write_parquet(spark.range(10, 12), elsewhere, "t")
    assert [entry.path for entry in elsewhere.list()] == sorted(f"t/{name}" for name in done.files)
    assert _ids(elsewhere, "t") == [10, 11]
