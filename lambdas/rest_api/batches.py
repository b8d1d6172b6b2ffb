"""Many new records in one call: collections of 200 up to 2,000 records, above that a job of Bulk API 2.0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from common.api.problems import Problem, of_salesforce, record_error
from common.audit import Audit, Entry
from forceglue.errors import OutcomeUnknownError, SalesforceError
from forceglue.salesforce.client import Salesforce
from forceglue.salesforce.records import A_CALL, Outcome
from rest_api.asking import Asking
from rest_api.objects import KnownObject, Objects

if TYPE_CHECKING:
    from forceglue.salesforce.ingest import IngestJob

COLLECTIONS = 2_000
"""Records that are made while the caller waits."""
_AT_ONCE = 4
_TOLD = 10
Values = Mapping[str, Any]
Checked = Values | str
"""A record, or what is wrong with it."""


class BatchService:
    """Makes records."""

    def __init__(self, org: Callable[[], Salesforce], objects: Objects, audit: Audit) -> None:
        self._org, self._objects, self._audit = org, objects, audit

    def create(self, asking: Asking, name: str, records: Sequence[Checked]) -> list[Outcome | str]:
        """What became of each record, in their order: an outcome, or what was wrong before Salesforce was asked."""
        one = self._object(asking, name)
        found: list[Outcome | str] = [record if isinstance(record, str) else Outcome() for record in records]
        sound = [at for at, record in enumerate(records) if not isinstance(record, str)]
        parts = [sound[start : start + A_CALL] for start in range(0, len(sound), A_CALL)]
        given = [[values for at in part if isinstance(values := records[at], Mapping)] for part in parts]
        answers = self._answers(one, given)
        if answers and all(isinstance(answer, SalesforceError) for answer in answers) and len(sound) == len(records):
            raise of_salesforce(next(one for one in answers if isinstance(one, SalesforceError)), one.name)
        entries: list[Entry] = []
        for part, sent, answer in zip(parts, given, answers, strict=True):
            outcomes = [Outcome(error=answer)] * len(part) if isinstance(answer, SalesforceError) else answer
            for at, value, outcome in zip(part, sent, outcomes, strict=True):
                found[at] = outcome
                if outcome.id is not None:
                    entries.append(asking.entry("CREATE", one, outcome.id, after=value))
        self._audit.tell(entries)
        return found

    def submit(self, asking: Asking, name: str, records: Sequence[Checked]) -> IngestJob:
        """Hands records to Salesforce as one job. Raises `Problem` (400) with what is wrong with any of them."""
        one = self._object(asking, name)
        wrong = [f"{at}: {record}" for at, record in enumerate(records) if isinstance(record, str)]
        if wrong:
            more = f" (and {len(wrong) - _TOLD} more)" if len(wrong) > _TOLD else ""
            raise Problem(400, "VALIDATION_ERROR", "; ".join(wrong[:_TOLD]) + more)
        given = [record for record in records if isinstance(record, Mapping)]
        try:
            job = self._org().ingest.start(one.name, given)
        except SalesforceError as error:
            raise of_salesforce(error, one.name) from error
        fields = list(dict.fromkeys(name for record in given for name in record))
        after = {"records": len(given), "fields": ", ".join(fields)}
        self._audit.tell([asking.entry("BULK_CREATE", one, job.id, after=after)])
        return job

    def job(self, asking: Asking, job_id: str) -> tuple[IngestJob, list[Outcome | str]]:
        """How far a job is, and once it has ended what became of its records, those that failed first."""
        try:
            bulk = self._org().ingest
            job = bulk.job(job_id)
            self._object(asking, job.object)
            if job.busy:
                return job, []
            failed = [str(row.error) for row in bulk.rows(job_id, "failedResults")]
            return job, [*failed, *(Outcome(row.id) for row in bulk.rows(job_id, "successfulResults"))]
        except SalesforceError as error:
            raise of_salesforce(error, "Job") from error

    def _object(self, asking: Asking, name: str) -> KnownObject:
        one = self._objects.object(name)
        asking.caller.must("write", one.name)
        return one

    def _answers(self, one: KnownObject, parts: Sequence[Sequence[Values]]) -> list[list[Outcome] | SalesforceError]:
        """Of each call its outcomes, or why it has none; several calls run side by side."""
        if len(parts) <= 1:
            return [self._answer(one, part) for part in parts]
        self._org()  # the token and the version are asked for once
        with ThreadPoolExecutor(min(_AT_ONCE, len(parts))) as pool:
            return list(pool.map(lambda part: self._answer(one, part), parts))

    def _answer(self, one: KnownObject, part: Sequence[Values]) -> list[Outcome] | SalesforceError:
        try:
            return self._org().records.create_many(one.name, part)
        except SalesforceError as error:
            return error


def told(outcome: Outcome | str) -> dict[str, Any]:
    """One record's part of the answer."""
    if isinstance(outcome, str):
        return {"success": False, "record_id": None, "error": outcome}
    if isinstance(outcome.error, OutcomeUnknownError):
        said: str | None = "Salesforce's answer was lost: the record may have been made"
    else:
        said = None if outcome.error is None else record_error(outcome.error)
    return {"success": outcome.error is None, "record_id": outcome.id, "error": said}
