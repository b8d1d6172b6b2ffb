"""One part of a file: read from where the last one ended, judged row by row, what goes on and what does not written.

A part is bounded in bytes and time, so that neither the size of the file nor that of its rows matters. Done again, it
writes the same objects again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from file_profiles.incoming import IncomingFile
from file_profiles.objects import Objects
from file_profiles.progress import Progress
from forceglue.mapping.names import match
from forceglue.profiles.judging import Judge, Reason
from forceglue.profiles.reading import check_names, records
from forceglue.profiles.reasons import FileReason, FileRefused, RowReason

if TYPE_CHECKING:
    from forceglue.mapping.model.profile import FileProfile

KEPT = 30 * 24 * 3600
"""Seconds that failed rows stay noted beside the rejects file."""
PART_BYTES = 16 << 20
"""Of rows as JSON, in memory at a time."""
BATCH_ROWS, BATCH_BYTES = 40, 100 << 10
"""Of one batch: a state of Step Functions holds 256 KB."""


class PartReader:
    """Reads parts of files.

    Args:
        out_of_time: whether this call must end.
    """

    def __init__(self, objects: Objects, out_of_time: Callable[[], bool], part_bytes: int = PART_BYTES) -> None:
        self._objects, self._out_of_time, self._part_bytes = objects, out_of_time, part_bytes

    def begin(self, file: IncomingFile, profile: FileProfile, progress: Progress) -> None:
        """What can be said of a file before it is read.

        Raises:
            FileRefused: it is empty, too large or gone.
        """
        size = self._objects.size(file)
        if size == 0:
            raise FileRefused(FileReason.EMPTY, "the file has no bytes: send it again")
        if size > profile.max_bytes:
            raise FileRefused(
                FileReason.TOO_LARGE,
                f"it has {size} bytes and `maxBytes` allows {profile.max_bytes}: split it, or allow more",
            )
        if profile.row_machine is not None:
            progress.row_machine = profile.row_machine
            progress.row_executions = profile.row_machine.replace(":stateMachine:", ":execution:")
            progress.forget_at = int(datetime.fromisoformat(progress.started_at).timestamp()) + KEPT
        progress.landing = profile.landing.object if profile.landing is not None else None
        progress.failure_share = profile.limits.failure_share
        progress.batches_at_a_time = profile.limits.concurrency // 10
        if profile.fields:
            check_names(profile.fields, profile)

    def read(self, file: IncomingFile, profile: FileProfile, progress: Progress) -> None:
        """Reads on, and says in `progress` how far it came.

        Raises:
            FileRefused: the file as a whole is not what it must be.
        """
        judge, rows, rejects = Judge(profile), _rows(file, profile, progress.started_at), list[bytes]()
        try:
            whole = self._through(file, profile, progress, judge, rows, rejects)
        except FileRefused:
            self._keep(file, progress, b"", b"".join(rejects))
            raise
        self._keep(file, progress, rows.text(), b"".join(rejects))
        if whole and progress.rows < profile.limits.min_rows:
            raise FileRefused(
                FileReason.TOO_FEW_ROWS,
                f"it has {progress.rows} rows and `limits.minRows` asks for {profile.limits.min_rows}",
            )
        waits = progress.row_machine is not None and progress.parts > 0
        progress.status = "more" if not whole else "rows" if waits else "done"

    def _through(
        self,
        file: IncomingFile,
        profile: FileProfile,
        progress: Progress,
        judge: Judge,
        rows: _Lines | _Batches,
        rejects: list[bytes],
    ) -> bool:
        """Goes through records until the part is full or the time is over; whether the file is at its end."""
        rejected = 0
        for record in records(self._objects.chunks(file, progress.offset), profile, progress.position):
            progress.rows += 1
            if progress.rows > profile.limits.max_rows:
                raise FileRefused(
                    FileReason.TOO_MANY_ROWS,
                    f"it has more rows than `limits.maxRows` allows ({profile.limits.max_rows})",
                )
            verdict = judge.judge(record)
            reasons = verdict.reasons
            if verdict.row is not None and not rows.add(record.line, verdict.row):
                reasons = (Reason(RowReason.TOO_LARGE),)
            if reasons:
                rejects.append(_json({"line": record.line, "reasons": [reason.told() for reason in reasons]}))
                rejected += len(rejects[-1])
                progress.failed += 1
            progress.dropped += bool(verdict.dropped)
            for rule in verdict.warned:
                progress.warned[rule] = progress.warned.get(rule, 0) + 1
            progress.at(record.after)
            if rows.bytes + rejected >= self._part_bytes or self._out_of_time():
                return False
        return True

    def _keep(self, file: IncomingFile, progress: Progress, rows: bytes, rejects: bytes) -> None:
        if rows:
            progress.parts += 1
            self._objects.write(file.bucket, file.work("rows", progress.parts), rows)
        if rejects:
            progress.rejects += 1
            self._objects.write(file.bucket, file.work("rejects", progress.rejects), rejects)


class _Lines:
    """Rows that land: a JSON object a line."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self.bytes = 0

    def add(self, _: int, row: dict[str, Any]) -> bool:
        self._lines.append(_json(row))
        self.bytes += len(self._lines[-1])
        return True

    def text(self) -> bytes:
        return b"".join(self._lines)


class _Batches:
    """Rows for a state machine: batches of them, a batch a line.

    Each row has the name that its execution gets, its key (that name, where the profile has none), and a version that
    grows with each file and line.
    """

    def __init__(self, run: str, key: tuple[str, ...], started_at: str) -> None:
        self._run, self._key, self._started_at = run, key, started_at
        self._lines: list[bytes] = []
        self._batch: list[bytes] = []
        self._size = 0
        self.bytes = 0

    def add(self, line: int, row: dict[str, Any]) -> bool:
        """False where the row is too large to be handed on."""
        name = f"{self._run}-{line}"
        key = "|".join(str(row[column]) for column in self._key) or name
        version = f"{self._started_at}#{line:010d}"
        text = _json({"line": line, "name": name, "key": key, "version": version, "row": row})[:-1]
        if len(text) > BATCH_BYTES:
            return False
        if len(self._batch) == BATCH_ROWS or self._size + len(text) > BATCH_BYTES:
            self._close()
        self._batch.append(text)
        self._size += len(text)
        self.bytes += len(text)
        return True

    def text(self) -> bytes:
        self._close()
        return b"".join(self._lines)

    def _close(self) -> None:
        if self._batch:
            self._lines.append(b'{"rows":[' + b",".join(self._batch) + b"]}\n")
        self._batch, self._size = [], 0


def _rows(file: IncomingFile, profile: FileProfile, started_at: str) -> _Lines | _Batches:
    if profile.row_machine is None:
        return _Lines()
    key = tuple(found for name in profile.key if (found := match(name, profile.mappings)) is not None)
    return _Batches(file.run, key, started_at)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
