"""The whole job written by hand in one session, against the main job."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.by_hand.rows import agree
from benchmarks.cases.old_way import QUICK_UP_TO
from benchmarks.data import WORK, fresh, land, org
from benchmarks.figures import Figure, ratio
from benchmarks.forceglue_way import forceglue_run
from benchmarks.timing import Timing, in_turn, python


def compare(scale: int, at_most: float, rounds: int) -> Iterator[Figure]:
    """A full load of all objects and datasets."""
    made, quick = org(scale), scale <= QUICK_UP_TO

    def ours() -> Timing:
        roots = fresh(f"ours-{scale}")
        land(made.full, roots / "landing")
        return forceglue_run(roots, quick=quick)

    def theirs() -> Timing:
        roots = fresh(f"one-session-{scale}")
        land(made.full, roots / "landing")
        places = [roots / name for name in ("landing", "warehouse", "delivery")]
        return python("benchmarks.by_hand.one_session", *places, "quick" if quick else "long")

    pairs = in_turn(ours, theirs, rounds)
    agree(WORK / f"ours-{scale}" / "delivery", WORK / f"one-session-{scale}" / "delivery")
    yield ratio(f"full load, {scale} x demo: by hand in one session", pairs, at_most)
