"""What a table does not need any more: files that it has replaced, files that no load ever committed, its old log.

A vacuum of a library does not serve here. It commits to the log, which a load that runs meanwhile takes for another
run; it takes the deletion vectors in force for orphans; and of files that were replaced more than a week ago it knows
only when they were made. Here the commits themselves tell what was replaced within the time that is to be kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import unquote

from forceglue.landing.store import Entry
from forceglue.write.delta_table import Table

CHECKPOINT_AFTER = 20
"""Commits since the last checkpoint from which on a reader is spared reading them one by one."""
_COMMIT = re.compile(r"_delta_log/(\d{20})\.json$")


def unneeded(table: Table, since: datetime) -> tuple[Entry, ...]:
    """Data files that have not been the table's from `since` on, and such that never were.

    A file that was made since then is never among them: it may be a load's that is not committed yet.
    """
    if table.open() is None:
        return ()
    entries = table.store.list(table.path)
    kept = set(table.live_files())
    commits = sorted((int(found[1]), e) for e in entries if (found := _COMMIT.search(e.path)))
    if not commits or (commits[0][0] > 0 and commits[0][1].mtime >= since):
        return ()  # the log does not reach back far enough to say what was replaced since then
    for _, entry in commits:
        if entry.mtime >= since:
            kept |= set(_removed(table.store.read_bytes(entry.path)))
    inside = {e.path.removeprefix(f"{table.path}/"): e for e in entries if e.mtime < since}
    return tuple(entry for path, entry in inside.items() if _data(path) and path not in kept)


def remove(table: Table, entries: Iterable[Entry]) -> tuple[int, int]:
    """Deletes these files, but what is the table's again by now; gives how many and their bytes."""
    live = set(table.live_files())
    gone = [e for e in entries if e.path.removeprefix(f"{table.path}/") not in live]
    for entry in gone:
        folder, _, name = entry.path.rpartition("/")
        table.store.delete(entry.path)
        table.store.delete(f"{folder}/.{name}.crc")  # what Hadoop notes beside a file of a local folder
    return len(gone), sum(e.size for e in gone)


def _removed(commit: bytes) -> Iterable[str]:
    for line in commit.splitlines():
        if b'"remove"' in line and (action := json.loads(line).get("remove")):
            yield unquote(action["path"])


def _data(path: str) -> bool:
    """Whether it is a data file: no log, no change feed, no deletion vector, nothing hidden."""
    hidden = path.rpartition("/")[2].startswith((".", "_")) or path.startswith(("_delta_log/", "_change_data/"))
    return path.endswith(".parquet") and not hidden


def log_behind(table: Table) -> int:
    """How many commits a reader has to read beside the last checkpoint."""
    opened = table.open()
    if opened is None:
        return 0
    try:
        last = json.loads(table.store.read_bytes(f"{table.path}/_delta_log/_last_checkpoint"))["version"]
    except (FileNotFoundError, ValueError, KeyError):
        last = -1
    return max(0, opened.version() - int(last))


def tidy_log(table: Table) -> None:
    """Writes a checkpoint and removes what the log has kept for longer than the table asks for (Delta: 30 days)."""
    opened = table.open()
    if opened is not None:
        opened.create_checkpoint()
        opened.cleanup_metadata()
