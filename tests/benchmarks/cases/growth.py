"""How the cost of a full load grows with the data, and what DuckDB takes for the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from benchmarks.by_hand.rows import agree
from benchmarks.cases.old_way import QUICK_UP_TO
from benchmarks.data import fresh, land, org, size
from benchmarks.figures import Figure, ratio, took
from benchmarks.forceglue_way import forceglue_run
from benchmarks.timing import Pairs, Timing, python


def compare(scales: tuple[int, ...]) -> Iterator[Figure]:
    """Full loads from the smallest scale to the largest; DuckDB at the largest."""
    taken: dict[int, Timing] = {}
    for scale in scales:
        roots = fresh(f"growth-{scale}")
        land(org(scale).full, roots / "landing")
        taken[scale] = forceglue_run(roots, quick=scale <= QUICK_UP_TO)
    for small, large in pairwise(scales):
        more = size(org(large).full) / size(org(small).full)
        yield Figure(
            f"full load, demo x {large} against x {small}: {more:.1f} times the data",
            took([taken[large]]),
            took([taken[small]]),
            taken[large].wall / taken[small].wall / more,
            1.0,
            "x the growth of the data",
        )
    largest = scales[-1]
    roots = fresh("duckdb")
    land(org(largest).full, roots / "landing")
    duckdb = python("benchmarks.by_hand.duckdb_load", *(roots / n for n in ("landing", "warehouse", "delivery")))
    agree(roots.parent / f"growth-{largest}" / "delivery", roots / "delivery")
    yield ratio(f"full load, {largest} x demo: DuckDB", Pairs((taken[largest],), (duckdb,)), 4.0)
