"""What runs leave beside the tables: the reports of old runs, and staged rows of runs that were killed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from forceglue.landing.store import Entry, Store
from forceglue.mapping.model import ProjectMaintain
from forceglue.mapping.model.maintain import before
from forceglue.write.staged import discard

RUNS, STAGING = "_runs", "_staging"


@dataclass(frozen=True)
class Leftovers:
    """Folders that were removed, or would be, and their bytes."""

    runs: int = 0
    staged: int = 0
    freed: int = 0


def leftovers(store: Store, policy: ProjectMaintain, now: datetime, *, dry: bool) -> Leftovers:
    """Removes the reports of runs older than `keep_runs`, and staged rows that nobody has touched for `keep`."""
    kept, touched = before(policy.keep_runs, now), before(policy.keep, now)
    old = {f: files for f, files in _folders(store.list(RUNS)).items() if (_begun(f) or now) < kept}
    staged = _folders(store.list(STAGING))
    dead = {f: files for f, files in staged.items() if max(e.mtime for e in files) < touched}
    if not dry:
        for folder in (*old, *dead):
            discard(store, folder)
    freed = sum(e.size for files in (*old.values(), *dead.values()) for e in files)
    return Leftovers(len(old), len(dead), freed)


def _folders(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault("/".join(entry.path.split("/")[:2]), []).append(entry)
    return found


def _begun(folder: str) -> datetime | None:
    """When a run began, by its id; None for a folder that is no run's."""
    try:
        return datetime.strptime(folder.rpartition("/")[2].partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
