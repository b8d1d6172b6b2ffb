"""A line made of pieces is the line made of the columns, byte for byte, whatever joins and values there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from forceglue.mapping.expand import dataset_columns
from forceglue.mapping.model import DatasetMapping
from forceglue.run.judging import ExpectationFlags
from forceglue.run.lines import Lined, lined
from forceglue.transform import dataset_rows as transform
from forceglue.transform.cast import quoted
from forceglue.transform.dataset_rows import DatasetInputs, dataset_rows
from forceglue.write.csv import line

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NASTY = [
    'say "x"',
    '"',
    '","',
    "a,b",
    "line\nline",
    "\r",
    "\\",
    " lead",
    "trail ",
    "",
    "#",
    "# no",
    "'",
    "\t",
    "é",
    None,
]
FIELDS = [f"f{i}" for i in range(6)]
COLUMNS = [
    {"First": "a.f0"},
    {"all": "a", "named": "(a) {name}"},
    {"Typed": {"from": "a.f1", "type": "int"}, "Said": {"sql": "concat(a.f1, '-', b.f2)"}},
    {"all": "b", "named": "(b) {name}"},
    {"constant": {"value": 'a "constant", here'}},
    {"empty": ["e1", "e2"]},
    {"Small": "a.number", "When": "a.at"},
    {"all": "c", "named": "(c) {name}"},
]


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> dict[str, DataFrame]:
    def table(alias: str, keys: list[str | None]) -> DataFrame:
        texts = [
            (key, keys[-1 - i], *(NASTY[(i * 7 + n * 3) % len(NASTY)] for n in range(len(FIELDS))), i / 8)
            for i, key in enumerate(keys)
        ]
        ddl = ", ".join(f"{name} string" for name in ("id", "other", *FIELDS))
        frame = spark.createDataFrame(texts, f"{ddl}, number double").coalesce(1)
        return frame.selectExpr("*", "timestamp_seconds(1e9 + number) AS at", f"'{alias}' AS filename")

    keys = [f"k{i}" for i in range(len(NASTY) * 2)]
    return {"a": table("a", [*keys, None]), "b": table("b", keys[5:]), "c": table("c", keys[:9])}


def made(
    tables: dict[str, DataFrame], how: str, *, sizes: dict[str, int | None], more: dict[str, Any] | None = None
) -> tuple[DatasetMapping, DatasetInputs, Lined]:
    mapping = DatasetMapping.model_validate(
        {
            "mapping": "D",
            "from": "a",
            "joins": [
                {"table": "b", "type": how, "by": {"id": "id"}},
                {"table": "c", "type": "left" if how == "full" else how, "by": {"b.other": "id"}},
            ],
            "columns": COLUMNS,
            "deliver": [{"csv": {"file": "d.csv"}}],
            **(more or {}),
        }
    )
    known = {alias: (*frame.columns, "never_landed") for alias, frame in tables.items()}
    columns = dataset_columns(mapping, known)
    flags = ExpectationFlags(mapping.expectations)
    inputs = DatasetInputs(tables, known, columns, datetime(2024, 5, 7, tzinfo=UTC), flags, sizes)
    found = lined(mapping, inputs, flags)
    assert found is not None
    return mapping, inputs, found


def by_columns(mapping: DatasetMapping, inputs: DatasetInputs) -> list[str]:
    prepared = dataset_rows(mapping, inputs)
    fields = prepared.schema.fields
    told = line(fields, [quoted(field.name) for field in fields], name="d.csv", delimiter=",")
    return sorted(row[0] for row in prepared.frame.where("forceglue_verdict = 'good'").selectExpr(told).collect())


def by_lines(found: Lined) -> list[str]:
    rows = found.prepared.frame.where("forceglue_verdict = 'good'").select("__line_0").collect()
    return sorted(row[0] for row in rows)


def columns_joined(found: Lined) -> int:
    """How many columns the widest join of the plan carries."""
    plan = found.prepared.frame._jdf.queryExecution().optimizedPlan()
    widths, left = [0], [plan]
    while left:
        node = left.pop()
        if node.nodeName() == "Join":
            widths.append(node.output().size())
        left += [node.children().apply(i) for i in range(node.children().size())]
    return max(widths)


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("how", ["left", "inner", "full"])
def test_the_lines_are_those_of_the_columns(
    tables: dict[str, DataFrame], how: str, merged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if merged:
        monkeypatch.setattr(transform, "_SENT_WHOLE", 1)
    mapping, inputs, found = made(tables, how, sizes={"D": 33, "a": 33, "b": 27, "c": 9})
    lines = by_lines(found)
    assert lines == by_columns(mapping, inputs)
    assert len(lines) >= 4
    assert columns_joined(found) <= 12
    plan = found.prepared.frame._jdf.queryExecution().optimizedPlan().toString()
    assert ("strategy=merge" in plan) == merged


@pytest.mark.parametrize(
    ("more", "sizes", "width"),
    [
        ({"where": "b.f1 is not null"}, None, 14),
        ({"quality": {"warn": {"r": "`(a) f2` is null or Typed > 1"}, "drop": {"s": "`(b) f3` = '#'"}}}, None, 16),
        ({"key": ["(b) f5", "(a) id"]}, None, 17),
        ({"quality": {"quarantine": {"r": "`(a) f2` is null"}}}, None, 99),
        ({"expectations": [{"expect_column_values_to_not_be_null": {"column": "(a) f2"}}]}, None, 99),
        ({"expectations": [{"expect_table_column_count_to_equal": {"value": 36}}]}, None, 99),
        ({}, {"a": 33}, 30),
        ({}, {"a": 3, "b": 7, "c": 6}, 22),
    ],
    ids=["where", "rules", "key", "set aside", "asked of rows", "of the table", "unknown sizes", "a large table"],
)
def test_what_is_asked_for_stays_a_column(
    tables: dict[str, DataFrame], more: dict[str, Any], sizes: dict[str, int | None] | None, width: int
) -> None:
    mapping, inputs, found = made(tables, "left", sizes=sizes or {"a": 33, "b": 27, "c": 9}, more=more)
    assert by_lines(found) == by_columns(mapping, inputs)
    assert columns_joined(found) <= width


def test_expectations_of_the_table_see_every_column(tables: dict[str, DataFrame]) -> None:
    more = {"columns": COLUMNS[:2], "expectations": [{"expect_table_column_count_to_equal": {"value": 36}}]}
    mapping, inputs, found = made(tables, "left", sizes={"a": 33}, more=more)
    flags = inputs.flags
    assert isinstance(flags, ExpectationFlags)
    assert flags.answers is not None
    assert flags.answers.empty.schema == dataset_rows(mapping, inputs).schema
    assert by_lines(found) == by_columns(mapping, inputs)
    assert columns_joined(found) < 8
