"""`make bench`: every comparison, or those named, printed as they come and kept as a table in RESULTS.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import pyspark

from benchmarks.cases import extract, functions, growth, merge, nothing_new, old_way, one_session, rules
from benchmarks.figures import Figure, table
from benchmarks.timing import adopt_orphans

RESULTS = Path(__file__).with_name("RESULTS.md")
CASES: dict[str, Callable[[int], Iterator[Figure]]] = {
    "nothing-new": nothing_new.compare,
    "one-session": lambda rounds: one_session.compare(1, 1.1, rounds),
    "one-session-100": lambda rounds: one_session.compare(100, 1.1, 1),
    "old-way": lambda rounds: old_way.compare(1, 1 / 3, 1 / 6),
    "rules": lambda rounds: rules.compare(5_000_000, rounds),
    "merge": lambda rounds: merge.compare(5_000_000, rounds),
    "extract": lambda rounds: extract.compare(1_000_000, rounds),
    "functions": functions.compare,
    "growth": lambda rounds: growth.compare((1, 10, 100)),
    "old-way-100": lambda rounds: old_way.compare(100, 1 / 2, 1 / 6),
}


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(CASES)))
@click.option("--rounds", default=3, show_default=True, help="How often each pair is run.")
@click.option("--keep", is_flag=True, help="Write the table to RESULTS.md.")
def main(names: Sequence[str], rounds: int, keep: bool) -> None:
    adopt_orphans()
    figures: list[Figure] = []
    for name in names or CASES:
        for figure in CASES[name](rounds):
            figures.append(figure)
            click.echo(" | ".join(figure.cells))
    click.echo(f"\n{table(figures)}")
    if keep:
        RESULTS.write_text(report(figures), "utf-8")


def report(figures: Sequence[Figure]) -> str:
    """The page that is kept: the machine, then the table."""
    machine = f"{len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, Spark {pyspark.__version__}"
    return f"# Measured side by side\n\nBy `make bench` on one machine: {machine}.\n\n{table(figures)}\n"


if __name__ == "__main__":
    main()
