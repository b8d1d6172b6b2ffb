from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from forceglue.demo.story import story
from forceglue.demo.truth import BadFile, ObjectTruth, OrgTruth
from forceglue.run.report import (
    DriftNote,
    IngestCounts,
    MappingReport,
    Paths,
    RejectedFile,
    RuleCount,
    RunReport,
)

GOLDEN = Path(__file__).parent / "golden" / "story.txt"
STARTED = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)


def _truth(step: str, rows: int, bad_files: int) -> OrgTruth:
    order = ObjectTruth(
        name="Order",
        folders=("dev-Salesforce-Order",),
        format="parquet",
        paths=("in/dev-Salesforce-Order/1/1",),
        rows=rows,
        written=rows - 8,
        superseded=5,
        null_keys=2,
        bad_stamps=1,
        bad_casts={},
        short_ids=0,
        ties=0,
        records_after=rows - 8,
        deleted_after=0,
    )
    wrong = tuple(BadFile(f"in/dev-Salesforce-Quote/{n}/x", "Quote", "empty file") for n in range(bad_files))
    return OrgTruth(step, 7, 1, {"Order": order}, wrong)


MADE, CHANGED = _truth("full load", 1_208, 2), _truth("hour", 58, 0)
ORDER = MappingReport(
    "order",
    "object",
    "written",
    landed=1_208,
    written=1_200,
    inserted=1_200,
    superseded=5,
    quarantined=3,
    rules=(
        RuleCount("key_is_set", "quarantine", 1_206, 2),
        RuleCount("systemmodstamp_is_a_timestamp", "quarantine", 1_207, 1),
        RuleCount("has_account", "warn", 1_190, 18),
    ),
)
SALES = MappingReport(
    "Sales_Order", "dataset", "written", landed=1_180, written=1_180, deliveries=("Synth-Sales_Order_2026.csv",)
)
REJECTED = (
    RejectedFile("in/dev-Salesforce-Quote/0/x", "the file is empty", "empty"),
    RejectedFile("in/dev-Salesforce-Order-Product/1/x.parquet", "the end of the file is missing", "truncated"),
)
FULL = RunReport(
    "20261121T101500Z-1111",
    "succeeded",
    STARTED,
    STARTED + timedelta(seconds=41.2),
    (ORDER, SALES),
    IngestCounts(1, REJECTED),
)
HOUR = RunReport(
    "20261121T101600Z-2222",
    "succeeded",
    STARTED + timedelta(minutes=1),
    STARTED + timedelta(minutes=1, seconds=12),
    (
        replace(
            ORDER,
            landed=58,
            written=50,
            inserted=8,
            updated=40,
            deleted=2,
            rules=(RuleCount("key_is_set", "quarantine", 55, 3),),
            drift=(DriftNote("swm_campaign_label__c", "appeared", "evolve", "column added"),),
        ),
        replace(SALES, landed=1_230, written=1_230),
    ),
    IngestCounts(1),
    Paths(
        "demo/landing",
        "demo/warehouse",
        "demo/delivery",
        "demo/warehouse/_runs/20261121T101600Z-2222/report.html",
        "demo/warehouse/_docs/index.html",
    ),
)


def _shown(full: RunReport, hour: RunReport, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(story(full, hour, MADE, CHANGED), crop=False)
    written = console.file.getvalue()  # type: ignore[attr-defined]  # the file above, whose type rich widens
    return "".join(line.rstrip() + "\n" for line in written.splitlines())


def test_the_story_of_two_good_runs() -> None:
    assert _shown(FULL, HOUR) == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("width", [60, 100, 160])
def test_no_line_is_wider_than_the_terminal_and_no_count_is_lost(width: int) -> None:
    told = _shown(FULL, HOUR, width)
    prose, _, places = told.partition("Where to look")
    assert max(map(len, prose.splitlines())) <= width
    assert "demo/warehouse/_runs/20261121T101600Z-2222/report.html" in places  # in one piece, to be copied
    assert {"1,208", "1,200", "1,180", "58", "50"} <= set(told.split())


def test_a_failed_mapping_and_lost_rows_are_told() -> None:
    lost = replace(ORDER, landed=1_208, written=1_199)
    failed = replace(SALES, status="failed", landed=0, written=0, error="Sales_Order: order has no column status")
    told = _shown(replace(FULL, status="failed", mappings=(lost, failed)), HOUR)
    assert "Full load: rows in and rows out do not add up" in told
    assert "Full load: order has no column status" in told


def test_a_run_that_did_not_see_what_was_made_says_so() -> None:
    told = _shown(replace(FULL, mappings=(replace(ORDER, landed=1_000, written=992),), ingest=IngestCounts(1)), HOUR)
    assert "Full load: 1,208 rows were made, 1,000 came out; 2 bad files were made, 0 came out." in told


def test_reasons_are_those_that_set_rows_aside_worst_first() -> None:
    told = _shown(FULL, HOUR)
    assert told.index("key_is_set") < told.index("systemmodstamp_is_a_timestamp")
    assert "has_account" not in told


def test_control_characters_of_data_do_not_reach_the_terminal() -> None:
    nasty = replace(FULL, ingest=IngestCounts(1, (RejectedFile("in/\x1b[31mred/1/x", "why\x07", "empty"),)))
    told = _shown(nasty, HOUR)
    assert "\x1b" not in told
    assert "\x07" not in told
