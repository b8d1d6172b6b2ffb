"""A segment by REST, for what Bulk does not query: page after page, some of them in one file."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from forceglue.errors import ExtractError, SalesforceError
from forceglue.extract.bulk_read import TimedOutError
from forceglue.extract.plan import Page, Plan, Segment, page_name, page_of, write_page
from forceglue.extract.reading import TIMEOUT, SegmentRead, UnreadableError, Work, page_writer, prove, refuses
from forceglue.extract.window import soql
from forceglue.salesforce.client import RestPage

PAGES_A_FILE = 25
"""Of 2,000 rows each."""


@dataclass(frozen=True)
class RestReader:
    """Reads the segments of one plan; as `bulk_read.BulkReader`."""

    work: Work
    plan: Plan
    keep: Callable[[Segment], None]

    def read(self, segment: Segment) -> SegmentRead:
        """Reads a segment, or what is left of it; where Salesforce no longer knows the query, all of it again.

        Raises:
            TimedOutError: QUERY_TIMEOUT.
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
        query = soql(self.plan.object, list(self.plan.kinds), self.plan.cursor, segment.window)
        try:
            return self.work.org.query_page(soql=query, deleted=True)
        except SalesforceError as error:
            if error.code == TIMEOUT:
                raise TimedOutError(error.reason) from error
            if refuses(error):
                raise UnreadableError(
                    f"{self.plan.object}: neither Bulk nor REST reads it as a whole ({error.code}: {error.reason})."
                ) from error
            raise


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
            self.total = page.total
            self.rows += len(page.records)
            self.next = page.next
            if page.records:
                yield _csv(self.header, page.records)
            if page.next is None or number == PAGES_A_FILE:
                return
            page = org.query_page(at=page.next)


def _csv(names: Sequence[str], records: Sequence[dict[str, Any]]) -> bytes:
    """Records as Bulk would send them, so that one way leads to typed columns."""
    columns = [pa.array([_text(record.get(name)) for record in records], pa.string()) for name in names]
    sink = pa.BufferOutputStream()
    options = pacsv.WriteOptions(include_header=False, quoting_style="all_valid")
    pacsv.write_csv(pa.table(columns, names=list(names)), sink, options)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)
