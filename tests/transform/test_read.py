"""Landed files become one batch, whatever their form, name, and neighbours."""

from __future__ import annotations

import gzip
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forceglue.transform.cast import cast_sql, quoted
from forceglue.transform.read import SEQ, Batch, logical_type, read_batch
from transform.kit import csv_text, json_text, landed_all, write

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NASTY = {
    "quotes": 'She said "no", twice: ""',
    "lines": "one\ntwo\r\nthree\rfour\n\nfive",
    "comma": ",,;|\t,",
    "blanks": "  kept  ",
    "script": "<script>alert('x')</script>",
    "formula": "=1+1",
    "backslash": '\\ \\" \\n C:\\new',
    "other": "Ünïcödé 東京 🚚 \u2028 \u00a0",
    "long": "x" * 100_000,
    "null word": "null",
    "nul": "a\x00b",
    "quote": '"',
}


def rows(batch: Batch) -> list[tuple[int, dict[str, Any]]]:
    """`(file, row)` in the order of files and places."""
    found = batch.frame.orderBy(SEQ, "__row").collect()
    return [(row[SEQ], {n: row[n] for n in batch.fields}) for row in found]


def read(spark: SparkSession, paths: Sequence[Path], never_read: frozenset[str] = frozenset()) -> Batch:
    return read_batch(spark, landed_all(paths), never_read)


def texts(n: int, **more: str | None) -> list[dict[str, Any]]:
    return [{"Id": f"{i}", **more} for i in range(n)]


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "csv.gz", "json.gz"])
def test_cells_of_every_kind_come_as_they_were_sent(spark: SparkSession, tmp_path: Path, ending: str) -> None:
    given = [{"Id": name, "Text": text} for name, text in NASTY.items()]
    if ending.endswith(".gz"):
        made = csv_text(given) if ending.startswith("csv") else json_text(given)
        path = write(tmp_path / f"a.{ending}", gzip.compress(made.encode()))
    else:
        path = write(tmp_path / f"a.{ending}", given)
    got = {row["id"]: row["text"] for _, row in rows(read(spark, [path]))}
    if "csv" in ending:  # Spark's CSV reader knows no other line end within a cell, and no NUL
        assert got == {name: text.replace("\r\n", "\n").replace("\x00", "") for name, text in NASTY.items()}
    else:
        assert got == NASTY


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbfId,Name\r\n1,"a ""b"""\r\n2,\r\n',
        b'Id,Name\n1,"a ""b"""\n2,""',
        b'\xef\xbb\xbf"Id","Name"\n\n"1","a ""b"""\n\n2\n\n',
    ],
    ids=["mark and crlf", "no line end", "blank lines, short row"],
)
def test_forms_of_csv(spark: SparkSession, tmp_path: Path, content: bytes) -> None:
    batch = read(spark, [write(tmp_path / "a.csv", content)])
    got = [(row["id"], row["name"] or None) for _, row in rows(batch)]
    assert batch.spelled == {"id": "Id", "name": "Name"}
    assert got == [("1", 'a "b"'), ("2", None)]


def test_json_keeps_digits_and_nested_values(spark: SparkSession, tmp_path: Path) -> None:
    text = (
        '\ufeff{"Id": "1", "Big": 12345678901234567890123456789, "Yes": true, "No": null, "In": {"a": [1, {"b": "x"}]}, "E": 1.0E7}\r\n'
        '\n{"Big": 9007199254740993, "Late": "y", "Id": 2}\n'
    )
    batch = read(spark, [write(tmp_path / "a.json", text)])
    (_, one), (_, two) = rows(batch)
    assert one["big"] == "12345678901234567890123456789"
    assert (one["yes"], one["no"], one["late"]) == ("true", None, None)
    assert one["in"].replace(" ", "") == '{"a":[1,{"b":"x"}]}'
    assert float(one["e"]) == 1e7
    assert (two["big"], two["id"], two["late"]) == ("9007199254740993", "2", "y")


NAMES = [
    "Id",
    "With Blank",
    "a.b",
    "tick`s",
    'quo"te',
    "semi;colon,",
    "Ünï",
    "(acc) x",
    "a=b",
    "sel{ect}",
    "dollar$1",
    "%20",
    "${env:HOME}",
]


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_names_of_every_kind(spark: SparkSession, tmp_path: Path, ending: str) -> None:
    paths = [write(tmp_path / f"{n}.{ending}", [{name: f"{n} {name}" for name in NAMES}]) for n in range(2)]
    got = rows(read(spark, paths))
    assert got == [(n, {name.lower(): f"{n} {name}" for name in NAMES}) for n in range(2)]


FILES = [
    "plain",
    "with blank",
    "percent%20",
    "plus+and&",
    "hash#1",
    "Ünï-東京",
    "quote'x",
    "a=b",
    "semi;x,y",
    "(1)~!@$",
    "dots..a",
    "b^c",
]


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_paths_of_every_kind_are_told_apart(spark: SparkSession, tmp_path: Path, ending: str) -> None:
    home = tmp_path / "fol der%41#ü"
    paths = [write(home / f"{name}.{ending}", [{"Id": name}]) for name in FILES]
    assert rows(read(spark, paths)) == [(n, {"id": name}) for n, name in enumerate(FILES)]
    assert rows(read(spark, paths[2:3])) == [(0, {"id": FILES[2]})]


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_forty_files_in_one_batch(spark: SparkSession, tmp_path: Path, ending: str) -> None:
    paths = [write(tmp_path / f"{ending} {39 - n}.{ending}", texts(2, File=f"{n}")) for n in range(40)]
    batch = read(spark, paths)
    got = rows(batch)
    assert got == [(n, {"id": f"{i}", "file": f"{n}"}) for n in range(40) for i in range(2)]
    assert len({tuple(r) for r in batch.frame.select(SEQ, "__row").collect()}) == 80


def test_files_that_differ_in_fields_and_format(spark: SparkSession, tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "1.csv", [{"ID": "1", "Name": "a"}]),
        write(tmp_path / "2.json", [{"id": "2", "name": "b", "New__c": "n"}]),
        write(tmp_path / "3.parquet", [{"Id": "3", "Secret": "s"}]),
        write(tmp_path / "4.csv", [{"Name": "d", "ID": "4"}]),
        write(tmp_path / "5.csv", "Id,Name\r\n"),
        write(tmp_path / "6.parquet", pa.table({"Id": pa.array([], pa.string()), "Only": pa.array([], pa.int32())})),
        write(tmp_path / "7.csv", [{"ID": "7", "Name": "g"}]),
    ]
    batch = read(spark, paths, frozenset({"secret"}))
    assert list(batch.fields) == ["id", "name", "new__c", "only"]
    assert "Secret" not in str(batch.frame._jdf.queryExecution().toString())
    got = [(seq, row["id"], row["name"], row["new__c"]) for seq, row in rows(batch)]
    assert got == [
        (0, "1", "a", None),
        (1, "2", "b", "n"),
        (2, "3", None, None),
        (3, "4", "d", None),
        (6, "7", "g", None),
    ]


def test_a_thousand_columns(spark: SparkSession, tmp_path: Path) -> None:
    given = [{"Id": f"{i}", **{f"Field_{n}__c": f"{i}/{n}" for n in range(1000)}} for i in range(2)]
    paths = [write(tmp_path / f"a.{ending}", given) for ending in ("csv", "parquet")]
    batch = read(spark, paths)
    got = batch.frame.select(SEQ, "id", "field_0__c", "field_999__c").orderBy(SEQ, "id").collect()
    assert [tuple(r) for r in got] == [(s, f"{i}", f"{i}/0", f"{i}/999") for s in range(2) for i in range(2)]


MOMENT = datetime(2024, 7, 24, 14, 5, 58, 123000, tzinfo=UTC)
TYPED = {
    "b": (pa.array([True, None]), "true", "boolean", True),
    "i8": (pa.array([7, None], pa.int8()), "7", "bigint", 7),
    "i32": (pa.array([7, None], pa.int32()), "7", "bigint", 7),
    "i64": (pa.array([2**60, None], pa.int64()), str(2**60), "bigint", 2**60),
    "u8": (pa.array([255, None], pa.uint8()), "255", "bigint", 255),
    "u16": (pa.array([65535, None], pa.uint16()), "65535", "bigint", 65535),
    "u32": (pa.array([2**32 - 1, None], pa.uint32()), str(2**32 - 1), "bigint", 2**32 - 1),
    "u64": (pa.array([2**64 - 1, None], pa.uint64()), str(2**64 - 1), "decimal(38,0)", Decimal(2**64 - 1)),
    "f32": (pa.array([1.5, None], pa.float32()), "1.5", "double", 1.5),
    "f64": (pa.array([1e7, None], pa.float64()), "10000000.0", "decimal(18,2)", Decimal("10000000.00")),
    "dec": (pa.array([Decimal("1.10"), None], pa.decimal128(18, 2)), "1.10", "decimal(18,2)", Decimal("1.10")),
    "date": (pa.array([date(1700, 1, 1), None], pa.date32()), "1700-01-01", "date", date(1700, 1, 1)),
    "ms": (pa.array([MOMENT, None], pa.timestamp("ms", "UTC")), "2024-07-24T14:05:58.123Z", "timestamp", MOMENT),
    "us": (pa.array([MOMENT, None], pa.timestamp("us")), "2024-07-24T14:05:58.123Z", "timestamp", MOMENT),
    "ns": (pa.array([MOMENT, None], pa.timestamp("ns", "UTC")), "2024-07-24T14:05:58.123Z", "timestamp", MOMENT),
    "big": (pa.array(["x", None], pa.large_string()), "x", "string", "x"),
    "dict": (pa.array(["x", None]).dictionary_encode(), "x", "string", "x"),
    "bytes": (pa.array([b"ab", None], pa.binary()), "YWI=", "string", "YWI="),
    "void": (pa.nulls(2), None, "double", None),
    "struct": (pa.array([{"a": 1}, None]), '{"a":1}', "string", '{"a":1}'),
    "list": (pa.array([[1, 2], None]), "[1,2]", "string", "[1,2]"),
    "map": (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())), '{"k":1}', "string", '{"k":1}'),
}


@pytest.mark.parametrize("nested", [True, False], ids=["nested", "flat"])
def test_typed_parquet_alone_and_beside_text(spark: SparkSession, tmp_path: Path, nested: bool) -> None:
    """Two APIs, two forms of the same flow: both give the same values after the cast."""
    kinds = {n: t for n, t in TYPED.items() if nested or n not in ("struct", "list", "map")}
    table = pa.table({"Id": pa.array(["t", "n"]), **{n: t[0] for n, t in kinds.items()}})
    typed = write(tmp_path / "typed.parquet", table)
    text = write(tmp_path / "text.csv", [{"Id": "c", **{n: t[1] for n, t in kinds.items()}}])
    for paths in ([typed], [typed, text]):
        batch = read(spark, paths)
        if len(paths) == 2:
            assert set(batch.fields.values()) == {"string"}
            raw = batch.frame.where("id = 't'").first()
            assert raw is not None
            assert {n: raw[n.lower()] for n in kinds} == {n: t[1] for n, t in kinds.items()}
        out = batch.frame.selectExpr(
            "id", *(f"{cast_sql(n.lower(), batch.fields[n.lower()], t[2])} AS {quoted(n)}" for n, t in kinds.items())
        )
        out = out.selectExpr(*(f"unix_millis({c}) AS {c}" if t == "timestamp" else quoted(c) for c, t in out.dtypes))
        millis = round(MOMENT.timestamp() * 1000)
        wanted = {n: millis if t[2] == "timestamp" else t[3] for n, t in kinds.items()}
        for row in out.collect():
            assert {n: row[n] for n in kinds} == (wanted if row["id"] in "tc" else dict.fromkeys(kinds))


def test_old_parquet_timestamps_and_several_row_groups(spark: SparkSession, tmp_path: Path) -> None:
    table = pa.table({"Id": [f"{i}" for i in range(10)], "at": pa.array([MOMENT] * 10, pa.timestamp("ns"))})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, use_deprecated_int96_timestamps=True, row_group_size=3)
    batch = read(spark, [path])
    assert batch.fields["at"] == "timestamp"
    got = batch.frame.selectExpr("__row", "unix_millis(at)").orderBy("__row").collect()
    assert [tuple(r) for r in got] == [(i, round(MOMENT.timestamp() * 1000)) for i in range(10)]


def test_ns_and_us_in_one_batch_are_one_type(spark: SparkSession, tmp_path: Path) -> None:
    paths = [
        write(tmp_path / f"{u}.parquet", pa.table({"Id": ["1"], "At": pa.array([MOMENT], pa.timestamp(u))}))
        for u in ("ns", "us", "ms")
    ]
    batch = read(spark, paths)
    assert batch.fields["at"] == "timestamp"
    assert {r[0] for r in batch.frame.selectExpr("unix_millis(at)").collect()} == {
        math.floor(MOMENT.timestamp() * 1000)
    }


@pytest.mark.parametrize(
    ("landed", "logical"),
    [("string:json", "string"), ("void", "string"), ("timestamp_ns", "timestamp"), ("decimal(18,2)", "decimal(18,2)")],
)
def test_logical_types(landed: str, logical: str) -> None:
    assert logical_type(landed) == logical
