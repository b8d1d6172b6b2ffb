from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given

from forceglue.run.report import ExpectationResult, MappingReport, RuleCount, RunReport, followed, run_status
from run.report_samples import (
    CUT_OFF,
    FORECAST,
    LEAD,
    ORDER,
    REPORT,
    SALES,
    STARTED,
    STOPPED,
    mapping_reports,
    run_reports,
)


@given(run_reports)
def test_any_report_comes_back_as_it_was(report: RunReport) -> None:
    assert RunReport.from_json(report.to_json()) == report


@given(mapping_reports)
def test_the_balance_in_the_file_is_the_balance_of_the_numbers(mapping: MappingReport) -> None:
    report = RunReport("r", "succeeded", STARTED, STARTED, (mapping,))
    told = json.loads(report.to_json())["mappings"][0]
    out = told["written"] + told["superseded"] + told["dropped"] + told["quarantined"] + told["filtered"]
    assert told["balance"] is (told["landed"] == out)
    assert report.balance is told["balance"]


def test_the_json_has_the_keys_that_programs_read() -> None:
    told = json.loads(REPORT.to_json())
    assert list(told)[:5] == ["run_id", "status", "started", "finished", "mappings"]
    order = told["mappings"][0]
    assert {k: order[k] for k in ("name", "status", "landed", "written", "inserted", "updated", "deleted")} == {
        "name": "order",
        "status": "written",
        "landed": 1200,
        "written": 1150,
        "inserted": 1000,
        "updated": 148,
        "deleted": 2,
    }
    assert {k: order[k] for k in ("superseded", "filtered", "dropped", "quarantined", "seconds", "balance")} == {
        "superseded": 15,
        "filtered": 20,
        "dropped": 8,
        "quarantined": 7,
        "seconds": 1.24,
        "balance": True,
    }
    rule = order["rules"][0]
    assert (rule["name"], rule["severity"], rule["passed"], rule["failed"]) == (
        "account_is_known",
        "quarantine",
        1193,
        7,
    )


def test_times_are_utc_with_z() -> None:
    east = datetime(2026, 11, 21, 12, 15, tzinfo=timezone(timedelta(hours=2)))
    told = json.loads(replace(REPORT, started=east).to_json())
    assert told["started"] == "2026-11-21T10:15:00Z"
    assert told["finished"] == "2026-11-21T10:16:13.400000Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="started has no time zone"):
        replace(REPORT, started=datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("observed", "read"),
    [
        (math.nan, "nan"),
        (math.inf, "inf"),
        (Decimal("1.10"), "1.10"),
        (date(2026, 1, 2), "2026-01-02"),
        ((1, 2), [1, 2]),
        ({1: {None}}, {"1": "{None}"}),
    ],
)
def test_what_json_has_no_word_for_becomes_text(observed: object, read: object) -> None:
    mapping = replace(ORDER, expectations=(ExpectationResult("e", True, observed=observed),))
    again = RunReport.from_json(replace(REPORT, mappings=(mapping,)).to_json())
    assert again.mappings[0].expectations[0].observed == read


def test_a_key_of_a_later_version_is_passed_over_and_a_missing_one_is_an_error() -> None:
    told = json.loads(REPORT.to_json())
    assert RunReport.from_json(json.dumps({**told, "colour": "green"})) == REPORT
    del told["run_id"]
    with pytest.raises(ValueError, match="run_id"):
        RunReport.from_json(json.dumps(told))


def test_totals_by_kind() -> None:
    assert REPORT.total("written") == 2_300
    assert REPORT.total("written", "object") == REPORT.total("written", "dataset") == 1_150


def test_a_rejected_file_is_told_once() -> None:
    assert REPORT.rejected_files == (CUT_OFF,)


@pytest.mark.parametrize(
    ("mappings", "status"),
    [
        ((), "succeeded"),
        ((ORDER, LEAD, SALES), "succeeded"),
        ((ORDER, STOPPED), "failed"),
        ((ORDER, FORECAST), "failed"),
    ],
)
def test_one_mapping_that_loaded_nothing_fails_the_run(mappings: tuple[MappingReport, ...], status: str) -> None:
    assert run_status(mappings) == status


def test_what_follows_records_is_added_up_and_the_worse_end_is_told() -> None:
    low = RuleCount("low", "quarantine", passed=5, failed=1)
    first = MappingReport(
        "account", "object", "written", landed=10, written=9, inserted=9, quarantined=1, rules=(low,), files=("a",),
        stages={"read": 0.1, "commit": 1.0},
    )  # fmt: skip
    then = MappingReport(
        "account", "object", "written", landed=4, written=3, updated=3, superseded=1, rules=(low, replace(low, name="x")),
        files=("b",), stages={"read": 0.2}, patched={"refresh": 3},
    )  # fmt: skip
    both = followed(first, then)
    assert (both.landed, both.written, both.inserted, both.updated, both.balance) == (14, 12, 9, 3, True)
    assert [(r.name, r.passed, r.failed) for r in both.rules] == [("low", 10, 2), ("x", 5, 1)]
    assert (both.files, both.stages, both.patched) == (("a", "b"), {"read": 0.3, "commit": 1.0}, {"refresh": 3})
    failed = followed(both, MappingReport("account", "object", "failed", error="gone", held=2))
    assert (failed.status, failed.error, failed.held, failed.landed, failed.patched) == (
        "failed",
        "gone",
        2,
        14,
        {"refresh": 3},
    )
    assert followed(MappingReport("account", "object", "unchanged"), then).status == "written"


@given(mapping_reports, mapping_reports)
def test_two_reports_that_balance_balance_together(one: MappingReport, two: MappingReport) -> None:
    both = followed(one, two)
    assert both.landed == one.landed + two.landed
    assert both.balance or not (one.balance and two.balance)
