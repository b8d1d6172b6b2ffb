"""Rules as bits: which rows break what, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forceglue.mapping.model import SEVERITIES, Rule
from forceglue.quality import rules as q

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def checks(n: int, severity: str = "warn") -> list[q.Check]:
    return [q.rule_check(f"rule {i}", severity, Rule(sql=f"id <> {i}")) for i in range(n)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("many", "masks"), [(0, 1), (1, 1), (60, 1), (61, 2), (120, 2), (121, 3)])
def test_a_mask_holds_sixty_rules(many: int, masks: int) -> None:
    assert q.mask_names(checks(many)) == [f"__mask_{i}" for i in range(masks)]


def test_every_bit_stands_for_its_own_rule(spark: SparkSession) -> None:
    made = checks(121)
    rows = q.masked(spark.range(122).coalesce(1), made).collect()
    for row in rows:
        bits = [(row["id"] // 60, 1 << row["id"] % 60)] if row["id"] < 121 else []
        assert [row[f"__mask_{i}"] for i in range(3)] == [
            next((bit for at, bit in bits if at == i), 0) for i in range(3)
        ]


@pytest.mark.parametrize(("nulls", "broken"), [("fail", [False, True, True]), ("pass", [False, True, False])])
def test_a_null_result(spark: SparkSession, nulls: str, broken: list[bool]) -> None:
    check = q.rule_check("r", "warn", Rule(sql="v > 0", nulls=nulls))  # type: ignore[arg-type]
    frame = spark.sql("SELECT * FROM VALUES (0, 1), (1, 0), (2, NULL) AS t(i, v)").coalesce(1)
    assert [r[0] for r in frame.orderBy("i").selectExpr(check.broken).collect()] == broken


@pytest.mark.parametrize("sql", ["v", "v OR false", "coalesce(v, false)", "1 = 1 AND v"])
def test_an_expression_keeps_to_itself(spark: SparkSession, sql: str) -> None:
    check = q.rule_check("r", "warn", Rule(sql=sql))
    assert [r[0] for r in spark.sql("SELECT false AS v").selectExpr(check.broken).collect()] == [True]


def wanted(severities: list[str], gone: bool) -> str:
    order = [("drop", q.DROPPED), ("fail", q.FAILED), ("reject_file", q.QUARANTINED), ("quarantine", q.QUARANTINED)]
    return next((verdict for severity, verdict in order if severity in severities), q.GONE if gone else q.GOOD)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sets(st.integers(0, 69), max_size=3), st.booleans()), min_size=20, max_size=40))
def test_the_severest_rule_decides_and_every_broken_one_is_a_reason(
    spark: SparkSession, rows: list[tuple[set[int], bool]]
) -> None:
    severities = [*SEVERITIES, "count"]
    made = [
        q.Check(f"it's \\ {i}", severities[i % 6], "s", f"array_contains(broken, {i})", value=f"'v{i}'")  # type: ignore[arg-type]
        for i in range(70)
    ]
    data = [(i, sorted(broken), gone) for i, (broken, gone) in enumerate(rows)]
    frame = q.masked(spark.createDataFrame(data, "i int, broken array<int>, gone boolean").coalesce(1), made)
    out = frame.selectExpr(
        "i",
        f"{q.verdict(made, 'gone')} AS verdict",
        f"{q.reasons(made)} AS reasons",
        f"{q.hit(made, ['warn'])} AS warned",
    )
    for row in out.collect():
        broken, gone = rows[row["i"]]
        told = [(f"it's \\ {i}", severities[i % 6], f"v{i}") for i in sorted(broken) if severities[i % 6] != "count"]
        assert [(r["rule"], r["severity"], r["value"]) for r in row["reasons"]] == told
        assert row["verdict"] == wanted([severity for _, severity, _ in told], gone)
        assert row["warned"] == any(severity == "warn" for _, severity, _ in told)


def test_without_rules_there_are_no_reasons(spark: SparkSession) -> None:
    row = (
        spark.range(1)
        .selectExpr(f"{q.reasons(())} AS r", f"{q.hit((), ['fail'])} AS h", f"{q.verdict((), None)} AS v")
        .first()
    )
    assert row is not None
    assert tuple(row) == (None, False, q.GOOD)
