"""Statistics from footers: a reader that skips files by them finds every row that it would have found without."""

from __future__ import annotations

import json
import math
import operator as op
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame

from forceglue.landing.store import Store
from forceglue.write.delta_stats import file_stats
from forceglue.write.delta_table import Table
from forceglue.write.staged import StagedFile

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

OLD = datetime(1699, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
NEW = datetime(4000, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
NOW = datetime(2024, 7, 24, 14, 5, 58, 123456, tzinfo=UTC)
LONG = "x" * 40
KINDS: dict[str, tuple[pa.DataType, str, list[list[Any]]]] = {
    "s": (pa.string(), "string", [["a", "Ü", "東京", "🚚🚚", None], [LONG + "a", LONG + "z", "\U0010ffff" * 40], ["", "é" * 33, "\uffff" * 33]]),
    "i": (pa.int32(), "int", [[0, -(2**31), None], [2**31 - 1], [7]]),
    "l": (pa.int64(), "bigint", [[2**53 + 1, None], [-(2**63), 2**63 - 1], [0]]),
    "d": (pa.float64(), "double", [[0.1, float("nan"), None], [float("inf"), float("-inf")], [0.0, -2.5, 1e300]]),
    "m": (
        pa.decimal128(38, 10), "decimal(38,10)",
        [[Decimal("0.1"), None], [Decimal("9999999999999999999999999999.9999999999")], [Decimal("-0.0000000001"), Decimal(0)]],
    ),
    "p": (pa.decimal128(18, 2), "decimal(18,2)", [[Decimal("1.10"), None], [Decimal("9999999999999999.99")], [Decimal("-0.01")]]),
    "t": (pa.timestamp("us", "UTC"), "timestamp", [[NOW, None], [OLD, OLD - timedelta(microseconds=1)], [NEW, datetime(1969, 12, 31, 23, 59, 59, 999500, tzinfo=UTC)]]),
    "y": (pa.date32(), "date", [[date(2024, 7, 24), None], [date(1700, 1, 1)], [date(4000, 12, 31), date(1969, 12, 31)]]),
    "b": (pa.bool_(), "boolean", [[True, None], [False], [True, False]]),
    "n": (pa.string(), "string", [[None], [None, None], [None]]),
    "x": (pa.binary(), "binary", [[b"a", None], [b"\xff" * 40], [b""]]),
}  # fmt: skip


def staged(store: Store, path: str, table: pa.Table, **options: Any) -> StagedFile:
    target = Path(store.uri(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, target, **options)
    return StagedFile(path, target.stat().st_size, 1, pq.read_metadata(target))


def literal(value: Any, ddl: str) -> Column:
    from pyspark.sql import functions as F

    return F.lit(value).cast(ddl)


def is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def padded(values: list[Any]) -> list[Any]:
    return values + [values[0]] * (5 - len(values))


@pytest.fixture(scope="module")
def table(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Table:
    """Three files whose rows differ in every column."""
    store = Store(str(tmp_path_factory.mktemp("W")))
    files = []
    for n in range(3):
        columns = {c: pa.array(padded(v[n]), kind) for c, (kind, _, v) in KINDS.items()}
        files.append(staged(store, f"t/batch-1/{n}.parquet", pa.table(columns), row_group_size=2))
    schema = spark.createDataFrame([], ", ".join(f"{c} {ddl}" for c, (_, ddl, _) in KINDS.items())).schema
    made = Table(store, "t", "t")
    made.adopt(files, schema, position=1, at=None)
    return made


def test_queries_that_skip_files_find_what_a_full_scan_finds(spark: SparkSession, table: Table) -> None:
    """Every value by equality, the ends by order; what is there is told by pyarrow, which reads no statistics of ours."""
    whole = pa.concat_tables(pq.read_table(f"{table.uri}/{path}") for path in table.live_files())
    frame = spark.read.format("delta").load(table.uri)
    asked: list[tuple[str, Any, str]] = []
    for column, (_, ddl, groups) in KINDS.items():
        values = list({repr(v): v for group in groups for v in group if v is not None and not is_nan(v)}.values())
        asked += [(column, value, "eq") for value in values if ddl not in ("binary", "boolean")]
        asked += [
            (column, bound(values), way)
            for bound, way in ((min, "le"), (max, "ge"))
            if values and ddl not in ("double", "binary", "boolean")
        ]
    parts = [
        frame.where(getattr(op, way)(frame[c], literal(v, KINDS[c][1]))).selectExpr(f"{i} AS i")
        for i, (c, v, way) in enumerate(asked)
    ]
    got = {r["i"]: r["count"] for r in reduce(DataFrame.union, parts).groupBy("i").count().collect()}
    there = [whole.filter(getattr(op, way)(pc.field(c), pa.scalar(v, KINDS[c][0]))).num_rows for c, v, way in asked]
    assert [
        (case, got.get(i), n) for i, (case, n) in enumerate(zip(asked, there, strict=True)) if got.get(i) != n
    ] == []


def test_files_are_skipped_at_all(spark: SparkSession, table: Table) -> None:
    frame = spark.read.format("delta").load(table.uri)
    assert len(frame.inputFiles()) == 3
    asked = {"i = 7": 1, "p = 1.10": 2, "y = DATE'1700-01-01'": 1, "t < TIMESTAMP'1900-01-01 00:00:00Z'": 1}
    assert {
        only: len(frame.where(only).inputFiles()) for only in asked
    } == asked  # p: a number of 18 digits has no bound
    opened = table.open()
    assert opened is not None
    told = pa.table(opened.get_add_actions(flatten=True)).to_pydict()
    assert told["num_records"] == [5, 5, 5]
    assert sorted(told["min.i"]) == [-(2**31), 7, 2**31 - 1]
    assert sorted(told["null_count.n"]) == [5, 5, 5]


def bounds(values: list[Any], kind: pa.DataType) -> dict[str, Any]:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"c": pa.array(values, kind)}), sink)
    return dict(json.loads(file_stats(pq.read_metadata(pa.BufferReader(sink.getvalue())), ["c"])))


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=50), min_size=1, max_size=6))
def test_bounds_of_text_hold_every_value(values: list[str | None]) -> None:
    stats = bounds(values, pa.string())
    there = [v.encode() for v in values if v is not None]
    assert stats["numRecords"] == len(values)
    if "c" in stats["minValues"]:
        assert all(stats["minValues"]["c"].encode() <= v <= stats["maxValues"]["c"].encode() for v in there)
    if "c" in stats["nullCount"]:
        assert stats["nullCount"]["c"] == len(values) - len(there)


@given(
    st.lists(st.none() | st.datetimes(datetime(1600, 1, 1), datetime(4001, 1, 1)), min_size=1, max_size=6)
)  # UTC below
def test_bounds_of_times_hold_every_value_to_the_microsecond(values: list[datetime | None]) -> None:
    there = [v.replace(tzinfo=UTC) for v in values if v]
    stats = bounds([v and v.replace(tzinfo=UTC) for v in values], pa.timestamp("us", "UTC"))
    if there:
        low, high = (datetime.fromisoformat(stats[k]["c"]) for k in ("minValues", "maxValues"))
        assert low <= min(there) and max(there) <= high
        assert min(there) - low < timedelta(milliseconds=1) and high - max(there) < timedelta(milliseconds=1)


@given(st.lists(st.none() | st.floats(), min_size=1, max_size=6))
def test_bounds_of_doubles_are_numbers_that_json_can_say(values: list[float | None]) -> None:
    stats = bounds(values, pa.float64())
    there = [v for v in values if v is not None and not is_nan(v)]
    if "c" in stats["minValues"]:
        assert all(stats["minValues"]["c"] <= v <= stats["maxValues"]["c"] for v in there)
    assert "Infinity" not in json.dumps(stats) and "NaN" not in json.dumps(stats)


def cut(number: Decimal | int) -> Decimal:
    """The number as a reader has it that goes by way of a double and cuts."""
    return Decimal(int(float(number) * 100)).scaleb(-2)


@given(st.lists(st.none() | st.decimals(min_value=-(10**15), max_value=10**15, places=2), min_size=1, max_size=6))
def test_bounds_of_decimals_hold_every_value_exactly(values: list[Decimal | None]) -> None:
    stats = bounds(values, pa.decimal128(18, 2))
    there = [v for v in values if v is not None]
    if "c" in stats["minValues"]:
        low, high = (json.loads(json.dumps(stats[k]["c"]), parse_float=Decimal) for k in ("minValues", "maxValues"))
        for low_bound, high_bound in ((low, high), (cut(low), cut(high))):
            assert all(low_bound <= v <= high_bound for v in there)
            assert min(there) - low_bound <= Decimal("0.02") and high_bound - max(there) <= Decimal("0.02")
    elif there:
        assert any(len(str(abs(v))) >= 16 or set(str(v)) <= set("-9.") for v in there)


def test_only_the_first_columns_are_indexed_and_a_column_that_a_file_lacks_has_no_numbers(tmp_path: Path) -> None:
    wide = pa.table({f"c{n}": [1] for n in range(40)})
    pq.write_table(wide, tmp_path / "a.parquet")
    stats = json.loads(file_stats(pq.read_metadata(tmp_path / "a.parquet"), ["absent", *wide.column_names]))
    assert set(stats["minValues"]) == {f"c{n}" for n in range(31)}
    assert "absent" not in stats["nullCount"]
