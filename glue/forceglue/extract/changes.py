"""What changed in an object since its bookmark, or everything: read, landed, and the bookmark moved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from forceglue.errors import ExtractError
from forceglue.extract.bookmark import Bookmark, bookmark_of, write_bookmark
from forceglue.extract.emptiness import may_be_empty
from forceglue.extract.fields import Choice, choose
from forceglue.extract.notes import of_fields
from forceglue.extract.plan import Plan
from forceglue.extract.reader import Landed, OnDisk, Reader
from forceglue.extract.request import Since
from forceglue.extract.task import Task
from forceglue.extract.window import Window, cursor_of


class Changes:
    """Reads the changes of one object."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._reader = Reader(task.work, task.name, "changes", task.now)
        self._asked: Since = task.request.since

    def run(self, describe: dict[str, Any]) -> None:
        """Lands what an earlier extract left, then what came since; else only the latter.

        Raises:
            as `Reader.land`.
        """
        task = self._task
        choice = choose(describe, task.mappings)
        task.told.left_out = choice.left_out
        while True:
            plan, resumed = self._plan(describe, choice)
            if plan is None:
                return
            landed = self._reader.land(plan, task.request.label, self._check)
            self._remember(landed)
            self._reader.forget()
            task.told.changes(landed, resumed=resumed)
            if not resumed or _up_to(plan, task.now - task.request.lag):
                return
            self._asked = "bookmark"  # what was asked for is done; the rest is what came since

    def _plan(self, describe: dict[str, Any], choice: Choice) -> tuple[Plan | None, bool]:
        """The plan to work on, and whether an earlier extract made it; None where there is nothing to read."""
        bookmark = bookmark_of(self._task.store, self._task.name)
        self._task.told.notes += of_fields(choice, bookmark)
        kept = self._reader.left()
        if kept is not None and self._goes_on(kept, choice):
            return kept, True
        self._reader.forget()
        if "Id" not in choice.kinds and not choice.fields:
            raise ExtractError(f"{self._task.name}: this user may read no field of it: give the user access to them.")
        cursor, window = self._window(describe, choice, bookmark)
        if window.until is not None and window.since is not None and window.since >= window.until:
            return None, False
        return self._reader.begin(choice.fields, cursor, window, page_rows=self._task.request.page_rows), False

    def _goes_on(self, plan: Plan, choice: Choice) -> bool:
        """Whether what an earlier extract left is what is wanted now."""
        if plan.landing is not None:
            return plan.kinds.keys() <= choice.kinds.keys()
        since = self._asked
        wanted = since == "bookmark" or (since == "start" and plan.whole) or since == plan.window.since
        return wanted and plan.kinds == choice.kinds

    def _window(self, describe: dict[str, Any], choice: Choice, bookmark: Bookmark | None) -> tuple[str | None, Window]:
        cursor, may_lack = cursor_of(describe) or (None, False)
        if cursor is None or cursor not in choice.kinds:
            return None, Window(None, None)
        since = self._since(bookmark, cursor)
        return cursor, Window(since, self._task.now - self._task.request.lag, nulls=since is None and may_lack)

    def _since(self, bookmark: Bookmark | None, cursor: str) -> datetime | None:
        """The lower bound."""
        asked = self._asked
        if asked == "start":
            return None
        mark = bookmark.until if bookmark is not None and bookmark.cursor == cursor else None
        if asked == "bookmark":
            return None if mark is None else mark - self._task.request.overlap
        if mark is not None and asked > mark:
            self._task.told.notes.append(
                f"the bookmark stays at {mark:%Y-%m-%d %H:%M:%S}Z: what changed between it and --since is still to come"
            )
        return asked

    def _check(self, found: OnDisk) -> None:
        if not found.files and found.plan.whole and not self._task.request.allow_empty:
            may_be_empty(self._task.work, found.plan)

    def _remember(self, landed: Landed) -> None:
        plan, store = landed.plan, self._task.store
        before = bookmark_of(store, plan.object)
        write_bookmark(
            store,
            Bookmark(
                object=plan.object,
                until=before.until if before and _leaves_out(plan, before) else plan.window.until,
                cursor=plan.cursor,
                extracted_at=datetime.now(UTC),
                execution=plan.execution,
                rows=landed.rows,
                whole_rows=landed.rows if plan.whole else (before.whole_rows if before else 0),
                kinds=plan.kinds,
                instance_url=self._task.work.org.instance_url,
                whole_at=plan.started if plan.whole else (before.whole_at if before else None),
            ),
        )


def _leaves_out(plan: Plan, bookmark: Bookmark) -> bool:
    """Whether the window begins after the bookmark, so that the bookmark must stay where it is."""
    mark, since = bookmark.until, plan.window.since
    return bookmark.cursor == plan.cursor and mark is not None and since is not None and since > mark


def _up_to(plan: Plan, until: datetime) -> bool:
    """Whether nothing is left to read after an earlier extract's plan: it was of everything, or reaches this far."""
    return plan.window.until is None or plan.window.until >= until
