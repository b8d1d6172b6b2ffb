"""The types that a column may have: Spark SQL's scalar types, by their Spark names."""

from __future__ import annotations

import re

from forceglue.mapping.names import nearest

SCALARS = (
    "string",
    "boolean",
    "int",
    "integer",
    "bigint",
    "long",
    "smallint",
    "tinyint",
    "double",
    "float",
    "date",
    "timestamp",
    "timestamp_ntz",
    "binary",
)
ALLOWED = "string, boolean, int, bigint, smallint, tinyint, double, float, decimal(p,s), date, timestamp, binary"
MAX_DIGITS = 38

_DECIMAL = re.compile(r"(?:decimal|dec|numeric)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_SPARK_NAMES = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint"}
_OTHER_NAMES = {
    "text": "string",
    "str": "string",
    "varchar": "string",
    "char": "string",
    "picklist": "string",
    "id": "string",
    "reference": "string",
    "bool": "boolean",
    "checkbox": "boolean",
    "number": "decimal(18,2)",
    "currency": "decimal(18,2)",
    "percent": "decimal(18,2)",
    "money": "decimal(18,2)",
    "datetime": "timestamp",
    "time": "string",
}


def is_decimal(text: str) -> bool:
    return re.match(r"(decimal|dec|numeric)\b", text.strip().lower()) is not None


def decimal_complaint(text: str) -> str | None:
    """Why a decimal type is none, or None."""
    found = _DECIMAL.fullmatch(text.strip().lower())
    if found is None:
        return "a decimal is written decimal(digits,digits after the point)"
    digits, after = found.group(1), found.group(2) or "0"
    if digits is None:
        return "a bare decimal is decimal(10,0) and cuts every digit after the point; say the digits"
    if not 1 <= int(digits) <= MAX_DIGITS:
        return f"a decimal has 1 to {MAX_DIGITS} digits"
    if int(after) > int(digits):
        return f"{after} digits after the point do not fit in {digits} digits"
    return None


def plain_type(text: str) -> str:
    """A type in the one spelling that tables have: `DEC(18, 2)` is `decimal(18,2)`, `long` is `bigint`."""
    plain = "".join(text.lower().split())
    if found := _DECIMAL.fullmatch(plain):
        return f"decimal({found.group(1) or 10},{found.group(2) or 0})"
    return _SPARK_NAMES.get(plain, plain)


def is_scalar(text: str) -> bool:
    return text.strip().lower() in SCALARS


def nearest_type(text: str) -> str | None:
    """The type that somebody who wrote `text` most likely means."""
    head = re.split(r"[^a-z_]", text.strip().lower(), maxsplit=1)[0]
    return _OTHER_NAMES.get(head) or nearest(head, (*SCALARS, "decimal"))
