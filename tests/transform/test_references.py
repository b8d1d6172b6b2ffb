"""What is brought beside a row: by either form of an Id, under names of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forceglue.transform.ids import long_id
from forceglue.transform.references import bring, brought

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SHORT = "001A0000006Vm9r"
OTHER = "001A0000006Vm9R"


@pytest.fixture
def left(spark: SparkSession) -> DataFrame:
    rows = [("1", SHORT), ("2", long_id(SHORT)), ("3", OTHER), ("4", None), ("5", ""), ("6", "nowhere")]
    return spark.createDataFrame(rows, "id string, `Account Id` string").coalesce(1)


@pytest.fixture
def right(spark: SparkSession) -> DataFrame:
    rows = [(long_id(SHORT), "Acme", 1), (long_id(OTHER), "Other", 2), (None, "Null", 3), ("", "Blank", 4)]
    return spark.createDataFrame(rows, "id string, `the.name` string, n int").coalesce(1)


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("left", {("1", "Acme"), ("2", "Acme"), ("3", "Other"), ("4", None), ("5", None), ("6", None)}),
        ("inner", {("1", "Acme"), ("2", "Acme"), ("3", "Other")}),
        (
            "full",
            {
                ("1", "Acme"),
                ("2", "Acme"),
                ("3", "Other"),
                ("4", None),
                ("5", None),
                ("6", None),
                (None, "Null"),
                (None, "Blank"),
            },
        ),
    ],
)
def test_both_forms_of_an_id_meet_and_nulls_never_do(
    left: DataFrame, right: DataFrame, how: str, wanted: set[object]
) -> None:
    columns = {"Name": "the.name", "Never": None}
    out = bring(left, "a b`c", right, [("`Account Id`", "id")], columns, how)
    got = [(r["id"], r[brought("a b`c", "Name")], r[brought("a b`c", "Never")]) for r in out.collect()]
    assert len(got) == len(wanted)
    assert {(i, name) for i, name, _ in got} == wanted
    assert {never for *_, never in got} == {None}


def test_a_table_can_be_joined_with_itself_and_by_several_columns(spark: SparkSession) -> None:
    people = spark.createDataFrame(
        [("1", "2", "x"), ("2", None, "x"), ("3", "2", "y")], "id string, boss string, kind string"
    )
    out = bring(people, "boss", people, [("boss", "id"), ("kind", "kind")], {"id": "id"}, "left")
    assert {(r["id"], r["__boss__id"]) for r in out.collect()} == {("1", "2"), ("2", None), ("3", None)}


def test_keys_of_different_types_are_compared_as_text(spark: SparkSession) -> None:
    numbers = spark.createDataFrame([(7, "seven")], "k bigint, v string")
    out = bring(
        spark.createDataFrame([("7",), (" 7 ",), ("07",)], "k string"), "n", numbers, [("k", "k")], {"v": "v"}, "left"
    )
    assert {(r["k"], r["__n__v"]) for r in out.collect()} == {("7", "seven"), (" 7 ", "seven"), ("07", None)}
