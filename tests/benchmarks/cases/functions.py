"""The functions for AWS Lambda: cold imports, a run over many users, an answer of a warm token broker."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator

from benchmarks.data import ROOT
from benchmarks.figures import Figure, took
from benchmarks.timing import SOURCES, TESTS, Timing, timed

PLACES = os.pathsep.join((SOURCES, str(ROOT / "lambdas"), TESTS, str(ROOT)))

LAMBDA = {"LAMBDA_TASK_ROOT": "/var/task"}
"""Where this is set, as in Lambda, X-Ray's recorder makes no client of AWS when it is imported."""


def compare(rounds: int) -> Iterator[Figure]:
    """Import times are whole processes, the interpreter's own start among them."""
    for path in sorted((ROOT / "lambdas").glob("*/handler.py")):
        runs = [_run("-c", f"import {path.parent.name}.handler", **LAMBDA) for _ in range(rounds + 1)][1:]
        seconds = statistics.median(run.wall for run in runs)
        yield Figure(f"cold import of {path.parent.name}", took(runs), "", seconds, 0.4, "s")
    users = _run("-m", "benchmarks.by_hand.refresh_users")
    told = f"{users.told['refreshed']:,} refreshed, {users.told['failures']} failed"
    yield Figure("token refresher, 10,000 users, AWS in memory", told, "", users.told["seconds"], 60.0, "s")
    warm = _run("-m", "benchmarks.by_hand.warm_broker")
    told = f"99 in 100 within {warm.told['p99']:.2f} ms"
    yield Figure("token broker, an answer from memory", told, "", warm.told["median"], 1.0, "ms")
    files = _run("-m", "benchmarks.by_hand.ingest_files")
    told = f"the first {files.told['first']:.0f} ms; {files.told['a_second']:.0f} files a second, one at a time"
    yield Figure("ingest, CPU of a file", told, "", files.told["median"], 20.0, "ms")
    for name, took_ms in _run("-m", "benchmarks.by_hand.warm_rest_api").told.items():
        told = f"95 in 100 within {took_ms['p95']:.2f} ms of CPU"
        yield Figure(f"REST API's own time, {name}", told, "", took_ms["median"], 3.0, "ms")


def _run(*words: str, **more: str) -> Timing:
    return timed([sys.executable, *words], {"PYTHONPATH": PLACES, "AWS_DEFAULT_REGION": "eu-west-1", **more})
