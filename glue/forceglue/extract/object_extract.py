"""One object of an extract: its lease, its steps, and what becomes of its errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from forceglue.errors import ExtractError, LimitReachedError, SalesforceError, SignInError, UsageError
from forceglue.extract.changes import Changes
from forceglue.extract.deletions import Deletions
from forceglue.extract.lease import leased
from forceglue.extract.reading import StoppedError, UnreadableError, Work
from forceglue.extract.refresh import Refresh
from forceglue.extract.report import ObjectReport, Status
from forceglue.extract.request import ExtractRequest
from forceglue.extract.selection import Selected
from forceglue.extract.task import Task
from forceglue.extract.told import Told
from forceglue.salesforce.budget import Tally, tallied


class ObjectExtract:
    """Extracts one object.

    Args:
        now: Salesforce's clock at the start of the extract.
    """

    def __init__(self, request: ExtractRequest, work: Work, selected: Selected, now: datetime) -> None:
        self._task = Task(request, replace(work), selected, now, Told())

    def run(self, describe: dict[str, Any] | SalesforceError) -> ObjectReport:
        """What became of the object; its own errors are in the report.

        Raises:
            LandingError: the store itself cannot be used.
        """
        started, task = time.monotonic(), self._task
        with tallied() as tally:
            status, error = self._ended(describe, tally)
        seconds = round(time.monotonic() - started, 3)
        return task.told.report(task.name, status, error=error, calls=tally.calls, seconds=seconds)

    def _ended(self, describe: dict[str, Any] | SalesforceError, tally: Tally) -> tuple[Status, str | None]:
        task = self._task
        try:
            if isinstance(describe, SalesforceError):
                raise describe
            with leased(task.store, task.name) as task.work.renew:
                self._steps(describe, tally)
        except LimitReachedError as limit:
            task.work.stopping.set()
            return "stopped", str(limit)
        except StoppedError:
            return "stopped", "the extract ended before; the next one goes on here"
        except SignInError as refused:
            task.work.stopping.set()  # the same for all that are still to come
            return "failed", str(refused)
        except UnreadableError as refused:
            return "failed" if task.selected.wanted else "skipped", str(refused)
        except (ExtractError, SalesforceError, UsageError) as failure:
            return "failed", str(failure)
        return ("landed" if task.told.files else "nothing_new"), None

    def _steps(self, describe: dict[str, Any], tally: Tally) -> None:
        request, refresh = self._task.request, Refresh(self._task)
        refresh.finish()
        steps: list[tuple[str, Callable[[dict[str, Any]], None]]] = [("changes", Changes(self._task).run)]
        if request.deleted:
            steps.append(("deleted", Deletions(self._task).run))
        if request.refresh != "never":
            steps.append(("refresh", refresh.run))
        for name, step in steps:
            before = tally.calls
            try:
                describe = self._looking_again(step, describe)
            finally:
                self._task.told.calls[name] = tally.calls - before

    def _looking_again(self, step: Callable[[dict[str, Any]], None], describe: dict[str, Any]) -> dict[str, Any]:
        """Does a step; where a field went between describe and query, it looks again, once. The describe that held."""
        try:
            step(describe)
        except SalesforceError as error:
            if error.code != "INVALID_FIELD":
                raise
            self._task.told.notes.append(f"a field is gone since the extract began: {error.reason}")
            describe = self._task.work.org.describe(self._task.name)
            step(describe)
        return describe
