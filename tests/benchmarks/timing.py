"""Whole processes, timed from outside: wall time, CPU time and memory of everything that a command started."""

from __future__ import annotations

import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOURCES = str(Path(__file__).parents[2] / "glue")
TESTS = str(Path(__file__).parents[1])


class BenchmarkError(Exception):
    """A command failed, or two ways did not do the same work: no figure comes of it."""


@dataclass(frozen=True)
class Timing:
    """One run.

    Attributes:
        wall, cpu: seconds; `cpu` is that of all processes, the JVM's too.
        peak: bytes of the largest process.
        told: what the command said of its work: the JSON object on the last line of its output, if there is one.
    """

    wall: float
    cpu: float
    peak: int
    told: Mapping[str, Any] = field(default_factory=dict)

    def __add__(self, other: Timing) -> Timing:
        return Timing(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak), self.told)


def adopt_orphans() -> None:
    """Processes that outlive the one that started them become ours: a JVM ends a moment after its Python."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def timed(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Timing:
    """Runs a command to its end, with everything that it started.

    Raises:
        BenchmarkError: it failed; with the end of what it said.
    """
    given = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((SOURCES, TESTS)),
        "PYTHONHASHSEED": "0",
        **(environment or {}),
    }
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complained:
        started = time.monotonic()
        # a group of its own, to wait for it and what it leaves behind, and for no other child of ours
        process = subprocess.Popen(list(command), stdout=said, stderr=complained, env=given, process_group=0)
        code, wall, cpu, peak = _ended(process, started)
        said.seek(0)
        complained.seek(0)
        output, errors = said.read(), complained.read()
    if code:
        raise BenchmarkError(f"{' '.join(command)} ended with {code}:\n{(output + errors)[-4000:]}")
    return Timing(wall, cpu, peak, _last_object(output))


def _ended(process: subprocess.Popen[str], started: float) -> tuple[int, float, float, int]:
    code, wall, cpu, peak = 0, 0.0, 0.0, 0
    while True:
        try:
            pid, status, used = os.wait4(-process.pid, 0)
        except ChildProcessError:
            return code, wall, cpu, peak
        cpu += used.ru_utime + used.ru_stime
        peak = max(peak, used.ru_maxrss * 1024)
        if pid == process.pid:
            code, wall = os.waitstatus_to_exitcode(status), time.monotonic() - started
            process.returncode = code


def _last_object(output: str) -> dict[str, Any]:
    last = output.strip().rpartition("\n")[2]
    return dict(json.loads(last)) if last.startswith("{") and last.endswith("}") else {}


def python(module: str, *arguments: object, **environment: str) -> Timing:
    """Runs a module of this package, or of forceglue, in a Python of its own."""
    return timed([sys.executable, "-m", module, *map(str, arguments)], environment)


@dataclass(frozen=True)
class Pairs:
    """Two ways of the same work, run in turn."""

    ours: tuple[Timing, ...]
    theirs: tuple[Timing, ...]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios of wall time: a machine that slows down slows both of a pair."""
        return statistics.median(a.wall / b.wall for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def cpu_ratio(self) -> float:
        return statistics.median(a.cpu / b.cpu for a, b in zip(self.ours, self.theirs, strict=True))


def in_turn(ours: Callable[[], Timing], theirs: Callable[[], Timing], rounds: int) -> Pairs:
    """Runs both ways `rounds` times, each second round in the other order."""
    a: list[Timing] = []
    b: list[Timing] = []
    for number in range(rounds):
        for way, into in ((ours, a), (theirs, b)) if number % 2 == 0 else ((theirs, b), (ours, a)):
            into.append(way())
    return Pairs(tuple(a), tuple(b))
