"""Names of delivered files: a pattern with the run's start, checked before anything is written.

No Spark here: `forceglue check` uses it too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from string import Formatter

from forceglue.errors import UsageError

DIRECTIVES = "YmdHMSfjyVGu%"  # numbers only: names of days and months would depend on the machine's language
_NOT_A_NAME = re.compile(r"[\x00-\x1f\x7f\\]")


def expand(pattern: str, now: datetime) -> str:
    """`Orders_{now:%Y-%m-%d %H%M%S}.csv` as `Orders_2024-02-29 134500.csv`; `{{` and `}}` stand for braces.

    Args:
        pattern: a file or folder below the delivery root.
        now: the run's start; written in UTC.

    Raises:
        UsageError: the pattern is refused (see `complaint`), or `now` has no zone.
    """
    refused = complaint(pattern)
    if refused is not None:
        raise UsageError(refused)
    if now.tzinfo is None:
        raise UsageError(
            f"the run's start {now.isoformat()} has no time zone; give one, for example datetime.now(UTC)."
        )
    return pattern.format(now=now.astimezone(UTC))


def complaint(pattern: str) -> str | None:
    """What is wrong with a name pattern, or None when it is right."""
    try:
        parts = list(Formatter().parse(pattern))
    except ValueError as error:
        return f"the name pattern {pattern!r} is broken: {error}; write braces that are meant as text twice."
    for _, field, directive, conversion in parts:
        if field is None:
            continue
        if field != "now" or conversion:
            return f"the name pattern {pattern!r} uses {{{field}}}; allowed is {{now:…}}, such as {{now:%Y-%m-%d}}."
        if not directive:
            return (
                f"the name pattern {pattern!r} uses {{now}} without a form; write for example {{now:%Y-%m-%d %H%M%S}}."
            )
        unknown = [sign for sign in re.findall(r"%(.?)", directive) if not sign or sign not in DIRECTIVES]
        if unknown:
            return f"the name pattern {pattern!r} uses %{unknown[0]}; allowed after % is one of {DIRECTIVES}."
    return _path_complaint(pattern.format(now=datetime(2000, 1, 1, tzinfo=UTC)))


def _path_complaint(path: str) -> str | None:
    parts = path.split("/")
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        return (
            f"the name {path!r} is refused: it must stay below the delivery root, without '.', '..' or an empty part."
        )
    if any(part.startswith((".", "_")) for part in parts):
        return (
            f"the name {path!r} is refused: names that start with '.' or '_' are hidden from readers; choose another."
        )
    if _NOT_A_NAME.search(path):
        return f"the name {path!r} is refused: it holds a control character or a backslash; leave it out."
    if any(part != part.strip() for part in parts):
        return f"the name {path!r} is refused: a part starts or ends with a blank; leave it out."
    return None
