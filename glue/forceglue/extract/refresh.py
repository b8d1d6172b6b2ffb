"""Formula fields of all records read again, and landed as a patch (`landing.patch`), when that is due."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from forceglue.extract.bookmark import bookmark_of
from forceglue.extract.fields import choose
from forceglue.extract.formulas import Refreshing, refreshing
from forceglue.extract.plan import Plan
from forceglue.extract.reader import Landed, Reader
from forceglue.extract.state import FOLDER, kept, write_state
from forceglue.extract.task import Task
from forceglue.extract.window import Window, cursor_of
from forceglue.landing.store import Store

LIVES = timedelta(days=1)
"""A refresh that was stopped longer ago is begun anew: its values would be old."""
SLACK = timedelta(minutes=30)
"""So much earlier is soon enough, that a daily job whose minute varies skips no day; of short intervals a twelfth."""
WIDER = 5
"""Its pages have so many times the rows of the changes': its rows are short."""


@dataclass(frozen=True)
class Refreshed:
    """The last time that all records' formula fields were read.

    Attributes:
        began: Salesforce's clock then.
        rows: how many records.
        formulas: the fields.
    """

    began: datetime
    rows: int
    formulas: tuple[str, ...]


class Refresh:
    """Refreshes one object."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._reader = Reader(task.work, task.name, "refresh", task.now, LIVES)

    def finish(self) -> None:
        """Lands what an earlier extract had read and proved, before anything newer does."""
        plan = self._reader.left()
        if plan is not None and plan.landing is not None:
            self._land(plan)

    def run(self, describe: dict[str, Any]) -> None:
        """Refreshes, if it is due.

        Raises:
            as `Reader.land`.
        """
        task, asked = self._task, self._task.request.refresh == "now"
        choice = choose(describe, task.mappings)
        wanted = refreshing(describe, task.mappings, choice, asked=asked)
        if wanted is None or cursor_of(describe) is None:  # without a stamp everything is read each time
            return
        bookmark = bookmark_of(task.store, task.name)
        whole_at = bookmark.whole_at if bookmark else None
        if asked or self._due(wanted, whole_at):
            self._land(self._plan(describe, wanted, whole_at))

    def _due(self, wanted: Refreshing, whole_at: datetime | None) -> bool:
        """A read of everything is as good as a refresh; a formula that is new needs one at once."""
        told = self._task.told
        if told.api is not None and told.since is None and whole_at == self._task.now:
            return False  # this very extract has just read everything
        last = refreshed_of(self._task.store, self._task.name)
        if last is not None and (whole_at is None or whole_at < last.began):
            whole_at = last.began
            if not set(wanted.formulas) <= set(last.formulas):
                return True
        return whole_at is None or self._task.now - whole_at >= wanted.every - min(SLACK, wanted.every / 12)

    def _plan(self, describe: dict[str, Any], wanted: Refreshing, whole_at: datetime | None) -> Plan:
        """What a stopped refresh left, unless everything was read since: it would bring back what was before."""
        plan = self._reader.left()
        if plan is not None and plan.fields == wanted.fields and (whole_at is None or plan.started > whole_at):
            self._task.told.resumed = True
            return plan
        cursor, _ = cursor_of(describe) or (None, False)
        rows = WIDER * self._task.request.page_rows
        # no bounds; the cursor is there to halve by, where all at once takes Salesforce too long
        return self._reader.begin(wanted.fields, cursor, Window(None, None, nulls=True), page_rows=rows)

    def _land(self, plan: Plan) -> None:
        landed = self._reader.land(plan, self._task.request.label)
        self._remember(landed)
        self._reader.forget()
        self._task.told.refresh(landed)

    def _remember(self, landed: Landed) -> None:
        plan = landed.plan
        fields = tuple(field.name for field in plan.fields)
        write_refreshed(self._task.store, plan.object, Refreshed(plan.started, landed.rows, fields))


def refreshed_of(store: Store, name: str) -> Refreshed | None:
    """When the object's formula fields were read last; None: never.

    Raises:
        ExtractError: what is kept of it is damaged.
    """
    return kept(store, _path(name), _refreshed, "its formula fields are then read again at once")


def write_refreshed(store: Store, name: str, refreshed: Refreshed) -> None:
    write_state(store, _path(name), asdict(refreshed))


def _refreshed(raw: Any) -> Refreshed:
    return Refreshed(datetime.fromisoformat(raw["began"]), int(raw["rows"]), tuple(raw["formulas"]))


def _path(name: str) -> str:
    return f"{FOLDER}/{name}/refresh.json"
