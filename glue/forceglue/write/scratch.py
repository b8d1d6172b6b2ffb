"""Hidden folders below a delivery root, where files are made before they appear under their names."""

from __future__ import annotations

import os
import shutil
import socket
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

PREFIX = ".forceglue-"
_REMOTE = f"{PREFIX}scratch"  # an object store lists folders only through their files, so there all stand in one
DEAD_AFTER = timedelta(days=1)


class File(Protocol):
    """A file of a listing."""

    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def mtime(self) -> datetime: ...


class DeliveryStore(Protocol):
    """What deliveries need of `forceglue.landing.store.Store`; paths are relative to the root."""

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterable[File]: ...
    def write_bytes(self, path: str, data: bytes) -> None: ...
    def filled(self, path: str) -> AbstractContextManager[Path]: ...
    def move(self, source: str, target: str) -> None: ...
    def delete(self, path: str) -> None: ...
    def uri(self, path: str = "") -> str: ...


def local(store: DeliveryStore, path: str = "") -> Path | None:
    """Where `path` is on this machine, or None when the store is elsewhere."""
    uri = store.uri(path)
    return None if "://" in uri else Path(uri)


@contextmanager
def scratch(store: DeliveryStore) -> Iterator[str]:
    """A new folder name for one delivery; the folder is not made. It is removed in the end, whatever happens.

    Folders that killed runs left are removed on the way in.
    """
    sweep(store)
    owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
    folder = f"{PREFIX}{owner}" if local(store) is not None else f"{_REMOTE}/{owner}"
    try:
        yield folder
    finally:
        # What cannot be removed now is swept by a later run; the delivery itself is not in doubt.
        with suppress(OSError):
            remove(store, folder)


def sweep(store: DeliveryStore, *, now: datetime | None = None) -> None:
    """Removes the folders of runs that live no more: a dead process of this machine, or nothing new for a day."""
    now = now or datetime.now(UTC)
    for folder, newest in _folders(store).items():
        if _is_dead(folder.rsplit("/", 1)[-1].removeprefix(PREFIX), newest, now):
            with suppress(OSError):
                remove(store, folder)


def remove(store: DeliveryStore, folder: str) -> None:
    """Removes a folder with everything in it; one that is not there is no error."""
    here = local(store, folder)
    if here is not None:
        with suppress(FileNotFoundError):
            shutil.rmtree(here)
        return
    for file in list(store.list(folder)):
        store.delete(file.path)


def _folders(store: DeliveryStore) -> dict[str, datetime]:
    """Each scratch folder with the time of its newest file."""
    found: dict[str, datetime] = {}
    root = local(store)
    if root is None:
        for file in store.list(_REMOTE):
            folder = "/".join(file.path.split("/")[:2])
            found[folder] = max(file.mtime, found.get(folder, file.mtime))
    elif root.is_dir():
        for item in root.iterdir():
            with suppress(FileNotFoundError):  # its own run removes it at this moment
                if item.name.startswith(PREFIX) and item.is_dir():
                    newest = max(path.stat().st_mtime for path in (item, *item.rglob("*")))
                    found[item.name] = datetime.fromtimestamp(newest, UTC)
    return found


def _is_dead(owner: str, newest: datetime, now: datetime) -> bool:
    if now - newest > DEAD_AFTER:
        return True
    host, _, rest = owner.rpartition("-")[0].rpartition("-")
    if host != socket.gethostname() or not rest.isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(rest), 0)  # asks only; sends nothing
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
