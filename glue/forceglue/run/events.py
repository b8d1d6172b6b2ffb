"""What a run tells others while it works: that it began, what became of each mapping, how it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from forceglue.errors import ForceglueError
from forceglue.landing.layout import kept
from forceglue.run.report import OUTCOMES, MappingReport, RunReport

Tell = Callable[[str, Mapping[str, object]], None]
"""Takes an event: its type and its detail."""
COUNTS = ("landed", *OUTCOMES, "inserted", "updated", "deleted", "held")
LISTED = 50
"""Of a list (executions, delivered files) an event has so many at most: its size is limited."""
LONGEST = 1_000
"""Characters of an error that an event has; the report has it whole."""


class RunEvents:
    """The events of one run.

    Args:
        tell: takes them.
        same: what all of them have: `correlation_id` (where it has none: the run's own), `job`, `job_run_id`.
    """

    def __init__(self, tell: Tell, same: Mapping[str, object]) -> None:
        self._tell, self._same = tell, dict(same)

    def progress(self, name: str, state: str, facts: Mapping[str, Any]) -> None:
        """Takes a run's progress (`RunRequest.progress`)."""
        report = facts.get("report")
        if "run_id" in facts:
            self._same["run_id"] = facts["run_id"]
            self._put("run-started", {})
        elif isinstance(report, MappingReport):
            self._put("mapping-finished", _mapping(report))

    def finished(self, report: RunReport, lost: int = 0) -> None:
        """The run is over, and its report is written.

        Args:
            lost: how many of its events were not put: who counts them knows that some are missing.
        """
        counts = {name: report.total(name) for name in COUNTS}
        told = {
            "status": report.status,
            "report": report.paths.report,
            "mappings": dict(Counter(mapping.status for mapping in report.mappings)),
            **counts,
            "files": sum(len(mapping.files) for mapping in report.mappings),
            "rejected_files": len(report.rejected_files),
            "seconds": round(report.seconds, 3),
            "correlation_ids": _executions(file for mapping in report.mappings for file in mapping.files),
        }
        self._put("run-finished", told | ({"events_lost": lost} if lost else {}))

    def failed(self, error: BaseException) -> None:
        """The run ended without a report. Of an error that is not our own its kind is told: it may quote values."""
        said = str(error) if isinstance(error, ForceglueError) else type(error).__name__
        self._put("run-finished", {"status": "failed", "error": said[:LONGEST]})

    def _put(self, kind: str, detail: Mapping[str, object]) -> None:
        same = self._same
        known = same.get("correlation_id") or same.get("run_id") or same.get("job_run_id")
        self._tell(kind, {**same, "correlation_id": known, **detail})


def _mapping(report: MappingReport) -> dict[str, object]:
    return {
        "mapping": report.name,
        "kind": report.kind,
        "status": report.status,
        **{name: getattr(report, name) for name in COUNTS},
        "files": len(report.files),
        "deliveries": list(report.deliveries[:LISTED]),
        "seconds": report.seconds,
        "error": report.error[:LONGEST] if report.error else None,
        "correlation_ids": _executions(report.files),
    }


def _executions(files: Iterable[str]) -> list[str]:
    """The executions that files came with: under these ids their landing and their ingest were told."""
    found = (where.execution for file in files if (where := kept(file)) and where.execution)
    return list(dict.fromkeys(found))[:LISTED]
