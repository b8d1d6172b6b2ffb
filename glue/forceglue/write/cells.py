"""Values as text, the same on every machine: what a cell of a CSV file or of a COPY stream says.

Spark's own cast to text depends on the session's time zone, writes small decimals with an exponent and (in some
versions) breaks base64 into lines. Each function here takes and gives a Column; none looks at a row.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from forceglue.errors import UsageError

_AS_SPARK_SAYS = (T.BooleanType, T.IntegralType, T.FractionalType, T.DateType)
_NESTED = (T.StructType, T.ArrayType, T.MapType)
_TEXT = (T.StringType, T.CharType, T.VarcharType)


def numbered(df: DataFrame) -> DataFrame:
    """The same frame with columns `c0`, `c1`, …: no name can then break an expression or be ambiguous."""
    return df.toDF(*(f"c{i}" for i in range(len(df.columns))))


def text(column: Column, kind: T.DataType, name: str) -> Column:
    """A value as text; null stays null.

    Text as it is, boolean `true`/`false`, decimals without an exponent, dates `2024-02-29`, timestamps
    `2024-02-29T13:45:00.000Z` in UTC (those without a zone lack the `Z`), binary as base64 on one line, nested values
    as JSON.

    Raises:
        UsageError: a type that has no such form (intervals, for example).
    """
    if isinstance(kind, T.TimestampType | T.TimestampNTZType):
        clock = F.split_part(wall_clock(column, kind), F.lit("."), F.lit(1))
        fraction = F.rpad(F.split_part(wall_clock(column, kind), F.lit("."), F.lit(2)), 3, "0")
        zone = "Z" if isinstance(kind, T.TimestampType) else ""
        return F.concat(F.translate(clock, " ", "T"), F.lit("."), fraction, F.lit(zone))
    if isinstance(kind, T.BinaryType):
        return F.translate(F.base64(column), "\r\n", "")
    return plain(column, kind, name)


def plain(column: Column, kind: T.DataType, name: str) -> Column:
    """`text` for every type but timestamps and binary, which databases take in a form of their own."""
    if isinstance(kind, _TEXT):
        return column
    if isinstance(kind, T.NullType):
        return F.lit(None).cast("string")
    if isinstance(kind, T.DecimalType):
        return _without_exponent(column.cast("string"))
    if isinstance(kind, _AS_SPARK_SAYS):
        return column.cast("string")
    if isinstance(kind, _NESTED):
        return F.to_json(column)
    raise UsageError(
        f"column {name!r} is of type {kind.simpleString()}, which has no form as text; "
        "cast it in the mapping, for example `type: string`."
    )


def wall_clock(column: Column, kind: T.DataType) -> Column:
    """`2024-02-29 13:45:00.25`: a timestamp's UTC clock whatever the session's zone; one without a zone as it is."""
    if isinstance(kind, T.TimestampType):
        seconds = (F.unix_micros(column).cast("decimal(20,0)") / F.lit(1_000_000)).cast("decimal(18,6)")
        epoch = F.expr("timestamp_ntz'1970-01-01 00:00:00'")
        column = epoch + F.make_dt_interval(F.lit(0), F.lit(0), F.lit(0), seconds)
    return column.cast("string")


def _without_exponent(number: Column) -> Column:
    """`1.50E-7` as `0.000000150`; a decimal's text has only negative exponents, and only below 0.000001."""
    sign = F.when(number.startswith("-"), "-").otherwise("")
    mantissa = F.translate(F.split_part(number, F.lit("E"), F.lit(1)), "-.", "")
    zeros = -F.split_part(number, F.lit("E"), F.lit(2)).cast("int") - 1
    return F.when(
        number.contains("E"), F.concat(sign, F.lit("0."), F.call_function("repeat", F.lit("0"), zeros), mantissa)
    ).otherwise(number)
