"""What both ways of reading have in common: where pages go, how one is proved, when to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field

from forceglue.errors import ExtractError, ForceglueError, SalesforceError
from forceglue.extract.parquet import PageWriter
from forceglue.extract.plan import Page, Plan, Segment
from forceglue.landing.store import Store
from forceglue.salesforce.client import Salesforce

TIMEOUT = "QUERY_TIMEOUT"


class StoppedError(ForceglueError):
    """The extract is to end: another object met a limit, or a person interrupted it. What is on disk is kept."""


class UnreadableError(ExtractError):
    """Neither Bulk nor REST answers a query for the whole object.

    Attributes:
        reason: Salesforce's words.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{name}: neither Bulk nor REST reads it as a whole ({reason}).")


class UnprovedError(ExtractError):
    """The rows that came are not as many as Salesforce says, or it does not say.

    Attributes:
        reason: the numbers.
    """

    def __init__(self, name: str, reason: str, advice: str) -> None:
        self.reason = reason
        super().__init__(f"{name}: {reason}; nothing has landed. {advice}")


class TimedOutError(ForceglueError):
    """The query took Salesforce too long; a narrower window may not."""


@dataclass
class Work:
    """What all objects of an extract share, and what keeps the one at work going.

    Attributes:
        execution: the id of this extract, for all that it begins; it is part of the path of what lands.
        pages: the threads that read result pages, for all objects together: they bound the memory.
        stopping: set when everything is to end.
        renew: keeps the object's lease.
    """

    org: Salesforce
    store: Store
    execution: str
    pages: ThreadPoolExecutor
    piece: int
    stopping: threading.Event = field(default_factory=threading.Event)
    renew: Callable[[], None] = lambda: None

    def submit(self, call: Callable[..., Page], *args: object) -> Future[Page]:
        """Reads a page in a thread of the pool; its calls count for the object that asks."""
        return self.pages.submit(copy_context().run, call, *args)

    def proceed(self) -> None:
        """Called between two steps.

        Raises:
            StoppedError: it is to end.
        """
        if self.stopping.is_set():
            raise StoppedError("stopped")
        self.renew()


@contextmanager
def working(org: Salesforce, store: Store, execution: str, *, pages_at_once: int, piece: int) -> Iterator[Work]:
    """Work with threads of its own for the pages; when the block ends, they do.

    Args:
        pages_at_once: bounds the memory, with `piece`: the bytes that are parsed at once.
    """
    with ThreadPoolExecutor(pages_at_once, "page") as pages:
        work = Work(org, store, execution, pages, piece)
        try:
            yield work
        finally:
            work.stopping.set()


@dataclass(frozen=True)
class SegmentRead:
    """A segment that is wholly on disk, and proved."""

    segment: Segment
    pages: tuple[Page, ...]


def page_writer(work: Work, plan: Plan, name: str) -> PageWriter:
    """What puts a page of the plan on disk."""
    repeating = [field.name for field in plan.fields if field.repeats]
    return PageWriter(work.store, name, plan.kinds, repeating, plan.footer, work.proceed)


def refuses(error: SalesforceError) -> bool:
    """Whether Salesforce does not take the query as it is, for this object; no field is to blame, and no token."""
    return type(error) is SalesforceError and error.status == 400 and error.code not in ("INVALID_FIELD", TIMEOUT)


def prove(plan: Plan, segment: Segment, pages: tuple[Page, ...]) -> SegmentRead:
    """Compares the sum of the pages with what Salesforce says that the query gives.

    Raises:
        UnprovedError: they differ, or Salesforce said nothing.
    """
    rows = sum(page.rows for page in pages)
    if segment.rows is None:
        raise UnprovedError(
            plan.object,
            f"Salesforce did not say how many rows the query gives, so that the {rows:,} that came are not proved",
            "Run again.",
        )
    if rows != segment.rows:
        raise UnprovedError(
            plan.object,
            f"{rows:,} rows came and Salesforce counted {segment.rows:,}",
            "Run again; if it stays so, something between here and Salesforce changes its answers.",
        )
    return SegmentRead(segment, pages)
