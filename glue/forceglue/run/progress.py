"""A run's events on the terminal."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from forceglue.run.console import ProgressPrinter
from forceglue.run.report import MappingReport
from forceglue.run.request import RunRequest
from forceglue.run.wording import patched_rows


def printer(request: RunRequest, shown: ProgressPrinter) -> RunRequest:
    """The request, telling a terminal how it goes."""

    def tell(name: str, state: str, facts: dict[str, Any]) -> None:
        report = facts.get("report")
        if name == "ingest":
            if state == "ended":
                shown.say(f"{facts['passed']} files passed the checks, {facts['rejected']} were turned away")
        elif isinstance(report, MappingReport):
            counts = {k: v for k, v in asdict(report).items() if isinstance(v, (int, float))}
            shown.on_event(name, report.status, counts, patched_rows(report.patched))
        else:
            shown.on_event(name, "working", {})

    return replace(request, progress=tell)
