"""Bulk API 2.0 ingest jobs: data in, worked off in the background, and what became of each row."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from forceglue.simulated.salesforce.bulk_csv import DELIMITERS, LINE_ENDINGS
from forceglue.simulated.salesforce.checks import checked_id
from forceglue.simulated.salesforce.errors import ApiError, not_found
from forceglue.simulated.salesforce.ids import full_id, new_id
from forceglue.simulated.salesforce.records import Done
from forceglue.simulated.salesforce.schema import ObjectSchema
from forceglue.simulated.salesforce.wire import rest_moment

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.org import Org

_OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
_ENDED = ("JobComplete", "Failed", "Aborted")
_CHUNK = 200
_LARGEST = 150_000_000
_NOTHING = "#N/A"


@dataclass
class IngestJob:
    """One job and its rows."""

    id: str
    schema: ObjectSchema = field(repr=False)
    facts: dict[str, Any]
    user_id: str
    state: str = "Open"
    data: bytes | None = field(default=None, repr=False)
    error: str | None = None
    header: list[str] = field(default_factory=list)
    good: list[list[str]] = field(default_factory=list, repr=False)
    bad: list[list[str]] = field(default_factory=list, repr=False)
    left: list[list[str]] = field(default_factory=list, repr=False)

    def shown(self) -> dict[str, Any]:
        """The job as `GET` tells of it."""
        told = self.facts | {
            "state": self.state,
            "jobType": "V2Ingest",
            "numberRecordsProcessed": len(self.good) + len(self.bad),
            "numberRecordsFailed": len(self.bad),
            "retries": 0,
            "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        }
        return told | {"errorMessage": self.error} if self.error else told


class BulkIngest:
    """All ingest jobs of an org.

    Attributes:
        delay: seconds that a job waits before its rows are worked off.
    """

    def __init__(self, org: Org, failures: list[BaseException]) -> None:
        self._org, self._failures, self.delay = org, failures, 0.0
        self.jobs: dict[str, IngestJob] = {}
        self._serial = 0
        self._guard = threading.Lock()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="bulk-ingest")
        self._closing = threading.Event()

    def close(self) -> None:
        """Stops what runs."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def create(self, said: Mapping[str, Any], version: str, user_id: str) -> IngestJob:
        """A new job, open for its data."""
        operation, schema = said.get("operation"), self._org.find(str(said.get("object")))
        delimiter, ending = said.get("columnDelimiter", "COMMA"), said.get("lineEnding", "LF")
        if operation not in _OPERATIONS:
            raise ApiError("INVALIDJOB", f"Unsupported operation: {operation}")
        if schema is None:
            raise ApiError("INVALIDJOB", f"InvalidJob : Unable to find object: {said.get('object')}")
        if delimiter not in DELIMITERS or ending not in LINE_ENDINGS or said.get("contentType", "CSV") != "CSV":
            raise ApiError("INVALIDJOB", "Unsupported contentType, columnDelimiter or lineEnding")
        outer = said.get("externalIdFieldName")
        if operation == "upsert":
            if not outer:
                raise ApiError("INVALIDJOB", "InvalidJob : External ID was blank for upsert")
            self._org.records.lookup_field(schema, str(outer))
        with self._guard:
            self._serial += 1
            job_id, now = new_id("750", 500_000_000 + self._serial), rest_moment(self._org.now())
            facts: dict[str, Any] = {
                "id": job_id,
                "operation": operation,
                "object": schema.name,
                "createdById": user_id,
                "createdDate": now,
                "systemModstamp": now,
                "state": "Open",
                "concurrencyMode": "Parallel",
                "contentType": "CSV",
                "apiVersion": float(version),
                "contentUrl": f"services/data/v{version}/jobs/ingest/{job_id}/batches",
                "lineEnding": ending,
                "columnDelimiter": delimiter,
            }
            if outer:
                facts["externalIdFieldName"] = outer
            self.jobs[job_id] = IngestJob(job_id, schema, facts, user_id)
        return self.jobs[job_id]

    def find(self, job_id: str) -> IngestJob:
        """The job of that id. Raises ApiError (404) when there is none."""
        found = self.jobs.get(full_id(job_id) or "")
        if found is None:
            raise not_found()
        return found

    def upload(self, job_id: str, data: bytes) -> None:
        """A job's data, which come once."""
        job = self.find(job_id)
        with self._guard:
            if job.state != "Open":
                raise ApiError("INVALIDJOBSTATE", f"The job is in the state {job.state}; it takes no data any more")
            if job.data is not None:
                raise ApiError("INVALIDBATCH", "The job has its data already; there is one upload a job")
            if len(data) > _LARGEST:
                raise ApiError("INVALIDBATCH", f"The data have {len(data)} bytes; at most {_LARGEST}")
            job.data = data

    def set_state(self, job_id: str, state: Any) -> dict[str, Any]:
        """Closes a job, which starts it, or stops it; what is then told of it."""
        job = self.find(job_id)
        with self._guard:
            if state not in ("UploadComplete", "Aborted"):
                raise ApiError("INVALIDJOBSTATE", f"The state of a job cannot be set to {state}")
            if job.state in _ENDED or (state == "UploadComplete" and job.state != "Open"):
                raise ApiError("INVALIDJOBSTATE", f"The job is in the state {job.state}; it cannot become {state}")
            job.state = state
            told = job.shown()
        if state == "UploadComplete":
            self._pool.submit(self._work, job)
        return told

    def delete(self, job_id: str) -> None:
        """Forgets a job that is not under way."""
        job = self.find(job_id)
        if job.state not in (*_ENDED, "UploadComplete"):
            raise ApiError("INVALIDJOBSTATE", f"Can't delete a job that is {job.state}; abort it first")
        del self.jobs[job.id]

    def results(self, job_id: str, which: str) -> bytes:
        """`successfulResults`, `failedResults` or `unprocessedrecords` as CSV."""
        job = self.find(job_id)
        extra, rows = {
            "successfulResults": (["sf__Id", "sf__Created"], job.good),
            "failedResults": (["sf__Id", "sf__Error"], job.bad),
            "unprocessedrecords": ([], job.left),
        }[which]
        out = io.StringIO()
        signs = {key: job.facts[key] for key in ("columnDelimiter", "lineEnding")}
        writer = csv.writer(
            out,
            delimiter=DELIMITERS[signs["columnDelimiter"]],
            lineterminator=LINE_ENDINGS[signs["lineEnding"]],
            quoting=csv.QUOTE_ALL,
        )
        writer.writerow([*extra, *job.header])
        writer.writerows(rows)
        return out.getvalue().encode()

    # the work

    def _work(self, job: IngestJob) -> None:
        self._closing.wait(self.delay)
        with self._guard:
            if job.state != "UploadComplete":
                return
            job.state = "InProgress"
        try:
            self._work_off(job)
        except Exception as error:  # noqa: BLE001 - the job must end; whoever ends the server is told
            self._failures.append(error)
            job.error = "UNKNOWN_EXCEPTION : a fault of the simulated org"
            self._end(job, "Failed")

    def _work_off(self, job: IngestJob) -> None:
        try:
            job.header, rows = self._read(job)
            self._check_header(job)
        except ApiError as error:
            job.error = f"{error.code} : {error.message}"
            self._end(job, "Failed")
            return
        rows = iter(rows)
        while chunk := list(islice(rows, _CHUNK)):
            if job.state == "Aborted" or self._closing.is_set():
                job.left += [*chunk, *rows]
                return
            self._do(job, chunk)
        self._end(job, "JobComplete")

    def _end(self, job: IngestJob, state: str) -> None:
        with self._guard:
            if job.state not in _ENDED:
                job.state = state
                job.facts["systemModstamp"] = rest_moment(self._org.now())
                job.data = None

    def _read(self, job: IngestJob) -> tuple[list[str], Iterator[list[str]]]:
        try:
            text = (job.data or b"").decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ApiError("ClientInputError", "The data are not UTF-8") from None
        ending = LINE_ENDINGS[job.facts["lineEnding"]]
        first = text.partition("\n")[0]
        if text.count("\n") and first.endswith("\r") != (ending == "\r\n"):
            raise ApiError(
                "ClientInputError",
                f"LineEnding is invalid on user data. Current LineEnding setting is {job.facts['lineEnding']}",
            )
        csv.field_size_limit(_LARGEST)
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[job.facts["columnDelimiter"]])
        return next(rows, []), (row for row in rows if row)

    def _check_header(self, job: IngestJob) -> None:
        if not job.header:
            raise ApiError("InvalidBatch", "The data have no header")
        for name in job.header:
            step, dot, _ = name.partition(".")
            known = job.schema.relationship(step) if dot else job.schema.field(name)
            if known is None:
                raise ApiError("InvalidBatch", f"Field name not found : {name}")
        needs = {"update": "Id", "delete": "Id", "hardDelete": "Id"}.get(job.facts["operation"])
        needs = needs or job.facts.get("externalIdFieldName")
        if needs and needs.lower() not in (name.lower() for name in job.header):
            raise ApiError("InvalidBatch", f"The 'delete', 'update' or 'upsert' batch must contain the field {needs}")

    def _do(self, job: IngestJob, chunk: Sequence[list[str]]) -> None:
        results = self._org.records.several(self._works(job, chunk), all_or_none=False)
        for row, result in zip(chunk, results, strict=True):
            if isinstance(result, Done):
                job.good.append([result.id, "true" if result.created else "false", *row])
            else:
                own = next((c for n, c in zip(job.header, row, strict=False) if n.lower() == "id"), "")
                job.bad.append([own, result.of_row(), *row])

    def _works(self, job: IngestJob, chunk: Iterable[list[str]]) -> Iterator[Callable[[], Done]]:
        for row in chunk:
            yield lambda row=row: self._one(job, row)  # type: ignore[misc]

    def _one(self, job: IngestJob, row: list[str]) -> Done:
        if len(row) != len(job.header):
            raise ApiError("INVALID_CSV", f"The row has {len(row)} columns, the header {len(job.header)}")
        operation, records = job.facts["operation"], self._org.records
        cells = dict(zip(job.header, row, strict=True))
        record_id = next((text for name, text in cells.items() if name.lower() == "id"), "")
        if operation in ("delete", "hardDelete"):
            records.remove(job.schema, record_id, job.user_id, hard=operation == "hardDelete")
            return Done(checked_id(job.schema, record_id), created=False)
        values = _values(cells, skip_id=operation != "insert" or not record_id)
        if operation == "insert":
            return Done(records.create(job.schema, values, job.user_id), created=True)
        if operation == "update":
            records.change(job.schema, record_id, values, job.user_id)
            return Done(checked_id(job.schema, record_id), created=False)
        outer = job.facts["externalIdFieldName"]
        if outer.lower() == "id":
            if record_id:
                records.change(job.schema, record_id, values, job.user_id)
                return Done(checked_id(job.schema, record_id), created=False)
            return Done(records.create(job.schema, values, job.user_id), created=True)
        key = next(name for name in cells if name.lower() == outer.lower())
        if not cells[key]:
            raise ApiError("MISSING_ARGUMENT", f"{outer} not specified", (outer,))
        values.pop(key, None)
        return records.upsert(job.schema, outer, cells[key], values, job.user_id)


def _values(cells: Mapping[str, str], *, skip_id: bool) -> dict[str, Any]:
    """What a row says: an empty cell says nothing, `#N/A` empties the field."""
    found: dict[str, Any] = {}
    for name, text in cells.items():
        if text == "" or (skip_id and name.lower() == "id"):
            continue
        value = None if text == _NOTHING else text
        step, dot, inner = name.partition(".")
        found[step if dot else name] = {inner: value} if dot else value
    return found
