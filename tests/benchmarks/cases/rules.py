"""What rules cost on a wide object of five million rows, and how much memory its load takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.data import WORK, fresh, land, wide
from benchmarks.figures import GIGABYTE, Figure, ratio, took
from benchmarks.forceglue_way import forceglue_run
from benchmarks.timing import BenchmarkError, Timing, in_turn, python

MAPPINGS = Path(__file__).parents[1] / "mappings"


def load(rows: int, kind: str) -> Timing:
    """The wide object into a new warehouse, under one of the mapping folders."""
    roots = fresh(f"wide-{kind}")
    land(wide(rows), roots / "landing")
    return forceglue_run(roots, mappings=MAPPINGS / kind, quick=False)


def compare(rows: int, rounds: int) -> Iterator[Figure]:
    """25 row rules against none; the same with three of uniqueness and a report against the load and a GX run."""
    wide(rows)
    said = f"{rows:,} rows of 60 columns"
    pairs = in_turn(lambda: load(rows, "rules"), lambda: load(rows, "plain"), rounds)
    yield ratio(f"{said} with 25 row rules: without", pairs, 1.35)
    yield Figure(
        f"{said}: memory of the largest process, driver of 4 GB",
        took(pairs.theirs),
        "",
        max(run.peak for run in pairs.theirs) / GIGABYTE,
        5.0,
        "GB",
    )

    def load_and_gx() -> Timing:
        loaded = load(rows, "plain")
        judged = python("benchmarks.by_hand.gx_suite", WORK / "wide-plain" / "warehouse" / "wide")
        if judged.told.get("evaluated") != 28:
            raise BenchmarkError(f"Great Expectations judged {judged.told}")
        return loaded + judged

    pairs = in_turn(lambda: load(rows, "unique"), load_and_gx, rounds)
    yield ratio(f"{said} with 25 rules, 3 of uniqueness and the report: load, then GX's own run", pairs, 0.5)
