"""What an object's report is made of, while the object is at work."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from forceglue.extract.notices import OnTheWay
from forceglue.extract.plan import Api
from forceglue.extract.reader import Landed
from forceglue.extract.report import ObjectReport, Status


@dataclass
class Told:
    """Adds up what each step of the object came to; attributes as `ObjectReport`."""

    api: Api | None = None
    since: datetime | None = None
    until: datetime | None = None
    rows: int = 0
    files: tuple[str, ...] = ()
    pages: int = 0
    resumed: bool = False
    refreshed: int | None = None
    deleted: int | None = None
    calls: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def changes(self, landed: Landed, *, resumed: bool) -> None:
        """A window of changes has landed; the windows of one extract follow upon each other."""
        window = landed.plan.window
        self.since = earlier(self.since, window.since) if self.rows else window.since
        self.api, self.until = landed.plan.api, window.until
        self.rows += landed.rows
        self._files(landed)
        self.resumed = self.resumed or resumed

    def refresh(self, landed: Landed) -> None:
        """The formula fields of all records have landed."""
        self.refreshed = landed.rows
        self._files(landed)

    def deletions(self, waiting: OnTheWay) -> None:
        """A file of notices has landed."""
        self.deleted = (self.deleted or 0) + waiting.rows
        self.files += (waiting.key,)

    def _files(self, landed: Landed) -> None:
        self.files += landed.files
        self.pages += landed.pages
        self.notes += landed.notes

    def report(self, name: str, status: Status, *, error: str | None, calls: int, seconds: float) -> ObjectReport:
        return ObjectReport(
            name=name,
            status=status,
            api=self.api,
            since=self.since,
            until=self.until,
            rows=self.rows,
            files=self.files,
            pages=self.pages,
            calls=calls,
            seconds=seconds,
            resumed=self.resumed,
            refreshed=self.refreshed,
            deleted=self.deleted,
            calls_by_step=self.calls,
            left_out=self.left_out,
            notes=tuple(dict.fromkeys(self.notes)),
            error=error,
        )


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier; None (the start) is the earliest."""
    return None if one is None or other is None else min(one, other)
