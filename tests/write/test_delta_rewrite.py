"""An upsert, as MERGE and by writing anew: what is newer stands, whatever comes late, twice, or with fewer columns."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forceglue.errors import ConcurrentRunError
from forceglue.write.delta_merge import Merged
from forceglue.write.delta_rewrite import SMALL, suits
from forceglue.write.delta_table import TableState
from write.shelf import Shelf, row

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Way = Callable[..., Merged]
WAYS = pytest.mark.parametrize("way", [Shelf.upsert, Shelf.rewrite], ids=["merge", "anew"])


@WAYS
def test_every_way_in_which_two_versions_meet(spark: SparkSession, tmp_path: Path, way: Way) -> None:
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
    merged = way(shelf, batch)
    wanted = {
        ("newer", 6, "new", False, "2"), ("late", 5, "old", False, "1"), ("same", 5, "old", False, "1"), ("same stamp", 5, "new", False, "2"),
        ("no stamp there", 1, "new", False, "2"), ("no stamp here", 5, "old", False, "1"), ("no stamps", None, "new", False, "2"),
        ("deleted", 6, "new", True, "2"), ("deleted late", 5, "old", False, "1"), ("old", 5, "old", False, "1"),
        ("first", 1, "new", False, "2"), ("first and gone", 1, "new", True, "2"), ("x'\"\\", 6, "new", False, "2"),
    }  # fmt: skip
    assert set(shelf.rows("id", "at", "v", "gone", "run")) == wanted
    assert merged == Merged(2, 6, 0)
    shelf.table.confirm(2)
    again = way(shelf, [r for r in batch if r["id"] != "no stamps"])
    assert again == Merged(0, 0, 0)
    assert set(shelf.rows("id", "at", "v", "gone", "run")) == wanted


@WAYS
def test_deleted_rows_that_go_and_a_batch_with_fewer_columns(spark: SparkSession, tmp_path: Path, way: Way) -> None:
    shelf = Shelf(spark, tmp_path)
    shelf.begin([row(k, 5, "old", "kept") for k in ("stays", "goes", "late", "changes")])
    batch = [
        row("goes", 6, w=None, gone=True),
        row("late", 4, w=None, gone=True),
        row("changes", 6, w=None),
        row("comes", 1, w=None),
        row("never", 1, gone=True),
    ]
    assert way(shelf, batch, without=["w"], delete=True) == Merged(1, 1, 1)
    assert shelf.rows("id", "v", "w") == [
        ("changes", "new", "kept"),
        ("comes", "new", None),
        ("late", "old", "kept"),
        ("stays", "old", "kept"),
    ]


RECORDS = st.lists(
    st.builds(
        row,
        st.sampled_from("abcdef"),
        st.one_of(st.none(), st.integers(0, 3)),
        st.sampled_from(["x", "y", None]),
        st.sampled_from(["w", "v"]),
        st.sampled_from([True, False, None]),
    ),
    max_size=6,
    unique_by=lambda r: r["id"],
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=RECORDS, batch=RECORDS, delete=st.booleans(), without=st.sampled_from([[], ["w"]]))
def test_both_ways_leave_the_same_rows(
    spark: SparkSession, tmp_path: Path, first: list[Any], batch: list[Any], delete: bool, without: list[str]
) -> None:
    left: list[Any] = []
    for way in (Shelf.upsert, Shelf.rewrite):
        shutil.rmtree(tmp_path / "t", ignore_errors=True)
        shelf = Shelf(spark, tmp_path)
        shelf.begin(first)
        left.append(
            (way(shelf, batch, delete=delete, without=without), shelf.rows("id", "at", "v", "w", "gone", "run"))
        )
    assert left[0] == left[1]


def test_a_batch_of_new_records_leaves_the_files_that_are_there(spark: SparkSession, tmp_path: Path) -> None:
    shelf = Shelf(spark, tmp_path)
    shelf.begin([row("a", 1)])
    before = shelf.table.live_files()
    assert shelf.rewrite([row("b", 1)]) == Merged(1, 0, 0)
    assert set(before) < set(shelf.table.live_files())
    assert [r[0] for r in shelf.rows("id")] == ["a", "b"]


def test_files_whose_names_need_escaping_are_taken_out(spark: SparkSession, tmp_path: Path) -> None:
    shelf = Shelf(spark, tmp_path, file="a b%é.parquet")
    shelf.begin([row("a", 1, "old"), row("b", 1, "old")])
    assert shelf.rewrite([row("a", 2)]) == Merged(0, 1, 0)
    assert shelf.rows("id", "v") == [("a", "new"), ("b", "old")]
    assert not any("é" in path for path in shelf.table.live_files())


def test_a_batch_that_changes_nothing_moves_the_position_alone(spark: SparkSession, tmp_path: Path) -> None:
    shelf = Shelf(spark, tmp_path)
    shelf.begin([row("a", 5)])
    before = shelf.table.live_files()
    assert shelf.rewrite([row("a", 4)]) == Merged(0, 0, 0)
    assert shelf.table.live_files() == before
    shelf.table.confirm(2)


def test_a_table_that_was_written_meanwhile_is_left_alone(spark: SparkSession, tmp_path: Path) -> None:
    shelf = Shelf(spark, tmp_path)
    shelf.begin([row("a", 1, "old")])
    planned = shelf.table.state()
    shelf.upsert([row("b", 1, "other run")])
    with pytest.raises(ConcurrentRunError, match="another run wrote"):
        shelf.rewrite([row("a", 2)], at=planned)
    assert shelf.rows("id", "v") == [("a", "old"), ("b", "other run")]


def test_which_tables_are_written_anew() -> None:
    def state(**told: Any) -> TableState:
        return TableState(1, 1, {"id": "string"}, **({"files": ("a",), "size": 1 << 20} | told))

    assert suits(state(), 1 << 20)
    assert not suits(state(), SMALL)
    assert not suits(state(size=SMALL), 1)
    assert not suits(state(files=()), 1)
    assert not suits(state(plain=False), 1)
    assert not suits(state(properties={"delta.enableChangeDataFeed": "true"}), 1)
