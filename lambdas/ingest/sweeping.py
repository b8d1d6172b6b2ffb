"""Events are lost: what lies in `in/` for long, and flow runs that nobody reconciled, are announced again.

Nothing is ingested or reconciled here. What is announced goes the way of every other file and run, with its retries and
dead letters, so that it does not matter where this dies.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from math import log2

from common.aws import client
from forceglue.landing import layout
from forceglue.landing.store import Entry, Store
from ingest.events import Event
from ingest.executions import runs
from ingest.mappings import Mappings
from ingest.reconciling import kept_at
from ingest.settings import IngestSettings

OVERDUE = "file-overdue"


class Sweeping:
    """Looks for what was lost."""

    def __init__(self, store: Store, settings: IngestSettings, mappings: Mappings) -> None:
        self._store, self._settings, self._mappings = store, settings, mappings

    def files(self) -> tuple[list[Event], list[str]]:
        """The events of files that are overdue, and the keys of those that no announcing helped.

        A file is announced again when it has lain for so long, twice as long, four times as long: one that takes too
        long to read is not read at every sweep.
        """
        now = datetime.now(UTC)
        lying = [(one, (now - one.mtime).total_seconds()) for one in self._store.list(layout.IN) if self._wanted(one)]
        overdue = [self._announced(one) for one, age in lying if self._due(age)]
        return overdue, [one.path for one, age in lying if age >= self._settings.stranded]

    def _wanted(self, entry: Entry) -> bool:
        where = layout.landed(entry.path)
        if where is None or layout.hidden(where.file):
            return False
        _, judge = self._mappings.now()
        return not judge.names.left_alone(where.token)

    def _due(self, age: float) -> bool:
        """Whether it has become overdue, or doubled its age, since the sweep before this one."""
        every = self._settings.overdue
        if age < every:
            return False
        before = age - every
        return before < every or int(log2(age / every)) != int(log2(before / every))

    def _announced(self, entry: Entry) -> Event:
        """In the form of S3's own event."""
        where = layout.landed(entry.path)
        return OVERDUE, {
            "bucket": {"name": self._settings.bucket},
            "object": {"key": self._settings.prefix + entry.path, "size": entry.size, "etag": entry.version},
            "landed_at": entry.mtime.isoformat(),
            "correlation_id": (where.execution if where else None) or entry.path,
        }

    def flow_runs(self) -> int:
        """Sends runs that ended a while ago and were never reconciled to the queue; how many."""
        if not self._settings.flows or not self._settings.flow_queue:
            return 0
        now, number = datetime.now(UTC), 0
        ended = now - timedelta(seconds=self._settings.overdue)
        for run in runs(self._settings.flows, now - timedelta(seconds=self._settings.look_back)):
            if run.ended < ended and not self._store.exists(kept_at(run.flow, run.execution)):
                body = json.dumps(run.message())
                client("sqs").send_message(QueueUrl=self._settings.flow_queue, MessageBody=body)
                number += 1
        return number
