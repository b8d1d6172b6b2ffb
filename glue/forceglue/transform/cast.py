"""Casts that never kill a job: every form that Salesforce, AppFlow and the Bulk API write, or null with a reason.

A value that was there and is null after its cast did not fit. Casts are SQL text (`try_cast`), because the Column
method exists only from Spark 4.0 and ANSI mode would end the job at a bad cell.
"""

from __future__ import annotations

import re

_DECIMAL = re.compile(r"^(?:decimal|dec|numeric)\((\d+)(?:,(\d+))?\)$")
_PLAIN_SCALE = 6  # decimals of more digits after the point are written with an exponent when they are small
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "decimal")
_INTEGERS = {"tinyint", "smallint", "int", "integer", "bigint", "long"}
# a date alone or with a time of day; the zone may be Z, +00:00 or Salesforce's +0000
_DATETIME = r"^\\d{4}-\\d{2}-\\d{2}([T ]\\d{2}:\\d{2}(:\\d{2}([.]\\d{1,9})?)?)?(Z|[+-]\\d{2}:?\\d{2})?$"
_EPOCH_MILLIS = r"^-?\\d{11,14}([.]0+)?$"
_NUMBER = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_EXPONENT = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)[eE][+-]?[0-9]+$"


def quoted(name: str) -> str:
    """The name as a Spark SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def timestamp_sql(text: str) -> str:
    """SQL text: a Salesforce date-time in any of its forms (ISO with Z, +0000 or a blank, epoch milliseconds).

    One pattern is matched for a value, and UTC is taken off (it is the session's zone): Spark makes the patterns of a
    zone anew for every row.
    """
    local = f"replace(trim(TRAILING 'Z' FROM {text}), '+0000', '')"
    return (
        f"CASE WHEN substring({text}, 5, 1) = '-' "
        f"THEN IF({text} RLIKE '{_DATETIME}', try_cast({local} AS TIMESTAMP), NULL) "
        f"WHEN {text} RLIKE '{_EPOCH_MILLIS}' "
        f"THEN timestamp_millis(try_cast(try_cast({text} AS DECIMAL(14,0)) AS BIGINT)) END"
    )


def date_sql(text: str) -> str:
    """SQL text: the day of a Salesforce date or date-time; most are ten characters and need no pattern."""
    plain = f"length({text}) = 10 AND substring({text}, 8, 1) = '-' AND instr({text}, 'T') = 0"
    return f"IF({plain}, try_cast({text} AS DATE), CAST({timestamp_sql(text)} AS DATE))"


def as_text(name: str, physical: str) -> str:
    """SQL text: a landed field of any type as the text that Salesforce would have sent; empty text is null.

    Salesforce has no empty text: the REST form of a missing value is null, the Bulk form an empty cell.
    """
    column = quoted(name)
    if physical == "string":
        return f"nullif({column}, '')"
    if physical == "timestamp":
        return f"date_format({column}, \"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'\")"
    if physical == "binary":
        return f"base64({column})"
    if physical in ("float", "double"):  # 1.0E7 is a spelling that nobody sent: written out where it fits
        text = f"CAST({column} AS STRING)"
        plain = f"regexp_replace(CAST(try_cast({text} AS DECIMAL(38,10)) AS STRING), '([.][0-9]+?)0*$', '$1')"
        return (
            f"CASE WHEN {text} LIKE '%E%' AND try_cast({plain} AS {physical}) = {column} THEN {plain} ELSE {text} END"
        )
    decimal = _DECIMAL.match(physical)
    if decimal and int(decimal[2] or 0) > _PLAIN_SCALE:  # 0E-8 is another such spelling, and ANSI mode has none of it
        text = f"CAST({column} AS STRING)"
        digits = f"lpad(translate(substring_index({text}, 'E', 1), '.-', ''), {decimal[2]}, '0')"
        return f"CASE WHEN {text} LIKE '%E%' THEN concat(IF({column} < 0, '-', ''), '0.', {digits}) ELSE {text} END"
    return f"CAST({column} AS STRING)"


def order_sql(name: str, physical: str) -> str:
    """SQL text: the field as a BIGINT that grows with the version (microseconds for a date-time, else the number)."""
    column = quoted(name)
    if physical in ("timestamp", "date"):
        return f"unix_micros(CAST({column} AS TIMESTAMP))"
    text = f"trim({as_text(name, physical)})"
    return f"coalesce(unix_micros({timestamp_sql(text)}), {_from_text(text, 'bigint')})"


def _from_text(text: str, target: str) -> str:
    trimmed = f"trim({text})"
    if target == "timestamp":
        return timestamp_sql(trimmed)
    if target == "date":
        return date_sql(trimmed)
    if target == "boolean":
        return (
            f"CASE WHEN lower({trimmed}) IN ('true', '1', 't', 'yes', 'y') THEN true "
            f"WHEN lower({trimmed}) IN ('false', '0', 'f', 'no', 'n') THEN false END"
        )
    if target in _INTEGERS:
        # some fields that describe calls int come as 3.0: exact or not at all
        return f"try_cast({_decimal_from_text(trimmed, 38, 0)} AS {target})"
    decimal = _DECIMAL.match(target)
    if decimal:
        return _decimal_from_text(trimmed, int(decimal[1]), int(decimal[2] or 0))
    if target in ("float", "double"):
        number = f"try_cast({trimmed} AS {target})"
        return (
            f"CASE WHEN {trimmed} RLIKE '{_NUMBER}' AND abs({number}) < CAST('Infinity' AS {target}) THEN {number} END"
        )
    return f"try_cast({trimmed} AS {target})"


def _decimal_from_text(text: str, precision: int, scale: int) -> str:
    """Exact or null: a plain cast would round `12345.678` to two places and say nothing.

    With an exponent the digits cannot be counted: there the value must be the same, as far as each wider type tells.
    """
    typed = f"try_cast({text} AS DECIMAL({precision},{scale}))"
    wide = f"try_cast({text} AS DECIMAL(38,{38 - (precision - scale)}))"
    same = f"{typed} = {wide} AND CAST({typed} AS DOUBLE) = try_cast({text} AS DOUBLE)"
    return (
        f"CASE WHEN {text} RLIKE '^[+-]?[0-9]*([.][0-9]{{0,{scale}}}0*)?$' THEN {typed} "
        f"WHEN {text} RLIKE '{_EXPONENT}' AND {same} THEN {typed} END"
    )


def _decimal_from_number(name: str, physical: str, precision: int, scale: int) -> str:
    """Exact or null, from another number."""
    typed = f"try_cast({quoted(name)} AS DECIMAL({precision},{scale}))"
    same = f"CAST({typed} AS DOUBLE)" if physical == "double" else typed
    return f"CASE WHEN {same} = {quoted(name)} THEN {typed} END"


def cast_sql(name: str, physical: str, target: str) -> str:
    """SQL text: the landed field `name` of type `physical` as `target`; null where it does not fit."""
    target = "".join(target.lower().split())
    if target == "string":
        return as_text(name, physical)
    if physical == target:
        return quoted(name)
    if physical == "string":
        return _from_text(as_text(name, physical), target)
    decimal = _DECIMAL.match(target)
    if decimal and physical.startswith((*_NUMBERS, "double")):
        return _decimal_from_number(name, physical, int(decimal[1]), int(decimal[2] or 0))
    if (target in _INTEGERS and physical in ("float", "double")) or (
        physical.startswith("decimal") and target in _INTEGERS
    ):
        return f"CASE WHEN {quoted(name)} = floor({quoted(name)}) THEN try_cast({quoted(name)} AS {target}) END"
    if (physical, target) in (("timestamp", "date"), ("date", "timestamp")):
        return f"CAST({quoted(name)} AS {target})"
    return _from_text(as_text(name, physical), target)


def needs_cast(physical: str, target: str) -> bool:
    """Whether a value of the landed type can fail to become one of the target type."""
    return target.lower() != "string" and physical != target.lower()


def present_sql(name: str, physical: str) -> str:
    """SQL text: whether the field holds a value at all (blank text is none)."""
    return f"nullif(trim({as_text(name, physical)}), '') IS NOT NULL"
