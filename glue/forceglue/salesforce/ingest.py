"""Bulk API 2.0 ingest: many records as one job, which Salesforce works off by itself."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from forceglue.salesforce.client import Salesforce

NOTHING = "#N/A"
"""How a cell says that a field is emptied; an empty cell says nothing."""
LARGEST = 100_000_000
"""Bytes of one upload: Salesforce takes 150 MB in base64."""


@dataclass(frozen=True)
class IngestJob:
    """A job.

    Attributes:
        state: Open, UploadComplete, InProgress, JobComplete, Failed or Aborted.
        processed, failed: rows so far.
        error: why the job as a whole failed.
    """

    id: str
    object: str
    state: str
    processed: int = 0
    failed: int = 0
    error: str = ""

    @property
    def busy(self) -> bool:
        return self.state in ("Open", "UploadComplete", "InProgress")


@dataclass(frozen=True)
class Row:
    """What became of one row: its id, or Salesforce's words why there is none."""

    id: str | None
    error: str | None
    values: dict[str, str]


class BulkIngest:
    """Ingest jobs of one org."""

    def __init__(self, org: Salesforce) -> None:
        self._org = org

    def start(
        self,
        name: str,
        records: Sequence[Mapping[str, Any]],
        operation: Literal["insert", "update", "upsert", "delete"] = "insert",
        key: str | None = None,
    ) -> IngestJob:
        """A job with these records, handed over whole; a job that could not be filled is aborted.

        Args:
            key: the external id field of an upsert.
        """
        said = {"object": name, "operation": operation, "contentType": "CSV", "lineEnding": "LF"}
        said |= {"externalIdFieldName": key} if key else {}
        transport = self._org.transport
        made = transport.call("POST", self._org.path("jobs/ingest"), json=said).json()
        path = self._path(str(made["id"]))
        state = "Aborted"
        try:
            transport.call(
                "PUT", f"{path}/batches", data=as_csv(records).encode(), headers={"Content-Type": "text/csv"}
            )
            state = "UploadComplete"
        finally:
            told = transport.call("PATCH", path, json={"state": state}).json()
        return _job(told)

    def job(self, job_id: str) -> IngestJob:
        """How far a job is."""
        return _job(self._org.json("GET", self._path(job_id)))

    def rows(self, job_id: str, which: Literal["successfulResults", "failedResults"]) -> Iterator[Row]:
        """The rows of a job that has ended, by what became of them."""
        answer = self._org.transport.call(
            "GET", f"{self._path(job_id)}/{which}", headers={"Accept": "text/csv"}
        ).content.decode("utf-8")
        for row in csv.DictReader(io.StringIO(answer, newline="")):
            record_id, error = row.pop("sf__Id", "") or None, row.pop("sf__Error", None)
            row.pop("sf__Created", None)
            yield Row(record_id, error, row)

    def _path(self, job_id: str) -> str:
        return self._org.path(f"jobs/ingest/{job_id}")


def as_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """Records as an upload: a column for each field that any of them names; null empties a field."""
    names = list(dict.fromkeys(name for one in records for name in one))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    # a row of one empty cell would be an empty line, which is no row
    quoted = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    quoted.writerows([_cell(one, name) for name in names] for one in records)
    return out.getvalue()


def _cell(record: Mapping[str, Any], name: str) -> str:
    if name not in record:
        return ""
    value = record[name]
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else json.dumps(value)


def _job(body: Mapping[str, Any]) -> IngestJob:
    return IngestJob(
        str(body["id"]),
        str(body["object"]),
        str(body["state"]),
        int(body.get("numberRecordsProcessed") or 0),
        int(body.get("numberRecordsFailed") or 0),
        str(body.get("errorMessage") or ""),
    )
