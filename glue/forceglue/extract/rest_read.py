"""A segment by REST, page after page, some of them in one file.

Records may change between two pages, and none is lost by that. Salesforce keeps which records a query found; each comes
with a later page as it was or as it is by then. A record that has changed has a stamp that is not in the window any
more: the next window brings it (again), and the same version twice is one row of the table. One that a late commit
puts into the window is not among those that were found: the overlap brings it, as with Bulk. One that was purged does
not come, and the count does not hold. It is always the first page's count: a server that looked for the records anew
at each page would skip one for each that left the window, and its later counts would agree with that.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from forceglue.errors import ExtractError, ForceglueError, SalesforceError
from forceglue.extract.plan import Page, Plan, Segment, page_name, page_of, write_page
from forceglue.extract.reading import (
    TIMEOUT,
    SegmentRead,
    TimedOutError,
    UnreadableError,
    Work,
    page_writer,
    prove,
    refuses,
)
from forceglue.salesforce.client import RestPage

PAGES_A_FILE = 25
"""Of 2,000 rows each."""
_ZERO = re.compile(r"\+00:?00$")


class TooManyError(ForceglueError):
    """The query gives more pages than are to be read this way."""


@dataclass(frozen=True)
class RestReader:
    """Reads the segments of one plan; as `bulk_read.BulkReader`.

    Args:
        most_pages: that are read; None: all.
    """

    work: Work
    plan: Plan
    keep: Callable[[Segment], None]
    most_pages: int | None = None

    def read(self, segment: Segment) -> SegmentRead:
        """Reads a segment, or what is left of it; where Salesforce no longer knows the query, all of it again.

        Raises:
            TimedOutError: QUERY_TIMEOUT.
            TooManyError: of more than `most_pages`; the first page says it, and nothing is kept.
            ExtractError: the rows are not proved.
            SalesforceError: a call was refused; `LimitReachedError`: the day's calls.
            StoppedError: the extract is to end.
        """
        if segment.job is not None:
            try:
                return self._pages(segment)
            except SalesforceError as error:
                if error.code != "INVALID_QUERY_LOCATOR":
                    raise
        made = replace(segment, job=uuid.uuid4().hex, rows=None)
        self.keep(made)
        return self._pages(made)

    def _pages(self, segment: Segment) -> SegmentRead:
        pages: list[Page] = []
        locator: str | None = None
        while not pages or locator is not None:
            self.work.proceed()
            name = page_name(self.plan, segment, len(pages))
            page = page_of(self.work.store, name)
            if page is None or (page.job, page.locator) != (segment.job, locator):
                page = self.work.submit(self._page, segment, name, locator).result()
            pages.append(page)
            locator = page.next
        return prove(self.plan, replace(segment, rows=pages[0].total), tuple(pages))

    def _page(self, segment: Segment, name: str, locator: str | None) -> Page:
        group = _Group(self, segment, locator)
        written = page_writer(self.work, self.plan, name).write(group)
        if written.rows != group.rows:
            raise ExtractError(f"{self.plan.object}: {group.rows:,} rows came and {written.rows:,} were written.")
        page = Page(segment.job or "", locator, group.next, written.rows, written.files, written.texts, (), group.total)
        write_page(self.work.store, name, page)
        return page

    def opening(self, segment: Segment) -> RestPage:
        try:
            page = self.work.org.query_page(soql=self.plan.query(segment.window), deleted=True)
        except SalesforceError as error:
            if error.code == TIMEOUT:
                raise TimedOutError(error.reason) from error
            if refuses(error):
                raise UnreadableError(self.plan.object, f"{error.code}: {error.reason}") from error
            raise
        if self.most_pages is not None and page.total > self.most_pages * len(page.records):
            raise TooManyError(f"{page.total:,} rows, {len(page.records):,} a page")
        return page


class _Group:
    """Some pages as the records of one file."""

    def __init__(self, reader: RestReader, segment: Segment, locator: str | None) -> None:
        self._reader, self._segment, self._locator = reader, segment, locator
        self.header = tuple(reader.plan.kinds)
        self.next: str | None = None
        self.total: int | None = None
        self.rows = 0

    def __iter__(self) -> Iterator[bytes]:
        org = self._reader.work.org
        page = org.query_page(at=self._locator) if self._locator else self._reader.opening(self._segment)
        for number in range(1, PAGES_A_FILE + 1):
            self.total = page.total if self.total is None else self.total
            self.rows += len(page.records)
            self.next = page.next
            if page.records:
                yield csv_of(self._reader.plan.kinds, page.records)
            if page.next is None or number == PAGES_A_FILE:
                return
            page = org.query_page(at=page.next)


def csv_of(kinds: Mapping[str, str], records: Sequence[dict[str, Any]]) -> bytes:
    """Records as Bulk would send them, to the letter, so that one way leads to typed columns."""
    columns = [_column(kind, [record.get(name) for record in records]) for name, kind in kinds.items()]
    sink = pa.BufferOutputStream()
    options = pacsv.WriteOptions(include_header=False, quoting_style="all_valid")
    pacsv.write_csv(pa.table(columns, names=list(kinds)), sink, options)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _column(kind: str, values: Sequence[Any]) -> pa.Array:
    texts = [_text(value) for value in values]
    if kind == "timestamp":  # where it does not fit and stays text, it is Bulk's
        texts = [text and _ZERO.sub("Z", text) for text in texts]
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array([text and _whole_characters(text) for text in texts], pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _whole_characters(text: str) -> str:
    """Halves of a character, which only JSON can write, as the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
