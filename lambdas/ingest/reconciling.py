"""What a flow run announced against what landed of it.

The result is kept under `_executions/` of the landing, after the bus was told: a run is told of at least once, and as a
rule once. Names that begin with `_` are no data to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from forceglue.errors import TransientError
from forceglue.landing import layout
from forceglue.landing.sidecar import ProcessedNote, processed_note
from forceglue.landing.store import Entry, Store
from ingest.events import Event
from ingest.flows import FlowRun
from ingest.settings import IngestSettings

RECONCILED = "flow-reconciled"
_KEPT = "_executions"
_THREADS = 16
_SKEW = timedelta(minutes=15)


class StillLanding(TransientError):
    """Files of the run are still under `in/`: the run is looked at again later."""


@dataclass(frozen=True)
class Found:
    """What lies in the landing of one run.

    Attributes:
        rows: of the processed files.
        files, rejected, waiting: files in `processed/`, `error/` and `in/`.
        unknown: processed files without facts, whose rows nobody counted.
    """

    rows: int = 0
    files: int = 0
    rejected: int = 0
    waiting: int = 0
    unknown: int = 0


@dataclass(frozen=True)
class Reconciled:
    """The comparison of one run.

    Attributes:
        state: `equal`; `different`; `incomplete` (files stay under `in/`); `failed` (the run itself).
        event: what the bus is to be told.
    """

    state: str
    event: Event
    store: Store

    def keep(self) -> None:
        """Remembers it, so that the run is not told of again; one that is incomplete is."""
        if self.state != "incomplete":
            detail = self.event[1]
            path = kept_at(detail["flow"], detail["execution"])
            self.store.write_bytes(path, json.dumps(detail, indent=1).encode())


def kept_at(flow: str, execution: str) -> str:
    """Where the result of a run is kept."""
    return f"{_KEPT}/{flow}/{execution}.json"


class Reconciling:
    """Compares runs with a landing."""

    def __init__(self, store: Store, settings: IngestSettings) -> None:
        self._store, self._settings = store, settings

    def compare(self, run: FlowRun) -> Reconciled | None:
        """The comparison; None for a run that is kept already, or that wrote elsewhere.

        Raises:
            StillLanding: some of its files are under `in/`, and it ended not long ago.
        """
        if self._elsewhere(run) or self._store.exists(kept_at(run.flow, run.execution)):
            return None
        now = datetime.now(UTC)
        found = self._found(run, now)
        if found.waiting and (now - run.ended).total_seconds() < self._settings.wait:
            raise StillLanding(f"{run.flow}, run {run.execution}: {found.waiting} files are still under in/")
        state = _state(run, found)
        detail: dict[str, Any] = {
            "state": state,
            "correlation_id": run.execution,
            "execution": run.execution,
            "flow": run.flow,
            "status": run.status,
            "announced": run.announced,
            "landed": found.rows,
            "files": found.files,
            "rejected": found.rejected,
            "waiting": found.waiting,
            "unknown": found.unknown,
            "ended_at": run.ended.isoformat(),
        }
        return Reconciled(state, (RECONCILED, detail), self._store)

    def _elsewhere(self, run: FlowRun) -> bool:
        ours = f"s3://{self._settings.bucket}/{self._settings.prefix}{layout.IN}"
        return run.destination is not None and run.destination.rstrip("/") != ours

    def _found(self, run: FlowRun, now: datetime) -> Found:
        """`in/` is listed first: a file that is moved meanwhile is seen twice, not never, and looked at again."""
        waiting = [one for one in self._store.list(f"{layout.IN}/{run.flow}/{run.execution}") if _is_file(one)]
        token = layout.folder_parts(run.flow)[1]
        processed, rejected = (
            [
                entry
                for hour in _hours(run.began - _SKEW, now + _SKEW)
                for entry in self._store.list(f"{stage}/{token}/{hour}/{run.execution}")
            ]
            for stage in (layout.PROCESSED, layout.ERROR)
        )
        files = [one.path for one in processed if _is_file(one)]
        with ThreadPoolExecutor(_THREADS) as pool:
            notes = list(pool.map(self._note, files))
        # a move that died between copy and delete may have been made twice
        once = {note.origin: note.facts.rows for note in notes if note is not None}
        unknown = sum(note is None for note in notes)
        reasons = [one for one in rejected if one.path.endswith(layout.REASON_SUFFIX)]
        return Found(sum(once.values()), len(once) + unknown, len(reasons), len(waiting), unknown)

    def _note(self, path: str) -> ProcessedNote | None:
        try:
            return processed_note(self._store.read_bytes(layout.facts_key(path)))
        except FileNotFoundError:
            return None


def _state(run: FlowRun, found: Found) -> str:
    if not run.succeeded:
        return "failed"
    if found.waiting:
        return "incomplete"
    return "equal" if (found.rows, found.rejected, found.unknown) == (run.announced, 0, 0) else "different"


def _is_file(entry: Entry) -> bool:
    return not layout.hidden(entry.path.rpartition("/")[2])


def _hours(since: datetime, until: datetime) -> Iterator[str]:
    at = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while at <= until:
        yield at.strftime("%Y/%m/%d/%H")
        at += timedelta(hours=1)
