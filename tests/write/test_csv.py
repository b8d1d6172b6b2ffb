from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from forceglue.errors import UsageError
from forceglue.landing.store import Store
from forceglue.write.csv import DeliveredFile, header_line, line, write_csv, write_lines

Row = Sequence[str | None]
Written = Callable[..., DeliveredFile]

NASTY = [
    'say "x"', '"', '""', '","', "a,b", ",", "line\nline", "\n", "\r", "a\rb", "\r\n", "\\", '\\"', "\\N", "\\.", "tab\there", "\t",
    " lead", "trail ", "  ", "#", "# no comment", "'", "NULL", "NA", "null", "None", "nan", "-", "007", "1e5", "true", "2024-02-29",
    "😀 é 漢 \u200b", "\ufeffmark", "\u2028", "\x0b", "\x1f", "=1+1", "x" * 100_000, '"' * 1000, "a;b|c",
]  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
TROUBLE = st.text(st.sampled_from([*"a \t\r\n\",;'\\#|0", "\ufeff", "é", "😀"]), max_size=8)


def _by_lines(df: DataFrame, store: Store, name: str, *, delimiter: str = ",", header: bool = True) -> DeliveredFile:
    """As `write_csv`, in the two steps of a run: lines that are staged, and a file that is made of them."""
    values = [f"c{i}" for i in range(len(df.columns))]
    told = line(df.schema.fields, values, name=name, delimiter=delimiter)
    staged = Path(store.root).parent / "staged"
    df.toDF(*values).selectExpr(f"{told} AS line", "1 AS other").write.mode("overwrite").parquet(str(staged))
    found = (b["line"] for p in sorted(staged.glob("*.parquet")) for b in pq.ParquetFile(p).iter_batches(batch_size=7))
    return write_lines(found, store, name, header_line(df.columns, delimiter) if header else "")


@pytest.fixture(params=[write_csv, _by_lines], ids=["rows", "lines"])
def written(request: pytest.FixtureRequest) -> Written:
    """Both ways to the same file."""
    return request.param


def inside(folder: str | Path) -> list[str]:
    return sorted(item.name for item in Path(folder).iterdir())


def _frame(spark: SparkSession, names: Sequence[str], rows: Sequence[Row]):
    return spark.createDataFrame(
        [tuple(row) for row in rows], T.StructType([T.StructField(n, T.StringType()) for n in names])
    )


def _values(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Rows as every reader must see them: null and empty text are one."""
    return sorted(tuple(value or "" for value in row) for row in rows)


def _pandas(file: Path, delimiter: str) -> list[tuple[str, ...]]:
    found = pd.read_csv(file, sep=delimiter, dtype=str, keep_default_na=False)
    return _values(found.itertuples(index=False, name=None))


def _duckdb(file: Path, delimiter: str) -> list[tuple[str, ...]]:
    query = "SELECT * FROM read_csv(?, header = true, all_varchar = true, delim = ?, quote = '\"', escape = '\"')"
    with duckdb.connect() as connection:
        return _values(connection.execute(query, [str(file), delimiter]).fetchall())


def _spark(spark: SparkSession, file: Path, delimiter: str) -> list[tuple[str, ...]]:
    return _values(spark.read.csv(str(file), header=True, multiLine=True, escape='"', sep=delimiter).collect())


def _all_readers_agree(spark: SparkSession, file: Path, rows: Sequence[Row], delimiter: str = ",") -> None:
    wanted = _values(rows)
    assert _pandas(file, delimiter) == wanted
    assert _duckdb(file, delimiter) == wanted
    assert _spark(spark, file, delimiter) == wanted


def test_three_readers_read_back_the_same_values(spark: SparkSession, delivery: Store, written: Written) -> None:
    rows: list[Row] = [(value, None if i % 2 else value[::-1], f"{i}") for i, value in enumerate(NASTY)]
    rows += [(None, None, None), ("", "", ""), (None, None, "last")]
    written(_frame(spark, ["A", "b c", "ID"], rows), delivery, "x.csv")
    _all_readers_agree(spark, Path(delivery.uri("x.csv")), rows)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_text_comes_back(spark: SparkSession, delivery: Store, written: Written, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 4))
    delimiter = data.draw(st.sampled_from([",", ";", "\t", "|"]))
    cell = st.one_of(TEXT, TROUBLE, st.sampled_from(NASTY[:-3]), st.none())
    rows = data.draw(st.lists(st.tuples(*[cell] * width), min_size=1, max_size=60))
    written(_frame(spark, [f"Column {i}" for i in range(width)], rows), delivery, "any.csv", delimiter=delimiter)
    _all_readers_agree(spark, Path(delivery.uri("any.csv")), rows, delimiter)


def test_a_single_column_of_blanks_is_no_blank_line(spark: SparkSession, delivery: Store, written: Written) -> None:
    rows: list[Row] = [("\t",), (" ",), (" \t ",), ("\n",), (None,), ("",), ("\x01",), ("a",), ('"',)]
    written(_frame(spark, ["A"], rows), delivery, "one.csv")
    _all_readers_agree(spark, Path(delivery.uri("one.csv")), rows)


def test_nul_survives_where_the_reader_can_hold_it(spark: SparkSession, delivery: Store, written: Written) -> None:
    rows = [("a\0b", "x"), ("\0", None), ("end\0", "#\0")]
    written(_frame(spark, ["A", "B"], rows), delivery, "nul.csv")
    file = Path(delivery.uri("nul.csv"))
    assert _duckdb(file, ",") == _spark(spark, file, ",") == _values(rows)
    # pandas' default reader cuts a value off at NUL; its other one does not.
    found = pd.read_csv(file, dtype=str, keep_default_na=False, engine="python")
    assert _values(found.itertuples(index=False, name=None)) == _values(rows)


def test_one_file_with_the_header_in_exact_case_and_quotes_only_where_needed(
    spark: SparkSession, delivery: Store, written: Written
) -> None:
    df = _frame(
        spark, ["Id", 'Na,me "x"', "plain Name", "IsDeleted"], [("1", 'a"b', "x y", None), ("2", "", "ü", "\\")]
    )
    done = written(df, delivery, "Sub folder/My File 12.csv")
    file = Path(delivery.uri("Sub folder/My File 12.csv"))
    lines = file.read_bytes().decode().split("\n")
    assert lines[0] == 'Id,"Na,me ""x""",plain Name,IsDeleted'
    assert sorted(lines[1:]) == ["", '1,"a""b",x y,', "2,,ü,\\"]
    assert (done.path, done.size) == ("Sub folder/My File 12.csv", file.stat().st_size)
    assert [p.name for p in Path(delivery.root).rglob("*")] == ["Sub folder", "My File 12.csv"]


@pytest.mark.parametrize("one_task", [False, True])
def test_many_partitions_give_one_header_and_every_row(spark: SparkSession, delivery: Store, one_task: bool) -> None:
    write_csv(spark.range(0, 5000, numPartitions=7), delivery, "n.csv", one_task=one_task)
    lines = Path(delivery.uri("n.csv")).read_text().splitlines()
    assert lines[0] == "id"
    assert sorted(map(int, lines[1:])) == list(range(5000))


def test_a_row_limit_a_file_of_the_session_does_not_split_the_file(spark: SparkSession, delivery: Store) -> None:
    spark.conf.set("spark.sql.files.maxRecordsPerFile", "10")
    try:
        write_csv(spark.range(100), delivery, "n.csv")
    finally:
        spark.conf.unset("spark.sql.files.maxRecordsPerFile")
    assert len(Path(delivery.uri("n.csv")).read_text().splitlines()) == 101


@pytest.mark.parametrize(("header", "content"), [(True, '"a\nb",c\n'), (False, "")])
def test_no_rows_give_the_header_alone(
    spark: SparkSession, delivery: Store, written: Written, header: bool, content: str
) -> None:
    df = _frame(spark, ["a\nb", "c"], [("x", "y")])
    written(df.where("c = 'other'"), delivery, "x.csv", header=header)
    assert Path(delivery.uri("x.csv")).read_text() == content


def test_without_header(spark: SparkSession, delivery: Store, written: Written) -> None:
    written(_frame(spark, ["a", "b"], [("x", "y")]), delivery, "x.csv", header=False)
    assert Path(delivery.uri("x.csv")).read_text() == "x,y\n"


def test_an_empty_value_in_the_only_column_is_no_empty_line(
    spark: SparkSession, delivery: Store, written: Written
) -> None:
    written(_frame(spark, ["a"], [(None,), ("",), ("x",)]), delivery, "x.csv")
    file = Path(delivery.uri("x.csv"))
    assert sorted(file.read_text().splitlines()) == ['""', '""', "a", "x"]
    _all_readers_agree(spark, file, [(None,), ("",), ("x",)])


def test_names_that_differ_in_case_or_not_at_all_stay_as_they_are(
    spark: SparkSession, delivery: Store, written: Written
) -> None:
    df = spark.sql("SELECT 1, 2, 3").toDF("Id", "ID", "Id")
    written(df, delivery, "x.csv")
    assert Path(delivery.uri("x.csv")).read_text() == "Id,ID,Id\n1,2,3\n"


def test_every_type_has_one_form_whatever_the_zone_of_the_session(
    spark: SparkSession, delivery: Store, written: Written
) -> None:
    kinds = {
        "boolean": (T.BooleanType(), True, "true"),
        "int": (T.IntegerType(), -7, "-7"),
        "double": (T.DoubleType(), 0.1, "0.1"),
        "small": (T.DecimalType(38, 18), Decimal("-1.5E-7"), "-0.000000150000000000"),
        "smallest": (T.DecimalType(38, 38), Decimal("1E-38"), "0." + "0" * 37 + "1"),
        "zero": (T.DecimalType(20, 10), Decimal(0), "0.0000000000"),
        "large": (T.DecimalType(38, 0), Decimal("9" * 38), "9" * 38),
        "date": (T.DateType(), date(1, 1, 1), "0001-01-01"),
        "gap": (T.TimestampType(), datetime(2024, 3, 31, 2, 30, 0, 123456, UTC), "2024-03-31T02:30:00.123Z"),
        "before": (T.TimestampType(), datetime(1969, 12, 31, 23, 59, 59, 500000, UTC), "1969-12-31T23:59:59.500Z"),
        "whole": (T.TimestampType(), datetime(2024, 10, 27, 1, 0, 0, 0, UTC), "2024-10-27T01:00:00.000Z"),
        "local": (T.TimestampNTZType(), datetime(2024, 3, 31, 2, 30), "2024-03-31T02:30:00.000"),
        "binary": (T.BinaryType(), bytes(range(100)), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiYw=="),
        "nested": (T.ArrayType(T.StringType()), ["a", 'b"'], '["a","b\\""]'),
    }  # fmt: skip
    schema = T.StructType([T.StructField(name, kind) for name, (kind, _, _) in kinds.items()])
    df = spark.createDataFrame([tuple(value for _, value, _ in kinds.values()), (None,) * len(kinds)], schema)
    for zone in ("UTC", "Europe/Berlin"):
        spark.conf.set("spark.sql.session.timeZone", zone)
        try:
            written(df, delivery, "types.csv")
        finally:
            spark.conf.set("spark.sql.session.timeZone", "UTC")
        found = pd.read_csv(delivery.uri("types.csv"), dtype=str, keep_default_na=False)
        assert sorted(found.to_dict("records"), key=str) == sorted(
            [{name: wanted for name, (_, _, wanted) in kinds.items()}, dict.fromkeys(kinds, "")], key=str
        )


def test_a_type_without_a_form_is_refused_by_name(spark: SparkSession, delivery: Store, written: Written) -> None:
    with pytest.raises(UsageError, match="'span' is of type interval"):
        written(spark.sql("SELECT INTERVAL '1' DAY AS span"), delivery, "x.csv")
    assert inside(delivery.root) == []


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r", "\0", "", ",,"])
def test_a_delimiter_that_cannot_work_is_refused(
    spark: SparkSession, delivery: Store, written: Written, delimiter: str
) -> None:
    with pytest.raises(UsageError, match="delimiter"):
        written(spark.range(1), delivery, "x.csv", delimiter=delimiter)


class Boom(Exception):
    """A stop at a chosen step."""


@pytest.mark.parametrize(
    ("step", "written"), [("list", write_csv), ("move", write_csv), ("filled", _by_lines), ("move", _by_lines)]
)
def test_a_stop_between_two_steps_leaves_the_old_file_and_nothing_else(
    spark: SparkSession, delivery: Store, monkeypatch: pytest.MonkeyPatch, step: str, written: Written
) -> None:
    written(spark.range(3), delivery, "x.csv")
    before = Path(delivery.uri("x.csv")).read_bytes()

    def stop(*args: object, **options: object) -> None:
        raise Boom

    with monkeypatch.context() as patched:
        patched.setattr(delivery, step, stop)
        with pytest.raises(Boom):
            written(spark.range(5), delivery, "x.csv")
    assert inside(delivery.root) == ["x.csv"]
    assert Path(delivery.uri("x.csv")).read_bytes() == before
    written(spark.range(5), delivery, "x.csv")
    assert len(Path(delivery.uri("x.csv")).read_text().splitlines()) == 6


def test_a_row_that_fails_leaves_nothing(spark: SparkSession, delivery: Store, written: Written) -> None:
    df = spark.range(10).selectExpr("IF(id < 9, id, raise_error('no nine')) AS id", "id AS n")
    with pytest.raises(Exception, match="no nine"):  # whatever class Spark chooses
        written(df, delivery, "x.csv")
    assert inside(delivery.root) == []


def test_elsewhere_than_on_this_machine(spark: SparkSession, elsewhere: Store, written: Written) -> None:
    written(spark.range(3), elsewhere, "a/x.csv")
    written(spark.range(5), elsewhere, "a/x.csv")
    written(spark.range(0), elsewhere, "empty.csv")
    assert [entry.path for entry in elsewhere.list()] == ["a/x.csv", "empty.csv"]
    assert len(elsewhere.read_bytes("a/x.csv").splitlines()) == 6
