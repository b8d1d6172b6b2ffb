"""Parquet files that Spark wrote below a folder, a sub-folder a kind of row, before any table knows them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from forceglue.landing.store import Store

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData

_NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class StagedFile:
    """One Parquet file: its path below the warehouse, size in bytes, footer, and the values that its folders tell."""

    path: str
    size: int
    modified_ms: int
    footer: FileMetaData = field(repr=False)
    partition: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return int(self.footer.num_rows)


def staged_files(store: Store, folder: str) -> dict[str, tuple[StagedFile, ...]]:
    """The files below a folder by the value of its first sub-folder (`name=value`), each with its footer."""
    entries = [e for e in store.list(folder) if e.path.endswith(".parquet")]

    def opened(entry: Any) -> StagedFile:
        import pyarrow.parquet as pq

        with store.open_input(entry.path) as stream:
            footer = pq.read_metadata(stream)
        folders = entry.path[len(folder) + 1 :].split("/")[1:-1]
        told = dict(part.split("=", 1) for part in folders)
        values = {unquote(k): None if v == _NULL_FOLDER else unquote(v) for k, v in told.items()}
        return StagedFile(entry.path, entry.size, int(entry.mtime.timestamp() * 1000), footer, values)

    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(opened, entries))
    groups: dict[str, list[StagedFile]] = {}
    for file in found:
        kind = file.path[len(folder) :].split("/")[1].partition("=")[2]
        groups.setdefault(kind, []).append(file)
    return {kind: tuple(group) for kind, group in groups.items()}


def value_range(files: Iterable[StagedFile], column: str) -> tuple[Any, Any] | None:
    """The least and the greatest value of a column, from the footers; None where a file does not say."""
    least, greatest = [], []
    for file in files:
        for number in range(file.footer.num_row_groups):
            group = file.footer.row_group(number)
            found = next((c for c in map(group.column, range(group.num_columns)) if c.path_in_schema == column), None)
            told = found.statistics if found is not None else None
            if told is None or not told.has_min_max:
                return None
            least.append(told.min)
            greatest.append(told.max)
    return (min(least), max(greatest)) if least else None


def discard(store: Store, folder: str) -> None:
    """Removes what was staged below a folder; another run's removal of the same is no error."""
    if "://" not in store.root:
        import shutil

        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(store.uri(folder))
        return
    for entry in store.list(folder):
        store.delete(entry.path)
