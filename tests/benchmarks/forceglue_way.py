"""The main job as its users call it."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.data import MAPPINGS
from benchmarks.timing import Timing, timed

PROGRAM = (sys.executable, "-c", "from forceglue.cli.main import main; main()")


def forceglue(*arguments: object) -> Timing:
    """The command line with these arguments."""
    return timed([*PROGRAM, *map(str, arguments)])


def forceglue_run(roots: Path, *, mappings: Path = MAPPINGS, quick: bool) -> Timing:
    """`forceglue run` over `landing`, `warehouse` and `delivery` below `roots`.

    Raises:
        BenchmarkError: a mapping was not written.
    """
    places = [f"--{name}={roots / name}" for name in ("landing", "warehouse", "delivery")]
    return forceglue("run", *places, f"--mappings={mappings}", *(["--quick"] if quick else []))
