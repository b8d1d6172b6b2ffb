"""The REST side of an org: versions, describe, queries in pages, deleted and updated, limits, counts."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, quote_plus

import requests

from forceglue.errors import SalesforceBusyError, SalesforceError, UsageError
from forceglue.salesforce.budget import Budget
from forceglue.salesforce.retry import NETWORK, Pace
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import SignIn, sign_in
from forceglue.salesforce.transport import Transport

if TYPE_CHECKING:
    from forceglue.salesforce.bulk import BulkQueries
    from forceglue.salesforce.ingest import BulkIngest
    from forceglue.salesforce.records import Records

OLDEST, NEWEST = 58, 67
"""API versions that this client is written for."""
BATCH = 25
MAX_URL = 16_000
"""Salesforce refuses a longer URL (16,384 bytes, the host among them)."""
COUNTS_A_CALL = 200


@dataclass(frozen=True)
class RestPage:
    """One page of a REST query.

    Attributes:
        records: with every number as the text that came, so that no digit is lost.
        next: where the next page is; None at the end.
        total: rows of the whole query, as Salesforce counted them at its start.
    """

    records: list[dict[str, Any]]
    next: str | None
    total: int


@dataclass(frozen=True)
class Changed:
    """What `getDeleted` or `getUpdated` says.

    Attributes:
        ids: Id → when (deleted), or Ids without a time (updated).
        covered_to: start the next call here.
        earliest: before it Salesforce knows no deletes; None for updates.
    """

    ids: dict[str, datetime | None]
    covered_to: datetime
    earliest: datetime | None = None


class Salesforce:
    """An org. Made once, used by many threads.

    Args:
        connection: where it is and how to sign in.
        budget: the day's calls; default: up to 80 % of them.
        pace: how often what passes is tried again.
        connections: HTTP connections that are kept.
        web: connections of the caller's own, with other time limits.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        budget: Budget | None = None,
        pace: Pace | None = None,
        connections: int = 16,
        sign_in_by: SignIn | None = None,
        web: Web | None = None,
    ) -> None:
        pace = pace or Pace()
        self.budget = budget or Budget()
        self._web = web or Web(connections)
        self.transport = Transport(self._web, sign_in_by or sign_in(connection, self._web, pace), self.budget, pace)
        self._asked_version = connection.api_version
        self._version: str | None = None

    def close(self) -> None:
        self._web.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def instance_url(self) -> str:
        return self.transport.sign_in.token().instance_url

    @property
    def bulk(self) -> BulkQueries:
        """Bulk API 2.0 queries."""
        from forceglue.salesforce.bulk import BulkQueries

        return BulkQueries(self)

    @property
    def records(self) -> Records:
        """Records one by one and in collections: read, create, change, remove."""
        from forceglue.salesforce.records import Records

        return Records(self)

    @property
    def ingest(self) -> BulkIngest:
        """Bulk API 2.0 ingest."""
        from forceglue.salesforce.ingest import BulkIngest

        return BulkIngest(self)

    @property
    def version(self) -> str:
        """`66.0`: the one that was asked for, else the highest that the org and this client know.

        Raises:
            UsageError: the org does not have the one that was asked for.
        """
        if self._version is None:
            offered = {str(entry.get("version")) for entry in self.json("GET", "/services/data/")}
            self._version = _chosen(self._asked_version, offered)
        return self._version

    def path(self, rest: str) -> str:
        """`/services/data/v66.0/<rest>`."""
        return f"/services/data/v{self.version}/{rest}"

    def now(self) -> datetime:
        """Salesforce's own clock (UTC, whole seconds); this machine's where no answer says it."""
        said = self.transport.call("GET", "/services/data/").headers.get("Date")
        return parsedate_to_datetime(said).astimezone(UTC) if said else datetime.now(UTC).replace(microsecond=0)

    def objects(self) -> list[dict[str, Any]]:
        """Describe global: one entry an object."""
        found: list[dict[str, Any]] = self.json("GET", self.path("sobjects"))["sobjects"]
        return found

    def describe(self, name: str) -> dict[str, Any]:
        """Describe of one object, as the user of the connection sees it."""
        found: dict[str, Any] = self.json("GET", self.path(f"sobjects/{quote(name, safe='')}/describe"))
        return found

    def describe_many(self, names: Sequence[str]) -> dict[str, dict[str, Any] | SalesforceError]:
        """Describe of many objects, 25 a call; for an object that cannot be described, the error."""
        if len(names) == 1:
            try:
                return {names[0]: self.describe(names[0])}
            except SalesforceBusyError:
                raise
            except SalesforceError as error:
                return {names[0]: error}
        found: dict[str, dict[str, Any] | SalesforceError] = {}
        for at in range(0, len(names), BATCH):
            found |= self._describe_batch(names[at : at + BATCH])
        return found

    def _describe_batch(self, names: Sequence[str]) -> dict[str, dict[str, Any] | SalesforceError]:
        urls = [f"v{self.version}/sobjects/{quote(name, safe='')}/describe" for name in names]
        body = {"haltOnError": False, "batchRequests": [{"method": "GET", "url": url} for url in urls]}
        results = self.json("POST", self.path("composite/batch"), json=body)["results"]
        found: dict[str, dict[str, Any] | SalesforceError] = {}
        for name, answer in zip(names, results, strict=True):
            status, result = int(answer["statusCode"]), answer["result"]
            if status < 300 and isinstance(result, dict):
                found[name] = result
            elif status >= 500 or status == 429:
                found[name] = self.describe(name)  # by itself, where it is tried again
            else:
                first = result[0] if isinstance(result, list) and result else {}
                code, said = str(first.get("errorCode", status)), str(first.get("message", ""))
                found[name] = SalesforceError(f"describe {name}: {code}: {said}", code=code, status=status, reason=said)
        return found

    def query(self, soql: str, *, deleted: bool = False) -> Iterator[RestPage]:
        """The pages of a query; with `deleted` deleted records too (`queryAll`)."""
        page = self.query_page(soql=soql, deleted=deleted)
        yield page
        while page.next:
            page = self.query_page(at=page.next)
            yield page

    def query_path(self, soql: str, *, deleted: bool = False) -> str:
        """What `query_page` asks for: path and query of the URL."""
        return self.path(f"{'queryAll' if deleted else 'query'}?q={quote_plus(soql, safe=',')}")

    def query_page(
        self, *, soql: str = "", at: str | None = None, deleted: bool = False, exact: bool = True
    ) -> RestPage:
        """The first page of `soql`, or the page at the address that another one gave as its next.

        Args:
            exact: numbers are text, with all their digits.

        Raises:
            UsageError: the query makes a URL that Salesforce does not take.
        """
        if at is None:
            at = self.query_path(soql, deleted=deleted)
            if len(at) > MAX_URL:
                raise UsageError(
                    f"the query makes a URL of {len(at):,} characters, and Salesforce takes {MAX_URL:,}: "
                    "let the mapping name the fields it needs."
                )
        body = self.json("GET", at, exact=exact)
        return RestPage(body["records"], None if body["done"] else body["nextRecordsUrl"], int(body["totalSize"]))

    def deleted(self, name: str, start: datetime, end: datetime) -> Changed:
        """`getDeleted`: Ids deleted in the window, 15 days back at most."""
        body = self._changes(name, "deleted", start, end)
        ids: dict[str, datetime | None] = {r["id"]: _moment(r["deletedDate"]) for r in body["deletedRecords"]}
        return Changed(ids, _moment(body["latestDateCovered"]), _moment(body["earliestDateAvailable"]))

    def updated(self, name: str, start: datetime, end: datetime) -> Changed:
        """`getUpdated`: Ids created or changed in the window, 30 days back at most."""
        body = self._changes(name, "updated", start, end)
        return Changed(dict.fromkeys(body["ids"]), _moment(body["latestDateCovered"]))

    def _changes(self, name: str, kind: str, start: datetime, end: datetime) -> dict[str, Any]:
        window = {"start": _plain(start), "end": _plain(end)}
        found: dict[str, Any] = self.json("GET", self.path(f"sobjects/{quote(name, safe='')}/{kind}/"), params=window)
        return found

    def limits(self) -> dict[str, Any]:
        """`/limits`: allowance → `{"Max", "Remaining"}`."""
        found: dict[str, Any] = self.json("GET", self.path("limits"))
        return found

    def record_counts(self, names: Sequence[str]) -> dict[str, int]:
        """About how many records each object has; one that Salesforce does not count is not among them."""
        found: dict[str, int] = {}
        for at in range(0, len(names), COUNTS_A_CALL):
            asked = ",".join(names[at : at + COUNTS_A_CALL])
            body = self.json("GET", self.path("limits/recordCount"), params={"sObjects": asked})
            found |= {str(entry["name"]): int(entry["count"]) for entry in body.get("sObjects", ())}
        return found

    def json(self, method: str, path: str, *, exact: bool = False, **more: Any) -> Any:
        """The answer's JSON; with `exact` numbers are text. An answer that is cut or no JSON is asked for again."""
        attempts = self.transport.pace.start()
        while True:
            try:
                text = self.transport.call(method, path, **more).content
                return json_text.loads(text, parse_float=str, parse_int=str) if exact else json_text.loads(text)
            except (*NETWORK, requests.exceptions.ContentDecodingError, ValueError) as error:
                if isinstance(error, UsageError) or not attempts.again():
                    raise SalesforceBusyError(
                        f"{method} {path.partition('?')[0]}: the answer was cut or is no JSON, at each try; run again."
                    ) from None


def _chosen(asked: str | None, offered: Iterable[str]) -> str:
    numbers = sorted({int(version.partition(".")[0]) for version in offered if version.partition(".")[0].isdigit()})
    if asked is not None:
        if int(asked.partition(".")[0]) not in numbers:
            newest = f"{numbers[-1]}.0" if numbers else "none"
            raise UsageError(f"SF_API_VERSION is {asked}, and the org's newest is {newest}: take one that it has.")
        return asked
    both = [number for number in numbers if OLDEST <= number <= NEWEST]
    if not both:
        told = ", ".join(f"{n}.0" for n in numbers) or "none"
        raise UsageError(
            f"the org offers the API versions {told}, and forceglue knows {OLDEST}.0 to {NEWEST}.0: "
            "set SF_API_VERSION to try another."
        )
    return f"{both[-1]}.0"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _plain(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
