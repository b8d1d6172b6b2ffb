"""Where there is nothing to do: a run with nothing new, and the static check."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.data import MAPPINGS, fresh, land, org
from benchmarks.figures import Figure, ratio, took
from benchmarks.forceglue_way import forceglue, forceglue_run
from benchmarks.timing import in_turn, python


def compare(rounds: int) -> Iterator[Figure]:
    """All mappings of the demo org."""
    roots = fresh("nothing-new")
    land(org(1).full, roots / "landing")
    forceglue_run(roots, quick=True)
    table = roots / "warehouse" / "account"
    pairs = in_turn(
        lambda: forceglue_run(roots, quick=True), lambda: python("benchmarks.by_hand.bare_session", table), rounds
    )
    yield ratio("a run with nothing new, 56 mappings: a Spark session that reads one Delta table", pairs, 1.5)
    checks = [forceglue("check", f"--mappings={MAPPINGS}") for _ in range(rounds + 1)][1:]
    seconds = statistics.median(run.wall for run in checks)
    yield Figure("`check` of all mappings, no JVM", took(checks), "", seconds, 1.5, "s")
