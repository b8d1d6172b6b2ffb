"""A Spark process for each dataset, which reads all that ever landed, against the main job with its tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.by_hand.rows import agree
from benchmarks.data import fresh, land, org
from benchmarks.figures import Figure, ratio
from benchmarks.forceglue_way import forceglue_run
from benchmarks.timing import Pairs, Timing, python
from mappings.reference import dataset_facts

QUICK_UP_TO = 10
"""The scale up to which a user takes `--quick`."""


def compare(scale: int, full_at_most: float, hour_at_most: float) -> Iterator[Figure]:
    """The first full load, then an hour's increment; once, since the old way takes minutes."""
    made = org(scale)
    ours, theirs = fresh(f"ours-{scale}"), fresh(f"old-way-{scale}")
    for step, source, at_most in (("full load", made.full, full_at_most), ("hour", made.hour, hour_at_most)):
        land(source, ours / "landing")
        land(source, theirs / "landing")
        pair = Pairs((forceglue_run(ours, quick=scale <= QUICK_UP_TO),), (old_way(theirs),))
        agree(ours / "delivery", theirs / "delivery")
        yield ratio(f"{step}, {scale} x demo: a Spark process for each dataset", pair, at_most)


def old_way(roots: Path) -> Timing:
    """All processes, one after the other."""
    runs = [
        python("benchmarks.by_hand.old_way", facts.name, roots / "landing", roots / "delivery")
        for facts in dataset_facts()
    ]
    total = runs[0]
    for run in runs[1:]:
        total += run
    return total
