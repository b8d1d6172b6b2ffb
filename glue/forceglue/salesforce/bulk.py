"""Bulk API 2.0 queries: a job, its state, its result page by page as a stream."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from forceglue.errors import SalesforceBusyError, SalesforceError

if TYPE_CHECKING:
    import requests

    from forceglue.salesforce.client import Salesforce

FIRST_WAIT, GROWTH, LONGEST_WAIT = 0.2, 1.6, 20.0
_BUSY = ("UploadComplete", "InProgress")
# a job that cannot be gone on with: its result is kept for seven days, and read by the version that made it only
GONE = frozenset({"NOT_FOUND", "INVALID_ID_FIELD", "MALFORMED_ID", "INVALIDJOB", "404", "409", "INVALIDLOCATOR"})


@dataclass(frozen=True)
class BulkJob:
    """A query job.

    Attributes:
        state: UploadComplete, InProgress, JobComplete, Failed or Aborted.
        rows: `numberRecordsProcessed`; None where Salesforce does not say.
        error: why it failed.
        version: of the API; its result is read with the same.
    """

    id: str
    state: str
    version: str
    rows: int | None = None
    error: str = ""

    @property
    def busy(self) -> bool:
        return self.state in _BUSY

    @property
    def complete(self) -> bool:
        return self.state == "JobComplete"

    @property
    def timed_out(self) -> bool:
        return "QUERY_TIMEOUT" in self.error


@dataclass(frozen=True)
class ResultPage:
    """One page of a result, its body still to be read.

    Attributes:
        next: the locator of the next page; None at the end.
        rows: as the header says; None where it does not.
        body: CSV, decoded as it is read.
    """

    next: str | None
    rows: int | None
    body: Body


class Body:
    """The body of an answer as it comes; what cuts it is a `SalesforceBusyError`."""

    def __init__(self, response: requests.Response) -> None:
        self._raw = response.raw
        self._raw.decode_content = True

    def read(self, size: int) -> bytes:
        """The next bytes, decoded; `size` of them but at the end."""
        from urllib3.exceptions import HTTPError

        try:
            data: bytes = self._raw.read(size)
        except (HTTPError, OSError) as error:
            raise SalesforceBusyError(f"a result page was cut ({type(error).__name__}); run again.") from None
        return data


def waits() -> Iterator[float]:
    """Seconds between two looks at a job: growing, each with a little chance."""
    wait = FIRST_WAIT
    while True:
        yield wait * random.uniform(0.8, 1.2)
        wait = min(wait * GROWTH, LONGEST_WAIT)


class BulkQueries:
    """Query jobs of one org."""

    def __init__(self, org: Salesforce) -> None:
        self._org = org

    def create(self, soql: str, *, operation: Literal["query", "queryAll"] = "queryAll") -> BulkJob:
        """Starts a job. A refusal (an object or field that Bulk does not query) is a `SalesforceError`."""
        body = {"operation": operation, "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA",
                "lineEnding": "LF"}  # fmt: skip
        return _job(self._org.json("POST", self._org.path("jobs/query"), json=body), self._org.version)

    def state(self, job_id: str, version: str) -> BulkJob:
        return _job(self._org.json("GET", _path(version, job_id)), version)

    def delete(self, job_id: str, version: str) -> None:
        """Removes a job and its result; one that is gone is no error."""
        try:
            self._org.transport.call("DELETE", _path(version, job_id))
        except SalesforceError as error:
            if not gone(error):
                raise

    @contextmanager
    def page(self, job_id: str, version: str, locator: str | None, size: int) -> Iterator[ResultPage]:
        """A page of a complete job's result; leaving the block before its end drops the connection.

        Args:
            locator: None for the first page.
            size: rows at most.
        """
        asked: dict[str, Any] = {"maxRecords": size} | ({"locator": locator} if locator else {})
        path = f"{_path(version, job_id)}/results"
        response = self._org.transport.call("GET", path, params=asked, headers={"Accept": "text/csv"}, stream=True)
        try:
            yield _page(response)
        finally:
            response.close()


def _job(body: dict[str, Any], version: str) -> BulkJob:
    rows = body.get("numberRecordsProcessed")
    return BulkJob(
        str(body["id"]),
        str(body["state"]),
        version,
        None if rows is None else int(rows),
        str(body.get("errorMessage") or ""),
    )


def gone(error: SalesforceError) -> bool:
    """Whether the job (or its result) is no longer there to be read."""
    return error.status in (404, 409, 410) or error.code.upper() in GONE


def _path(version: str, job_id: str) -> str:
    return f"/services/data/v{version}/jobs/query/{job_id}"


def _page(response: requests.Response) -> ResultPage:
    # The end is the text "null"; where a proxy takes the header away the page is taken for the last one, and the sum
    # of the rows tells whether it was.
    locator = response.headers.get("Sforce-Locator", "").strip()
    rows = response.headers.get("Sforce-NumberOfRecords", "").strip()
    return ResultPage(
        None if locator in ("", "null") else locator, int(rows) if rows.isdigit() else None, Body(response)
    )
