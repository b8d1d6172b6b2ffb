"""From when to when an object is read, and the query for it.

    lower = bookmark - overlap      upper = Salesforce's clock at the start - lag      lower <= stamp < upper

The upper bound is fixed before the first call and becomes the next bookmark. A record that is committed late, under a
stamp that has passed, is found by the overlap; the lag keeps away from stamps that are still being given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

OVERLAP, LAG = timedelta(minutes=10), timedelta(minutes=5)

CURSORS = ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime")
"""Fields that tell what changed, the best first."""
NARROWEST = timedelta(minutes=1)
"""A window is not halved below twice of this."""
_BEGINNING = datetime(1999, 3, 1, tzinfo=UTC)  # before Salesforce was there nothing was changed in it


@dataclass(frozen=True)
class Window:
    """A half-open span of time, `since <= stamp < until`; an open side is None.

    Attributes:
        nulls: records without a stamp belong to it too.
    """

    since: datetime | None
    until: datetime | None
    nulls: bool = False

    def halves(self, now: datetime) -> tuple[Window, Window] | None:
        """The window in two that leave nothing out and share nothing; None where it is too narrow.

        Stamps only grow: read in this order, no record that changes meanwhile is in neither half, if the end is open.

        Args:
            now: where to look for the middle of a window whose end is open.
        """
        since, until = self.since or _BEGINNING, self.until or now
        if until - since < 2 * NARROWEST:
            return None
        middle = _whole_millis(since + (until - since) / 2)
        return Window(self.since, middle, self.nulls), Window(middle, self.until)


def cursor_of(describe: dict[str, Any]) -> tuple[str, bool] | None:
    """The field that tells what changed, and whether records may lack it; None: the object is read whole each time."""
    fields = {field["name"]: field for field in describe["fields"]}
    for name in CURSORS:
        field = fields.get(name)
        if field is not None and field.get("type") == "datetime" and field.get("filterable", True):
            return name, bool(field.get("nillable"))
    return None


def soql(name: str, fields: Sequence[str], cursor: str | None, window: Window) -> str:
    """The query of a window. No ORDER BY: it would switch Salesforce's own chunking off."""
    query = f"SELECT {', '.join(fields)} FROM {name}"  # noqa: S608  # names are describe's own
    bounds = []
    if cursor and window.since:
        bounds.append(f"{cursor} >= {literal(window.since)}")
    if cursor and window.until:
        bounds.append(f"{cursor} < {literal(window.until)}")
    where = " AND ".join(bounds)
    if where and window.nulls:
        where = f"({where}) OR {cursor} = null"
    return f"{query} WHERE {where}" if where else query


def literal(moment: datetime) -> str:
    """A date-time as SOQL writes it, to the millisecond."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def _whole_millis(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
