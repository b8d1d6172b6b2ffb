"""A folder of Parquet files below the delivery root, replaced as a whole."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame

from forceglue.errors import UsageError
from forceglue.write.scratch import DeliveryStore, local, scratch

_AT_FDCWD, _EXCHANGE = -100, 2  # Linux: renameat2(2)
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.EOPNOTSUPP)


@dataclass(frozen=True)
class DeliveredFolder:
    """A folder that was delivered.

    Attributes:
        path: its name below the delivery root.
        files: the Parquet files in it, by name.
        size: bytes of all of them.
    """

    path: str
    files: tuple[str, ...]
    size: int


def write_parquet(df: DataFrame, store: DeliveryStore, folder: str) -> DeliveredFolder:
    """Writes every row of `df` into `folder` and replaces what is there; Parquet files only, no `_SUCCESS`, no `.crc`.

    What a reader can see meanwhile:
      - Linux folder: the old files, then the new ones; the two folders are exchanged in one step. A reader that listed
        the old folder and opens its files afterwards gets "not found" and lists again.
      - other local file systems: for an instant no folder (two renames). After a kill in that instant the next call
        puts the old folder back first.
      - S3: new files are copied in, then old ones deleted, file by file: for that time (seconds) a reader sees old and
        new rows together, never fewer. After a kill in that time the next delivery mends it.

    Raises:
        UsageError: the folder is a Delta table, or there is a file of that name.
        LandingError: the root cannot be written.
    """
    target = local(store, folder)
    if target is not None:
        _bring_back(target)
    before = [file.path for file in store.list(folder)]
    if any(path.startswith(f"{folder}/_delta_log/") for path in before):
        raise UsageError(f"{folder} is a Delta table; a Parquet delivery would break it. Choose another folder.")
    if target is not None and target.exists() and not target.is_dir():
        raise UsageError(
            f"{folder} is a file; a Parquet delivery needs a folder. Choose another name or remove the file."
        )
    with scratch(store) as made:
        df.write.parquet(store.uri(made))
        parts = []
        for file in list(store.list(made)):
            if file.path.endswith(".parquet"):
                parts.append(file)
            else:
                store.delete(file.path)
        if target is not None:
            _swap(Path(store.uri(made)), target)
        else:
            for file in parts:
                store.move(file.path, f"{folder}/{_base(file.path)}")
            for path in before:
                store.delete(path)
    return DeliveredFolder(folder, tuple(_base(file.path) for file in parts), sum(file.size for file in parts))


def _base(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _swap(made: Path, target: Path) -> None:
    """Puts `made` in the place of `target`; the old files end in `made` (to be removed with it) or are removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        made.rename(target)
    elif not _exchange(made, target):
        aside = _aside(target)
        target.rename(aside)
        try:
            made.rename(target)
        except OSError:
            aside.rename(target)
            raise
        shutil.rmtree(aside)


def _exchange(one: Path, other: Path) -> bool:
    """Exchanges two names in one step where the system can; False where it cannot, and nothing happened."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    failed = ctypes.get_errno()
    if failed in _NO_EXCHANGE:
        return False
    raise OSError(failed, os.strerror(failed), str(one), None, str(other))


def _bring_back(target: Path) -> None:
    """Mends what a run left that was killed between its two renames."""
    aside = _aside(target)
    if aside.exists():
        if target.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(target)


def _aside(target: Path) -> Path:
    return target.parent / f".{target.name}.forceglue-old"  # not swept: for an instant it is the only copy
