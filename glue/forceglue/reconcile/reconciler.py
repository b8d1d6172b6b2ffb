"""A comparison of the org with the tables: which objects, several of them at once, one report."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from forceglue.errors import ExtractError, ForceglueError, LimitReachedError, SalesforceError, SignInError
from forceglue.extract.bookmark import bookmarks
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
    chosen = select(request.project, org.objects(), request.names or _known(request, landing), everything=False)
    described = org.describe_many([one.name for one in chosen if not one.why_not])
    with IdsOut(request.out) as out, working(org, landing, pages_at_once=PAGES, piece=PIECE) as work:
        between = Between(landing, warehouse, request.project)
        shared = Shared(request, org, work, warehouse, between, run_id, out)
        pairs = [(one, mapping) for one in chosen for mapping in one.mappings]
        with ThreadPoolExecutor(request.at_once, "object") as pool:
            found = []
            for done in pool.map(partial(_one, shared, described, named=bool(request.names)), pairs):
                found.append(done)
                request.progress(done)
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


def _known(request: ReconcileRequest, landing: Store) -> tuple[str, ...]:
    """All mappings' sources, and what was extracted without one."""
    sources = [mapping.source for mapping in request.project.objects.values()]
    return tuple(dict.fromkeys([*sources, *(mark.object for mark in bookmarks(landing))]))


def _one(
    shared: Shared,
    described: dict[str, dict[str, Any] | SalesforceError],
    pair: tuple[Selected, ObjectMapping],
    *,
    named: bool,
) -> Compared:
    """One object and one table; its own errors are in the report."""
    (one, mapping), began = pair, time.monotonic()
    start = Compared(one.name, mapping.mapping, "failed")
    with tallied() as tally:
        try:
            if one.why_not:
                raise ExtractError(f"{one.name}: {one.why_not}")
            describe = described[one.name]
            if isinstance(describe, SalesforceError):
                raise describe
            done = _compared(shared, start, mapping, describe)
        except NotComparedError as why:
            done = replace(start, status="failed" if named else "skipped", error=f"not compared: {why}")
        except LimitReachedError as limit:
            done = replace(start, status="stopped", error=str(limit))
        except SignInError:
            raise
        except ForceglueError as error:
            done = replace(start, error=str(error))
    return replace(done, calls=tally.calls, seconds=round(time.monotonic() - began, 3))


def _compared(shared: Shared, start: Compared, mapping: ObjectMapping, describe: dict[str, Any]) -> Compared:
    table = Table(shared.warehouse, mapping.mapping, mapping.mapping)
    state, opened = table.state(), table.open()
    if state is None or opened is None:
        raise ExtractError(f"{mapping.mapping}: there is no table yet: `forceglue run {mapping.mapping}` makes it.")
    what = measures(mapping, describe, state.columns)
    side = TableSide(opened, state.columns, what)
    start = replace(start, version=state.version)
    if shared.request.ids:
        return compare_ids(shared, start, mapping, describe, side)
    return compare_amounts(shared, start, describe, side)
