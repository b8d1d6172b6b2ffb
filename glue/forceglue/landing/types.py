"""The Spark SQL name of what a Parquet file stores."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

_SIMPLE = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.uint8(): "smallint",
    pa.uint16(): "int",
    pa.uint32(): "bigint",
    pa.uint64(): "decimal(20,0)",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.large_string(): "string",
    pa.string_view(): "string",
    pa.binary(): "binary",
    pa.large_binary(): "binary",
    pa.date32(): "date",
    pa.date64(): "date",
    pa.null(): "void",
}


def spark_type(arrow: Any) -> str | None:
    """`decimal(18,2)`, `timestamp` (any unit, any zone), `string:json` for nested values.

    None for what Spark does not read: times of day, durations, half floats, decimals of more than 38 digits.
    """
    types = pa.types
    if found := _SIMPLE.get(arrow):
        return found
    if types.is_dictionary(arrow):
        return spark_type(arrow.value_type)
    if types.is_timestamp(arrow):
        return "timestamp"
    if types.is_decimal(arrow):
        return f"decimal({arrow.precision},{arrow.scale})" if arrow.precision <= 38 else None
    if types.is_nested(arrow):
        return "string:json"
    return "binary" if types.is_fixed_size_binary(arrow) else None
