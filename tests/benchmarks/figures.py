"""What a comparison came to, as a value and as a table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.timing import Pairs, Timing

GIGABYTE = 1 << 30


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        what: the work; `ours` and `theirs`: the two ways, with what they took.
        value: what is compared with `at_most`.
    """

    what: str
    ours: str
    theirs: str
    value: float
    at_most: float
    unit: str = "x"

    @property
    def met(self) -> bool:
        return self.value <= self.at_most

    @property
    def cells(self) -> tuple[str, str, str, str, str, str]:
        return (
            self.what,
            self.ours,
            self.theirs,
            f"{self.value:.2f} {self.unit}",
            f"{self.at_most:.2f} {self.unit}",
            "yes" if self.met else "**no**",
        )


def ratio(what: str, pairs: Pairs, at_most: float) -> Figure:
    """Our wall time in times of theirs."""
    return Figure(what, took(pairs.ours), took(pairs.theirs), pairs.ratio, at_most)


def took(runs: Sequence[Timing]) -> str:
    """The medians of wall and CPU seconds."""
    wall, cpu = (statistics.median(getattr(run, name) for run in runs) for name in ("wall", "cpu"))
    return f"{wall:.1f} s ({cpu:.1f} CPU)"


HEADER = ("work", "forceglue", "otherwise", "measured", "at most", "met")


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = [HEADER, tuple("---" for _ in HEADER), *(figure.cells for figure in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
