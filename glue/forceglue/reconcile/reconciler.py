"""A comparison of the org with the tables: which objects, several of them at once, one report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from forceglue.errors import ForceglueError, LimitReachedError, ReconcileError, SalesforceError, SignInError, UsageError
from forceglue.extract.bookmark import bookmarks
from forceglue.extract.ids import all_ids
from forceglue.extract.notices import all_ids_compared
from forceglue.extract.reading import Work, working
from forceglue.extract.records import PIECE
from forceglue.extract.selection import Selected, select
from forceglue.landing.store import Store
from forceglue.mapping.model import ObjectMapping
from forceglue.reconcile.between import Between
from forceglue.reconcile.by_amounts import compare_amounts
from forceglue.reconcile.by_ids import IdsOut, compare_ids
from forceglue.reconcile.measures import NotComparedError, measures
from forceglue.reconcile.report import Compared, ReconcileReport
from forceglue.reconcile.request import ReconcileRequest
from forceglue.reconcile.table_side import TableSide
from forceglue.run.context import new_run_id
from forceglue.salesforce.budget import tallied
from forceglue.salesforce.client import Salesforce
from forceglue.write.delta_table import Table

T = TypeVar("T")

PAGES = 2
"""Pages of Ids that are read at the same time, for all objects together."""


@dataclass(frozen=True)
class Shared:
    """What all objects of a comparison have in common."""

    request: ReconcileRequest
    org: Salesforce
    work: Work
    warehouse: Store
    between: Between
    run_id: str
    out: IdsOut


def reconcile(request: ReconcileRequest, org: Salesforce) -> ReconcileReport:
    """Compares the objects that are asked for; what each came to is in the report.

    Raises:
        UsageError: no such object, mapping or API version.
        SignInError: no token.
        SalesforceError: what is needed before the first object is refused.
        LandingError: a root cannot be used.
    """
    began, started = time.monotonic(), datetime.now(UTC)
    landing, warehouse = Store(request.landing), Store(request.warehouse)
    run_id = new_run_id(started)
    chosen = _chosen(request, landing, org.objects())
    described = org.describe_many([one.name for one in chosen if not one.why_not])
    with IdsOut(request.out) as out, working(org, landing, run_id, pages_at_once=PAGES, piece=PIECE) as work:
        between = Between(landing, warehouse, request.project)
        shared = Shared(request, org, work, warehouse, between, run_id, out)
        with ThreadPoolExecutor(request.at_once, "object") as pool:
            found = [one for some in pool.map(partial(_object, shared, described), chosen) for one in some]
    return ReconcileReport(
        run_id=run_id,
        started=started,
        seconds=round(time.monotonic() - began, 3),
        project=request.project.settings.name or "",
        instance_url=org.instance_url,
        api_version=org.version,
        since=request.since,
        calls=org.budget.calls,
        used=org.budget.used,
        allowed=org.budget.allowed,
        objects=tuple(found),
    )


def _chosen(request: ReconcileRequest, landing: Store, objects: list[dict[str, Any]]) -> tuple[Selected, ...]:
    """What is named; else all mappings' sources, and what was extracted without one and is still in the org.

    Raises:
        UsageError: there is nothing of either, or a name is unknown.
    """
    project, there = request.project, {str(entry["name"]) for entry in objects}
    if request.names:
        return select(project, objects, request.names, everything=False)
    more = [mark.object for mark in bookmarks(landing) if mark.object in there and not project.object_for(mark.object)]
    if not (project.objects or more):
        raise UsageError(
            "nothing to compare: the project has no object mapping, and nothing was extracted. Name objects."
        )
    own = select(project, objects, (), everything=False) if project.objects else ()
    return (*own, *(select(project, objects, tuple(more), everything=False) if more else ()))


@dataclass(frozen=True)
class _Opened:
    """A table at one version, and what of it is compared; `start` is its report so far."""

    start: Compared
    mapping: ObjectMapping
    side: TableSide


def _object(
    shared: Shared, described: Mapping[str, dict[str, Any] | SalesforceError], one: Selected
) -> tuple[Compared, ...]:
    """One object and its tables; what goes wrong with one of them is in its report."""
    named, found = bool(shared.request.names), list[Compared]()
    opened = list[_Opened]()
    for mapping in one.mappings:
        start = Compared(one.name, mapping.mapping, "failed")
        done = _tried(start, partial(_open, shared, start, mapping, one, described), named=named)
        found += [done] if isinstance(done, Compared) else []
        opened += [done] if isinstance(done, _Opened) else []
    describe = described.get(one.name)
    if not opened or not isinstance(describe, dict):
        return tuple(found)
    if shared.request.ids:
        every = {m.mapping for m in one.mappings if m.target.meets_rows} <= {each.mapping.mapping for each in opened}
        listed = _tried(opened[0].start, partial(_by_ids, shared, opened, describe, every=every), named=named)
        if isinstance(listed, Compared):
            return (*found, *(replace(listed, table=each.start.table, version=each.start.version) for each in opened))
        return (*found, *listed)
    for each in opened:
        found.append(_tried(each.start, partial(compare_amounts, shared, each.start, describe, each.side), named=named))
    return tuple(found)


def _by_ids(shared: Shared, opened: Sequence[_Opened], describe: dict[str, Any], *, every: bool) -> list[Compared]:
    """All tables of an object by one reading of its Ids; the tables were opened before, so that they are no newer.

    Args:
        every: these are all tables that have rows to lose: once they are settled, no deletion is unknown any more.
    """
    with all_ids(shared.work, describe, shared.org.now()) as listed:
        found = [
            _tried(each.start, partial(compare_ids, shared, each.start, each.mapping, describe, each.side, listed))
            for each in opened
        ]
        if every and all(one.ids and one.ids.settled for one in found):
            all_ids_compared(shared.work.store, opened[0].start.object, listed.at)
        return found


def _tried(start: Compared, work: Callable[[], T], *, named: bool = True) -> T | Compared:
    """What the work gives; or the report of what went wrong.

    Raises:
        SignInError: which is the same for all that are still to come.
        UsageError: so is this.
    """
    began = time.monotonic()
    with tallied() as tally:
        try:
            done: T | Compared = work()
        except NotComparedError as why:
            done = replace(start, status="failed" if named else "skipped", error=f"not compared: {why}")
        except LimitReachedError as limit:
            done = replace(start, status="stopped", error=str(limit))
        except SignInError:
            raise
        except ForceglueError as error:
            done = replace(start, error=str(error))
    if isinstance(done, Compared):
        return replace(done, calls=tally.calls, seconds=round(time.monotonic() - began, 3))
    return done


def _open(
    shared: Shared,
    start: Compared,
    mapping: ObjectMapping,
    one: Selected,
    described: Mapping[str, dict[str, Any] | SalesforceError],
) -> _Opened:
    if one.why_not:
        raise ReconcileError(f"{one.name}: {one.why_not}") if one.wanted else NotComparedError(one.why_not)
    describe = described[one.name]
    if isinstance(describe, SalesforceError):
        raise describe
    table = Table(shared.warehouse, mapping.mapping, mapping.mapping)
    state, opened = table.state(), table.open()
    if state is None or opened is None:
        raise ReconcileError(f"{mapping.mapping}: there is no table yet: `forceglue run {mapping.mapping}` makes it.")
    what = measures(mapping, describe, state.columns)
    side = TableSide(opened, state.columns, what, state.position)
    return _Opened(replace(start, version=state.version), mapping, side)
