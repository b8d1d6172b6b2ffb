"""Verdicts, and what only a row that is set aside carries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from forceglue.quality import rules as q
from forceglue.transform.prepared import Aside, judged, no_flags, raw_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import Column, DataFrame, SparkSession

ASIDE = Aside(raw="'raw'", key="id", row="7", at="TIMESTAMP '2024-01-01 00:00:00Z'")
MASKS = ["_record_key", "_raw", "_reasons", "_row", "_quarantined_at", q.VERDICT]


def test_where_nothing_can_be_wrong_the_columns_are_still_all_there(spark: SparkSession) -> None:
    frame = spark.range(2).selectExpr("string(id) AS id", "'x' AS `a b`")
    plain = judged(frame, ["id", "a b"], (), ASIDE, gone=None, kept=None, flags=no_flags, read=None)
    check = q.Check("c", "quarantine", "s", "id = '1'")
    ruled = judged(frame, ["id", "a b"], (check,), ASIDE, gone=None, kept=None, flags=no_flags, read=None)
    assert plain.frame.columns == ruled.frame.columns == ["id", "a b", "__mask_0", *MASKS]
    assert dict(plain.frame.dtypes) == dict(ruled.frame.dtypes)
    assert {r[q.VERDICT] for r in plain.frame.collect()} == {q.GOOD}


def test_only_rows_that_are_set_aside_carry_their_raw_row(spark: SparkSession) -> None:
    frame = spark.range(4).selectExpr("string(id) AS id", "id <> 3 AS wanted")
    checks = (q.Check("c", "quarantine", "s", "id IN ('1', '3')", value="id"), q.Check("w", "warn", "s", "id < '2'"))
    made = judged(frame, ["id"], checks, ASIDE, gone="id = '2'", kept="wanted", flags=no_flags, read=None)
    got = {
        r["id"]: (r[q.VERDICT], r["_raw"], r["_record_key"], r["_row"], r["_reasons"] and len(r["_reasons"]))
        for r in made.frame.collect()
    }
    assert got == {
        "0": ("good", None, None, None, None),
        "1": ("quarantine", "raw", "1", 7, 2),
        "2": ("gone", None, None, None, None),
        "3": ("filtered", None, None, None, None),
    }


def test_conditions_of_expectations_are_counted_beside_the_rules(spark: SparkSession) -> None:
    def flags(asked: Callable[[], DataFrame]) -> Mapping[str, Column]:
        rows = asked()
        assert rows.columns == ["id"]
        return {"odd": rows["id"] % 2 == 1, "one": rows["id"] == 1}

    made = judged(spark.range(3), ["id"], (), ASIDE, gone=None, kept=None, flags=flags, read=None)
    assert [(c.name, c.severity) for c in made.checks] == [("odd", "count"), ("one", "count")]
    rows = {r["id"]: r for r in made.frame.collect()}
    assert {i: r["__mask_0"] for i, r in rows.items()} == {0: 0, 1: 3, 2: 0}
    assert {r[q.VERDICT] for r in rows.values()} == {q.GOOD}


def test_the_raw_row_is_json_with_names_of_any_kind(spark: SparkSession) -> None:
    frame = spark.range(1).selectExpr("'a\"b\\n' AS `x`", "CAST(NULL AS STRING) AS `y`")
    row = frame.selectExpr(raw_json({"First Name": "x", 'a.b`c"d': "y"})).first()
    assert row is not None
    assert json.loads(row[0]) == {"First Name": 'a"b\n', 'a.b`c"d': None}
