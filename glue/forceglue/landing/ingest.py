"""From `in/` to `processed/` or `error/`: every file checked, moved once, with its facts or its reason beside it.

The order is sidecar, then move. Wherever it is killed, a file lies whole in `in/` or whole where it goes, and the next
call ends the work. `ingest_file` is one file's turn: the ingest Lambda calls it with an event's key.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from forceglue.errors import UsageError
from forceglue.landing import layout
from forceglue.landing.facts import FileFacts, FileRejected, RejectedFile
from forceglue.landing.judge import Judge
from forceglue.landing.sidecar import (
    Caller,
    Origin,
    ProcessedNote,
    RejectedNote,
    claim,
    processed_note,
    rejected_note,
)
from forceglue.landing.store import Entry, FileChanged, Store

if TYPE_CHECKING:
    from forceglue.mapping.project import Project

_THREADS = 16
_TURNS = 3

Status = Literal["passed", "rejected", "ignored", "vanished", "failed"]


@dataclass(frozen=True)
class IngestedFile:
    """What became of one file.

    Attributes:
        key: where it lay under `in/`.
        status: passed, rejected; ignored (no file of a landing, or `unmapped: ignore`: it stays); vanished (another run
            took it); failed (the store refused: it stays and comes again with the next run).
        moved_to: its key now; None where it stayed.
        landed_at: when it landed (its modification time under `in/`).
        code, message: why, for every status but passed.
    """

    key: str
    status: Status
    moved_to: str | None = None
    object: str | None = None
    facts: FileFacts | None = None
    code: str | None = None
    message: str | None = None
    landed_at: datetime | None = None


@dataclass(frozen=True)
class IngestReport:
    """What became of all files, in the order of their keys."""

    files: tuple[IngestedFile, ...] = ()

    def _of(self, status: Status) -> tuple[IngestedFile, ...]:
        return tuple(file for file in self.files if file.status == status)

    @property
    def passed(self) -> tuple[IngestedFile, ...]:
        return self._of("passed")

    @property
    def rejected(self) -> tuple[RejectedFile, ...]:
        return tuple(
            RejectedFile(f.key, f.moved_to, f.code or "", f.message or "", f.object) for f in self._of("rejected")
        )

    @property
    def ignored(self) -> tuple[IngestedFile, ...]:
        return self._of("ignored")

    @property
    def vanished(self) -> tuple[IngestedFile, ...]:
        return self._of("vanished")

    @property
    def failed(self) -> tuple[IngestedFile, ...]:
        return self._of("failed")

    @property
    def without_rows(self) -> tuple[IngestedFile, ...]:
        """Files that passed and hold no row: worth a look."""
        return tuple(file for file in self.passed if file.facts is not None and file.facts.rows == 0)


def ingest(
    store: Store,
    project: Project,
    *,
    now: datetime,
    function_name: str,
    function_version: str,
    request_id: str,
    on_file: Callable[[IngestedFile], None] | None = None,
) -> IngestReport:
    """Ingests every file under `in/`; a landing without `in/` (an export) has nothing to ingest.

    Args:
        now: the time of processing, with its zone; its UTC hour goes into the keys.
        function_name, function_version, request_id: who ingests, for the traceability columns.
        on_file: told of each file as it is done, in the calling thread.

    Raises:
        LandingError: the root itself cannot be listed. What goes wrong with one file is in the report.
    """
    entries = store.list(layout.IN)
    judge, caller = Judge(project), Caller(function_name, function_version, request_id)
    files = []
    with ThreadPoolExecutor(max_workers=max(1, min(_THREADS, len(entries)))) as pool:
        for file in pool.map(lambda entry: _ingest(store, judge, entry, _aware(now), caller), entries):
            files.append(file)
            if on_file:
                on_file(file)
    return IngestReport(tuple(files))


def ingest_file(
    store: Store,
    project: Project,
    key: str,
    *,
    now: datetime,
    function_name: str,
    function_version: str,
    request_id: str,
    judge: Judge | None = None,
) -> IngestedFile:
    """Ingests one file; see `ingest`. Give a `judge` that is kept when there are many calls."""
    caller = Caller(function_name, function_version, request_id)
    try:
        entry = store.stat(key)
    except UsageError as error:
        return IngestedFile(key, "ignored", code="bad_key", message=str(error))
    if entry is None:
        return _vanished(key)
    return _ingest(store, judge or Judge(project), entry, _aware(now), caller)


def preview(store: Store, project: Project) -> IngestReport:
    """What `ingest` would say to each file, moving nothing (`moved_to` is None everywhere)."""
    entries = store.list(layout.IN)
    judge = Judge(project)
    with ThreadPoolExecutor(max_workers=max(1, min(_THREADS, len(entries)))) as pool:
        return IngestReport(tuple(pool.map(lambda entry: _verdict(store, judge, entry), entries)))


def _aware(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise UsageError(f"now={now.isoformat()} has no time zone: give datetime.now(UTC)")
    return now


def _vanished(key: str) -> IngestedFile:
    return IngestedFile(key, "vanished", code="vanished", message="it is gone: another run took it")


def _verdict(store: Store, judge: Judge, entry: Entry) -> IngestedFile:
    """Checks a file and says what is to become of it; touches nothing."""
    key = entry.path
    where = layout.landed(key)
    if where is None:
        return IngestedFile(
            key, "ignored", code="layout", message="it is not in/<env>-Salesforce-<Object>/<execution>/<file>; it stays"
        )
    if layout.hidden(where.file):
        return IngestedFile(
            key, "ignored", code="hidden", message="its name starts with . or _: not for Spark; it stays"
        )
    if judge.names.left_alone(where.token):
        return IngestedFile(key, "ignored", code="unmapped", message="no mapping, and `unmapped: ignore`; it stays")
    found = judge.names.find(where.token)
    try:
        found = judge.object_of(where.token)
        return IngestedFile(key, "passed", None, found, judge.facts(store, entry, found), landed_at=entry.mtime)
    except FileRejected as rejected:
        return IngestedFile(key, "rejected", object=found, code=rejected.code.value, message=rejected.message)
    except FileNotFoundError:
        return _vanished(key)
    except OSError as error:  # LandingError, and what a stream says while it is read: the file is not to blame
        return _failed(key, error)


def _failed(key: str, error: OSError) -> IngestedFile:
    return IngestedFile(key, "failed", code="store", message=str(error))


def _ingest(store: Store, judge: Judge, entry: Entry, now: datetime, caller: Caller) -> IngestedFile:
    """One file's turn; what is landed anew under its key in the middle of it is judged anew."""
    key, where = entry.path, layout.landed(entry.path)
    for _ in range(_TURNS):
        file = _verdict(store, judge, entry)
        if where is None or file.status not in ("passed", "rejected"):
            return file
        try:
            return replace(file, moved_to=_keep(store, file, entry, where, now, caller))
        except FileNotFoundError:
            return _vanished(key)
        except OSError as error:
            return _failed(key, error)
        except FileChanged:
            there = store.stat(key)
            if there is None:
                return _vanished(key)
            entry = there
    return IngestedFile(
        key, "failed", code="changed", message="it is landed anew again and again while it is looked at; it stays"
    )


def _keep(
    store: Store, file: IngestedFile, entry: Entry, where: layout.LandedKey, now: datetime, caller: Caller
) -> str:
    """Writes the sidecar, then moves the file; the key that it has now.

    Raises:
        FileNotFoundError: another run moved it.
        FileChanged: it was landed anew since it was judged.
    """
    origin = Origin.of(entry)
    if file.facts is not None and file.object is not None:
        key = layout.kept_key("processed", where.token, now, where.execution, where.file)
        note = ProcessedNote(origin, file.object, file.facts, where.execution, now, caller)
        beside = layout.facts_key
        target = claim(store, key, note, beside=beside, read=processed_note)
    else:
        key = layout.kept_key("error", where.token, now, where.execution, where.file)
        reason = RejectedNote(origin, file.object, file.code or "", file.message or "", now, caller)
        beside = layout.reason_key
        target = claim(store, key, reason, beside=beside, read=rejected_note)
    try:
        store.move(entry.path, target, seen=entry)
    except (FileNotFoundError, FileChanged):
        if not store.exists(target):
            store.delete(beside(target))
        raise
    return target
