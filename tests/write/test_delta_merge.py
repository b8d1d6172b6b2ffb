"""MERGE of a batch into a table: SCD2, and what guards it. What an upsert leaves is in `test_delta_rewrite`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from forceglue.errors import ConcurrentRunError
from forceglue.write.delta_merge import Merged, MergeKeys, MergeTerms, newer, scd2_action, session_for, told_overtaken
from write.shelf import KEYS, Shelf, row

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_a_position_that_another_run_has_passed_commits_nothing(spark: SparkSession, tmp_path: Path) -> None:
    """Delta skips a transaction that it has seen, without a word: it must not pass for success."""
    shelf = Shelf(spark, tmp_path)
    shelf.begin([row("a", 1, "old")])
    with pytest.raises(ConcurrentRunError, match="another run wrote"):
        shelf.upsert([row("a", 2)], position=-5)
    assert shelf.rows("id", "v") == [("a", "old")]


def test_a_job_that_fails_for_its_own_reasons_was_not_overtaken(spark: SparkSession, tmp_path: Path) -> None:
    """`java.util.concurrent` is in every stack of the JVM."""
    with pytest.raises((PySparkException, Py4JJavaError), match="told"), told_overtaken(Shelf(spark, tmp_path).table):
        spark.range(1).selectExpr("raise_error('told')").collect()


@pytest.mark.parametrize("key", ["it's", "back\\slash", "${HOME}", "ein Ä\nund mehr", "%_"])
def test_keys_of_any_text_are_met(spark: SparkSession, tmp_path: Path, key: str) -> None:
    """The batch's least and greatest key stand in the merge's condition, and it is both."""
    shelf = Shelf(spark, tmp_path)
    shelf.begin([row("a", 1, "old"), row(key, 1, "old")])
    assert shelf.upsert([row(key, 2)]) == Merged(0, 1, 0)
    assert dict(shelf.rows("id", "v")) == {"a": "old", key: "new"}


def test_only_texts_and_whole_numbers_bound_what_is_read() -> None:
    told = {
        within: MergeTerms(KEYS, (), (), within=within).meets("t")
        for within in ((1, 3), ("a", "b"), (b"a", b"b"), (True, True))
    }
    assert told == {
        (1, 3): "t.`id` >= 1 AND t.`id` <= 3",
        ("a", "b"): "t.`id` >= 'a' AND t.`id` <= 'b'",
        (b"a", b"b"): "true",
        (True, True): "true",
    }
    assert MergeTerms(KEYS, (), ()).meets("t") == "true"


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
        scd2_action(MergeTerms(KEYS, columns, columns, tracked, close), columns)
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
