"""Values as text, the same on every machine: what a cell of a CSV file or of a COPY stream says.

Spark's own cast to text depends on the session's time zone, writes small decimals with an exponent and (in some
versions) breaks base64 into lines. Each function here takes and gives SQL text: a Column object for each piece of each
cell would cost round trips to the JVM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import types as T

from forceglue.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_AS_SPARK_SAYS = (T.BooleanType, T.IntegralType, T.FractionalType, T.DateType)
_NESTED = (T.StructType, T.ArrayType, T.MapType)
_TEXT = (T.StringType, T.CharType, T.VarcharType)


def numbered(df: DataFrame) -> DataFrame:
    """The same frame with columns `c0`, `c1`, …: no name can then break an expression or be ambiguous."""
    return df.toDF(*(f"c{i}" for i in range(len(df.columns))))


def text(value: str, kind: T.DataType, name: str) -> str:
    """A value as text; null stays null.

    Text as it is, boolean `true`/`false`, decimals without an exponent, dates `2024-02-29`, timestamps
    `2024-02-29T13:45:00.000Z` in UTC (those without a zone lack the `Z`), binary as base64 on one line, nested values
    as JSON.

    Raises:
        UsageError: a type that has no such form (intervals, for example).
    """
    if isinstance(kind, T.TimestampType | T.TimestampNTZType):
        wall = wall_clock(value, kind)
        fraction = f"rpad(split_part({wall}, '.', 2), 3, '0')"
        zone = "Z" if isinstance(kind, T.TimestampType) else ""
        return f"concat(translate(split_part({wall}, '.', 1), ' ', 'T'), '.', {fraction}, '{zone}')"
    if isinstance(kind, T.BinaryType):
        return f"translate(base64({value}), concat(char(13), char(10)), '')"
    return plain(value, kind, name)


def plain(value: str, kind: T.DataType, name: str) -> str:
    """`text` for every type but timestamps and binary, which databases take in a form of their own."""
    if isinstance(kind, _TEXT):
        return value
    if isinstance(kind, T.NullType):
        return "CAST(NULL AS STRING)"
    if isinstance(kind, T.DecimalType):
        return _without_exponent(f"CAST({value} AS STRING)")
    if isinstance(kind, _AS_SPARK_SAYS):
        return f"CAST({value} AS STRING)"
    if isinstance(kind, _NESTED):
        return f"to_json({value})"
    raise UsageError(
        f"column {name!r} is of type {kind.simpleString()}, which has no form as text; "
        "cast it in the mapping, for example `type: string`."
    )


def wall_clock(value: str, kind: T.DataType) -> str:
    """`2024-02-29 13:45:00.25`: a timestamp's UTC clock whatever the session's zone; one without a zone as it is."""
    if isinstance(kind, T.TimestampType):
        seconds = f"CAST(CAST(unix_micros({value}) AS DECIMAL(20, 0)) / 1000000 AS DECIMAL(18, 6))"
        value = f"(TIMESTAMP_NTZ'1970-01-01 00:00:00' + make_dt_interval(0, 0, 0, {seconds}))"
    return f"CAST({value} AS STRING)"


def _without_exponent(number: str) -> str:
    """`1.50E-7` as `0.000000150`; a decimal's text has only negative exponents, and only below 0.000001."""
    sign = f"IF(startswith({number}, '-'), '-', '')"
    mantissa = f"translate(split_part({number}, 'E', 1), '-.', '')"
    zeros = f"-CAST(split_part({number}, 'E', 2) AS INT) - 1"
    return f"IF(contains({number}, 'E'), concat({sign}, '0.', repeat('0', {zeros}), {mantissa}), {number})"
