"""A segment by Bulk API 2.0: the job, then its pages side by side, each proved and put on disk by itself.

The header of a page tells where the next one begins, before its body is read: so the next page is asked for at once,
and several come at the same time. A page that is on disk is not read again.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from forceglue.errors import ExtractError, ForceglueError, SalesforceBusyError, SalesforceError
from forceglue.extract.plan import Page, Plan, Segment, page_name, page_of, write_page
from forceglue.extract.reading import TIMEOUT, SegmentRead, TimedOutError, Work, page_writer, prove, refuses
from forceglue.extract.records import Records
from forceglue.salesforce.bulk import BulkJob, gone, waits

_REFUSALS = ("INVALIDENTITY", "is not supported by the Bulk API", "not supported in Bulk Query", "FEATURENOTENABLED")
MISCOUNTS = 2
"""Times that a page whose rows are not as many as its header says is read again."""


class BulkRefusedError(ForceglueError):
    """Bulk does not query this object; REST may.

    Attributes:
        reason: Salesforce's words.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class BulkReader:
    """Reads the segments of one plan.

    Args:
        keep: keeps what is known of a segment, so that another start goes on from there.
    """

    work: Work
    plan: Plan
    keep: Callable[[Segment], None]

    def read(self, segment: Segment) -> SegmentRead:
        """Reads a segment, or what is left of it.

        Raises:
            BulkRefusedError: Bulk does not query the object.
            TimedOutError: QUERY_TIMEOUT.
            ExtractError: the job failed, or the rows are not proved.
            SalesforceError: a call was refused; `LimitReachedError`: the day's calls.
            StoppedError: the extract is to end.
        """
        if segment.job is not None:
            try:
                return self._with_job(segment)
            except SalesforceError as error:
                if not gone(error):
                    raise
        return self._with_job(self._created(segment))

    def _created(self, segment: Segment) -> Segment:
        try:
            job = self.work.org.bulk.create(self.plan.query(segment.window))
        except SalesforceError as error:
            if refuses(error):
                raise BulkRefusedError(f"{error.code}: {error.reason}") from error
            if error.code == TIMEOUT:
                raise TimedOutError(error.reason) from error
            raise
        made = replace(segment, job=job.id, version=job.version, rows=None)
        self.keep(made)
        return made

    def _with_job(self, segment: Segment) -> SegmentRead:
        job = self._ended(segment)
        if job.rows != segment.rows:
            segment = replace(segment, rows=job.rows)
            self.keep(segment)
        return prove(self.plan, segment, self._pages(segment))

    def _ended(self, segment: Segment) -> BulkJob:
        """The job when it is complete."""
        assert segment.job is not None  # noqa: S101  # for the type checker
        if segment.rows is not None:  # it was complete when an earlier extract looked
            return BulkJob(segment.job, "JobComplete", segment.version, segment.rows)
        for wait in waits():
            self.work.stopping.wait(wait)
            self.work.proceed()
            job = self.work.org.bulk.state(segment.job, segment.version)
            if job.complete:
                return job
            if not job.busy:
                raise _failed(self.plan, job)
        raise AssertionError  # the waits have no end

    def _pages(self, segment: Segment) -> tuple[Page, ...]:
        coming: list[Future[Page]] = []
        locator: str | None = None
        try:
            while True:
                self.work.proceed()
                at = len(coming)
                following: Future[str | None] = Future()
                coming.append(self.work.submit(self._page, segment, at, locator, following))
                locator = following.result()
                for page in coming:
                    if page.done():
                        page.result()
                if locator is None:
                    return tuple(page.result() for page in coming)
        except BaseException:
            for page in coming:
                page.cancel()
            for page in coming:
                if not page.cancelled():
                    page.exception()  # ends before this does: nothing is written behind our back
            raise

    def _page(self, segment: Segment, at: int, locator: str | None, following: Future[str | None]) -> Page:
        """Runs in a thread of its own; `following` is told where the next page begins as soon as that is known."""
        try:
            name = page_name(self.plan, segment, at)
            kept = page_of(self.work.store, name)
            if kept is not None and (kept.job, kept.locator) == (segment.job, locator):
                following.set_result(kept.next)
                return kept
            page = self._proved(segment, name, locator, following)
            write_page(self.work.store, name, page)
        except BaseException as error:
            if not following.done():
                following.set_exception(error)
            raise
        return page

    def _proved(self, segment: Segment, name: str, locator: str | None, following: Future[str | None]) -> Page:
        """The page on disk; read again while it is cut, and a few times where its rows are miscounted."""
        attempts, miscounts = self.work.org.transport.pace.start(), 0
        while True:
            self.work.proceed()
            try:
                page, said = self._read(segment, name, locator, following)
            except SalesforceBusyError:
                if not attempts.again():
                    raise
                continue
            if said is None or said == page.rows:
                return page
            miscounts += 1
            if miscounts > MISCOUNTS:
                raise ExtractError(
                    f"{self.plan.object}: a result page has {page.rows:,} rows, and its header says {said:,}, each of "
                    f"{miscounts} times; nothing has landed. Run again."
                )

    def _read(
        self, segment: Segment, name: str, locator: str | None, following: Future[str | None]
    ) -> tuple[Page, int | None]:
        assert segment.job is not None  # noqa: S101  # for the type checker
        with self.work.org.bulk.page(segment.job, segment.version, locator, self.plan.page_rows) as page:
            if not following.done():
                following.set_result(page.next)
            written = page_writer(self.work, self.plan, name).write(Records(page.body, self.work.piece))
            done = Page(segment.job, locator, page.next, written.rows, written.files, written.texts, written.missing)
            return done, page.rows


def _failed(plan: Plan, job: BulkJob) -> ForceglueError:
    if job.timed_out:
        return TimedOutError(job.error)
    if any(part in job.error for part in _REFUSALS):
        return BulkRefusedError(job.error)
    return ExtractError(
        f"{plan.object}: the Bulk job {job.id} ended as {job.state}"
        + (f" ({job.error[:300]})" if job.error else "")
        + "; nothing has landed. Run again: it is started anew."
    )
