"""A patch over a table's rows, prepared and not written: one table, one job a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from chispa import assert_df_equality

from forceglue.landing.patch import Kind, Patch
from forceglue.landing.position import Position
from forceglue.mapping.model import ObjectMapping, ProjectSettings
from forceglue.mapping.project import Project
from forceglue.run.patch_plan import plan_patch
from forceglue.run.plan import hidden
from forceglue.transform.columns import LookedInto
from forceglue.transform.object_rows import ObjectInputs
from forceglue.transform.overlay import Onto, overlay
from forceglue.transform.prepared import PATCH, RAW, RECORD_KEY, Prepared
from forceglue.transform.read import read_batch
from forceglue.write.delta_table import TableState
from transform.kit import FIRST, landed, write

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

AT = datetime(2024, 5, 6, 10, tzinfo=UTC)
SAID: dict[str, Any] = {
    "id": "Id",
    "name": "Name",
    "score": {"from": "Score__c", "type": "decimal(6,1)"},
    "stamp": {"from": "SystemModstamp", "type": "timestamp"},
}
TABLE = """
    SELECT id, concat('n', id) AS name, CAST(score AS DECIMAL(6,1)) AS score,
           CAST(stamp AS TIMESTAMP) AS stamp, gone AS is_deleted, 'f' AS filename, 'l' AS function_name,
           '7' AS function_version, 'r' AS aws_request_id, 'e' AS appflow_id,
           TIMESTAMP '2024-05-06 12:01:00Z' AS processed_ts, 'run-0' AS run_id
    FROM VALUES {rows} AS t(id, score, stamp, gone)
"""
"""Ingested a minute after the first file of `kit.landed` and a minute before the third."""


def table(spark: SparkSession, *rows: tuple[str, float | None, int | None, bool]) -> DataFrame:
    def stamp(hour: int | None) -> str:
        return "CAST(NULL AS STRING)" if hour is None else f"'2024-05-06 {hour:02d}:00:00Z'"

    told = (f"('{k}', {'NULL' if n is None else n}, {stamp(h)}, {str(gone).lower()})" for k, n, h, gone in rows)
    return spark.sql(TABLE.format(rows=", ".join(told)))


def stamp(hour: int | None) -> datetime | None:
    return None if hour is None else datetime(2024, 5, 6, hour, tzinfo=UTC)


def made(
    spark: SparkSession,
    folder: Path,
    kind: Kind,
    onto: DataFrame,
    files: Sequence[tuple[int, Sequence[Mapping[str, Any]]]],
    *,
    columns: Mapping[str, Any] | None = None,
    tables: Mapping[str, DataFrame] | None = None,
    whole: bool = False,
    rejected: frozenset[int] = frozenset(),
    **mapping: Any,
) -> Prepared:
    """What the files, each ingested at a minute, make of the rows of `onto`."""
    found = []
    kinds = {"SystemModstamp": pa.timestamp("us", tz="UTC"), "IsDeleted": pa.bool_(), "Score__c": pa.float64()}
    for i, (minute, rows) in enumerate(files):
        types = kinds | ({"Score__c": pa.string()} if any(isinstance(r.get("Score__c"), str) for r in rows) else {})
        columns_of = {n: pa.array([r[n] for r in rows], types.get(n, pa.string())) for n in rows[0]}
        patch = Patch(kind, AT + timedelta(minutes=i))
        path = folder / f"{i}.parquet"
        found.append(landed(write(path, pa.table(columns_of).replace_schema_metadata(patch.footer())), minute))
    said = {"mapping": "account", "source": "Account", "columns": columns or SAID, **mapping}
    full = Project(Path(), ProjectSettings(), {}, {}).with_defaults(ObjectMapping.model_validate(said))
    state = TableState(1, 7, dict(onto.dtypes))
    plan = plan_patch(
        full, kind, catalog_fields=(), files=found, position=Position("account", 7), table=state, keeps_types=False
    )
    lookups = {a: LookedInto(t, "id", lambda said: said.lower()) for a, t in (tables or {}).items()}
    inputs = ObjectInputs(plan.columns, lookups, plan.names, "run-1", FIRST, rejected)
    batch = read_batch(spark, plan.files, hidden(plan.mapping))
    return overlay(batch, plan.mapping, inputs, Onto(onto, kind, plan.carried, whole))


def score(key: str, value: Any, hour: int | None = 1) -> dict[str, Any]:
    return {"Id": key, "SystemModstamp": stamp(hour), "Score__c": value}


LATER, EARLIER = 2, 0
"""Minutes of ingest: after the table's rows, and before them."""


def test_a_refresh_by_stamp_and_by_what_was_ingested_later(spark: SparkSession, tmp_path: Path) -> None:
    onto = table(
        spark,
        *((k, 1.0, 1, False) for k in "abcde"),
        ("f", 1.0, None, False),
        ("g", 1.0, 1, True),
        ("h", None, 1, False),
    )
    rows = [
        score("a", 2.0, 1), score("b", 2.0, 2), score("c", 2.0, 0), score("d", 1.0, 2), score("e", None, 1),
        score("f", 2.0, 1), score("g", 2.0, 1), score("h", None, 1), score("x", 2.0, 1), score("b", 3.0, 3),
    ]  # fmt: skip
    later = made(spark, tmp_path, "refresh", onto, [(LATER, rows)])
    assert later.columns[:4] == ("id", "score", "stamp", "is_deleted")
    wanted = spark.sql("""
        SELECT id, CAST(score AS DECIMAL(6,1)) AS score, hour FROM VALUES
        ('a', 2, 1), ('b', 3, 1), ('e', NULL, 1), ('f', 2, NULL), ('g', 2, 1) AS t(id, score, hour)""")
    found = later.frame.selectExpr("id", "score", "hour(stamp) AS hour")
    assert_df_equality(found, wanted, ignore_row_order=True, ignore_nullable=True)
    earlier = made(spark, tmp_path, "refresh", onto, [(EARLIER, rows)])
    assert sorted(row["id"] for row in earlier.frame.select("id").collect()) == ["b"]


def test_only_the_columns_that_may_differ_come_out_and_rules_see_the_whole_row(
    spark: SparkSession, tmp_path: Path
) -> None:
    quality = {"quarantine": {"named": "name <> 'nb' or score < 5"}, "drop": {"not_c": "name <> 'nc'"}}
    onto = table(spark, *((k, 1.0, 1, False) for k in "abcd"), ("e", None, 1, False))
    rows = [score("a", "7"), score("b", "8"), score("c", "9"), score("d", "much"), score("e", "much")]
    prepared = made(spark, tmp_path, "refresh", onto, [(LATER, rows)], quality=quality)
    assert "name" not in prepared.columns
    found = {row[RECORD_KEY] or row["id"]: row for row in prepared.frame.collect()}
    assert {key: row["forceglue_verdict"] for key, row in found.items()} == {
        "a": "good", "b": "quarantine", "c": "drop", "d": "quarantine", "e": "quarantine",
    }  # fmt: skip
    assert [r["rule"] for r in found["d"]["_reasons"]] == ["cast_score"]
    assert (found["b"][RAW], found["b"][PATCH], found["a"][PATCH]) == (
        '{"Id":"b","SystemModstamp":"2024-05-06T01:00:00.000Z","Score__c":"8"}', "refresh", None,
    )  # fmt: skip
    assert (found["a"]["processed_ts"], found["a"]["run_id"], found["a"]["filename"]) == (
        datetime(2024, 5, 6, 12, 2), "run-1", "in/0.parquet",
    )  # fmt: skip


def test_every_row_of_a_file_that_is_turned_away_is_set_aside(spark: SparkSession, tmp_path: Path) -> None:
    onto = table(spark, ("a", 1.0, 1, False), ("b", 1.0, 1, False))
    rows = [score("a", 7.0), score("b", 1.0)]
    prepared = made(spark, tmp_path, "refresh", onto, [(LATER, rows)], rejected=frozenset({0}))
    assert [(r[RECORD_KEY], r["_reasons"][0]["rule"]) for r in prepared.frame.collect()] == [("a", "file_is_accepted")]


def test_of_the_table_only_what_is_asked_for_is_read(spark: SparkSession, tmp_path: Path) -> None:
    stored = str(tmp_path / "t")
    table(spark, ("a", 1.0, 1, False)).write.parquet(stored)
    prepared = made(spark, tmp_path, "refresh", spark.read.parquet(stored), [(LATER, [score("a", 2.0)])])
    plan = prepared.frame._jdf.queryExecution().executedPlan().toString()
    read = next(line for line in plan.splitlines() if "FileScan parquet" in line and "score#" in line)
    assert "name#" not in read.split("Batched")[0]


def test_columns_through_sql_and_lookups(spark: SparkSession, tmp_path: Path) -> None:
    people = spark.sql("SELECT 'u1' AS id, 'Ann' AS name")
    onto = table(spark, ("a", 1.0, 1, False)).selectExpr("*", "'Bob' AS owner", "'x' AS kept", "2 AS doubled")
    columns = {
        **SAID,
        "owner": "who.Name",
        "doubled": {"sql": "Score__c * 2", "type": "int"},
        "kept": {"sql": "concat(Score__c, Name)"},
    }
    row = {**score("a", 1.0), "Owner__c": "u1"}
    prepared = made(
        spark, tmp_path, "refresh", onto, [(LATER, [row])], columns=columns, tables={"who": people},
        lookups={"who": {"object": "User", "by": "Owner__c"}}, where="Score__c > 0", whole=True,
    )  # fmt: skip
    (found,) = prepared.frame.select("name", "owner", "doubled", "kept", "forceglue_verdict").collect()
    assert tuple(found) == ("na", "Ann", 2, "x", "good")


@pytest.mark.parametrize("kind", ["deleted", "vanished"])
def test_deletions_by_stamp(spark: SparkSession, tmp_path: Path, kind: Kind) -> None:
    """Listed deletions know when; what vanished was not there at 10, and later landings were seen after that."""
    onto = table(
        spark, *((k, 1.0, 9, False) for k in "abc"), ("d", 1.0, 9, True), ("e", 1.0, None, False), ("f", 1.0, 11, False)
    )
    hours = {"a": 10, "b": 9, "c": 8, "d": 10, "e": 10, "f": 12, "x": 10}
    row = {"deleted": lambda k: {"Id": k, "IsDeleted": True, "SystemModstamp": stamp(hours[k])}}.get(
        kind, lambda k: {"Id": k, "IsDeleted": True}
    )
    rows = [*map(row, hours), row("a")]
    prepared = made(spark, tmp_path, kind, onto, [(LATER, rows)])
    found = prepared.frame.selectExpr("id", "is_deleted", "hour(stamp)", "forceglue_verdict").collect()
    wanted = {"deleted": {"a": 10, "b": 9, "e": 10, "f": 12}, "vanished": {"a": 9, "b": 9, "c": 9, "e": None}}[kind]
    assert sorted(map(tuple, found)) == sorted((key, True, hour, "good") for key, hour in wanted.items())
    late = made(spark, tmp_path, kind, onto, [(EARLIER, rows)])
    assert late.frame.count() == (4 if kind == "deleted" else 0)


def test_the_history_of_a_record_goes_on_where_the_patch_says(spark: SparkSession, tmp_path: Path) -> None:
    onto = table(spark, ("a", 1.0, 1, False), ("b", 1.0, 11, False)).selectExpr(
        "*", "stamp AS valid_from", "CAST(NULL AS TIMESTAMP) AS valid_to", "true AS is_current"
    )

    def since(kind: Kind, *rows: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        prepared = made(spark, tmp_path, kind, onto, [(LATER, rows)], target={"write": "scd2"}, whole=True)
        return sorted(map(tuple, prepared.frame.selectExpr("id", "name", "hour(valid_from)", "is_current").collect()))

    assert since("refresh", score("a", 2.0), score("b", 2.0, 11)) == [("a", "na", 10, True), ("b", "nb", 11, True)]
    assert since("deleted", {"Id": "a", "IsDeleted": True, "SystemModstamp": stamp(5)}) == [("a", "na", 5, True)]
    assert since("vanished", {"Id": "a", "IsDeleted": True}) == [("a", "na", 10, True)]
