"""Whether two ways delivered the same datasets."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from benchmarks.by_hand.records import TRACE
from benchmarks.timing import BenchmarkError
from mappings.reference import DatasetFacts, canonical, dataset_facts


def agree(ours: Path, theirs: Path) -> None:
    """Compares every dataset's rows, each by the columns that need no common spelling.

    Raises:
        BenchmarkError: other rows: the two did not do the same work.
    """
    for facts in dataset_facts():
        a, b = rows(newest(ours, facts), facts), rows(newest(theirs / facts.name, None), facts)
        if a != b:
            raise BenchmarkError(
                f"{facts.name}: {sum(a.values())} rows against {sum(b.values())}; "
                f"only ours: {list(a - b)[:2]}, only by hand: {list(b - a)[:2]}"
            )


def newest(folder: Path, facts: DatasetFacts | None) -> Path:
    """The dataset's newest CSV file."""
    pattern = f"{facts.file.partition('<')[0].removesuffix('.csv')}*.csv" if facts else "*.csv"
    files = [path for path in folder.glob(pattern) if facts is None or _is(path, facts)]
    return max(files, key=lambda path: path.stat().st_mtime_ns)


def _is(path: Path, facts: DatasetFacts) -> bool:
    """Not that of a dataset whose name goes on: Sales_Order is no Sales_Order_Type."""
    rest = path.stem.removeprefix(Path(facts.file).name.partition("<")[0].removesuffix(".csv"))
    return not rest or not rest[0].isalpha()


def rows(path: Path, facts: DatasetFacts) -> Counter[tuple[str, ...]]:
    """The rows by their Ids, which no way spells in its own manner; of versions with one stamp each takes its own."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *found = csv.reader(file)
    at = [i for i, name in enumerate(header) if name.lower().endswith("id") and not name.endswith(TRACE)]
    return Counter(tuple(canonical(row[i].strip()) for i in at) for row in found)
