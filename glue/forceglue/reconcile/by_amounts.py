"""One object and its table by counts and sums: both sides, what differs, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from forceglue.errors import SalesforceError
from forceglue.reconcile.explain import Explaining, Line, lines
from forceglue.reconcile.landed import MOST
from forceglue.reconcile.measures import Measures
from forceglue.reconcile.org_side import OrgSide
from forceglue.reconcile.report import Compared, totals
from forceglue.reconcile.sides import Side, Version, as_one_line, short_id
from forceglue.reconcile.table_side import TableSide

if TYPE_CHECKING:
    from forceglue.reconcile.reconciler import Shared
    from forceglue.salesforce.client import Salesforce

DELETES_KEPT = timedelta(days=15)
"""So far back Salesforce tells what was deleted."""
TRIES = 3
"""An org that changes while it is looked at is looked at again."""


@dataclass(frozen=True)
class _Both:
    """Both sides, brought to what they have in common.

    Attributes:
        names: of the measures.
        by_day: False where one of the sides cannot tell the days apart: all of them are one line.
    """

    org: Side
    table: Side
    names: tuple[str, ...]
    tolerances: tuple[Decimal, ...]
    by_day: bool
    deleted: int | None
    notes: tuple[str, ...]

    def lines(self, explaining: Explaining | None = None, left_out: int = 0) -> tuple[Line, ...]:
        if explaining is not None and not self.by_day:
            explaining = _without_days(explaining)
        return lines(self.org, self.table, self.names, self.tolerances, explaining, left_out)


def compare_amounts(shared: Shared, start: Compared, describe: Mapping[str, Any], side: TableSide) -> Compared:
    """Compares, and looks for explanations only where something differs.

    Raises:
        ReconcileError: Salesforce does not count the records.
        LandingError: the table, or a file that waits, cannot be read.
    """
    for _ in range(TRIES):
        asked_at = shared.org.now()
        both = _sides(shared, side)
        found, told = both.lines(), list[str]()
        moved = False
        if any(line.open for line in found):
            explaining, told = explaining_of(shared, describe, side)
            found = _explained(shared, side, both, explaining, asked_at, told)
            moved = any(v.stamp is not None and v.stamp >= asked_at for v in explaining.in_flight.values())
        if not (moved and any(line.open for line in found)):
            break
    since = shared.request.since
    found = tuple(line for line in found if since is None or line.day is None or line.day >= since)
    differ = tuple(line for line in found if line.differs)
    return replace(
        start,
        status="unexplained" if any(line.open for line in found) else "explained" if differ else "equal",
        by_day=both.by_day,
        days=len({line.day for line in found}),
        totals=totals(found, both.names),
        lines=differ,
        not_compared=side.measures.left_out,
        deleted=both.deleted,
        notes=tuple(dict.fromkeys((*both.notes, *told))),
    )


def _sides(shared: Shared, side: TableSide) -> _Both:
    m, since = side.measures, shared.request.since
    org, ours = OrgSide(shared.org, m).amounts(since), side.amounts(since)
    notes, by_day = org.notes, org.by_day and None not in ours
    if org.by_day and not by_day:
        notes = (*notes, f"not by day: rows of the table have no day in {m.day}")
    theirs = org.side
    if not by_day:
        if since:
            notes = (*notes, "compared as a whole, whatever --since says")
            theirs = OrgSide(shared.org, m).amounts().side if org.by_day else theirs
            ours = side.amounts()
        theirs, ours = as_one_line(theirs, len(m.sums)), as_one_line(ours, len(m.sums))
    if org.sums:
        return _Both(theirs, ours, m.names, m.tolerances, by_day, org.deleted, notes)
    theirs, ours = ({day: amounts[:1] for day, amounts in one.items()} for one in (theirs, ours))
    return _Both(theirs, ours, m.names[:1], m.tolerances[:1], by_day, org.deleted, notes)


def _explained(
    shared: Shared, side: TableSide, both: _Both, explaining: Explaining, now: datetime, told: list[str]
) -> tuple[Line, ...]:
    """The lines with what explains them; Salesforce's list of deletions is asked where records are too many."""
    left_out = left_out_of(shared, side.measures)
    found = both.lines(explaining, left_out)
    if any(line.open and line.measure == "records" and line.unexplained < 0 for line in found):
        listed = purged_of(shared.org, side.measures.object, now, told)
        table = side.versions(listed - explaining.keys)
        held = {key for key, version in table.items() if version.counts}
        # the list has the recycle bin too: that the table has not heard of those records explains nothing
        purged = frozenset(held - OrgSide(shared.org, side.measures).there(held))
        found = both.lines(replace(explaining, purged=purged, table={**explaining.table, **table}), left_out)
    return found


def explaining_of(shared: Shared, describe: Mapping[str, Any], side: TableSide) -> tuple[Explaining, list[str]]:
    """What is on its way from Salesforce to the table, and what could not be looked into."""
    newest = shared.between.newest(side.measures, side.position)
    told = newest.notes
    since = shared.between.since(describe)
    in_flight: dict[str, Version] | None = {}
    if since is None:
        told.append("nothing tells what has changed in Salesforce since the last load")
    else:
        in_flight = OrgSide(shared.org, side.measures).versions(*since, MOST)
        if in_flight is None:
            told.append(f"more than {MOST:,} records have changed since the last extract, too many to look into")
    found = Explaining(in_flight or {}, newest.versions, waits=newest.waits)
    return replace(found, table=side.versions(found.keys)), told


def left_out_of(shared: Shared, m: Measures) -> int:
    """How many records the mapping has left out, at most."""
    return shared.between.left_out(m.table) if m.filters else 0


def purged_of(org: Salesforce, name: str, now: datetime, told: list[str]) -> set[str]:
    """Records that Salesforce lists as deleted in the time that it tells of."""
    try:
        listed = org.deleted(name, now - DELETES_KEPT + timedelta(hours=1), now)
    except SalesforceError as error:
        if error.status not in (400, 403, 404):
            raise
        told.append(f"Salesforce does not list what was deleted ({error.code})")
        return set()
    return {short_id(key) for key in listed.ids}


def _without_days(found: Explaining) -> Explaining:
    def one(version: Version) -> Version:
        return replace(version, day=None)

    return replace(
        found,
        in_flight={key: one(version) for key, version in found.in_flight.items()},
        landed={key: (reason, one(version)) for key, (reason, version) in found.landed.items()},
        table={key: one(version) for key, version in found.table.items()},
    )
