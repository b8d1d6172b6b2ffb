"""Values as they go over the wire: the store keeps each as the text that Bulk API sends, and JSON is made from it.

Numbers are Java's texts of doubles (`15000.0`, `1.25E7`) with every digit that was given; moments are
`2026-11-01T08:00:00.000Z`, and `...+0000` in JSON. Nothing and the empty text are the same, as in Salesforce.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from forceglue.simulated.salesforce.ids import full_id

NUMBERS = frozenset({"double", "currency", "percent"})
WHOLE = frozenset({"int", "long"})
IDS = frozenset({"id", "reference"})

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d(T.*)?")
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z?")
_PLAIN = re.compile(r"([+-]?)(\d+)(?:\.(\d*))?")
_MOST_DIGITS = 330
_STORED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class NotOfType(ValueError):
    """A value that the type cannot hold; the message names no value."""


def moment(at: datetime) -> str:
    """A time as it is stored: UTC, milliseconds."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def rest_moment(text: str) -> str:
    """A stored time as REST sends it."""
    return f"{text[:-1]}+0000"


def parsed_moment(text: str) -> datetime:
    """A time of any ISO form, `Z`, `+0000` and `+00:00` alike; without a zone it is UTC.

    Raises:
        NotOfType: it is none.
    """
    found = _MOMENT.fullmatch(text)
    if not found:
        raise NotOfType("not a dateTime")
    day, minutes, seconds, fraction, zone = found.groups()
    zone = "+00:00" if not zone or zone in "Zz" else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        return datetime.fromisoformat(f"{day}T{minutes}:{seconds or '00'}.{(fraction or '0')[:6]:0<6}{zone}")
    except ValueError:
        raise NotOfType("not a dateTime") from None


@lru_cache(maxsize=65_536)
def _stored_moment(value: Any) -> str:
    if isinstance(value, str) and _STORED.fullmatch(value):
        parsed_moment(value)
        return value
    if isinstance(value, datetime):
        return moment(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00.000Z"
    return moment(parsed_moment(str(value)))


@lru_cache(maxsize=65_536, typed=True)
def number(value: Any) -> str:
    """A number as Java writes a double, but with all its digits. Raises NotOfType for what is no finite number."""
    if isinstance(value, bool):
        raise NotOfType("not a double")
    text = repr(value) if isinstance(value, float) else str(value).strip()
    if not (found := _PLAIN.fullmatch(text)):
        try:
            exact = Decimal(text)
        except InvalidOperation:
            raise NotOfType("not a double") from None
        if not exact.is_finite() or exact.adjusted() > _MOST_DIGITS or exact.adjusted() < -_MOST_DIGITS:
            raise NotOfType("not a double")
        found = _PLAIN.fullmatch(f"{exact:f}")
    if found is None:
        raise NotOfType("not a double")
    minus, whole, fraction = "-" if found[1] == "-" else "", found[2].lstrip("0"), (found[3] or "").rstrip("0")
    if 0 < len(whole) <= 7:
        return f"{minus}{whole}.{fraction or '0'}"
    if whole:
        return f"{minus}{whole[0]}.{(whole[1:] + fraction).rstrip('0') or '0'}E{len(whole) - 1}"
    digits = fraction.lstrip("0")
    zeros = len(fraction) - len(digits)
    if not digits:
        return "0.0"
    if zeros < 3:
        return f"{minus}0.{fraction}"
    return f"{minus}{digits[0]}.{digits[1:] or '0'}E-{zeros + 1}"


def _whole(value: Any) -> str:
    if isinstance(value, bool):
        raise NotOfType("not an int")
    if isinstance(value, float) or not re.fullmatch(r"[+-]?\d+", text := str(value).strip()):
        return number(value)  # some fields that describe calls int come back as doubles
    return str(int(text))


def _boolean(value: Any) -> str:
    text = str(value).lower()
    if text not in ("true", "false", "1", "0"):
        raise NotOfType("not a boolean")
    return "true" if text in ("true", "1") else "false"


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return (
            date.fromisoformat(str(value)[:10]).isoformat() if re.fullmatch(r"[\d-]{10}(T.*)?", str(value)) else _no()
        )
    except ValueError:
        raise NotOfType("not a date") from None


def _no() -> str:
    raise ValueError


def _time(value: Any) -> str:
    text = value.isoformat(timespec="milliseconds") if isinstance(value, time) else str(value)
    if not (found := _TIME.fullmatch(text)):
        raise NotOfType("not a time")
    return f"{found[1]}.{(found[2] or '')[:3]:0<3}Z"


def _id(value: Any) -> str:
    found = full_id(str(value))
    if found is None:
        raise NotOfType("not an id")
    return found


def _choices(value: Any) -> str:
    return ";".join(map(str, value)) if isinstance(value, (list, tuple, set)) else str(value)


_STORED_BY: dict[str, Callable[[Any], str]] = {
    "boolean": _boolean, "date": _date, "datetime": _stored_moment, "time": _time, "multipicklist": _choices,
    **dict.fromkeys(NUMBERS, number), **dict.fromkeys(WHOLE, _whole), **dict.fromkeys(IDS, _id),
}  # fmt: skip


def stored(kind: str, value: Any) -> str | None:
    """A value of a describe type as the store keeps it.

    Raises:
        NotOfType: the type cannot hold it.
    """
    if value is None or value == "":
        return None
    return _STORED_BY.get(kind, str)(value)


def stored_column(kind: str, values: Sequence[Any]) -> list[str | None]:
    """Many values of one field. Raises NotOfType as `stored` does."""
    change = _STORED_BY.get(kind)
    if change is None:
        return [v if type(v) is str and v else None if v is None or v == "" else str(v) for v in values]
    if kind in IDS:  # most are whole already
        return [v if v is not None and len(v) == 18 and v.isalnum() else stored(kind, v) for v in values]
    return [None if v is None or v == "" else change(v) for v in values]


def bare(text: str) -> str:
    """A number or boolean in JSON: as it is stored."""
    return text


def quoted(text: str) -> str:
    """A text in JSON."""
    return str(encode_basestring(text))


def json_token(kind: str) -> Callable[[str], str]:
    """How a stored text of a describe type is written into JSON."""
    if kind in NUMBERS or kind in WHOLE or kind == "boolean":
        return bare
    if kind == "datetime":
        return lambda text: f'"{text[:-1]}+0000"'
    return quoted


def parts_of(text: str | None) -> Iterable[str]:
    """The choices of a multi-select picklist."""
    return text.split(";") if text else ()
