"""A rule means the same in a profile and in a mapping: Spark is asked about each form."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from forceglue.profiles.predicate import Kind, PredicateError, predicate

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TYPES = {"t": "string", "u": "string", "n": "int", "d": "decimal(12,2)", "f": "double", "b": "boolean", "day": "date",
         "at": "timestamp"}  # fmt: skip
KINDS: dict[str, Kind] = {"t": "text", "u": "text", "n": "number", "d": "number", "f": "number", "b": "boolean",
                          "day": "date", "at": "timestamp"}  # fmt: skip
NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {"t": "Abc", "u": "abc", "n": 3, "d": Decimal("3.00"), "f": 0.1, "b": True, "day": date(2024, 2, 29), "at": NOON},
    {"t": " a_c% ", "u": "a\\c", "n": -1, "d": Decimal("-0.10"), "f": -2.5, "b": False, "day": date(1999, 12, 31),
     "at": datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)},
    {"t": "Größe\n2", "u": "", "n": 0, "d": Decimal("0.10"), "f": 0.0, "b": True, "day": date(2030, 1, 1), "at": NOON},
    {"t": "12345", "u": "it's", "n": 2147483646, "d": Decimal("9999999999.99"), "f": 1e30, "b": False, "day": None,
     "at": None},
    dict.fromkeys(TYPES),
]  # fmt: skip
RULES = (
    "n >= 0", "n = 3", "n <> 3", "n != 3", "3 > n", "d < 0.1", "d = 0.10", "f = 0.1", "d = f", "d >= n", "f > n",
    "n between 0 and 3", "n not between 0 and 3", "n in (1, 3)", "n not in (1, 3)", "n in (1, null)",
    "n not in (1, null)", "t in ('Abc', '12345')", "n + 1 = 4", "d * 2 > n - 1", "-n < 0", "-d <= 0.10",
    "b", "not b", "b = true", "b is true", "b is not true", "b is false", "n is null", "t is not null",
    "not (n is null)", "n > 0 and b", "n > 0 or b", "not (n > 0 and b)", "n > 0 or null", "n > 0 and null",
    "t = 'Abc'", "t > 'B'", "t < u", "upper(t) = 'ABC'", "lower(t) = u", "trim(t) = 'a_c%'", "length(t) = 3",
    "length(trim(t)) <= 4", "length(u) = 0", "t like 'A%'", "t like '%b_'", "t not like 'A%'", "t like ' a\\\\_c%'",
    "u like 'a\\\\\\\\c'", "t like ' a!_c!%%' escape '!'", "t like '%2'", "t rlike '^[0-9]{5}$'", "t rlike 'b'",
    "t not rlike '^A'", "t rlike '\\\\d+'", "u = 'it\\'s'",
    "coalesce(t, u, 'x') = 'x'", "coalesce(n, 0) = 0", "t <=> u", "n <=> null", "t <=> 'Abc'",
    "day > '2000-01-01'", "day = date '2024-02-29'", "day between '1999-01-01' and '2024-12-31'",
    "day in ('2024-02-29', '2030-01-01')", "at >= '2024-02-29T12:00:00Z'", "at < timestamp '2024-02-29 12:00:01'",
    "at = '2024-02-29 12:00:00'", "n > 1e3", "true", "n > 0 and n > 0 or n < 0 and not b",
)  # fmt: skip


def test_every_rule_says_of_every_row_what_spark_says(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [tuple(row[name] for name in TYPES) for row in ROWS],
        ", ".join(f"{name} {kind}" for name, kind in TYPES.items()),
    )
    said = frame.coalesce(1).selectExpr(*(f"({rule}) AS r{at}" for at, rule in enumerate(RULES))).collect()
    for at, rule in enumerate(RULES):
        judge = predicate(rule, KINDS)
        assert [judge(row) for row in ROWS] == [row[at] for row in said], rule


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("year(day) > 2000", "needs Spark"),
        ("n > 'x'", "compares a number with a text"),
        ("day > at", "compares a date with a timestamp"),
        ("n", "is a value"),
        ("length(n) = 1", "for a text, and it is a number"),
        ("t and b", "for a boolean, and it is a text"),
        ("t rlike '('", "pattern that does not parse"),
        ("t like u", "no text in quotes"),
        ("day > 'soon'", "no date"),
        ("cast(t as int) > 1", "needs Spark"),
        ("t + 1 = 2", "for a number, and it is a text"),
        ("n / 2 > 1", "needs Spark"),
        ("gone = 1", "no column of the row"),
        ("x.n = 1", "no column of the row"),
        ("trim(leading 'x' from t) = 'a'", "other characters than blanks"),
        ("case when b then true end", "needs Spark"),
    ],
)
def test_what_needs_spark_or_is_not_alike_is_refused(rule: str, why: str) -> None:
    with pytest.raises(PredicateError, match=why):
        predicate(rule, KINDS)


def test_columns_are_found_without_regard_to_case() -> None:
    assert predicate("N > 2 and T = 'Abc'", KINDS)(ROWS[0]) is True
