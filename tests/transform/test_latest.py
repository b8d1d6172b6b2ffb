"""Of all versions of a record in one batch, one stands; which one depends on nothing but the versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forceglue.transform.cast import order_sql
from forceglue.transform.latest import ORDER, ORDER_LOST, key_columns, latest_versions
from forceglue.transform.read import SEQ, read_batch
from transform.kit import landed_all, write

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FRAME = "__key_0 string, __ord bigint, __ord_lost boolean, __seq int, __row bigint, v string"


def latest(frame: DataFrame) -> set[tuple[object, ...]]:
    return {(r["__key_0"], r["v"]) for r in latest_versions(frame, ["__key_0"]).collect()}


def test_the_greatest_order_then_the_later_file_then_the_later_row(spark: SparkSession) -> None:
    rows = [
        ("a", 1, False, 5, 9, "old"),
        ("a", 2, False, 0, 0, "new"),
        ("b", 1, False, 0, 7, "earlier file"),
        ("b", 1, False, 1, 0, "later file"),
        ("c", 1, False, 0, 0, "earlier row"),
        ("c", 1, False, 0, 1, "later row"),
        ("d", None, False, 9, 9, "no order"),
        ("d", -5, False, 0, 0, "an order"),
        ("e", None, False, 0, 0, "none"),
        ("e", None, False, 1, 0, "none, later"),
        ("f", None, True, 2, 0, "impossible"),
        ("f", 3, False, 0, 0, "good"),
        (None, 1, False, 0, 0, "no key"),
        (None, 1, False, 0, 1, "no key either"),
        (None, None, True, 0, 2, "nothing at all"),
    ]
    wanted = {
        ("a", "new"), ("b", "later file"), ("c", "later row"), ("d", "an order"), ("e", "none, later"), ("f", "good"),
        ("f", "impossible"), (None, "no key"), (None, "no key either"), (None, "nothing at all"),
    }  # fmt: skip
    for partitions in (1, 7):
        assert latest(spark.createDataFrame(rows, FRAME).repartition(partitions)) == wanted


def test_a_key_of_two_parts_with_one_missing_is_no_key(spark: SparkSession) -> None:
    rows = [("a", None, 1, 0), ("a", None, 2, 1), ("a", "b", 1, 2), ("a", "b", 2, 3)]
    frame = spark.createDataFrame(rows, "__key_0 string, __key_1 string, __ord bigint, __row bigint")
    frame = frame.selectExpr("*", f"false AS {ORDER_LOST}", f"0 AS {SEQ}")
    assert key_columns(2) == ["__key_0", "__key_1"]
    assert sorted(r["__row"] for r in latest_versions(frame, key_columns(2)).collect()) == [0, 1, 3]


def test_thousands_of_versions_of_one_record(spark: SparkSession) -> None:
    frame = spark.range(20_000).selectExpr(
        "'k' AS __key_0",
        "(id * 7919) % 20000 AS __ord",
        "false AS __ord_lost",
        "0 AS __seq",
        "id AS __row",
        "string(id) AS v",
    )
    found = latest_versions(frame.repartition(5), ["__key_0"]).collect()
    assert [row["__ord"] for row in found] == [19_999]


STAMPS = (
    "2024-01-01T00:00:00.000+0000",
    "2024-01-01T00:00:00.000Z",
    "1704067200000",
    "2024-01-02 00:00:00",
    "1704067200001",
    "",
    "x",
)
versions = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(STAMPS)), min_size=1, max_size=5)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(versions, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_in_which_spark_reads_files_does_not_matter(
    spark: SparkSession, tmp_path: Path, files: list[list[tuple[str, str]]], random: object
) -> None:
    """The same versions, told by a plain loop; the files' names and formats sort in another order than they landed."""
    import random as r

    assert isinstance(random, r.Random)
    home = tmp_path / f"{random.getrandbits(60)}"
    names = [f"{random.getrandbits(30)}.{random.choice(('csv', 'json', 'parquet'))}" for _ in files]
    paths = [
        write(home / name, [{"Id": key, "At": stamp or None, "V": f"{f}/{i}"} for i, (key, stamp) in enumerate(rows)])
        for f, (name, rows) in enumerate(zip(names, files, strict=True))
    ]
    batch = read_batch(spark, landed_all(paths), frozenset())
    kind = batch.fields["at"]
    frame = batch.frame.selectExpr("*", "id AS __key_0", f"{order_sql('at', kind)} AS {ORDER}")
    frame = frame.selectExpr("*", f"coalesce(at, '') <> '' AND {ORDER} IS NULL AS {ORDER_LOST}")
    instants = dict(zip(STAMPS, (0, 0, 0, 86_400_000, 1, -1, None), strict=True))
    best: dict[str, tuple[int, str]] = {}
    lost = set()
    for f, rows in enumerate(files):
        for i, (key, stamp) in enumerate(rows):
            at = instants[stamp]
            if at is None:
                lost.add((key, f"{f}/{i}"))
            elif key not in best or at >= best[key][0]:
                best[key] = (at, f"{f}/{i}")
    assert latest(frame) == {(key, v) for key, (_, v) in best.items()} | lost
