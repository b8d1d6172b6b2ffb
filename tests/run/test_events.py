"""What a run tells: began, each mapping, ended."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from forceglue.errors import LandingError
from forceglue.run.events import LISTED, LONGEST, RunEvents
from forceglue.run.report import MappingReport, RunReport
from forceglue.run.runner import run
from run import small_project
from run.report_samples import LEAD, ORDER, REPORT, STOPPED

SAME = {"job": "dev-forceglue", "job_run_id": "jr_1", "correlation_id": "0a1b"}


class Told(list[tuple[str, dict[str, Any]]]):
    """The events, as they leave."""

    def __call__(self, kind: str, detail: Any) -> None:
        self.append((kind, json.loads(json.dumps(detail))))


def test_a_run_tells_that_it_began_each_mapping_and_how_it_ended() -> None:
    told = Told()
    events = RunEvents(told, SAME)
    events.progress("ingest", "started", {"run_id": "r1"})
    events.progress("ingest", "ended", {"passed": 3, "rejected": 1})
    for mapping in (ORDER, LEAD, STOPPED):
        events.progress(mapping.name, "started", {})
        events.progress(mapping.name, mapping.status, {"report": mapping})
    events.finished(replace(REPORT, mappings=(ORDER, LEAD, STOPPED)))
    assert [kind for kind, _ in told] == ["run-started", *["mapping-finished"] * 3, "run-finished"]
    assert all(detail.items() >= {**SAME, "run_id": "r1"}.items() for _, detail in told)
    order, stopped = told[1][1], told[3][1]
    assert (order["mapping"], order["kind"], order["status"]) == ("order", "object", "written")
    assert order["landed"] == sum(
        order[name] for name in ("written", "superseded", "filtered", "dropped", "quarantined")
    )
    assert (order["files"], order["correlation_ids"], order["error"]) == (25, ["0a1b"], None)
    assert stopped["error"] == STOPPED.error and stopped["held"] == STOPPED.held
    ended = told[-1][1]
    assert (ended["status"], ended["report"]) == (REPORT.status, REPORT.paths.report)
    assert ended["mappings"] == {"written": 1, "unchanged": 1, "stopped": 1} and ended["correlation_ids"] == ["0a1b"]
    assert "events_lost" not in ended


def test_without_a_correlation_id_the_run_is_its_own() -> None:
    told = Told()
    events = RunEvents(told, {**SAME, "correlation_id": None})
    events.progress("ingest", "started", {"run_id": "r1"})
    assert told[0][1]["correlation_id"] == "r1"


def test_a_run_that_ends_without_a_report_is_told_and_quotes_no_value() -> None:
    told = Told()
    events = RunEvents(told, {**SAME, "correlation_id": None})
    events.failed(LandingError("landing root: it is not there. Make it."))
    events.failed(ValueError("could not convert string to float: 'Mrs Example'"))
    assert [detail["error"] for _, detail in told] == ["landing root: it is not there. Make it.", "ValueError"]
    assert {(kind, detail["status"], detail["correlation_id"]) for kind, detail in told} == {
        ("run-finished", "failed", "jr_1")
    }


def test_lost_events_are_counted_in_the_last_one() -> None:
    told = Told()
    RunEvents(told, SAME).finished(REPORT, 3)
    assert told[0][1]["events_lost"] == 3


def test_an_event_stays_small() -> None:
    told = Told()
    files = tuple(f"processed/Order/2026/11/21/10/{n:036d}/part.parquet" for n in range(5_000))
    report = MappingReport(
        "order", "object", "failed", files=files, error="ü" * 50_000, deliveries=("x" * 200,) * 5_000
    )
    events = RunEvents(told, SAME)
    events.progress("order", "failed", {"report": report})
    events.finished(replace(REPORT, mappings=(report,)))
    assert max(len(json.dumps(detail)) for _, detail in told) < 24_000
    assert len(told[0][1]["correlation_ids"]) == LISTED and len(told[0][1]["error"]) == LONGEST


def test_a_real_run_tells_all_of_it_and_keeps_the_correlation_id(tmp_path: Path) -> None:
    (tmp_path / "landing" / "in").mkdir(parents=True)
    small_project.write_project(tmp_path / "mappings")
    told = Told()
    events = RunEvents(told, {**SAME, "correlation_id": None})
    report = run(small_project.request(tmp_path, progress=events.progress, correlation_id="7f3a"))
    events.finished(report)
    assert [kind for kind, _ in told] == ["run-started", *["mapping-finished"] * len(report.mappings), "run-finished"]
    assert {detail["run_id"] for _, detail in told} == {report.run_id}
    kept = (tmp_path / "warehouse" / "_runs" / report.run_id / "report.json").read_text()
    assert RunReport.from_json(kept).correlation_id == report.correlation_id == "7f3a"
