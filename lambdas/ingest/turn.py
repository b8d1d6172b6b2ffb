"""One landed file's turn: checked and moved by the runner's own code, and told.

The event follows the move. A call that dies between the two leaves a file that nobody was told of; its S3 event comes
again (Lambda repeats what failed), the file is traced by its sidecar, and what became of it is told then. So a file is
moved once, and told of at least once. No table of what was done is needed: the sidecar is written before the move.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from forceglue.errors import LandingError
from forceglue.landing.sidecar import Caller
from forceglue.landing.traced import traced
from ingest.events import Event, Told
from ingest.landed import Landed
from ingest.timed import OutOfTime, TimedStore

if TYPE_CHECKING:
    from ingest.mappings import Mappings

Status = Literal["ingested", "rejected", "told_again", "ignored", "gone", "left"]


@dataclass(frozen=True)
class Turn:
    """What became of a file.

    Attributes:
        key: where it landed, below the root; of a file of another place its whole key.
        status: ingested, rejected; told_again (it was moved by an earlier call); ignored (it stays, nobody wants it);
            gone (it is not there, and nothing says what became of it); left (it takes too long to read; it stays).
        event: what the bus is to be told.
        why: the reason, where it is neither ingested nor told again.
        rows: of an ingested file.
    """

    key: str
    status: Status
    correlation_id: str
    event: Event | None = None
    why: str = ""
    rows: int = 0


class Ingest:
    """Takes files' turns.

    Args:
        store: the landing.
        bucket, prefix: its place in S3; an event of another place is none of ours.
        mappings: by which files are judged.
    """

    def __init__(self, store: TimedStore, bucket: str, prefix: str, mappings: Mappings) -> None:
        self._store, self._bucket, self._prefix, self._mappings = store, bucket, prefix, mappings

    def correlation_id(self, file: Landed) -> str:
        """What joins everything that is told of a file: its execution, or its event's id."""
        return self._of(file).correlation_id

    def _of(self, file: Landed) -> Told:
        return Told(file.bucket, self._prefix, file.key.removeprefix(self._prefix), file.event)

    def turn(self, file: Landed, caller: Caller, until: float) -> Turn:
        """Checks and moves one file.

        Args:
            caller: who asks, for the traceability columns.
            until: when reading ends, by `time.monotonic`.

        Raises:
            LandingError: the store does not do what it is asked: the event is to come again.
            MappingErrors, UsageError: the mappings are not sound: likewise; nothing was moved.
        """
        key, told = file.key.removeprefix(self._prefix), self._of(file)
        if file.bucket != self._bucket or not file.key.startswith(self._prefix):
            return Turn(file.key, "ignored", told.correlation_id, why="it is not in the landing of this function")
        if not key.startswith("in/"):
            return Turn(key, "ignored", told.correlation_id, why="it is not below in/")
        try:
            return self._ingest(file, key, told, caller, until)
        except OutOfTime:
            why = (
                "it takes longer to read than the function may run: it stays, and the next run of the job ingests it. "
                "Land such files as Parquet, of which the footer alone is read, or in parts."
            )
            return Turn(key, "left", told.correlation_id, told.left("out_of_time", why, caller.request_id), why)

    def _ingest(self, file: Landed, key: str, told: Told, caller: Caller, until: float) -> Turn:
        # what judges files brings the table library: of a second on a cold start, and no part of importing the function
        from forceglue.landing.ingest import ingest_file

        project, judge = self._mappings.now()
        now = datetime.now(UTC)
        done = ingest_file(
            self._store.ending(until), project, key, now=now, function_name=caller.function_name,
            function_version=caller.function_version, request_id=caller.request_id, judge=judge,
        )  # fmt: skip
        correlation, why = told.correlation_id, done.message or ""
        if done.status == "passed" and done.moved_to and done.object and done.facts:
            event = told.ingested(done.moved_to, done.object, done.facts, now, caller)
            return Turn(key, "ingested", correlation, event, rows=done.facts.rows)
        if done.status == "rejected" and done.moved_to:
            event = told.rejected(done.moved_to, done.object, done.code or "", why, caller.request_id)
            return Turn(key, "rejected", correlation, event, why)
        if done.status == "ignored":
            return Turn(key, "ignored", correlation, why=why)
        if done.status == "vanished":
            return self._again(file, key, told)
        raise LandingError(f"{key}: {why}")

    def _again(self, file: Landed, key: str, told: Told) -> Turn:
        """It was there when the event was made: somebody moved it, and may not have lived to tell."""
        found = traced(self._store, key, version=file.version, at=file.at, until=datetime.now(UTC))
        if found is None:
            why = "it is no longer there: it was landed anew and ingested as that, sent back by retry, or taken away"
            return Turn(key, "gone", told.correlation_id, why=why)
        return Turn(key, "told_again", told.correlation_id, told.again(found))
