"""What an extract did, object by object."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal

Status = Literal["landed", "nothing_new", "skipped", "stopped", "failed"]


@dataclass(frozen=True)
class ObjectReport:
    """What became of one object.

    Attributes:
        status: landed; nothing_new (no row in the window); skipped (neither API reads it, see `error`); stopped (a
            limit or a person ended the extract before it was done; the next one goes on); failed (nothing landed).
        api: bulk or rest; None where nothing was read.
        since, until: the window; `since` None for a whole read.
        rows: of changes.
        refreshed: records whose formula fields were read again; None where that was not due.
        deleted: deletions that Salesforce listed; None where there were none, or nobody asked.
        files: that landed, of all three.
        resumed: it went on with what an earlier extract had left.
        calls: API calls that were made for it; `calls_by_step`: for `changes`, `deleted` and `refresh`.
        left_out: field → why it was not read.
        notes: what a person should know: fields that are gone, columns that became text.
    """

    name: str
    status: Status
    api: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    rows: int = 0
    files: tuple[str, ...] = ()
    pages: int = 0
    calls: int = 0
    seconds: float = 0.0
    resumed: bool = False
    refreshed: int | None = None
    deleted: int | None = None
    calls_by_step: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class ExtractReport:
    """What an extract did.

    Attributes:
        run_id: the execution id of all that it began to read and landed; what an earlier one had begun keeps its own.
        calls: API calls of this extract.
        used, allowed: the org's calls of 24 hours, as Salesforce said last.
        stopped: why it ended early.
    """

    run_id: str
    started: datetime
    seconds: float
    instance_url: str
    api_version: str
    calls: int
    used: int | None
    allowed: int | None
    objects: tuple[ObjectReport, ...]
    stopped: str | None = None

    @property
    def status(self) -> Literal["succeeded", "failed"]:
        bad = self.stopped is not None or any(o.status in ("failed", "stopped") for o in self.objects)
        return "failed" if bad else "succeeded"

    @property
    def rows(self) -> int:
        return sum(o.rows for o in self.objects)

    def to_json(self) -> str:
        told = {"status": self.status, "rows": self.rows, **asdict(self)}
        return json.dumps(told, indent=2, ensure_ascii=False, default=lambda moment: moment.isoformat())
