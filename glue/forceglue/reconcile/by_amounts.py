"""One object and its table by counts and sums: both sides, what differs, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
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


def compare_amounts(shared: Shared, start: Compared, describe: Mapping[str, Any], side: TableSide) -> Compared:
    """Compares, and looks for explanations only where something differs.

    Raises:
        ReconcileError: Salesforce does not count the records.
        LandingError: the table, or a file that waits, cannot be read.
    """
    for _ in range(TRIES):
        asked_at = shared.org.now()
        done, moved = _once(shared, start, describe, side, asked_at)
        if done.status != "unexplained" or not moved:
            break
    return done


def _once(
    shared: Shared, start: Compared, describe: Mapping[str, Any], side: TableSide, asked_at: datetime
) -> tuple[Compared, bool]:
    """The comparison, and whether the org changed meanwhile."""
    m, since = side.measures, shared.request.since
    org = OrgSide(shared.org, m).amounts(since)
    ours: Side = org.side
    theirs: Side = side.amounts(since)
    notes = list(org.notes)
    if None in theirs and org.by_day:
        notes.append(f"not by day: rows of the table have no day in {m.day}")
    by_day = org.by_day and None not in theirs
    if since and not by_day:
        notes.append("compared as a whole, whatever --since says")
        if org.by_day:
            ours = OrgSide(shared.org, m).amounts().side
        theirs = side.amounts()
    fields = len(m.sums)
    if not by_day:
        ours, theirs = as_one_line(ours, fields), as_one_line(theirs, fields)
    names = m.names if org.sums else ("records",)
    if not org.sums:
        ours, theirs, fields = _counts(ours), _counts(theirs), 0
    found = lines(ours, theirs, names, m.tolerances[: fields + 1])
    moved = False
    if any(line.open for line in found):
        explaining, told = explaining_of(shared, describe, side)
        explaining = explaining if by_day else _without_days(explaining)
        found = _explained(shared, m, (ours, theirs, names), explaining)
        if _short(found):
            listed = purged_of(shared.org, m.object, asked_at, told)
            more = Explaining(table=side.versions(listed - explaining.keys))
            more = more if by_day else _without_days(more)
            held = {key for key, version in more.table.items() if version.counts}
            # the list has the recycle bin too: that the table has not heard of those records explains nothing
            purged = frozenset(held - OrgSide(shared.org, m).there(held))
            explaining = replace(explaining, purged=purged, table={**explaining.table, **more.table})
            found = _explained(shared, m, (ours, theirs, names), explaining)
        notes += told
        moved = any(v.stamp is not None and v.stamp >= asked_at for v in explaining.in_flight.values())
        if since:
            found = tuple(line for line in found if line.day is None or line.day >= since)
    differ = tuple(line for line in found if line.differs)
    is_open = any(line.open for line in found)
    done = replace(
        start,
        status="unexplained" if is_open else "explained" if differ else "equal",
        by_day=by_day,
        days=len({line.day for line in found}),
        totals=totals(found, names),
        lines=differ,
        not_compared=m.left_out,
        deleted=org.deleted,
        notes=tuple(dict.fromkeys(notes)),
    )
    return done, moved


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
    found = Explaining(in_flight or {}, newest.versions)
    return replace(found, table=side.versions(found.keys)), told


def _explained(shared: Shared, m: Measures, sides: Any, explaining: Explaining) -> tuple[Line, ...]:
    ours, theirs, names = sides
    return lines(ours, theirs, names, m.tolerances[: len(names)], explaining, left_out_of(shared, m))


def left_out_of(shared: Shared, m: Measures) -> int:
    """How many records the mapping has left out, at most."""
    return shared.between.left_out(m.table) if m.filters else 0


def _short(found: tuple[Line, ...]) -> bool:
    """Whether a day has fewer records in the org than in the table, and nobody knows why."""
    return any(line.open and line.measure == "records" and line.unexplained < 0 for line in found)


def purged_of(org: Salesforce, name: str, now: datetime, told: list[str]) -> set[str]:
    """Records that Salesforce lists as deleted in the time that it tells of."""
    try:
        listed = org.deleted(name, now - DELETES_KEPT + timedelta(hours=1), now + timedelta(minutes=1))
    except SalesforceError as error:
        if error.status not in (400, 403, 404):
            raise
        told.append(f"Salesforce does not list what was deleted ({error.code})")
        return set()
    return {short_id(key) for key in listed.ids}


def _counts(side: Side) -> Side:
    return {day: amounts[:1] for day, amounts in side.items()}


def _without_days(found: Explaining) -> Explaining:
    def one(version: Version) -> Version:
        return replace(version, day=None)

    return replace(
        found,
        in_flight={key: one(version) for key, version in found.in_flight.items()},
        landed={key: (reason, one(version)) for key, (reason, version) in found.landed.items()},
        table={key: one(version) for key, version in found.table.items()},
    )
