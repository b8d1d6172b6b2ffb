"""How dates are written, in the letters that Spark has for it: `MM/dd/yyyy`, `dd.MM.yyyy HH:mm`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

_PARTS = {
    "yyyy": r"(?P<year>\d{4})",
    "yy": r"(?P<short>\d{2})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "dd": r"(?P<day>\d{2})",
    "d": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{2})",
    "H": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
    "SSS": r"(?P<milli>\d{3})",
}
_TOKEN = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>([A-Za-z])\3*)|(?P<other>[^A-Za-z'])")


class FormatError(ValueError):
    """A text that is no format; the message says why."""


def reader(pattern: str) -> Callable[[str], datetime | None]:
    """What reads texts of a format; None for a text of another one, or of a day that no calendar has.

    Raises:
        FormatError: the pattern has letters without a meaning, or a part twice, or lacks year, month or day.
    """
    made, at = "", 0
    while at < len(pattern):
        found = _TOKEN.match(pattern, at)
        if found is None:
            raise FormatError("a quote is not closed")
        if found["letters"]:
            if found["letters"] not in _PARTS:
                raise FormatError(f"`{found['letters']}` means nothing here; there are {', '.join(_PARTS)}")
            made += _PARTS[found["letters"]]
        else:
            made += re.escape("'" if found[0] == "''" else (found["quoted"] or found["other"] or "").replace("''", "'"))
        at = found.end()
    try:
        compiled = re.compile(made, re.ASCII)
    except re.error:
        raise FormatError("a part of the date stands twice") from None
    names = compiled.groupindex.keys()
    if missing := [said for said, which in (("year", {"year", "short"}), ("month", {"month"}), ("day", {"day"}))
                   if not which & names]:  # fmt: skip
        raise FormatError(f"it has no {' and no '.join(missing)}")
    return lambda text: _moment(compiled.fullmatch(text))


def _moment(found: re.Match[str] | None) -> datetime | None:
    if found is None:
        return None
    part = {name: int(value) for name, value in found.groupdict().items()}
    try:
        return datetime(  # noqa: DTZ001  # UTC, as all times without a zone are here
            part["year"] if "year" in part else 2000 + part["short"],
            part["month"],
            part["day"],
            part.get("hour", 0),
            part.get("minute", 0),
            part.get("second", 0),
            part.get("milli", 0) * 1000,
        )
    except ValueError:
        return None
