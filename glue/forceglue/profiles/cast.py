"""Text as a typed value, by the same forms that the main job's casts take (`transform.cast`): exact, or not at all.

A test asks Spark for each form, so that a row means the same on both ways.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from forceglue.mapping.types import plain_type
from forceglue.profiles.formats import FormatError, reader

Value = str | bool | int | float | Decimal | date | datetime | None
Cast = Callable[[str], Value]

_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_TRUE, _FALSE = {"true", "1", "t", "yes", "y"}, {"false", "0", "f", "no", "n"}
_NUMBER = re.compile(r"[+-]?(\d+[.]?\d*|[.]\d+)([eE][+-]?\d+)?", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.](\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?|Z|[+]0000)?",
    re.ASCII,
)
_EPOCH_MILLIS = re.compile(r"-?\d{11,14}([.]0+)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_EXPONENT = 400


class CastError(ValueError):
    """A text that does not fit its type; nothing of the text is in it."""


def caster(type_name: str | None, pattern: str | None = None) -> Cast:
    """What turns a text that is not empty into a value of a type; without one, it stays text.

    Args:
        pattern: how dates and timestamps are written.

    Raises (when it is called):
        CastError: the text does not fit.
    """
    plain = plain_type(type_name or "string")
    if pattern is not None:
        return _formatted(plain, pattern)
    if plain == "string":
        return lambda text: text
    if plain in _BITS:
        return _integer(_BITS[plain])
    if plain.startswith("decimal("):
        digits, after = map(int, plain.removeprefix("decimal(").rstrip(")").split(","))
        return lambda text: _decimal(text.strip(" "), digits, after)
    casts: dict[str, Cast] = {
        "boolean": _boolean,
        "double": _double,
        "float": _float,
        "date": _date,
        "timestamp": _timestamp,
        "timestamp_ntz": _timestamp,
    }
    return casts[plain]


def _boolean(text: str) -> bool:
    said = text.strip(" ").lower()
    if said not in _TRUE | _FALSE:
        raise CastError
    return said in _TRUE


def _integer(bits: int) -> Cast:
    most = 1 << (bits - 1)

    def cast(text: str) -> int:
        value = int(_decimal(text.strip(" "), 38, 0))
        if not -most <= value < most:
            raise CastError
        return value

    return cast


def _decimal(text: str, digits: int, after: int) -> Decimal:
    """Exact or not at all: `12345.678` is no decimal of two places. It comes with all its places: `7` is `7.00`."""
    if not _NUMBER.fullmatch(text):
        raise CastError
    sign, figures, exponent = Decimal(text).as_tuple()
    if not isinstance(exponent, int) or abs(exponent) > _MOST_EXPONENT:
        raise CastError
    whole = int("".join(map(str, figures)))
    shift = exponent + after
    if shift >= 0:
        scaled, rest = whole * 10**shift, 0
    else:
        scaled, rest = divmod(whole, 10**-shift)
    if rest or scaled >= 10**digits:
        raise CastError
    return Decimal((sign if scaled else 0, tuple(map(int, str(scaled))), -after))


def _double(text: str) -> float:
    said = text.strip(" ")
    value = float(said) if _NUMBER.fullmatch(said) else float("inf")
    if value in (float("inf"), float("-inf")):
        raise CastError
    return value


def _float(text: str) -> float:
    try:
        value: float = struct.unpack("f", struct.pack("f", _double(text)))[0]
    except OverflowError:
        raise CastError from None
    return value


def _date(text: str) -> date:
    return _timestamp(text).date()


def _timestamp(text: str) -> datetime:
    """A moment in UTC, of microseconds; a time without a zone is UTC."""
    said = text.strip(" ")
    if _EPOCH_MILLIS.fullmatch(said):
        try:
            return _EPOCH + timedelta(milliseconds=int(said.partition(".")[0]))
        except OverflowError:
            raise CastError from None
    found = _MOMENT.fullmatch(said)
    if found is None:
        raise CastError
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
            int((fraction or "0").ljust(6, "0")[:6]), tzinfo=_zone(zone),
        )  # fmt: skip
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CastError from None


def _zone(said: str | None) -> timezone:
    if said in (None, "Z"):
        return UTC
    hours, minutes = int(said[1:3]), int(said[-2:])
    if minutes > 59 or hours * 60 + minutes > 18 * 60:
        raise CastError
    return timezone((1 if said[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def _formatted(plain: str, pattern: str) -> Cast:
    read = reader(pattern)
    if plain not in ("date", "timestamp", "timestamp_ntz"):
        raise FormatError(f"a {plain} has no format")

    def cast(text: str) -> date | datetime:
        found = read(text.strip(" "))
        if found is None:
            raise CastError
        return found.date() if plain == "date" else found.replace(tzinfo=UTC)

    return cast


def as_json(value: Value) -> str | bool | int | float | None:
    """A value as it goes on: decimals as text, since JSON's numbers are not exact; days and moments as ISO 8601."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else value
