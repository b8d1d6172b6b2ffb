"""Records of an org one by one, and up to 200 of them in one call: read, create, change, remove."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from forceglue.errors import SalesforceBusyError, SalesforceError
from forceglue.salesforce.transport import Refusal, refusal_in

if TYPE_CHECKING:
    from forceglue.salesforce.client import Salesforce

A_CALL = 200
"""Records of one collection call."""
_HALTED = "PROCESSING_HALTED"
_LOCKED = "UNABLE_TO_LOCK_ROW"

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Changed:
    """A change that was made.

    Attributes:
        before, after: the fields of the call as they were and are; after a removal there are none.
    """

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Upserted:
    """The record that an upsert met, or made.

    Attributes:
        before, after: the fields of the call as they were, where there was a record, and are.
    """

    id: str
    created: bool
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of one record of a collection: its id, or why there is none."""

    id: str | None = None
    error: SalesforceError | None = None


class Records:
    """Changes of one org. Each is one API call."""

    def __init__(self, org: Salesforce) -> None:
        self._org = org

    def read(self, name: str, record_id: str, fields: Sequence[str]) -> dict[str, Any]:
        """The fields of a record.

        Raises:
            SalesforceError: with the status 404 where there is no such record.
        """
        path = self._org.path(_record(name, record_id))
        found: dict[str, Any] = bare(self._org.json("GET", path, params={"fields": ",".join(fields)}))
        return found

    def create(self, name: str, values: Values) -> str:
        """A new record; its id.

        Raises:
            OutcomeUnknownError: the answer was lost; the record may be there.
        """
        path = self._org.path(f"sobjects/{quote(name, safe='')}")
        answer = self._org.transport.call("POST", path, repeats=False, json=dict(values))
        return str(answer.json()["id"])

    def change(self, name: str, record_id: str, values: Values) -> Changed:
        """Changes fields, and says what they were and are: read, changed and read again in one call."""
        read = {"method": "GET", "url": self._url(f"{_record(name, record_id)}?fields={_listed(values)}")}
        change = {"method": "PATCH", "url": self._url(_record(name, record_id)), "body": dict(values)}
        before, _, after = self._together([read, change, read])
        return Changed(before, after)

    def change_unmodified(self, name: str, record_id: str, values: Values, since: datetime) -> None:
        """Changes fields of a record that nobody has changed after `since`, a whole second.

        Raises:
            SalesforceError: with the status 412 where somebody has.
        """
        self._org.transport.call(
            "PATCH",
            self._org.path(_record(name, record_id)),
            json=dict(values),
            headers={"If-Unmodified-Since": format_datetime(since, usegmt=True)},
            # a second try would meet its own change
            repeats=False,
        )

    def remove(self, name: str, record_id: str, fields: Sequence[str]) -> Changed:
        """Puts a record into the recycle bin, and says what it held, in one call."""
        read = {"method": "GET", "url": self._url(f"{_record(name, record_id)}?fields={_listed(fields)}")}
        before, _ = self._together([read, {"method": "DELETE", "url": self._url(_record(name, record_id))}], once=True)
        return Changed(before)

    def upsert(self, name: str, key: str, value: str, values: Values) -> Upserted:
        """Changes the record whose external id is `value`, or creates it; in one call, as `change`.

        Raises:
            SalesforceError: with the status 300 where several records have it.
        """
        url = self._org.path(f"sobjects/{quote(name, safe='')}/{quote(key, safe='')}/{quote(value, safe='')}")
        read = {"method": "GET", "url": f"{url}?fields={_listed(dict.fromkeys([key, *values]))}"}
        parts: list[Mapping[str, Any]] = [read, {"method": "PATCH", "url": url, "body": dict(values)}, read]
        before, answer, after = self._together(parts, needs=1)
        return Upserted(str(answer["id"]), bool(answer.get("created")), before or {}, after or {})

    def create_many(self, name: str, records: Sequence[Values]) -> list[Outcome]:
        """Up to 200 new records in one call; what is wrong with one stops no other.

        Records that met a locked row are sent again, they alone.
        """
        found = self._created(name, records)
        attempts = self._org.transport.pace.start()
        while locked := [at for at, one in enumerate(found) if isinstance(one.error, SalesforceBusyError)]:
            if not attempts.again():
                break
            for at, one in zip(locked, self._created(name, [records[at] for at in locked]), strict=True):
                found[at] = one
        return found

    def _created(self, name: str, records: Sequence[Values]) -> list[Outcome]:
        body = {"allOrNone": False, "records": [{"attributes": {"type": name}, **one} for one in records]}
        path = self._org.path("composite/sobjects")
        answer = self._org.transport.call("POST", path, repeats=False, json=body).json()
        return [self._outcome(path, one) for one in answer]

    def _outcome(self, path: str, one: Mapping[str, Any]) -> Outcome:
        if one["success"]:
            return Outcome(str(one["id"]))
        errors = one.get("errors") or [{}]
        told = [
            {"errorCode": e.get("statusCode"), "message": e.get("message"), "fields": e.get("fields")} for e in errors
        ]
        return Outcome(error=self._org.transport.problem("POST", path, refusal_in(400, told)))

    def _url(self, rest: str) -> str:
        return self._org.path(rest)

    def _together(
        self, parts: Sequence[Mapping[str, Any]], *, once: bool = False, needs: int | None = None
    ) -> list[Any]:
        """The bodies of calls that are made one after the other; a row that is locked is waited for.

        Args:
            once: they do not repeat.
            needs: the one that must succeed, the others may fail and give None; else they succeed or fail as one.
        """
        named = [{**part, "referenceId": f"part{number}"} for number, part in enumerate(parts)]
        body = {"allOrNone": needs is None, "compositeRequest": named}
        attempts = self._org.transport.pace.start()
        while True:
            response = self._org.transport.call("POST", self._org.path("composite"), repeats=not once, json=body)
            answers = {one["referenceId"]: one for one in response.json()["compositeResponse"]}
            told = [answers[part["referenceId"]] for part in named]
            failed = [one["httpStatusCode"] >= 300 for one in told]
            if not any(failed) or (needs is not None and not failed[needs]):
                return [None if bad else bare(one["body"]) for one, bad in zip(told, failed, strict=True)]
            counts = range(len(told)) if needs is None else [needs]
            refused = [(named[at], told[at]) for at in counts if failed[at]]
            error = self._first(refused)
            if not isinstance(error, SalesforceBusyError) or not attempts.again():
                raise error

    def _first(self, refused: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> SalesforceError:
        """Why the parts failed: the one that did, not those that were halted because of it."""
        found = [(part, refusal_in(int(one["httpStatusCode"]), one["body"])) for part, one in refused]
        part, why = next(((part, why) for part, why in found if why.code != _HALTED), found[0])
        if why.code == _LOCKED:
            why = Refusal(503, why.code, why.message, why.fields)
        return self._org.transport.problem(str(part["method"]), str(part["url"]), why)


def bare(record: Any) -> Any:
    """A record, and those inside it, without `attributes`."""
    if isinstance(record, dict):
        return {key: bare(value) for key, value in record.items() if key != "attributes"}
    return [bare(one) for one in record] if isinstance(record, list) else record


def _record(name: str, record_id: str) -> str:
    return f"sobjects/{quote(name, safe='')}/{quote(record_id, safe='')}"


def _listed(names: Iterable[str]) -> str:
    return quote(",".join(names), safe=",")
