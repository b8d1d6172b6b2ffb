"""Rejected files: what they are, why they were rejected, and back to `in/` for another try."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from forceglue.errors import UsageError
from forceglue.landing import layout
from forceglue.landing.layout import REASON_SUFFIX, KeptKey, kept, landed_key, numbered, reason_key
from forceglue.landing.sidecar import RejectedNote, rejected_note
from forceglue.landing.store import Store


@dataclass(frozen=True)
class SetAsideFile:
    """A file under `error/`.

    Attributes:
        object: the API name, or the folder's token where no object was known.
        code, message: why; `unknown` where no reason is beside it (somebody else moved it there).
        original_key: where it goes back to.
        at: when it was rejected; the hour of its path where no reason is beside it.
    """

    path: str
    object: str
    size: int
    code: str
    message: str
    original_key: str
    at: datetime


@dataclass(frozen=True)
class Returned:
    """A file that is back under `in/`."""

    path: str
    moved_to: str


def set_aside(store: Store) -> tuple[SetAsideFile, ...]:
    """Every rejected file with its reason, oldest first.

    Raises:
        LandingError: the root cannot be listed.
    """
    entries = {entry.path: entry for entry in store.list(layout.ERROR)}
    found = []
    for path, entry in entries.items():
        # A landed file may itself be named like a reason: then it has a reason of its own.
        if path.endswith(REASON_SUFFIX) and reason_key(path) not in entries:
            continue
        where = kept(path)
        if where is not None:
            note = _note(store, path) if reason_key(path) in entries else None
            found.append(_file(path, entry.size, where, note))
    return tuple(sorted(found, key=lambda file: (file.at, file.path)))


def retry(
    store: Store,
    paths: Iterable[str] | None = None,
    *,
    object_name: str | None = None,
    on_file: Callable[[Returned], None] | None = None,
) -> tuple[Returned, ...]:
    """Moves rejected files back to where they landed; the next ingest judges them anew.

    Args:
        paths: these files alone (as `set_aside` names them); default: all.
        object_name: only files of this object (API name or folder), in any case.

    A file that is back already is no error. One whose old key is taken by a newer landing comes back with a number.

    Raises:
        UsageError: a path is not under `error/`.
    """
    wanted = None if paths is None else set(paths)
    for path in wanted or ():
        if kept(path) is None or not path.startswith(f"{layout.ERROR}/"):
            raise UsageError(f"{path!r} is no rejected file: give a path as `forceglue retry --list` shows it.")
    done = []
    for file in set_aside(store):
        if wanted is not None and file.path not in wanted:
            continue
        where = kept(file.path)
        token = where.token.casefold() if where else ""
        if object_name is not None and object_name.casefold() not in (file.object.casefold(), token):
            continue
        if (target := _return(store, file)) is not None:
            returned = Returned(file.path, target)
            done.append(returned)
            if on_file:
                on_file(returned)
    return tuple(done)


def _note(store: Store, path: str) -> RejectedNote | None:
    try:
        return rejected_note(store.read_bytes(reason_key(path)))
    except FileNotFoundError:
        return None


def _file(path: str, size: int, where: KeptKey, note: RejectedNote | None) -> SetAsideFile:
    if note is None:
        back = landed_key(where.token, where.execution, where.file)
        return SetAsideFile(path, where.token, size, "unknown", "no reason is beside it", back, where.hour)
    back = note.origin.original_key
    return SetAsideFile(path, note.object or where.token, size, note.code, note.message, back, note.at)


def _return(store: Store, file: SetAsideFile) -> str | None:
    """Moves the file, then deletes its reason: killed in between, a reason without a file stays, which no one reads."""
    entry = store.stat(file.path)
    if entry is None:
        return None
    number = 1
    while there := store.stat(target := numbered(file.original_key, number)):
        if (there.size, there.version) == (entry.size, entry.version):
            break  # the very file: an earlier try died between copy and delete
        number += 1
    try:
        store.move(file.path, target)
    except FileNotFoundError:
        return None
    store.delete(reason_key(file.path))
    return target
