"""Whether a declared type holds what a Salesforce field holds, as far as the catalog knows the field's type."""

from __future__ import annotations

import re
from dataclasses import dataclass

from forceglue.mapping.catalog import NUMBERS, CatalogField
from forceglue.mapping.checks.report import Report
from forceglue.mapping.problems import DocPath

_DECIMAL = re.compile(r"(?:decimal|dec|numeric)\((\d+)(?:,(\d+))?\)")
_INTEGERS = {"tinyint": 2, "smallint": 4, "int": 9, "integer": 9, "bigint": 18, "long": 18}
"""Digits that each surely holds."""
_FRACTIONS = ("double", "float")
_TEXTS = frozenset({
    "string", "textarea", "picklist", "multipicklist", "combobox", "email", "phone", "url", "encryptedstring",
    "anyType", "datacategorygroupreference",
})  # fmt: skip
_SOMETIMES = frozenset({("time", "number"), ("number", "boolean")})
"""Epoch milliseconds, as one API writes times; 1 and 0."""
_IDS = frozenset({"id", "reference"})
_KINDS = {
    **dict.fromkeys(_TEXTS, "text"), **dict.fromkeys(_IDS, "Id"), **dict.fromkeys(NUMBERS, "number"), "int": "number",
    "long": "number", "boolean": "boolean", "date": "date", "datetime": "time", "time": "time of day",
}  # fmt: skip


@dataclass(frozen=True)
class Misfit:
    """Why a type does not hold a field's values.

    Attributes:
        never: no value fits; else some may not.
        allowed: types that hold them all.
    """

    never: bool
    why: str
    allowed: str


def misfit(field: CatalogField, declared: str) -> Misfit | None:
    """What is wrong with a declared type for a field, as far as the field's type is known."""
    kind, target = _KINDS.get(field.type or ""), "".join(declared.lower().split())
    wanted = _target_kind(target)
    if kind is None or wanted is None:
        return None
    allowed = f"{field.spark_type}, or string"
    if kind == "text" or (kind, wanted) in _SOMETIMES:
        return Misfit(False, f"only values that look like {target} fit, all others are set aside", "string")
    if kind != wanted and (kind, wanted) not in {("date", "time"), ("time", "date")}:
        return Misfit(True, f"no value of it is a {target}", allowed)
    if kind == "number" and (why := _too_small(field, target)):
        return Misfit(False, f"{why}, and rows with such values are set aside", allowed)
    return None


def check_holds(field: CatalogField, declared: str, path: DocPath, report: Report) -> None:
    """Reports a type that no value of the field fits, or that some may not fit. Text and binary hold everything."""
    found = misfit(field, declared)
    if found is not None:
        code = "FG-TYP-003" if found.never else "FG-TYP-004"
        message = f"`{field.name}` is {_said(field)}: {found.why}"
        report.add(code, path, message, found=declared, allowed=found.allowed)


def _target_kind(target: str) -> str | None:
    if target in _INTEGERS or target in _FRACTIONS or _DECIMAL.fullmatch(target):
        return "number"
    return {"boolean": "boolean", "date": "date", "timestamp": "time", "timestamp_ntz": "time"}.get(target)


def _too_small(field: CatalogField, target: str) -> str | None:
    if target in _FRACTIONS:
        return None  # not exact, and never set aside
    before, after = _digits(field)
    found = _DECIMAL.fullmatch(target)
    scale = int(found[2] or 0) if found else 0
    room = int(found[1]) - scale if found else _INTEGERS[target]
    if before > room:
        return f"{target} has room for {room} of {before} digits before the point"
    if after > scale:
        return f"{target} has room for {scale} of {after} digits after the point"
    return None


def _digits(field: CatalogField) -> tuple[int, int]:
    """Digits before and after the point; those of a formula as describe declares them, though it may have more."""
    if field.type in NUMBERS:
        scale = field.scale or 0
        return max((field.precision or 0) - scale, 0), scale
    return (18 if field.type == "long" else 9), 0


def _said(field: CatalogField) -> str:
    kind = field.type or ""
    if field.type in NUMBERS and field.precision:
        kind = f"{kind}({field.precision},{field.scale or 0})"
    if field.calculated:
        return f"a formula of type {kind}"
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind} field"
