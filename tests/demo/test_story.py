from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from forceglue.demo.beside import Landed
from forceglue.demo.hour import Worked
from forceglue.demo.proof import Proof
from forceglue.demo.story import Round, story, told
from forceglue.demo.truth import BadFile
from forceglue.extract.report import ExtractReport, ObjectReport
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


def _extract(rows: int, calls: int, refreshed: int | None = None, deleted: int | None = None) -> ExtractReport:
    order = ObjectReport("Order", "landed", "bulk", rows=rows, calls=calls, refreshed=refreshed, deleted=deleted)
    return ExtractReport("20261121T101400Z-1", STARTED, 4.2, "http://127.0.0.1", "67.0", calls, 9, 1000, (order,))


def _beside(rows: int, aside: int, bad_files: int) -> Landed:
    wrong = tuple(BadFile(f"in/dev-Salesforce-Quote/{n}/x", "Quote", "empty file") for n in range(bad_files))
    return Landed(1, {"Order": rows}, {"Order": aside}, wrong)


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
            patched={"refresh": 4, "deleted": 1},
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


FIRST = Round(1_200, _extract(1_200, 110), _beside(8, 3, 2), FULL)
SECOND = Round(1_215, _extract(33, 90, 12, 5), _beside(8, 3, 0), HOUR)
WORKED = Worked(
    Counter(born=15, changed=1, late=1, deleted=12, purged=2, merged=3),
    ["Order.SWM_Campaign_Label__c"],
    ["Product2.Help__c"],
)
PROOF = Proof(objects=1, records=1_215, values=60_000, deleted=15, merged=3, purged=2)


def _shown(first: Round = FIRST, second: Round = SECOND, width: int = 100, proof: Proof = PROOF) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(story((first, second), WORKED, proof), crop=False)
    written = console.file.getvalue()  # type: ignore[attr-defined]  # the file above, whose type rich widens
    return "".join(line.rstrip() + "\n" for line in written.splitlines())


def test_the_story_of_two_good_rounds() -> None:
    assert _shown() == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("width", [60, 100, 160])
def test_no_line_is_wider_than_the_terminal_and_no_count_is_lost(width: int) -> None:
    said = _shown(width=width)
    prose, _, places = said.partition("Where to look")
    assert max(map(len, prose.splitlines())) <= width
    assert "demo/warehouse/_runs/20261121T101600Z-2222/report.html" in places  # in one piece, to be copied
    assert {"1,208", "1,200", "1,180", "58", "50"} <= set(said.split())


def test_a_failed_mapping_and_lost_rows_are_told() -> None:
    lost = replace(ORDER, landed=1_208, written=1_199)
    failed = replace(SALES, status="failed", landed=0, written=0, error="Sales_Order: order has no column status")
    bad = replace(FIRST, run=replace(FULL, status="failed", mappings=(lost, failed)))
    said = _shown(bad)
    assert "Full load: rows in and rows out do not add up" in said
    assert "Full load: order has no column status" in said
    assert FIRST.succeeded and not bad.succeeded


def test_an_object_that_could_not_be_read_is_told() -> None:
    broken = replace(FIRST.extract, objects=(ObjectReport("Order", "failed", error="QUERY_TIMEOUT"),))
    bad = replace(FIRST, extract=broken)
    assert "Full load, extract: QUERY_TIMEOUT" in _shown(bad)
    assert not bad.succeeded


def test_a_run_that_did_not_see_what_landed_says_so() -> None:
    blind = replace(FULL, mappings=(replace(ORDER, landed=1_000, written=992),), ingest=IngestCounts(1))
    said = " ".join(_shown(replace(FIRST, run=blind)).split())
    assert "Full load: 1,208 rows landed, 1,000 came out; 2 files were made bad, 0 came out." in said


def test_the_proof_comes_last_and_a_difference_is_told() -> None:
    good = " ".join(_shown().split())
    assert "The tables hold what the org holds: 1,215 records of 1 object compared field by field" in good
    bad = " ".join(
        _shown(proof=replace(PROOF, differences=(("Order.Status", "3 records differ, 801 for one"),))).split()
    )
    assert "The tables do not hold what the org holds" in bad
    assert "Order.Status 3 records differ, 801 for one" in bad


def test_the_hour_is_told_in_one_sentence() -> None:
    assert told(WORKED) == (
        "15 records are new, 1 was changed, 12 were deleted, 2 were purged, 3 were merged into others, "
        "1 was committed late, under a stamp from before, the field Order.SWM_Campaign_Label__c is new, "
        "the field Product2.Help__c is gone"
    )


def test_reasons_are_those_that_set_rows_aside_worst_first() -> None:
    said = _shown()
    assert said.index("key_is_set") < said.index("systemmodstamp_is_a_timestamp")
    assert "has_account" not in said


def test_control_characters_of_data_do_not_reach_the_terminal() -> None:
    nasty = replace(FULL, ingest=IngestCounts(1, (RejectedFile("in/\x1b[31mred/1/x", "why\x07", "empty"),)))
    said = _shown(replace(FIRST, run=nasty))
    assert "\x1b" not in said
    assert "\x07" not in said
