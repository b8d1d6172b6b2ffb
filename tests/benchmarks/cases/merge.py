"""100,000 changes into a table of five million rows, against a MERGE tuned by hand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cases.rules import MAPPINGS
from benchmarks.data import WORK, fresh, land, wide, wide_file
from benchmarks.figures import Figure, ratio
from benchmarks.forceglue_way import forceglue_run
from benchmarks.timing import BenchmarkError, Timing, in_turn, python

COLUMNS = 13
CHANGES, NEW = 80_000, 20_000


def compare(rows: int, rounds: int) -> Iterator[Figure]:
    """Changes spread over the whole table, and changes of the newest tenth."""
    kept = _prepared(rows)
    for where, numbers in (
        ("spread over all of it", f"n * {rows // CHANGES}"),
        ("in its newest tenth", f"{rows - rows // 10} + n * {rows // 10 // CHANGES}"),
    ):
        batch = _batch("merge-changes", [(numbers, CHANGES), (f"n + {rows}", NEW)], later=400)
        pairs = in_turn(lambda b=batch: _ours(kept, b), lambda b=batch: _theirs(kept, b), rounds)
        yield ratio(f"{CHANGES + NEW:,} changes {where}, {rows:,} rows: the best MERGE by hand", pairs, 1.2)


def _prepared(rows: int) -> Path:
    """Both tables as they are day after day: ours has been updated before, theirs is kept in the order of its keys."""
    first, kept, roots = wide(rows, columns=COLUMNS), fresh("merge-kept"), fresh("merge-ours")
    for source in (first, _batch("merge-earlier", [("n * 1000", 100)], later=30)):
        land(source, roots / "landing")
        forceglue_run(roots, mappings=MAPPINGS / "narrow", quick=False)
    shutil.rmtree(roots / "landing")
    roots.rename(kept / "ours")
    python("benchmarks.by_hand.merge", "prepare", first, kept / "theirs")
    return kept


def _batch(name: str, parts: list[tuple[str, int]], later: int) -> Path:
    """A landing area with a file for each `(which records, how many)`."""
    import duckdb

    folder = fresh(name)
    flow = folder / "in" / "bench-Salesforce-Wide__c" / f"{later:08}-2222-3333-4444-555555555555"
    flow.mkdir(parents=True)
    for at, (numbers, count) in enumerate(parts):
        wide_file(duckdb.connect(), flow / f"part-{at:05}.parquet", numbers, count, COLUMNS, later)
    return folder


def _ours(kept: Path, batch: Path) -> Timing:
    roots = _copy(kept / "ours", "merge-ours")
    land(batch, roots / "landing")
    return forceglue_run(roots, mappings=MAPPINGS / "narrow", quick=False)


def _theirs(kept: Path, batch: Path) -> Timing:
    table = _copy(kept / "theirs", "merge-theirs")
    timing = python("benchmarks.by_hand.merge", "change", batch, table)
    if timing.told.get("rows") != CHANGES + NEW:
        raise BenchmarkError(f"the MERGE by hand took {timing.told}")
    return timing


def _copy(source: Path, name: str) -> Path:
    """A copy to change: data files as links, logs as files of their own."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)

    def place(a: str, b: str) -> None:
        (os.link if a.endswith(".parquet") and "_delta_log" not in a else shutil.copy2)(a, b)

    shutil.copytree(source, folder, copy_function=place)
    return folder
