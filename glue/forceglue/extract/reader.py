"""One object, read in one way: the same for its changes, a refresh and all its Ids.

    plan kept → segments read and proved → landing kept → files moved → remembered by who asked → plan removed

Wherever it is killed, the next start goes on after the last of these that is done. Before the plan says `landing`
nothing is moved; after it every file is, one by one, and a file that is no longer where it was has been moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forceglue.errors import ExtractError
from forceglue.extract.few_read import may_be_few
from forceglue.extract.fields import ReadField
from forceglue.extract.known import bulk_refuses
from forceglue.extract.notes import of_pages
from forceglue.extract.plan import Page, Plan, Segment, Way, clear, plan_of, write_plan
from forceglue.extract.reading import Work
from forceglue.extract.segments import Segments
from forceglue.extract.window import Window
from forceglue.landing.layout import landed_key

PLAN_LIVES = timedelta(days=6, hours=20)
"""Salesforce keeps a job's result for seven days."""


@dataclass(frozen=True)
class OnDisk:
    """A plan whose rows are all on disk, and proved.

    Attributes:
        files: `(path, rows)`.
        notes: what a person should know.
    """

    plan: Plan
    pages: tuple[Page, ...]
    notes: tuple[str, ...]

    @property
    def files(self) -> tuple[tuple[str, int], ...]:
        return tuple(file for page in self.pages for file in page.files)


@dataclass(frozen=True)
class Landed:
    """A plan whose files are under `in/`.

    Attributes:
        pages: that came for it now; none where an earlier start had read them all.
    """

    plan: Plan
    pages: int = 0
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(rows for _, _, rows in self.plan.landing or ())

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(key for _, key, _ in self.plan.landing or ())


@dataclass(frozen=True)
class Reader:
    """Reads one object in one way.

    Args:
        now: Salesforce's clock.
        lives: so long a reading that was stopped is gone on with.
    """

    work: Work
    name: str
    way: Way
    now: datetime
    lives: timedelta = PLAN_LIVES

    def left(self) -> Plan | None:
        """What an earlier start left, if it can be gone on with; what is proved always can."""
        plan = plan_of(self.work.store, self.name, self.way)
        if plan is None or (plan.landing is None and self.now - plan.started >= self.lives):
            return None
        return plan

    def begin(self, fields: tuple[ReadField, ...], cursor: str | None, window: Window, *, page_rows: int) -> Plan:
        """A new plan, kept; what was left of another is removed."""
        self.forget()
        plan = Plan(
            object=self.name,
            way=self.way,
            execution=self.work.execution,
            started=self.now,
            api="rest" if bulk_refuses(self.name) else "bulk",
            cursor=cursor,
            window=window,
            fields=fields,
            page_rows=page_rows,
            segments=(Segment(0, window),),
        )
        if may_be_few(self.work.org, plan):
            plan = replace(plan, api="rest", few=True)
        write_plan(self.work.store, plan)
        return plan

    def read(self, plan: Plan, check: Callable[[OnDisk], None] = lambda _: None) -> OnDisk:
        """Brings all rows of the plan onto disk, or what is left of them.

        Args:
            check: looks at what came; what it raises counts as an error of the reading.

        Raises:
            ExtractError: a query failed or its rows are not proved; nothing of the plan is kept.
            SalesforceError: a call was refused; `LimitReachedError`: the day's calls.
            StoppedError: the extract is to end.
        """
        try:
            plan, read, told = Segments(self.work, plan).read()
            pages = tuple(page for segment in read for page in segment.pages)
            found = OnDisk(plan, pages, (*told, *of_pages(pages)))
            check(found)
        except ExtractError:
            self.forget()  # what is not proved is of no use: another try begins anew
            raise
        return found

    def land(self, plan: Plan, label: str, check: Callable[[OnDisk], None] = lambda _: None) -> Landed:
        """Reads the plan and moves its files under `in/`. Who asks remembers that, and calls `forget` then.

        Args:
            label: the `<env>` of the landing folders.

        Raises:
            as `read`.
        """
        pages, notes = 0, tuple[str, ...]()
        if plan.landing is None:
            found = self.read(plan, check)
            pages, notes = len(found.pages), found.notes
            plan = replace(found.plan, landing=tuple(_landing(found, label.replace("-", "_"))))
            write_plan(self.work.store, plan)
        for path, key, _ in plan.landing or ():
            try:
                self.work.store.move(path, key)
            except FileNotFoundError:
                continue  # moved before the extract was killed; it may be under processed/ by now
        return Landed(plan, pages, notes)

    def forget(self) -> None:
        """Removes the plan and what is left of its pages."""
        clear(self.work.store, self.name, self.way)


def _landing(found: OnDisk, env: str) -> list[tuple[str, str, int]]:
    plan = found.plan
    # one extract may read an object in several ways, and they share its execution
    name = plan.execution if plan.way == "changes" else f"{plan.execution}-{plan.way}"
    return [
        (path, landed_key(plan.object, plan.execution, f"{name}-{at:05d}.parquet", env=env), rows)
        for at, (path, rows) in enumerate(found.files, 1)
    ]
