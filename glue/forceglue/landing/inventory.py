"""What has landed, in landing order: one listing, and the facts of those files that the caller asks for.

A run with nothing new reads no file. A new processed file costs one small read (its facts); an export read in place,
or a file that somebody else moved to `processed/`, is checked when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from forceglue.landing import layout
from forceglue.landing.facts import FileRejected, Format, Reason, RejectedFile
from forceglue.landing.judge import Judge
from forceglue.landing.patch import Patch
from forceglue.landing.sidecar import ProcessedNote, processed_note
from forceglue.landing.store import Entry, Store

if TYPE_CHECKING:
    from forceglue.landing.ingest import IngestReport
    from forceglue.mapping.project import Project

_THREADS = 16


@dataclass(frozen=True)
class ListedFile:
    """A file as the listing shows it.

    Attributes:
        path: relative to the landing root.
        identity: what a position remembers. A processed file never changes: its path. An export that is
            replaced is new: path, size and modification time.
        object: the Salesforce API name.
        flow_execution: the flow's execution id; None where the path has none.
        in_place: an export that is read where it lies.
        sidecar: where its facts stand; None where there are none.
        before: paths of earlier files that may be the same landing moved twice (a run that died in the middle).
    """

    path: str
    identity: str
    uri: str
    object: str
    size: int
    mtime: datetime
    flow_execution: str | None
    in_place: bool
    sidecar: str | None = None
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class LandedFile:
    """A file that is fit to be loaded, with its facts.

    Attributes:
        path, identity, uri, object, size, mtime, flow_execution: as `ListedFile`.
        source_uri: where it landed first (under `in/`), for the traceability column; the uri where that is not known.
        format: parquet, json or csv.
        rows, fields: as `FileFacts`.
        ingested_at, request_id, function_name, function_version: of the ingest; None for files that no ingest moved.
        landed_at: when it landed first; None where that is not known.
        patch: what the file completes; None where it brings records whole.
    """

    path: str
    identity: str
    uri: str
    source_uri: str
    object: str
    format: Format
    size: int
    mtime: datetime
    rows: int
    fields: tuple[tuple[str, str], ...]
    flow_execution: str | None = None
    ingested_at: datetime | None = None
    landed_at: datetime | None = None
    request_id: str | None = None
    function_name: str | None = None
    function_version: str | None = None
    patch: Patch | None = None

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """Sorts files by their landing: those of one ingest by when they landed, not by which thread was quicker."""
        return self.ingested_at or self.mtime, self.landed_at or self.mtime, self.source_uri


@dataclass(frozen=True)
class Inventory:
    """Every loadable file in landing order (later landed = later), and those of no known object."""

    files: tuple[ListedFile, ...]
    rejected: tuple[RejectedFile, ...]


@dataclass(frozen=True)
class Loaded:
    """The facts of the files asked for, in the order asked for.

    Attributes:
        rejected: files that are not fit (they stay where they are and come again with the next run).
        repeated: second copies of a landing whose first copy is also listed; not to be loaded again.
    """

    files: tuple[LandedFile, ...]
    rejected: tuple[RejectedFile, ...]
    repeated: tuple[ListedFile, ...]


def inventory(store: Store, project: Project) -> Inventory:
    """All files under `processed/`, or, in a root without `in/`, `processed/` and `error/`, the export in place.

    Raises:
        LandingError: the root cannot be listed.
    """
    entries = store.list(layout.PROCESSED)
    judge = Judge(project)
    if entries:
        return _processed(store, judge, entries)
    everything = store.list()
    if any(entry.path.split("/", 1)[0] in (layout.IN, layout.ERROR) for entry in everything):
        return Inventory((), ())
    return _exported(store, judge, everything)


def _processed(store: Store, judge: Judge, entries: Sequence[Entry]) -> Inventory:
    by_path = {entry.path: entry for entry in entries}
    found: list[tuple[tuple[datetime, datetime, str], ListedFile]] = []
    rejected: list[RejectedFile] = []
    for entry in entries:
        where = layout.kept(entry.path)
        if where is None or layout.hidden(where.file):
            continue
        sidecar = by_path.get(layout.facts_key(entry.path))
        name = _object(judge, entry.path, (where.token, layout.folder_parts(where.token)[1]), rejected)
        if name is None:
            continue
        file = ListedFile(
            entry.path,
            entry.path,
            store.uri(entry.path),
            name,
            entry.size,
            entry.mtime,
            where.execution,
            False,
            sidecar.path if sidecar else None,
        )
        # The sidecar is written when the file is ingested; the file's own time is that of its landing on a local disk.
        found.append(((where.hour, max(entry.mtime, sidecar.mtime) if sidecar else entry.mtime, entry.path), file))
    ordered = [file for _, file in sorted(found, key=lambda pair: pair[0])]
    return Inventory(tuple(_with_repeats(_one_spelling(ordered))), tuple(rejected))


def _exported(store: Store, judge: Judge, entries: Sequence[Entry]) -> Inventory:
    files: list[ListedFile] = []
    rejected: list[RejectedFile] = []
    for entry in entries:
        where = layout.export(entry.path)
        name = None if where is None else _object(judge, entry.path, (where.token,), rejected)
        if name is None:
            continue
        identity = f"{entry.path}|{entry.size}|{entry.mtime.isoformat()}"
        files.append(ListedFile(entry.path, identity, store.uri(entry.path), name, entry.size, entry.mtime, None, True))
    return Inventory(tuple(_one_spelling(sorted(files, key=lambda f: (f.mtime, f.path)))), tuple(rejected))


def _object(judge: Judge, path: str, tokens: Sequence[str], rejected: list[RejectedFile]) -> str | None:
    """The API name of the first token that names one; None where files of the object are left alone or refused."""
    token = next((token for token in tokens if judge.names.find(token)), tokens[0])
    if judge.names.left_alone(token):
        return None
    try:
        return judge.object_of(token)
    except FileRejected as error:
        rejected.append(RejectedFile(path, None, error.code.value, error.message))
        return None


def _one_spelling(files: Iterable[ListedFile]) -> list[ListedFile]:
    """An object without a mapping is named as its folder; of several spellings all files get the one with capitals."""
    found = list(files)
    spelled: dict[str, str] = {}
    for file in found:
        low = file.object.casefold()
        spelled[low] = min(spelled.get(low, file.object), file.object)
    return [replace(file, object=spelled[file.object.casefold()]) for file in found]


def _with_repeats(files: Sequence[ListedFile]) -> list[ListedFile]:
    """Marks files that agree with an earlier one in object, execution, name and size: only their facts can tell."""
    seen: dict[tuple[object, ...], tuple[str, ...]] = {}
    found = []
    for file in files:
        like = (file.object, file.flow_execution, file.path.rpartition("/")[2], file.size)
        before = seen.get(like, ())
        found.append(replace(file, before=before) if before else file)
        seen[like] = (*before, file.path)
    return found


def load_facts(store: Store, project: Project, files: Sequence[ListedFile]) -> Loaded:
    """The facts of these files, read by many threads.

    Raises:
        LandingError: the store cannot be read.
    """
    judge = Judge(project)
    with ThreadPoolExecutor(max_workers=max(1, min(_THREADS, len(files)))) as pool:
        found = list(pool.map(lambda file: _facts(store, judge, file), files))
    return Loaded(
        tuple(f for f in found if isinstance(f, LandedFile)),
        tuple(f for f in found if isinstance(f, RejectedFile)),
        tuple(f for f in found if isinstance(f, ListedFile)),
    )


def pending(store: Store, report: IngestReport) -> tuple[LandedFile, ...]:
    """The files that `ingest.preview` would let pass, as they lie under `in/`: for a plan, which moves nothing."""
    return tuple(
        LandedFile(
            f.key,
            f.key,
            store.uri(f.key),
            store.uri(f.key),
            f.object,
            f.facts.format,
            f.facts.size,
            f.landed_at,
            f.facts.rows,
            f.facts.fields,
            where.execution,
            patch=f.facts.patch,
        )
        for f in report.passed
        if f.object and f.facts and f.landed_at and (where := layout.landed(f.key))
    )


def _facts(store: Store, judge: Judge, file: ListedFile) -> LandedFile | RejectedFile | ListedFile:
    note = _note(store, file.sidecar)
    if note is not None and note.facts.size == file.size:
        if any(_same_landing(store, path, note) for path in file.before):
            return file
        return LandedFile(
            file.path,
            file.identity,
            file.uri,
            store.uri(note.origin.original_key),
            file.object,
            note.facts.format,
            file.size,
            file.mtime,
            note.facts.rows,
            note.facts.fields,
            note.flow_execution,
            note.at,
            note.origin.landed_at,
            note.caller.request_id,
            note.caller.function_name,
            note.caller.function_version,
            note.facts.patch,
        )
    try:
        if ":" in file.path.rpartition("/")[2]:
            raise FileRejected(Reason.BAD_NAME, "its name has a ':', which Hadoop cannot open: give it another name")
        facts = judge.facts(store, Entry(file.path, file.size, file.mtime, ""), file.object)
    except FileRejected as error:
        return RejectedFile(file.path, None, error.code.value, error.message, file.object)
    except FileNotFoundError:
        return RejectedFile(file.path, None, Reason.GONE.value, "it was listed and is gone since", file.object)
    return LandedFile(
        file.path,
        file.identity,
        file.uri,
        file.uri,
        file.object,
        facts.format,
        file.size,
        file.mtime,
        facts.rows,
        facts.fields,
        file.flow_execution,
        patch=facts.patch,
    )


def _note(store: Store, sidecar: str | None) -> ProcessedNote | None:
    if sidecar is None:
        return None
    try:
        return processed_note(store.read_bytes(sidecar))
    except FileNotFoundError:
        return None


def _same_landing(store: Store, path: str, note: ProcessedNote) -> bool:
    other = _note(store, layout.facts_key(path))
    return other is not None and other.origin == note.origin
