"""Salesforce's side: aggregate queries, in spans of days that its limits allow.

An aggregate query gives 2,000 rows at most and has no further page; one that takes too long is refused. Both are met by
asking for fewer days. Days are UTC's, as in every date function of SOQL without `convertTimezone`. `queryAll` is asked,
since an extract reads it: it has archived activities, which a plain query leaves out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from forceglue.errors import ReconcileError, SalesforceError
from forceglue.extract.reading import TIMEOUT, refuses
from forceglue.extract.window import literal
from forceglue.reconcile.measures import DAY, DELETED, ID, Measures
from forceglue.reconcile.sides import NOTHING, Amounts, Side, Version, short_id
from forceglue.reconcile.table_side import moment
from forceglue.salesforce.client import Salesforce

GROUPS = 2_000
"""Rows that an aggregate query gives at most."""
FIELDS = 40
"""Sums of one query: with many more Salesforce finds it too complicated."""
IDS = 400
"""Ids of one query: more make a URL that Salesforce does not take."""
TOO_MUCH = frozenset({TIMEOUT, "EXCEEDED_ID_LIMIT", "OPERATION_TOO_LARGE"})
"""What it says to a query that fewer days may pass."""
EARLIEST = date(1970, 1, 1)
"""The first day that is asked where finding it takes Salesforce too long: records may be older than Salesforce, since
whoever brought them in could say when they were created."""
_ONE = timedelta(days=1)


@dataclass(frozen=True)
class OrgAmounts:
    """What Salesforce says.

    Attributes:
        by_day: False where Salesforce groups or adds up less than was asked: all days are one line then.
        sums: False where it only counts.
        deleted: records in the recycle bin; None where that was not asked.
    """

    side: Side
    by_day: bool
    sums: bool = True
    deleted: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class OrgSide:
    """One object of an org."""

    org: Salesforce
    measures: Measures

    def amounts(self, since: date | None = None) -> OrgAmounts:
        """The amounts of each day, from `since` on; of the whole object where days cannot be told apart.

        Raises:
            ReconcileError: Salesforce does not even count the records.
            SalesforceError: a call is refused for another reason; `LimitReachedError`: the day's calls.
        """
        if self.measures.day is None:
            return self._whole(())
        try:
            first, last, deleted = self._extent()
            first = max(first, since) if since else first
            side: dict[date | None, Amounts] = {}
            for start, end in _spans(first, last):
                side |= self._days(start, end)
        except SalesforceError as error:
            if not refuses(error):
                raise
            return self._whole((f"not by day: {error.code}: {error.reason}",))
        return OrgAmounts(side, by_day=True, deleted=deleted)

    def versions(self, cursor: str, since: datetime, most: int) -> dict[str, Version] | None:
        """What has changed since then, deleted records too; None where it is more than `most` records."""
        m, found = self.measures, dict[str, Version]()
        fields = dict.fromkeys([ID, *([DELETED] if m.deleted else []), *([DAY] if m.day else []), cursor])
        fields |= dict.fromkeys(one.field for one in m.sums)
        text = f"SELECT {', '.join(fields)} FROM {m.object} WHERE {cursor} >= {literal(since)}"  # noqa: S608
        for page in self.org.query(text, deleted=True):
            if page.total > most:
                return None
            for record in page.records:
                version = self._version(record, cursor)
                found[version.key] = version
        return found

    def there(self, keys: Collection[str]) -> set[str]:
        """Which of these records, by their short Ids, the org has, be it in its recycle bin."""
        every, found = sorted(keys), set[str]()
        for at in range(0, len(every), IDS):
            wanted = ", ".join(f"'{key}'" for key in every[at : at + IDS])
            text = f"SELECT {ID} FROM {self.measures.object} WHERE {ID} IN ({wanted})"  # noqa: S608  # Ids of Salesforce
            for page in self.org.query(text, deleted=True):
                found |= {short_id(record[ID]) for record in page.records}
        return found

    def _version(self, record: dict[str, Any], cursor: str) -> Version:
        m = self.measures
        values = tuple(None if (v := record.get(one.field)) is None else Decimal(v) for one in m.sums)
        day = date.fromisoformat(record[DAY][:10]) if m.day and record.get(DAY) else None
        counts = m.keeps or not record.get(DELETED, False)
        return Version(short_id(record[ID]), counts, day, values, moment(record.get(cursor)))

    @property
    def _live(self) -> str:
        return f"{DELETED} = false" if self.measures.deleted and not self.measures.keeps else ""

    def _extent(self) -> tuple[date, date, int | None]:
        """The first and the last day, and how many records are in the recycle bin."""
        m = self.measures
        by = f"{DELETED}, " if m.deleted else ""
        group = f" GROUP BY {DELETED}" if m.deleted else ""
        text = f"SELECT {by}COUNT({ID}) n, MIN({DAY}) a, MAX({DAY}) z FROM {m.object}{group}"  # noqa: S608
        try:
            rows = self._ask(text)
        except SalesforceError as error:
            if error.code not in TOO_MUCH:
                raise
            return EARLIEST, datetime.now(UTC).date(), None
        days = [row[end][:10] for row in rows for end in "az" if row.get(end)]
        today = datetime.now(UTC).date().isoformat()
        first, last = min(days, default=today), max(days, default=today)
        deleted = sum(int(row["n"]) for row in rows if row.get(DELETED)) if m.deleted else None
        return date.fromisoformat(first), date.fromisoformat(last), deleted

    def _days(self, start: date, end: date) -> Side:
        """The amounts of each day, the last one too; halved where Salesforce finds that too much."""
        try:
            return self._grouped(start, end)
        except SalesforceError as error:
            if error.code not in TOO_MUCH:
                raise
            if start == end:
                raise ReconcileError(
                    f"{self.measures.object}: adding up the records of {start} alone takes Salesforce too long "
                    f"({error.code}). Compare its Ids (--ids), or ask Salesforce for an index on {DAY}."
                ) from error
        middle = start + (end - start) // 2
        return {**self._days(start, middle), **self._days(middle + _ONE, end)}

    def _grouped(self, start: date, end: date) -> Side:
        bounds = [f"{DAY} >= {start}T00:00:00.000Z", f"{DAY} < {end + _ONE}T00:00:00.000Z"]
        where = " AND ".join([*bounds, *([self._live] if self._live else [])])
        found: dict[date | None, list[Decimal]] = {}
        at = 1
        for sums in self._parts():
            selected = ", ".join([f"DAY_ONLY({DAY}) d", f"COUNT({ID}) n", *sums])
            text = f"SELECT {selected} FROM {self.measures.object} WHERE {where} GROUP BY DAY_ONLY({DAY})"  # noqa: S608
            for row in self._ask(text):
                none = [NOTHING] * len(self.measures.names)
                amounts = found.setdefault(date.fromisoformat(row["d"]), none)
                amounts[0], amounts[at : at + len(sums)] = Decimal(row["n"]), _sums(row, len(sums))
            at += len(sums)
        return {day: tuple(amounts) for day, amounts in found.items()}

    def _whole(self, notes: tuple[str, ...]) -> OrgAmounts:
        m = self.measures
        where = f" WHERE {self._live}" if self._live else ""
        amounts: Amounts = ()
        try:
            for sums in self._parts():
                row = self._ask(f"SELECT {', '.join([f'COUNT({ID}) n', *sums])} FROM {m.object}{where}")[0]  # noqa: S608
                amounts = (*(amounts or (Decimal(row["n"]),)), *_sums(row, len(sums)))
            return OrgAmounts({None: amounts}, by_day=False, notes=notes)
        except SalesforceError as error:
            if not (refuses(error) or error.code == TIMEOUT):
                raise
            notes = (*notes, f"counted only: {error.code}: {error.reason}")
        try:
            page = self.org.query_page(soql=f"SELECT COUNT() FROM {m.object}{where}", deleted=True)  # noqa: S608
        except SalesforceError as error:
            if not (refuses(error) or error.code == TIMEOUT):
                raise
            raise ReconcileError(f"{m.object}: Salesforce does not count it ({error.code}: {error.reason}).") from error
        none = (NOTHING,) * len(m.sums)
        return OrgAmounts({None: (Decimal(page.total), *none)}, by_day=False, sums=False, notes=notes)

    def _parts(self) -> Iterator[Sequence[str]]:
        """The sums, some at a time; once even where there are none."""
        every = [one.field for one in self.measures.sums]
        for at in range(0, max(len(every), 1), FIELDS):
            yield [f"SUM({name}) s{number}" for number, name in enumerate(every[at : at + FIELDS])]

    def _ask(self, text: str) -> list[dict[str, Any]]:
        """Rows of an aggregate query, which has one page."""
        return self.org.query_page(soql=text, deleted=True).records


def _sums(row: dict[str, Any], count: int) -> Amounts:
    return tuple(NOTHING if (v := row.get(f"s{at}")) is None else Decimal(v) for at in range(count))


def _spans(first: date, last: date) -> Iterator[tuple[date, date]]:
    """From the first day to the last, as many days at once as an aggregate query has rows."""
    while first <= last:
        end = min(last, first + (GROUPS - 1) * _ONE)
        yield first, end
        first = end + _ONE
