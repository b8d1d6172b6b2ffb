"""One object, from its bookmark to its files under `in/`.

    plan kept → segments read and proved → landing kept → files moved → bookmark written → plan removed

Wherever it is killed, the next extract goes on after the last of these that is done. Before the plan says `landing`
nothing is moved; after it every file is, one by one, and a file that is no longer where it was has been moved.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from forceglue.errors import ExtractError, LimitReachedError, SalesforceError, SignInError, UsageError
from forceglue.extract import state
from forceglue.extract.emptiness import may_be_empty
from forceglue.extract.fields import Choice, choose
from forceglue.extract.known import BULK_CANNOT
from forceglue.extract.lease import leased
from forceglue.extract.notes import of_fields, of_pages
from forceglue.extract.reading import StoppedError, UnreadableError, Work
from forceglue.extract.report import ObjectReport
from forceglue.extract.request import ExtractRequest, Since
from forceglue.extract.segments import Segments
from forceglue.extract.selection import Selected
from forceglue.extract.state import Api, Bookmark, Plan, Segment
from forceglue.extract.window import Window, cursor_of
from forceglue.landing.layout import landed_key
from forceglue.salesforce.budget import tallied

PLAN_LIVES = timedelta(days=6, hours=20)
"""Salesforce keeps a job's result for seven days."""


@dataclass
class _Counts:
    """What the rounds of one object add up to."""

    rows: int = 0
    pages: int = 0
    files: tuple[str, ...] = ()
    resumed: bool = False
    since: datetime | None = None
    until: datetime | None = None
    api: Api | None = None
    landed: bool = False


class ObjectExtract:
    """Reads one object.

    Args:
        now: Salesforce's clock at the start of the extract.
    """

    def __init__(self, request: ExtractRequest, work: Work, selected: Selected, now: datetime) -> None:
        self._request, self._selected, self._now = request, selected, now
        self._work = replace(work)  # its own: each object renews its own lease
        self._name, self._store = selected.name, work.store
        self._asked: Since = request.since
        self._notes: list[str] = []
        self._left_out: dict[str, str] = {}

    def run(self, describe: dict[str, Any] | SalesforceError) -> ObjectReport:
        """What became of the object; its own errors are in the report, and nothing of it has landed then.

        Raises:
            LandingError: the store itself cannot be used.
        """
        started, counts = time.monotonic(), _Counts()
        status, error = "landed", None
        with tallied() as tally:
            try:
                if isinstance(describe, SalesforceError):
                    raise describe
                with leased(self._store, self._name) as self._work.renew:
                    self._rounds(describe, counts)
                status = "landed" if counts.landed else "nothing_new"
            except LimitReachedError as limit:
                status, error = "stopped", str(limit)
                self._work.stopping.set()
            except StoppedError:
                status, error = "stopped", "the extract ended before; the next one goes on here"
            except SignInError as refused:
                status, error = "failed", str(refused)
                self._work.stopping.set()  # the same for all that are still to come
            except UnreadableError as refused:
                status, error = "failed" if self._selected.wanted else "skipped", str(refused)
            except (ExtractError, SalesforceError, UsageError) as failure:
                status, error = "failed", str(failure)
        return ObjectReport(
            name=self._name,
            status=status,  # type: ignore[arg-type]  # one of the words above
            api=counts.api,
            since=counts.since,
            until=counts.until,
            rows=counts.rows,
            files=counts.files,
            pages=counts.pages,
            calls=tally.calls,
            seconds=round(time.monotonic() - started, 3),
            resumed=counts.resumed,
            left_out=self._left_out,
            notes=tuple(dict.fromkeys(self._notes)),
            error=error,
        )

    def _rounds(self, describe: dict[str, Any], counts: _Counts) -> None:
        """What an earlier extract left, then what came since; else only the latter."""
        again = False
        while True:
            choice = choose(describe, self._selected.mappings)
            self._left_out = choice.left_out
            plan, resumed = self._plan(describe, choice, again)
            if plan is None:
                return
            try:
                self._round(plan, counts)
            except ExtractError:
                state.clear(self._store, self._name)  # what is not proved is of no use: another try begins anew
                raise
            except SalesforceError as error:
                if error.code != "INVALID_FIELD" or again:
                    raise
                # a field went between describe and query: look again, once
                self._notes.append(f"a field is gone since the extract began: {error.reason}")
                state.clear(self._store, self._name)
                describe, again = self._work.org.describe(self._name), True
                continue
            counts.resumed = counts.resumed or resumed
            if not resumed or _up_to(plan, self._now - self._request.lag):
                return
            self._asked = "bookmark"  # what was asked for is done; the rest is what came since

    def _plan(self, describe: dict[str, Any], choice: Choice, fresh: bool) -> tuple[Plan | None, bool]:
        """The plan to work on, and whether an earlier extract made it; None where there is nothing to read."""
        bookmark = state.bookmark_of(self._store, self._name)
        self._notes += of_fields(choice, bookmark)
        kept = None if fresh else state.plan_of(self._store, self._name)
        if kept is not None and self._goes_on(kept, choice):
            return kept, True
        state.clear(self._store, self._name)
        if "Id" not in choice.kinds and not choice.fields:
            raise ExtractError(f"{self._name}: this user may read no field of it: give the user access to its fields.")
        plan = self._new(describe, choice, bookmark)
        if plan is not None:
            state.write_plan(self._store, plan)
        return plan, False

    def _goes_on(self, plan: Plan, choice: Choice) -> bool:
        """Whether what an earlier extract left is what is wanted now, and can still be read."""
        if plan.landing is not None:
            return plan.kinds.keys() <= choice.kinds.keys()
        since = self._asked
        wanted = since == "bookmark" or (since == "start" and plan.whole) or since == plan.window.since
        return wanted and plan.kinds == choice.kinds and self._now - plan.started < PLAN_LIVES

    def _new(self, describe: dict[str, Any], choice: Choice, bookmark: Bookmark | None) -> Plan | None:
        found = cursor_of(describe)
        cursor, may_lack = found or (None, False)
        if cursor is not None and cursor not in choice.kinds:
            cursor = None
        until = self._now - self._request.lag
        since, keep = self._since(bookmark, cursor)
        if cursor is None:
            window = Window(None, None)
        else:
            if since is not None and since >= until:
                return None
            window = Window(since, until, nulls=since is None and may_lack)
        return Plan(
            object=self._name,
            execution=f"{self._now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
            started=self._now,
            api="rest" if self._name in BULK_CANNOT else "bulk",
            cursor=cursor,
            window=window,
            whole=window.since is None,
            fields=choice.fields,
            page_rows=self._request.page_rows,
            segments=(Segment(0, window),),
            keep=keep,
        )

    def _since(self, bookmark: Bookmark | None, cursor: str | None) -> tuple[datetime | None, bool]:
        """The lower bound, and whether the bookmark must stay where it is."""
        asked = self._asked
        if asked == "start" or cursor is None:
            return None, False
        mark = bookmark.until if bookmark is not None and bookmark.cursor == cursor else None
        if asked == "bookmark":
            return None if mark is None else mark - self._request.overlap, False
        if mark is not None and asked > mark:
            self._notes.append(
                f"the bookmark stays at {mark:%Y-%m-%d %H:%M:%S}Z: what changed between it and --since is still to come"
            )
            return asked, True
        return asked, False

    def _round(self, plan: Plan, counts: _Counts) -> None:
        if plan.landing is None:
            plan, read, told = Segments(self._work, plan).read()
            self._notes += told
            pages = [page for segment in read for page in segment.pages]
            counts.pages += len(pages)
            self._notes += of_pages(pages)
            files = [file for page in pages for file in page.files]
            if not files and plan.whole and not self._request.allow_empty:
                may_be_empty(self._work, plan)
            plan = replace(plan, landing=tuple(self._landing(plan, files)))
            state.write_plan(self._store, plan)
        landing = plan.landing or ()
        for path, key, _ in landing:
            try:
                self._store.move(path, key)
            except FileNotFoundError:
                continue  # moved before the extract was killed; it may be under processed/ by now
        rows = sum(rows for _, _, rows in landing)
        self._remember(plan, rows)
        state.clear(self._store, self._name)
        counts.rows += rows
        counts.files += tuple(key for _, key, _ in landing)
        counts.api, counts.until = plan.api, plan.window.until
        counts.since = plan.window.since if not counts.landed else min_or_none(counts.since, plan.window.since)
        counts.landed = counts.landed or bool(landing)

    def _landing(self, plan: Plan, files: list[tuple[str, int]]) -> list[tuple[str, str, int]]:
        label = self._request.label.replace("-", "_")
        return [
            (path, landed_key(self._name, plan.execution, f"{plan.execution}-{at:05d}.parquet", env=label), rows)
            for at, (path, rows) in enumerate(files, 1)
        ]

    def _remember(self, plan: Plan, rows: int) -> None:
        before = state.bookmark_of(self._store, self._name)
        until = before.until if plan.keep and before else plan.window.until
        whole_rows = rows if plan.whole else (before.whole_rows if before else 0)
        state.write_bookmark(
            self._store,
            Bookmark(
                object=self._name,
                until=until,
                cursor=plan.cursor,
                extracted_at=datetime.now(UTC),
                execution=plan.execution,
                rows=rows,
                whole_rows=whole_rows,
                kinds=plan.kinds,
                instance_url=self._work.org.instance_url,
            ),
        )


def _up_to(plan: Plan, until: datetime) -> bool:
    """Whether nothing is left to read after an earlier extract's plan: it was of everything, or reaches this far."""
    return plan.window.until is None or plan.window.until >= until


def min_or_none(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier; None (the start) is the earliest."""
    return None if one is None or other is None else min(one, other)
