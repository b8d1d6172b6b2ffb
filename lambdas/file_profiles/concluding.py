"""The end of a file: rows counted, failed ones told, the file moved, its rows landed; each step may be done again.

Rows balance: read = processed + failed + dropped + not started. A file whose failed rows are more than its profile
allows is set aside: before any row was started where validation alone says so.
"""

from __future__ import annotations

import heapq
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from file_profiles.failures import Failures
from file_profiles.incoming import IncomingFile
from file_profiles.objects import Objects
from file_profiles.progress import Progress
from forceglue.landing.layout import facts_key, reason_key
from forceglue.profiles.reasons import FileReason

REJECTS_SUFFIX = ".rejects.jsonl"


@dataclass(frozen=True)
class Conclusion:
    """What became of a file.

    Attributes:
        failed: rows set aside by their profile, or by their state machine.
        not_started: sound rows that went nowhere, since the file was set aside.
        moved_to: where it is now; None where it was gone.
        rejects: the key of the failed rows' reasons; None where no row failed.
        landed: keys in the landing bucket.
    """

    file: IncomingFile
    state: str
    rows: int
    processed: int
    failed: int
    dropped: int
    not_started: int
    warned: dict[str, int]
    moved_to: str | None
    rejects: str | None
    landed: tuple[str, ...] = ()
    code: str | None = None
    message: str | None = None

    def told(self) -> dict[str, Any]:
        """As the state machine's result and as an event's detail."""
        why = {"code": self.code, "message": self.message} if self.code else {}
        return {
            "state": self.state,
            "object": f"{self.file.bucket}/{self.file.key}",
            "source": self.file.source,
            "env": self.file.env,
            "correlation_id": self.file.run,
            "rows": self.rows,
            "RowsProcessed": self.processed,
            "RowsFailed": self.failed,
            "RowsDropped": self.dropped,
            "RowsNotStarted": self.not_started,
            "warned": self.warned,
            "moved_to": self.moved_to,
            "rejects": self.rejects,
            "landed": list(self.landed),
            **why,
        }


class Concluding:
    """Ends files.

    Args:
        landing: the bucket where rows land.
    """

    def __init__(self, objects: Objects, failures: Failures, landing: str) -> None:
        self._objects, self._failures, self._landing = objects, failures, landing

    def conclude(self, file: IncomingFile, progress: Progress, at: datetime) -> Conclusion:
        """Ends the file.

        Args:
            at: when its run began; its hour is part of the file's new key, so that a second call finds the same.
        """
        started = progress.status == "rows"
        by_machine = self._failures.count(file.run) if started else 0
        failed = progress.failed + by_machine
        code, message = progress.code, progress.message
        if code is None and too_many(failed, progress):
            code = FileReason.TOO_MANY_FAILURES.value
            message = (
                f"{failed} of {progress.rows} rows failed, and `failureShare` allows {progress.failure_share:g}; "
                f"their reasons are in the rejects"
            )
        sound = progress.rows - progress.failed - progress.dropped
        goes_on = started or code is None
        landed = self._land(file, progress) if code is None and progress.landing else ()
        rejects = self._rejects(file, progress, at, started) if failed else None
        made = Conclusion(
            file=file,
            state="success" if code is None else "error",
            rows=progress.rows,
            processed=sound - by_machine if goes_on else 0,
            failed=failed,
            dropped=progress.dropped,
            not_started=0 if goes_on else sound,
            warned=progress.warned,
            moved_to=file.kept("processed" if code is None else "error", at),
            rejects=rejects,
            landed=landed,
            code=code,
            message=message,
        )
        return self._moved(made)

    def _moved(self, made: Conclusion) -> Conclusion:
        """The note first, then the move: wherever it is stopped, the file lies whole where it was or where it goes."""
        if made.code == FileReason.REPLACED:
            return replace(made, moved_to=None)
        key = str(made.moved_to)
        note = (facts_key if made.code is None else reason_key)(key)
        self._objects.write(made.file.bucket, note, json.dumps(made.told(), ensure_ascii=False, indent=1).encode())
        return made if self._objects.move(made.file, key) else replace(made, moved_to=None)

    def _land(self, file: IncomingFile, progress: Progress) -> tuple[str, ...]:
        """Each part once: what landed is taken away by ingest, and must not land again where this is done again."""
        keys = []
        for number in range(1, progress.parts + 1):
            keys.append(file.landed(str(progress.landing), number))
            mark = file.work("landed", number)
            if not self._objects.there(file.bucket, mark):
                self._objects.copy(file.bucket, file.work("rows", number), self._landing, keys[-1])
                self._objects.write(file.bucket, mark, keys[-1].encode())
        return tuple(keys)

    def _rejects(self, file: IncomingFile, progress: Progress, at: datetime, started: bool) -> str:
        """One file of all failed rows, by line; through a file of this machine, since there may be many."""
        key = file.kept("error", at) + REJECTS_SUFFIX
        validated = self._validated(file, progress)
        failed = self._failures.of(file.run) if started else iter(())
        with tempfile.TemporaryFile() as kept:
            for one in heapq.merge(validated, failed, key=lambda one: int(one["line"])):
                kept.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
            kept.seek(0)
            self._objects.write(file.bucket, key, kept)
        return key

    def _validated(self, file: IncomingFile, progress: Progress) -> Iterator[dict[str, Any]]:
        for number in range(1, progress.rejects + 1):
            yield from map(json.loads, self._objects.lines(file.bucket, file.work("rejects", number)))


def too_many(failed: int, progress: Progress) -> bool:
    """Whether more rows failed than the profile allows."""
    return failed > progress.failure_share * progress.rows
