"""Casts: every form that Salesforce writes, exact or null, never an error, in both modes of Spark."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forceglue.transform.cast import as_text, cast_sql, order_sql, present_sql, quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NOON = datetime(2024, 7, 24, 14, 5, 58, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANSI = "spark.sql.ansi.enabled"
TYPES = (
    "string", "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(18,2)", "decimal(38,0)",
    "decimal(38,38)", "date", "timestamp", "timestamp_ntz", "binary",
)  # fmt: skip

TEXTS: dict[str, dict[str | None, Any]] = {
    "timestamp": {
        "2024-07-24T14:05:58.000+0000": NOON,
        "2024-07-24T14:05:58.000Z": NOON,
        "2024-07-24T14:05:58Z": NOON,
        "2024-07-24T14:05:58+00:00": NOON,
        "2024-07-24T14:05:58": NOON,
        "2024-07-24 14:05:58": NOON,
        "2024-07-24 14:05:58.000": NOON,
        " 2024-07-24T14:05:58.000Z ": NOON,
        "2024-07-24T14:05:58.123Z": NOON + timedelta(milliseconds=123),
        "2024-07-24T16:05:58.000+0200": NOON,
        "1721829958000": NOON,
        "1721829958000.0": NOON,
        "1721829958123": NOON + timedelta(milliseconds=123),
        "-1721829958000": EPOCH - timedelta(milliseconds=1721829958000),
        "2024-07-24": datetime(2024, 7, 24, tzinfo=UTC),
        "1700-01-01T00:00:00.001Z": datetime(1700, 1, 1, 0, 0, 0, 1000, tzinfo=UTC),
        "4000-12-31T23:59:59.999Z": datetime(4000, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
        "2024-02-29": datetime(2024, 2, 29, tzinfo=UTC),
    }
    | dict.fromkeys(
        [
            "2026-02-30",
            "2024-07-24T25:00:00Z",
            "2024-07-24T24:00:00Z",
            "2024-07-24T14:60:00Z",
            "2024-13-01",
            "2024",
            "2024-07",
            "T12:00",
            "now",
            "today",
            "epoch",
            "07/24/2024",
            "24.07.2024",
            "10000-01-01",
            "+2024-01-01",
            "2024-07-24T14:05:58+9999",
            "true",
            "0",
            "",
            "x",
            "2023-02-29",
        ]
    ),
    "date": {
        "2024-07-24": date(2024, 7, 24),
        "2024-07-24T23:59:59.999Z": date(2024, 7, 24),
        "2024-07-24T00:00:00.000+0000": date(2024, 7, 24),
        "1700-01-01": date(1700, 1, 1),
        "4000-12-31": date(4000, 12, 31),
        "0001-01-01": date(1, 1, 1),
        "1721829958000": date(2024, 7, 24),
        "2026-02-30": None,
        "2024": None,
        "tomorrow": None,
        "": None,
    },
    "boolean": dict.fromkeys(("1", "true", "TRUE", "True", " true ", "yes", "t"), True)
    | dict.fromkeys(("0", "false", "FALSE", "no"), False)
    | dict.fromkeys(("", " ", None, "2", "on", "maybe", "null")),
    "int": {"3": 3, "3.0": 3, "3.": 3, "1e3": 1000, "1.5E1": 15, "-7": -7, "+7": 7, " 12 ": 12, "-0": 0}
    | {"2147483647": 2147483647, "-2147483648": -2147483648, "007": 7}
    | dict.fromkeys(
        [
            "2147483648",
            "3.5",
            "3.0000001",
            "3.00000000001",
            "1e-40",
            "1,000",
            "1 000",
            "1_000",
            "0x10",
            "5L",
            "٣",
            "",
            "NaN",
            "--3",
            "1e400",
            ".",
        ]
    ),
    "bigint": {"9223372036854775807": 2**63 - 1, "9223372036854775808": None, "9007199254740993": 9007199254740993},
    "tinyint": {"127": 127, "128": None},
    "decimal(18,2)": {
        text: Decimal(text.strip())
        for text in [
            "12.34",
            "12.340000000000000000000000000",
            "-0.5",
            ".5",
            "5.",
            "1e3",
            "1.0E7",
            "1.25E-1",
            "+7",
            " 7 ",
            "0",
            "9999999999999999.99",
        ]
        if text != "1.25E-1"
    }
    | dict.fromkeys(
        [
            "12.345",
            "0.001",
            "1e-3",
            "1.25E-1",
            "1e-40",
            "99999999999999999.99",
            "9999999999999999.990000000000000000000000000000001",
            "9999999999999999.995",
            "1,000.00",
            "1.000,00",
            "1'000",
            "$5",
            "5 EUR",
            "5%",
            "(5)",
            "1e400",
            "Infinity",
            "NaN",
            "",
            "0x1",
            "5d",
            "1 2",
            ".",
        ]
    ),
    "decimal(38,0)": {"9" * 38: Decimal("9" * 38), "9" * 39: None, "12.5": None, "12.0": Decimal(12), "1.25e1": None},
    "decimal(38,38)": {"0." + "1" * 38: Decimal("0." + "1" * 38), "0." + "1" * 39: None, "1": None, "0": Decimal(0)},
    "decimal(5)": {"5": Decimal(5), "5.5": None, "123456": None},
    "numeric(6, 1)": {"5.5": Decimal("5.5"), "5.55": None},
    "double": {"0.1": 0.1, "1e3": 1000.0, "-2.50": -2.5, " 7 ": 7.0, "1E308": 1e308}
    | dict.fromkeys(["1e400", "-1e400", "NaN", "Infinity", "5d", "5f", "0x1p3", "1,5", "", "seven"]),
    "string": {"x": "x", "": None, None: None, " ": " ", "Ünïcode 🚚": "Ünïcode 🚚", "01234": "01234", "null": "null"},
}

TYPED: dict[str, dict[str, dict[str, Any]]] = {
    "double": {
        "decimal(18,2)": {
            "0.1D": Decimal("0.10"),
            "12.345D": None,
            "1E7D": Decimal(10**7),
            "double('NaN')": None,
            "1E-9D": None,
        },
        "decimal(38,0)": {"12.5D": None, "double('Infinity')": None, "3D": Decimal(3)},
        "int": {"3.0D": 3, "3.5D": None, "1E10D": None, "double('NaN')": None},
        "string": {"1E7D": "10000000.0", "1.23456789E-5D": "1.23456789E-5", "1E-11D": "1.0E-11", "0.1D": "0.1"},
        "timestamp": {"1721829958000D": NOON},
    },
    "float": {"decimal(18,2)": {"0.1F": Decimal("0.10"), "0.125F": None}, "string": {"0.1F": "0.1"}},
    "decimal(18,8)": {
        "decimal(18,2)": {"12.5": Decimal("12.50"), "0.00000001": None},
        "int": {"3": 3, "3.00000001": None},
        "string": {"0": "0.00000000", "0.00000001": "0.00000001", "-0.00000012": "-0.00000012", "7.5": "7.50000000"},
    },
    "decimal(20,0)": {
        "string": {"18446744073709551615": str(2**64 - 1)},
        "bigint": {"18446744073709551615": None, "5": 5},
    },
    "bigint": {"timestamp": {"1721829958000": NOON}, "int": {"2147483648": None}, "decimal(18,2)": {"5": Decimal(5)}},
    "int": {"boolean": {"1": True, "0": False, "2": None}},
    "date": {
        "timestamp": {"DATE'2024-07-24'": datetime(2024, 7, 24, tzinfo=UTC)},
        "string": {"DATE'4000-12-31'": "4000-12-31"},
    },
    "timestamp": {
        "date": {"TIMESTAMP'1700-01-01 23:00:00Z'": date(1700, 1, 1)},
        "string": {"TIMESTAMP'2024-07-24 14:05:58Z'": "2024-07-24T14:05:58.000Z"},
    },
    "boolean": {"string": {"true": "true"}, "decimal(18,2)": {"true": None}},
    "binary": {"string": {"X'6162'": "YWI="}},
}

SAMPLE = {
    "string": "'x'", "boolean": "true", "tinyint": "1", "smallint": "1", "int": "1", "bigint": "9", "float": "1.5",
    "double": "double('NaN')", "decimal(18,2)": "1.5", "decimal(38,0)": "1", "decimal(38,38)": "0", "date": "DATE'2024-01-01'",
    "timestamp": "TIMESTAMP'2024-01-01 00:00:00Z'", "timestamp_ntz": "TIMESTAMP_NTZ'2024-01-01 00:00:00'", "binary": "X'00'",
}  # fmt: skip


@contextmanager
def ansi(spark: SparkSession, mode: bool) -> Iterator[SparkSession]:
    before = spark.conf.get(ANSI)
    spark.conf.set(ANSI, str(mode).lower())
    try:
        yield spark
    finally:
        spark.conf.set(ANSI, before or "false")


def told(value: Any) -> Any:
    """As Spark hands it over, with times in UTC (a time alone would be shown in the zone of the machine)."""
    return EPOCH + timedelta(microseconds=value[0]) if isinstance(value, tuple) else value


def shown(expression: str, target: str) -> str:
    return f"struct(unix_micros({expression}))" if target == "timestamp" else expression


def casted(spark: SparkSession, texts: Sequence[str | None], target: str) -> list[Any]:
    frame = spark.createDataFrame([(i, t) for i, t in enumerate(texts)], "i int, v string").coalesce(1)
    rows = frame.selectExpr("i", f"{shown(cast_sql('v', 'string', target), target)} AS out").orderBy("i").collect()
    return [
        None
        if target == "timestamp" and row["out"][0] is None
        else told(tuple(row["out"]))
        if target == "timestamp"
        else row["out"]
        for row in rows
    ]


@pytest.mark.parametrize("mode", [False, True], ids=["plain", "ansi"])
def test_every_form_of_text_is_its_value_or_null(spark: SparkSession, mode: bool) -> None:
    every = list(dict.fromkeys(text for cases in TEXTS.values() for text in cases))
    with ansi(spark, mode):
        frame = spark.createDataFrame([(i, t) for i, t in enumerate(every)], "i int, v string").coalesce(1)
        outputs = [f"{shown(cast_sql('v', 'string', t), t)} AS c{n}" for n, t in enumerate(TEXTS)]
        rows = {every[row["i"]]: row for row in frame.selectExpr("i", *outputs).collect()}
    wrong = []
    for n, (target, cases) in enumerate(TEXTS.items()):
        for text, wanted in cases.items():
            got = rows[text][f"c{n}"]
            if target == "timestamp":
                got = None if got[0] is None else told(tuple(got))
            if got != wanted or type(got) is not type(wanted):
                wrong.append((text, target, got, wanted))
    assert not wrong


@pytest.mark.parametrize("mode", [False, True], ids=["plain", "ansi"])
def test_typed_values_are_exact_or_null(spark: SparkSession, mode: bool) -> None:
    cases = [(p, t, v, w) for p, targets in TYPED.items() for t, values in targets.items() for v, w in values.items()]
    outputs = []
    for i, (physical, target, value, _) in enumerate(cases):
        inner = cast_sql("v", physical, target).replace("`v`", f"CAST({value} AS {physical})")
        outputs.append(f"{shown(inner, target)} AS c{i}")
    with ansi(spark, mode):
        row = spark.range(1).selectExpr(*outputs).first()
    assert row is not None
    wrong = [
        (case, got)
        for i, case in enumerate(cases)
        if (got := told(tuple(row[i])) if case[1] == "timestamp" else row[i]) != case[3]
        or type(got) is not type(case[3])
    ]
    assert not wrong


@pytest.mark.parametrize("mode", [False, True], ids=["plain", "ansi"])
def test_no_pair_of_types_ever_raises(spark: SparkSession, mode: bool) -> None:
    """Not even those of which no value can become the other: a changed flow must not end the run."""
    inputs = ", ".join(f"CAST({value} AS {kind}) AS {quoted(kind)}" for kind, value in SAMPLE.items())
    outputs = [
        f"{cast_sql(physical, physical, target)} AS `{physical} {target}`" for physical in SAMPLE for target in TYPES
    ]
    outputs += [f"{order_sql(physical, physical)} AS `{physical} order`" for physical in SAMPLE]
    outputs += [f"{present_sql(physical, physical)} AS `{physical} there`" for physical in SAMPLE]
    with ansi(spark, mode):
        frame = spark.sql(f"SELECT {inputs}").selectExpr(*outputs)
        row = frame.selectExpr(*(f"CAST({quoted(c)} AS STRING) AS {quoted(c)}" for c in frame.columns)).first()
    assert row is not None
    assert all(row[f"{physical} there"] == "true" for physical in SAMPLE)


def test_the_order_of_versions_grows_in_every_form(spark: SparkSession) -> None:
    texts = {
        "2024-07-24T14:05:58.000+0000": 1721829958000000,
        "1721829958000": 1721829958000000,
        "2024-07-24": 1721779200000000,
        "12": 12,
        "3.0": 3,
        "1e3": 1000,
        "3.5": None,
        "2026-02-30": None,
        "": None,
        "x": None,
    }
    frame = spark.createDataFrame(list(enumerate(texts)), "i int, v string").coalesce(1)
    got = [row[0] for row in frame.orderBy("i").selectExpr(order_sql("v", "string")).collect()]
    assert got == list(texts.values())
    typed = {
        "double": {"12D": 12, "1721829958000D": 1721829958000000, "0.5D": None},
        "decimal(18,2)": {"12": 12, "12.5": None},
        "timestamp": {"TIMESTAMP'2024-07-24 14:05:58Z'": 1721829958000000},
        "date": {"DATE'2024-07-24'": 1721779200000000},
        "bigint": {"5": 5, "1721829958000": 1721829958000000},
    }
    cases = [(p, v, w) for p, values in typed.items() for v, w in values.items()]
    row = (
        spark.range(1)
        .selectExpr(
            *(f"{order_sql('v', p).replace('`v`', f'CAST({v} AS {p})')} AS c{i}" for i, (p, v, _) in enumerate(cases))
        )
        .first()
    )
    assert row is not None
    assert list(row) == [wanted for *_, wanted in cases]


def test_a_name_of_any_kind_is_quoted(spark: SparkSession) -> None:
    name = 'a`b "c" d.e\'f'
    frame = spark.range(1).selectExpr(f"'7' AS {quoted(name)}")
    row = frame.selectExpr(
        cast_sql(name, "string", "int"), as_text(name, "string"), present_sql(name, "string")
    ).first()
    assert row is not None
    assert tuple(row) == (7, "7", True)


few = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(
    st.lists(
        st.tuples(st.integers(-(10**20), 10**20), st.integers(0, 6), st.sampled_from("fFeE")), min_size=50, max_size=120
    )
)
def test_a_decimal_comes_back_as_it_was_or_not_at_all(spark: SparkSession, numbers: list[tuple[int, int, str]]) -> None:
    texts, wanted = [], []
    for digits, scale, form in numbers:
        with localcontext(prec=60):
            value = Decimal(digits).scaleb(-scale)
            texts.append(f"{value:{form}}")
            fits = abs(value) < Decimal(10**16) and value == value.quantize(Decimal("0.01"))
        wanted.append(value if fits else None)
    assert casted(spark, texts, "decimal(18,2)") == wanted


@few
@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1700, 1, 1), datetime(4000, 12, 31)),  # the zone comes with the text
            st.sampled_from(("Z", "+0000", "-0330", "+14:00")),
            st.sampled_from("T "),
        ),
        min_size=50,
        max_size=120,
    )
)
def test_a_time_comes_back_to_the_millisecond(spark: SparkSession, times: list[tuple[datetime, str, str]]) -> None:
    texts, wanted = [], []
    for exact, zone, sign in times:
        moment = exact.replace(microsecond=exact.microsecond // 1000 * 1000)
        texts.append(f"{moment:%Y-%m-%d}{sign}{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}{zone}")
        minutes = {"Z": 0, "+0000": 0, "-0330": -210, "+14:00": 840}[zone]
        wanted.append(moment.replace(tzinfo=timezone(timedelta(minutes=minutes))).astimezone(UTC))
        millis = round((wanted[-1] - EPOCH) / timedelta(milliseconds=1))
        if len(str(abs(millis))) in range(11, 15):
            texts.append(str(millis))
            wanted.append(wanted[-1])
    assert casted(spark, texts, "timestamp") == wanted


@few
@given(st.lists(st.text(), min_size=50, max_size=120))
def test_no_text_ever_ends_a_job(spark: SparkSession, texts: list[str]) -> None:
    texts = [t.encode("utf-8", "replace").decode() for t in texts]
    frame = spark.createDataFrame([(t,) for t in texts], "v string").coalesce(1)
    with ansi(spark, True):
        rows = frame.selectExpr(*(f"CAST({cast_sql('v', 'string', t)} AS STRING) AS `{t}`" for t in TYPES)).collect()
    assert [row["string"] for row in rows] == [t or None for t in texts]


@few
@given(st.lists(st.floats(), min_size=50, max_size=120))
def test_a_double_as_text_is_the_same_double(spark: SparkSession, numbers: list[float]) -> None:
    frame = spark.createDataFrame([(n,) for n in numbers], "v double").coalesce(1)
    got = [row[0] for row in frame.selectExpr(as_text("v", "double")).collect()]
    for text, number in zip(got, numbers, strict=True):
        assert float(text) == number or (math.isnan(number) and text == "NaN")
