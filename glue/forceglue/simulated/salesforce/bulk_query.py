"""Bulk API 2.0 query jobs: made, worked off in the background, and their results in pages."""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forceglue.simulated.salesforce.bulk_csv import DELIMITERS, LINE_ENDINGS, Rendered, render
from forceglue.simulated.salesforce.errors import ApiError, not_found
from forceglue.simulated.salesforce.http import Answer
from forceglue.simulated.salesforce.ids import full_id, new_id
from forceglue.simulated.salesforce.soql.compile import Compiled, compile_query
from forceglue.simulated.salesforce.soql.parse import parse
from forceglue.simulated.salesforce.wire import rest_moment
from forceglue.soql import ast

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.faults import Faults
    from forceglue.simulated.salesforce.org import Org

JOB_LIFE = timedelta(days=7)
DONE = ("JobComplete", "Failed", "Aborted")
_NOT_IN_BULK = (
    "AcceptedEventRelation", "AssetTokenEvent", "Attachment", "CaseStatus", "ContractStatus", "DeclinedEventRelation",
    "EventWhoRelation", "FieldSecurityClassification", "KnowledgeArticle", "OrderStatus", "PartnerRole",
    "QuoteTemplateRichTextData", "RecentlyViewed", "ServiceAppointmentStatus", "SolutionStatus", "TaskPriority",
    "TaskStatus", "TaskWhoRelation", "UndecidedEventRelation", "WorkOrderLineItemStatus", "WorkOrderStatus",
)  # fmt: skip


@dataclass
class QueryJob:
    """One job; `facts` is what Salesforce tells of it."""

    id: str
    query: str
    compiled: Compiled = field(repr=False)
    deleted: bool
    version: str
    facts: dict[str, Any]
    made: datetime
    state: str = "UploadComplete"
    result: Rendered | None = None
    error: str | None = None
    milliseconds: int = 0

    def shown(self) -> dict[str, Any]:
        """The job as `GET` tells of it."""
        told = self.facts | {
            "state": self.state,
            "jobType": "V2Query",
            "numberRecordsProcessed": self.result.rows if self.result else 0,
            "retries": 0,
            "totalProcessingTime": self.milliseconds,
            "isPkChunkingSupported": True,
        }
        return told | {"errorMessage": self.error} if self.error else told


class BulkQuery:
    """All query jobs of an org.

    Attributes:
        delay: seconds between a job's states, which are UploadComplete, InProgress and JobComplete.
        page: records of a page where the client does not say.
        refused: objects that Bulk does not query, besides Salesforce's own list.
    """

    def __init__(self, org: Org, faults: Faults, failures: list[BaseException]) -> None:
        self._org, self._faults, self._failures = org, faults, failures
        self.delay, self.page = 0.0, 50_000
        self.refused: set[str] = set(_NOT_IN_BULK)
        self.jobs: dict[str, QueryJob] = {}
        self._guard = threading.Lock()
        self._serial = 0
        self._made: dict[tuple[Any, ...], Rendered] = {}
        self._written: list[Rendered] = []
        self._making: dict[tuple[Any, ...], threading.Lock] = {}
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="bulk-query")
        self._closing = threading.Event()

    def close(self) -> None:
        """Stops what runs."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def create(self, said: Mapping[str, Any], version: str, user_id: str) -> dict[str, Any]:
        """A new job, started; what is told of it.

        Raises:
            ApiError: what Salesforce says to such a query.
        """
        operation, text = said.get("operation"), said.get("query")
        if operation not in ("query", "queryAll"):
            raise ApiError("INVALIDJOB", f"Unsupported operation: {operation}")
        if not isinstance(text, str) or not text.strip():
            raise ApiError("INVALIDJOB", "The query is required for query jobs")
        delimiter, ending = said.get("columnDelimiter", "COMMA"), said.get("lineEnding", "LF")
        if delimiter not in DELIMITERS or ending not in LINE_ENDINGS:
            raise ApiError("INVALIDJOB", f"Unsupported columnDelimiter or lineEnding: {delimiter}, {ending}")
        if said.get("contentType", "CSV") != "CSV":
            raise ApiError("INVALIDJOB", f"Unsupported contentType: {said['contentType']}")
        deleted = operation == "queryAll"
        compiled = self._checked(text, deleted=deleted)
        self._forget_old()
        with self._guard:
            self._serial += 1
            job_id, now = new_id("750", self._serial), rest_moment(self._org.now())
            facts = {
                "id": job_id,
                "operation": operation,
                "object": compiled.schema.name,
                "createdById": user_id,
                "createdDate": now,
                "systemModstamp": now,
                "state": "UploadComplete",
                "concurrencyMode": "Parallel",
                "contentType": "CSV",
                "apiVersion": float(version),
                "lineEnding": ending,
                "columnDelimiter": delimiter,
            }
            job = self.jobs[job_id] = QueryJob(job_id, text, compiled, deleted, version, facts, self._org.at())
            told = dict(facts)
        self._pool.submit(self._work, job)
        return told

    def _checked(self, text: str, *, deleted: bool) -> Compiled:
        """The query, if Bulk takes it."""
        query = parse(text)
        for item in query.items:
            if isinstance(item, ast.Children):
                what = "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
                raise ApiError("FEATURENOTENABLED", what)
            if isinstance(item, ast.TypeOf):
                raise ApiError("FEATURENOTENABLED", "TypeOf expressions are not supported in Bulk Query")
        if query.offset is not None:
            raise ApiError("FEATURENOTENABLED", "Offset is not supported in Bulk Query")
        target = self._org.find(query.target.text)
        if target is not None and (target.name in self.refused or target.name.endswith(("ChangeEvent", "__b", "__x"))):
            raise ApiError("INVALIDENTITY", f"Entity '{target.name}' is not supported by the Bulk API.")
        compiled = compile_query(self._org, query, deleted=deleted)
        if compiled.aggregated:
            raise ApiError("FEATURENOTENABLED", "Aggregate Queries and GROUP BY are not supported in Bulk Query")
        for found in compiled.selected:
            if found is not None and found.compound:
                raise ApiError("FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query")
            if found is not None and found.type == "base64":
                raise ApiError("FEATURENOTENABLED", f"Binary fields not supported: {found.name}")
        return compiled

    def find(self, job_id: str) -> QueryJob:
        """The job of that id. Raises ApiError (404) when there is none, or none any more."""
        self._forget_old()
        found = self.jobs.get(full_id(job_id) or "")
        if found is None:
            raise not_found()
        return found

    def abort(self, job_id: str) -> QueryJob:
        """Stops a job that is not done."""
        job = self.find(job_id)
        with self._guard:
            if job.state in DONE:
                raise ApiError("INVALIDJOBSTATE", f"Aborting an already {job.state} Job not allowed")
            job.state = "Aborted"
        return job

    def delete(self, job_id: str) -> None:
        """Forgets a job that is done, with its results."""
        job = self.find(job_id)
        with self._guard:
            if job.state not in DONE:
                raise ApiError("INVALIDJOBSTATE", f"Can't delete a job that is {job.state}; abort it first")
            del self.jobs[job.id]
            self._drop_unused()

    def results(self, job_id: str, version: str, locator: str | None, most: int | None) -> Answer:
        """A page of a job's results."""
        _, result = self._finished(job_id, version)
        first = _offset(locator, result.rows)
        part, count = result.page(first, most or self.page)
        following = _locator(first + count) if first + count < result.rows else "null"
        headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(count)}
        return Answer(200, file=part, type="text/csv;charset=UTF-8", headers=headers)

    def result_pages(self, job_id: str, version: str, locator: str | None) -> dict[str, Any]:
        """Addresses of up to five pages that can be read at the same time."""
        job, result = self._finished(job_id, version)
        root = f"/services/data/v{version}/jobs/query/{job.id}"
        starts = list(range(_offset(locator, result.rows), max(result.rows, 1), self.page))
        pages = [{"resultUrl": f"{root}/results?locator={_locator(at)}&maxRecords={self.page}"} for at in starts[:5]]
        following = f"{root}/resultPages?locator={_locator(starts[5])}" if len(starts) > 5 else None
        return {"resultPages": pages, "nextRecordsUrl": following, "done": following is None}

    def _finished(self, job_id: str, version: str) -> tuple[QueryJob, Rendered]:
        job = self.find(job_id)
        if job.version != version:
            raise ApiError(
                "APIVERSIONMISMATCH",
                f"The job was created with API version {job.version}, its results must be read with the same version.",
                status=409,
            )
        if job.state != "JobComplete" or job.result is None:
            raise ApiError("INVALIDJOBSTATE", f"The job is in the state {job.state}; it has no results")
        return job, job.result

    # the work

    def _work(self, job: QueryJob) -> None:
        started = time.monotonic()
        self._closing.wait(self.delay)
        if not self._moved(job, "InProgress"):
            return
        self._closing.wait(self.delay)
        failure = self._faults.failed_job()
        if failure is None:
            try:
                self._render(job)
            except ApiError as error:
                failure = f"{error.code}: {error.message}"
            except Exception as error:  # noqa: BLE001 - the job must end; whoever ends the server is told
                self._failures.append(error)
                failure = "UNKNOWN_EXCEPTION: a fault of the simulated org"
        job.milliseconds = int((time.monotonic() - started) * 1000)
        if failure is not None:
            job.error = failure
            self._moved(job, "Failed")
        elif job.result is not None:
            self._moved(job, "JobComplete")

    def _moved(self, job: QueryJob, state: str) -> bool:
        with self._guard:
            if job.state in DONE or self._closing.is_set():
                return False
            job.state = state
            job.facts["systemModstamp"] = rest_moment(self._org.now())
            return True

    def _render(self, job: QueryJob) -> None:
        """Gives the job its result: that of an equal query if nothing has changed since."""
        delimiter, ending = job.facts["columnDelimiter"], job.facts["lineEnding"]
        store, day = self._org.store, self._org.at().date()
        same = (job.query, job.deleted, delimiter, ending)
        with self._guard:
            making = self._making.setdefault(same, threading.Lock())
        with making:
            key = (*same, store.version, day)
            with self._guard:
                job.result = self._made.get(key)
            if job.result is not None:
                return
            compiled = compile_query(self._org, parse(job.query), deleted=job.deleted)
            path = store.folder / f"{job.id}.csv"
            stopped = lambda: self._closing.is_set() or job.state == "Aborted"  # noqa: E731
            made = render(store, compiled, path, DELIMITERS[delimiter], LINE_ENDINGS[ending], stopped)
            if made is not None:
                with self._guard:
                    self._made = {old: kept for old, kept in self._made.items() if old[:4] != same}
                    self._made[key] = made
                    self._written.append(made)
                    job.result = made

    def _forget_old(self) -> None:
        """Jobs and their results are there for seven days."""
        now = self._org.at()
        with self._guard:
            old = [job.id for job in self.jobs.values() if now - job.made >= JOB_LIFE and job.state in DONE]
            for job_id in old:
                del self.jobs[job_id]
            if old:
                self._drop_unused()

    def _drop_unused(self) -> None:
        """Deletes results that neither a job nor an equal query could ask for."""
        used = {job.result.path for job in self.jobs.values() if job.result}
        self._made = {key: made for key, made in self._made.items() if made.path in used}
        for made in [made for made in self._written if made.path not in used]:
            self._written.remove(made)
            made.remove()


def _locator(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str | None, rows: int) -> int:
    if not locator:
        return 0
    try:
        found = int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except (ValueError, binascii.Error):
        found = -1
    if not 0 <= found <= rows:
        raise ApiError("INVALIDLOCATOR", f"The locator {locator[:40]} is not valid")
    return found
