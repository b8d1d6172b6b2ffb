"""What lies between Salesforce and a table: files that wait, rows that were set aside, and since when more may come."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from forceglue.extract.bookmark import bookmark_of
from forceglue.extract.window import OVERLAP, cursor_of
from forceglue.landing.ingest import IngestReport, preview
from forceglue.landing.inventory import LandedFile, inventory, load_facts, pending
from forceglue.landing.position import read
from forceglue.landing.retry import set_aside
from forceglue.landing.store import Store
from forceglue.mapping.project import Project
from forceglue.reconcile.landed import Newest, quarantined, waiting
from forceglue.reconcile.measures import Measures
from forceglue.run.wording import plural


@dataclass(frozen=True)
class Between:
    """The landing and the quarantines, listed once for all objects; threads share it."""

    landing: Store
    warehouse: Store
    project: Project
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def since(self, describe: Mapping[str, Any]) -> tuple[str, datetime] | None:
        """The field that tells what changed, and since when changes may still be on their way.

        That is the bookmark of the last extract, less what the next one reads again; without one the landing of the
        last file, less the same. None where neither is, or nothing tells what changed.
        """
        name, cursor = str(describe["name"]), cursor_of(dict(describe))
        if cursor is None:
            return None
        mark = bookmark_of(self.landing, name)
        if mark is not None and mark.until is not None:
            return cursor[0], mark.until - OVERLAP
        with self._lock:
            files = [file.mtime for file in self._inventory.files if file.object.lower() == name.lower()]
        return (cursor[0], max(files) - OVERLAP) if files else None

    def newest(self, measures: Measures, position: int | None) -> Newest:
        """The newest version of each record that has landed for a table and may not be in it.

        Args:
            position: of what the table has loaded.
        """
        found = Newest()
        quarantined(self.warehouse, self.project, measures.table, measures, found)
        waiting(self.landing, self._files(measures, position), measures, found)
        name = measures.object.lower()
        with self._lock:
            rejected = sum(file.object.lower() == name for file in self._rejected)
        if rejected:
            found.notes.append(f"{plural(rejected, 'rejected file')} not looked into: see `forceglue retry --list`")
        return found

    def left_out(self, table: str) -> int:
        """How many rows `where` and `drop` rules have left out, as far as the reports of runs tell."""
        with self._lock:
            return self._filtered.get(table, 0)

    def _files(self, measures: Measures, position: int | None) -> list[LandedFile]:
        name, loaded = measures.object.lower(), read(self.warehouse, measures.table, position).loaded
        with self._lock:
            listed = [f for f in self._inventory.files if f.object.lower() == name and f.identity not in loaded]
            arriving = [f for f in pending(self.landing, self._preview) if f.object.lower() == name]
        fit = load_facts(self.landing, self.project, listed)
        return [*sorted(fit.files, key=lambda file: file.order), *arriving]

    @cached_property
    def _inventory(self) -> Any:
        return inventory(self.landing, self.project)

    @cached_property
    def _preview(self) -> IngestReport:
        return preview(self.landing, self.project)

    @cached_property
    def _rejected(self) -> Any:
        return set_aside(self.landing)

    @cached_property
    def _filtered(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for entry in self.warehouse.list("_runs"):
            if entry.path.endswith("/report.json"):
                for mapping in json.loads(self.warehouse.read_bytes(entry.path)).get("mappings", ()):
                    rows = mapping.get("filtered", 0) + mapping.get("dropped", 0)
                    found[mapping["name"]] = found.get(mapping["name"], 0) + rows
        return found
