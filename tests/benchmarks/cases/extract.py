"""An object read from an org, against simple-salesforce's bulk download and pandas."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.by_hand.org_server import APP, FIELDS, OBJECT, SECRET
from benchmarks.data import OUT, fresh
from benchmarks.figures import GIGABYTE, Figure, ratio, took
from benchmarks.forceglue_way import PROGRAM
from benchmarks.timing import SOURCES, TESTS, BenchmarkError, Timing, in_turn, python, timed

MAPPINGS = Path(__file__).parents[1] / "mappings" / "org"


def compare(rows: int, rounds: int) -> Iterator[Figure]:
    """Both from the same server; what it renders for a query is made before anything is timed."""
    with serving(OUT / "data" / f"org-of-{rows}", rows) as url:

        def ours() -> Timing:
            roots = fresh("extract-ours")
            place = {"SF_TOKEN_URL": f"{url}/services/oauth2/token", "SF_CLIENT_ID": APP, "SF_CLIENT_SECRET": SECRET}
            command = [*PROGRAM, "extract", OBJECT, f"--landing={roots}", f"--mappings={MAPPINGS}"]
            done = timed(command, place)
            read = [pq.read_metadata(file) for file in roots.glob("in/**/*.parquet")]
            same(rows, sum(file.num_rows for file in read if file.num_columns == len(FIELDS)))
            return done

        def theirs() -> Timing:
            done = python("benchmarks.by_hand.simple_salesforce_load", url, fresh("extract-theirs"))
            same(rows, done.told["rows"])
            return done

        ours(), theirs()
        pairs = in_turn(ours, theirs, rounds)
    said = f"{rows:,} rows of {len(FIELDS)} fields from an org"
    yield ratio(f"{said}: simple-salesforce's bulk download, pandas to Parquet", pairs, 1 / 3)
    peak = max(run.peak for run in pairs.ours) / GIGABYTE
    yield Figure(f"{said}: memory of the extract", took(pairs.ours), "", peak, 0.5, "GB")


def same(wanted: int, got: int) -> None:
    """Raises where a way has not read every row with every field."""
    if got != wanted:
        raise BenchmarkError(f"{got:,} rows were read of {wanted:,}")


@contextmanager
def serving(folder: Path, rows: int) -> Iterator[str]:
    """The org in a process of its own, for the length of a block; its URL."""
    command = [sys.executable, "-m", "benchmarks.by_hand.org_server", str(folder), str(rows)]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join((SOURCES, TESTS))}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=paths) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        if not url:
            raise BenchmarkError("the simulated org did not start")
        try:
            yield url
        finally:
            server.stdin.close()
