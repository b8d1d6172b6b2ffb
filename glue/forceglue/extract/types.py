"""describe → the type of a column of the landed Parquet.

A type is written as Spark SQL writes it (`decimal(22,2)`), so that a plan can be kept as text. Everything that describe
does not say a firm type for is text: Ids, picklist values, times of day, `anyType`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

TEXT = "string"
HEADROOM = 4
"""Digits before the point more than describe says: an admin may shorten a field whose rows keep what they have."""
MOST_DIGITS, FORMULA_SCALE = 38, 18

_PLAIN = {
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp",
    "int": "bigint",  # digits, but not always: see `cells`
    "long": "bigint",
}
_NUMBERS = frozenset({"double", "currency", "percent"})
_ARROW = {
    TEXT: pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms", tz="UTC"),
    "bigint": pa.int64(),
}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def kind_of(field: Mapping[str, Any]) -> str:
    """The type of a field of a describe.

    Numbers are exact decimals of the declared scale. A formula's value is computed and has the digits that come of it,
    whatever its declared scale: it gets as many as fit.
    """
    kind = str(field.get("type", ""))
    if kind not in _NUMBERS:
        return _PLAIN.get(kind, TEXT)
    precision, scale = int(field.get("precision") or 0), int(field.get("scale") or 0)
    if precision < 1 or precision > MOST_DIGITS or scale > precision:
        return TEXT
    if field.get("calculated"):
        return f"decimal({MOST_DIGITS},{max(scale, min(FORMULA_SCALE, MOST_DIGITS - (precision - scale)))})"
    return f"decimal({min(MOST_DIGITS, precision + HEADROOM)},{scale})"


def arrow_type(kind: str) -> pa.DataType:
    """The Arrow type of a kind that `kind_of` gives."""
    found = _DECIMAL.fullmatch(kind)
    return pa.decimal128(int(found[1]), int(found[2])) if found else _ARROW[kind]
