"""Traceability columns and literals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forceglue.transform.read import SEQ
from forceglue.transform.trace import TRACE, literal, trace_sql
from transform.kit import FIRST, landed, write

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TEXTS = [
    "",
    "plain",
    "it's",
    "back\\slash",
    "\\' OR 1=1 --",
    'dou"ble',
    "new\nline\ttab",
    "${HOME} {x} %s",
    "Ünï 🚚",
    "\\u0041\\101",
    "\r",
]


def test_literals_are_the_values_they_stand_for(spark: SparkSession) -> None:
    values: list[Any] = [*TEXTS, 0, -7, 2**40, 1.5, 1e300, True, False, None]
    row = spark.range(1).selectExpr(*(f"{literal(v)} AS c{i}" for i, v in enumerate(values))).first()
    assert row is not None
    got = list(row)
    assert [float(g) if isinstance(v, float) else g for v, g in zip(values, got, strict=True)] == values


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2024, 5, 6, 12, 0, 0, 123456, tzinfo=UTC),
        datetime(2024, 5, 6, 12, 0, tzinfo=timezone(timedelta(hours=-7))),
        datetime(1700, 1, 1, tzinfo=UTC),
    ],
)
def test_a_time_is_a_moment_whatever_the_zone(spark: SparkSession, moment: datetime) -> None:
    row = spark.range(1).selectExpr(f"unix_micros({literal(moment)})").first()
    assert row is not None
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row[0]) == moment


def test_every_row_tells_its_file(spark: SparkSession, tmp_path: Path) -> None:
    files = [landed(write(tmp_path / f"it's {n}.csv", [{"Id": "1"}]), n) for n in range(3)]
    files.append(replace(files[0], ingested_at=None, flow_execution=None, request_id=None))
    told = trace_sql(files, "run '1'")
    assert tuple(told) == TRACE
    frame = spark.range(4).selectExpr(f"int(id) AS {SEQ}").coalesce(1)
    out = frame.selectExpr(
        *(f"{sql} AS {name}" for name, sql in told.items() if name != "processed_ts"),
        f"unix_seconds({told['processed_ts']}) AS at",
    )
    rows = out.collect()
    assert [r["filename"] for r in rows] == [f.source_uri for f in files]
    assert [r["appflow_id"] for r in rows] == ["flow-0", "flow-1", "flow-2", None]
    assert [r["aws_request_id"] for r in rows] == ["request-0", "request-1", "request-2", None]
    assert [r["at"] for r in rows] == [FIRST.timestamp() + 60 * n for n in (0, 1, 2, 0)]
    assert {(r["function_name"], r["function_version"], r["run_id"]) for r in rows} == {("lander", "7", "run '1'")}
