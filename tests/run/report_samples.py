"""Reports for the tests of this room: one with everything in it, and a hypothesis strategy for any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from forceglue.mapping.model import SEVERITIES
from forceglue.run.report import (
    DriftNote,
    ExpectationResult,
    IngestCounts,
    MappingReport,
    Paths,
    RejectedFile,
    RuleCount,
    RunReport,
)

STARTED = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
CUT_OFF = RejectedFile(
    "in/dev-Salesforce-Lead/9aa1/part.parquet", "the end is missing", "truncated", "error/Lead/part.parquet"
)

ORDER = MappingReport(
    "order",
    "object",
    "written",
    landed=1_200,
    written=1_150,
    inserted=1_000,
    updated=148,
    deleted=2,
    superseded=15,
    filtered=20,
    dropped=8,
    quarantined=7,
    seconds=1.24,
    rules=(
        RuleCount("account_is_known", "quarantine", 1_193, 7, "The account was loaded too", "account_name is not null"),
        RuleCount("amount_is_positive", "warn", 1_146, 4),
    ),
    drift=(DriftNote("Region__c", "appeared", "evolve", "column region__c added"),),
    files=tuple(f"processed/Order/2026/11/21/10/0a1b/part-{i}.parquet" for i in range(25)),
    stages={"read": 0.2, "judge": 0.9},
    expectations=(
        ExpectationResult("expect_table_row_count_to_be_between", True, arguments={"min_value": 1}, observed=1_150),
    ),
)
LEAD = MappingReport("lead", "object", "unchanged", seconds=0.1, rejected_files=(CUT_OFF,))
STOPPED = MappingReport(
    "opportunity",
    "object",
    "stopped",
    seconds=2.0,
    held=3_021,
    error="opportunity: stopped by stage_is_set (12 rows); nothing was written.",
    rules=(RuleCount("stage_is_set", "fail", 3_009, 12),),
)
SALES = MappingReport(
    "Sales_Order",
    "dataset",
    "written",
    landed=1_150,
    written=1_150,
    inserted=1_150,
    seconds=0.6,
    deliveries=("Synth-Sales_Order_2026-11-21 101500.csv",),
)
FORECAST = MappingReport("Forecast", "dataset", "skipped", error="opportunity, which it reads, was stopped")
REPORT = RunReport(
    "20261121T101500Z-7f3a",
    "failed",
    STARTED,
    STARTED + timedelta(seconds=73.4),
    (ORDER, LEAD, STOPPED, SALES, FORECAST),
    IngestCounts(212, (CUT_OFF,)),
    Paths("landing", "warehouse", "delivery", "warehouse/_runs/1/report.html", "warehouse/_docs/index.html"),
    project="salesforce",
    environment="dev",
)

text = st.text(max_size=20)
counts = st.integers(0, 2**53)
seconds = st.floats(0, 1e6)
moments = st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
rejected = st.builds(RejectedFile, text, text, st.none() | text, st.none() | text)


def tuples(inner: st.SearchStrategy, size: int = 3) -> st.SearchStrategy:
    return st.lists(inner, max_size=size).map(tuple)


mapping_reports = st.builds(
    MappingReport,
    name=text,
    kind=st.sampled_from(["object", "dataset"]),
    status=st.sampled_from(["written", "unchanged", "stopped", "failed", "skipped"]),
    **dict.fromkeys(("landed", "written", "inserted", "updated", "deleted", "superseded"), counts),
    **dict.fromkeys(("filtered", "dropped", "quarantined", "held"), counts),
    seconds=seconds,
    rules=tuples(
        st.builds(RuleCount, text, st.sampled_from(SEVERITIES), counts, counts, st.none() | text, st.none() | text)
    ),
    drift=tuples(st.builds(DriftNote, text, text, text, text)),
    files=tuples(text),
    rejected_files=tuples(rejected),
    deliveries=tuples(text),
    warnings=tuples(text),
    patched=st.dictionaries(st.sampled_from(["refresh", "deleted", "vanished"]), counts),
    error=st.none() | text,
    stages=st.dictionaries(text, seconds, max_size=3),
    expectations=tuples(
        st.builds(
            ExpectationResult,
            text,
            st.booleans(),
            st.sampled_from(["fail", "warn"]),
            st.dictionaries(text, json_values, max_size=2),
            json_values,
            st.none() | counts,
            st.none() | text,
        )
    ),
)
run_reports = st.builds(
    RunReport,
    run_id=text,
    status=st.sampled_from(["succeeded", "failed"]),
    started=moments,
    finished=moments,
    mappings=tuples(mapping_reports),
    ingest=st.builds(IngestCounts, counts, tuples(rejected)),
    paths=st.builds(Paths, *[st.none() | text] * 5),
    project=text,
    environment=st.none() | text,
    stages=st.dictionaries(text, seconds, max_size=2),
    correlation_id=st.none() | text,
)
