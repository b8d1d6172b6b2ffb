"""A root and the files below it: a local folder or an `s3://` prefix, with the same promises for both.

A file appears under its name only when it is whole. `exclusive` writes give a name to one writer only.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from forceglue.errors import ForceglueError, LandingError, UsageError

_TEMPORARY = ".forceglue-"


@dataclass(frozen=True)
class Entry:
    """A file as a listing shows it.

    Attributes:
        path: relative to the root, with `/`.
        size: bytes.
        mtime: last modification, UTC.
        version: changes when the content is written anew (local: modification time in ns; S3: ETag).
    """

    path: str
    size: int
    mtime: datetime
    version: str


class FileChanged(ForceglueError):
    """A file was written anew since it was looked at."""


class Backend(Protocol):
    """What a kind of storage must be able to do; paths are relative to its root and already checked."""

    def entries(self, prefix: str, recursive: bool) -> list[Entry]: ...
    def stat(self, path: str) -> Entry | None: ...
    def open_input(self, path: str) -> BinaryIO: ...
    def write_bytes(self, path: str, data: bytes, exclusive: bool) -> None: ...
    def filled(self, path: str) -> AbstractContextManager[Path]: ...
    def move(self, source: str, target: str, seen: Entry | None) -> None: ...
    def delete(self, path: str) -> None: ...
    def uri(self, path: str) -> str: ...


class Store:
    """Files below one root.

    Args:
        root: a folder or an `s3://bucket/prefix` URI; for the latter `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` and
            `AWS_REGION` are honoured.

    Every path is relative to the root. A path that leaves it (`..`, a leading `/`) is a `UsageError`.
    A file that is not there is a `FileNotFoundError`; a root that is not there, no permission, a full disk
    or a store that does not answer is a `LandingError`.
    """

    def __init__(self, root: str) -> None:
        self.root = root if root.endswith("://") else root.rstrip("/") or "/"
        self._backend = _backend(self.root)

    @classmethod
    def for_root(cls, root: str | Path) -> Store:
        return cls(str(root))

    @classmethod
    def made(cls, root: str | Path) -> Store:
        """The store of a root that is written to: a local folder that is not there is made."""
        store = cls(str(root))
        if "://" not in store.root:
            with told(store.root):
                Path(store.root).mkdir(parents=True, exist_ok=True)
        return store

    def list(self, prefix: str = "", *, recursive: bool = True) -> list[Entry]:
        """Files below `prefix` (a folder), sorted by path; a prefix that is not there holds none."""
        folder = prefix.rstrip("/")
        return sorted(self._backend.entries(checked(folder) if folder else "", recursive), key=lambda e: e.path)

    def stat(self, path: str) -> Entry | None:
        """The file's entry, or None when there is no such file."""
        return self._backend.stat(checked(path))

    def exists(self, path: str) -> bool:
        return self.stat(path) is not None

    def open_input(self, path: str) -> BinaryIO:
        """A seekable binary stream; close it."""
        return self._backend.open_input(checked(path))

    def read_bytes(self, path: str) -> bytes:
        with self.open_input(path) as stream:
            return stream.read()

    def write_bytes(self, path: str, data: bytes, *, exclusive: bool = False) -> None:
        """Writes a whole file at once, folders included; replaces what is there.

        With `exclusive`, a file that is there stays and `FileExistsError` is raised: of several writers one wins.
        """
        self._backend.write_bytes(checked(path), data, exclusive)

    def filled(self, path: str) -> AbstractContextManager[Path]:
        """A file of this machine to write to in the block; it is under `path`, whole, when the block ends well.

        For what is too large to be held at once, and for one writer of a path at a time. A block that ends with an
        error leaves what was there before; what a killed process leaves, the next writer of the path replaces.
        """
        return self._backend.filled(checked(path))

    def move(self, source: str, target: str, *, seen: Entry | None = None) -> None:
        """Moves one file and replaces what is at `target` (S3: copy, then delete; a crash leaves both, each whole).

        With `seen`, only the very content that was looked at is moved: `FileChanged` where it was written anew. What is
        written anew while it is copied stays where it is.
        """
        self._backend.move(checked(source), checked(target), seen)

    def delete(self, path: str) -> None:
        """Deletes a file; one that is not there is no error."""
        self._backend.delete(checked(path))

    def uri(self, path: str = "") -> str:
        """Where Spark reads it: an absolute local path, or `s3://…`."""
        return self._backend.uri(checked(path) if path else "")

    def __repr__(self) -> str:
        return f"Store({self.root!r})"


def checked(path: str) -> str:
    """The path itself when it stays below the root, else `UsageError`."""
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise UsageError(
            f"the path {path!r} is refused: a path is relative to its root and has no empty part, '.' or '..'. "
            f"Give the path as `forceglue status` or a report shows it."
        )
    return path


def _backend(root: str) -> Backend:
    scheme, found, rest = root.partition("://")
    if not found:
        return LocalBackend(Path(root).absolute())
    if scheme in ("s3", "s3a", "s3n"):
        from forceglue.landing.s3 import S3Backend

        bucket, _, prefix = rest.partition("/")
        return S3Backend(bucket, prefix.strip("/"))
    raise UsageError(f"the root {root!r} is refused: give a folder or an s3:// URI.")


class LocalBackend:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def uri(self, path: str) -> str:
        return str(self._root / path) if path else str(self._root)

    def entries(self, prefix: str, recursive: bool) -> list[Entry]:
        with told(self.uri(prefix)):
            if not self._root.is_dir():
                raise LandingError(
                    f"the root {self._root} is not there (or is no folder): create it, or give another root "
                    f"on the command line or under `roots` of project.yaml."
                )
            return list(self._walk(self._root / prefix, recursive))

    def _walk(self, folder: Path, recursive: bool) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as found:
                inside = sorted(found, key=lambda e: e.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        for item in inside:
            if item.name.startswith(_TEMPORARY):
                continue
            if item.is_dir(follow_symlinks=False):
                if recursive:
                    yield from self._walk(Path(item.path), recursive)
            elif (entry := self.stat(Path(item.path).relative_to(self._root).as_posix())) is not None:
                yield entry

    def stat(self, path: str) -> Entry | None:
        full = self._root / path
        with told(full):
            try:
                facts = full.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            if not full.is_file():
                return None
            mtime = datetime.fromtimestamp(facts.st_mtime_ns // 1000 / 1_000_000, UTC)
            return Entry(path, facts.st_size, mtime, str(facts.st_mtime_ns))

    def open_input(self, path: str) -> BinaryIO:
        with told(self._root / path):
            return (self._root / path).open("rb")

    def write_bytes(self, path: str, data: bytes, exclusive: bool) -> None:
        target = self._root / path
        with told(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.parent / f"{_TEMPORARY}{uuid.uuid4().hex}.tmp"
            try:
                with temporary.open("xb") as out:
                    out.write(data)
                    out.flush()
                    os.fsync(out.fileno())
                if exclusive:
                    _claim(temporary, target)
                else:
                    temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
            _sync(target.parent)

    @contextmanager
    def filled(self, path: str) -> Iterator[Path]:
        target = self._root / path
        with told(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / f"{_TEMPORARY}{target.name}.tmp"
        try:
            yield temporary
            with told(target):
                with temporary.open("rb+") as out:
                    os.fsync(out.fileno())
                temporary.replace(target)
                _sync(target.parent)
        finally:
            temporary.unlink(missing_ok=True)

    def move(self, source: str, target: str, seen: Entry | None) -> None:
        old, new = self._root / source, self._root / target
        with told(old):
            there = self.stat(source)
            if there is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(old))
            if seen is not None and there.version != seen.version:
                raise FileChanged(f"{old} was written anew since it was looked at")
            new.parent.mkdir(parents=True, exist_ok=True)
            try:
                old.replace(new)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._move_across(old, new)
            _sync(new.parent)
            _sync(old.parent)

    def _move_across(self, old: Path, new: Path) -> None:
        """Another file system is mounted below the root: copy beside the target, then rename."""
        temporary = new.parent / f"{_TEMPORARY}{uuid.uuid4().hex}.tmp"
        try:
            shutil.copy2(old, temporary)
            with temporary.open("rb+") as out:
                os.fsync(out.fileno())
            temporary.replace(new)
        finally:
            temporary.unlink(missing_ok=True)
        old.unlink()

    def delete(self, path: str) -> None:
        with told(self._root / path):
            (self._root / path).unlink(missing_ok=True)


def _claim(temporary: Path, target: Path) -> None:
    """Gives the name to one writer only, and the file whole: a hard link does both at once."""
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        with target.open("xb") as out:  # a file system without hard links: one writer, whole only if it lives
            out.write(temporary.read_bytes())
            out.flush()
            os.fsync(out.fileno())


def _sync(folder: Path) -> None:
    """Makes a rename last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def told(where: object) -> Iterator[None]:
    """Turns what the system says into a `LandingError` that says what to do; not there and there already pass."""
    try:
        yield
    except (FileNotFoundError, FileExistsError, LandingError):
        raise
    except PermissionError as error:
        raise LandingError(
            f"no permission at {where}: {error}. Give this user (or role) the right to list, read and write there."
        ) from error
    except OSError as error:
        hint = {
            errno.ENOSPC: "the disk is full: free space and run again; nothing half-written was kept",
            errno.EDQUOT: "the quota is used up: free space and run again; nothing half-written was kept",
            errno.EROFS: "the root is read-only: give a root that can be written",
        }.get(error.errno or 0, "check the root and run again")
        raise LandingError(f"{where} cannot be used: {error}; {hint}.") from error
