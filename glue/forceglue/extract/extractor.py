"""An extract: which objects, several of them at once, one report."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from typing import Any

from forceglue.errors import LimitReachedError, SalesforceError
from forceglue.extract.fields import slim
from forceglue.extract.object_extract import ObjectExtract
from forceglue.extract.reading import working
from forceglue.extract.report import ExtractReport, ObjectReport
from forceglue.extract.request import ExtractRequest
from forceglue.extract.selection import Selected, select
from forceglue.extract.state import FOLDER
from forceglue.landing.store import Store
from forceglue.salesforce.client import BATCH, Salesforce


def extract(request: ExtractRequest, org: Salesforce) -> ExtractReport:
    """Reads the objects that are asked for and lands them; what each came to is in the report.

    Raises:
        UsageError: no such object, mapping or API version.
        SignInError: no token.
        SalesforceError: what is needed before the first object is refused.
        LandingError: the landing root cannot be used.
    """
    began, started = time.monotonic(), datetime.now(UTC)
    store = Store.made(request.landing)
    now = org.now()
    execution = execution_at(now)
    stopped: str | None = None
    reports: list[ObjectReport] = []
    chosen: tuple[Selected, ...] = ()
    try:
        chosen = select(request.project, org.objects(), request.names, everything=request.everything)
        reports += (_not_read(one) for one in chosen if one.why_not)
        readable = [one for one in chosen if not one.why_not]
        described = _described(org, [one.name for one in readable])
        for report in _all(request, org, store, execution, readable, described, now):
            reports.append(report)
            request.progress(report.name, report)
            if report.status == "stopped" and stopped is None:
                stopped = report.error
    except LimitReachedError as limit:
        stopped = str(limit)
        done = {report.name for report in reports}
        reports += (ObjectReport(one.name, "stopped", error=str(limit)) for one in chosen if one.name not in done)
    order = {one.name: at for at, one in enumerate(chosen)}
    made = ExtractReport(
        run_id=execution,
        started=started,
        seconds=round(time.monotonic() - began, 3),
        instance_url=org.instance_url,
        api_version=org.version,
        calls=org.budget.calls,
        used=org.budget.used,
        allowed=org.budget.allowed,
        objects=tuple(sorted(reports, key=lambda report: order.get(report.name, 0))),
        stopped=stopped,
    )
    store.write_bytes(report_key(made.run_id), made.to_json().encode())
    return made


def execution_at(now: datetime) -> str:
    """An id for one extract and all that it begins, unlike all others; they sort by time."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def report_key(run_id: str) -> str:
    """Where the report of an extract stands, below the landing root."""
    return f"{FOLDER}/_runs/{run_id}.json"


def _described(org: Salesforce, names: list[str]) -> dict[str, dict[str, Any] | SalesforceError]:
    """Describe of each object, as little of it as is needed: a large org's as a whole takes gigabytes."""
    found: dict[str, dict[str, Any] | SalesforceError] = {}
    for at in range(0, len(names), BATCH):
        for name, describe in org.describe_many(names[at : at + BATCH]).items():
            found[name] = describe if isinstance(describe, SalesforceError) else slim(describe)
    return found


def _not_read(one: Selected) -> ObjectReport:
    return ObjectReport(one.name, "failed" if one.wanted else "skipped", error=f"not read: {one.why_not}")


def _all(
    request: ExtractRequest,
    org: Salesforce,
    store: Store,
    execution: str,
    objects: list[Selected],
    described: dict[str, dict[str, Any] | SalesforceError],
    now: datetime,
) -> Iterator[ObjectReport]:
    """The reports as they come; an error that is no object's own ends all of them, and what is on disk stays."""
    with (
        working(org, store, execution, pages_at_once=request.pages_at_once, piece=request.piece) as work,
        ThreadPoolExecutor(request.objects_at_once, "object") as pool,
    ):
        coming: list[Future[ObjectReport]] = []
        try:
            for one in objects:
                task = ObjectExtract(request, work, one, now)
                coming.append(pool.submit(_one, request, task, one.name, described[one.name]))
            for done in as_completed(coming):
                yield done.result()
        finally:
            work.stopping.set()  # after the last object nobody looks; after an error or Ctrl-C the others end soon
            for waiting in coming:
                waiting.cancel()


def _one(
    request: ExtractRequest, task: ObjectExtract, name: str, describe: dict[str, Any] | SalesforceError
) -> ObjectReport:
    request.progress(name, "reading")
    return task.run(describe)
