"""`forceglue run` and `forceglue plan`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from forceglue.cli.options import json_option, request_of, root_options, told_errors


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@root_options
@click.option("--full-refresh", is_flag=True, help="Load every file again and replace the tables.")
@click.option("--quick", is_flag=True, help="JVM settings for small data: a faster start, slower long jobs.")
@json_option
def run(
    names: Sequence[str],
    landing: str | None,
    warehouse: str | None,
    delivery: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    full_refresh: bool,
    quick: bool,
    as_json: bool,
) -> None:
    """Load what has landed and deliver the datasets: all mappings, or those named and what they need.

    Exit code 0: all written; 1: a mapping failed or a gate stopped it; 2: usage or mapping errors.
    """
    from rich.console import Console

    from forceglue.run.console import ProgressPrinter, summary
    from forceglue.run.progress import printer
    from forceglue.run.runner import run as execute

    console = Console(stderr=as_json, highlight=False)
    with told_errors():
        request = request_of(
            names, landing, warehouse, delivery, mappings, env, given, full_refresh=full_refresh, quick=quick
        )
        with ProgressPrinter(console) as shown:
            report = execute(printer(request, shown))
    if as_json:
        click.echo(report.to_json())
    else:
        console.print(summary(report))
    sys.exit(0 if report.status == "succeeded" else 1)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@root_options
@click.option("--full-refresh", is_flag=True, help="As if every file were loaded again.")
@json_option
def plan(
    names: Sequence[str],
    landing: str | None,
    warehouse: str | None,
    delivery: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    full_refresh: bool,
    as_json: bool,
) -> None:
    """What a run would do, with numbers, writing nothing: new files, rows, what would be set aside, schema changes."""
    from rich.console import Console

    from forceglue.run.console import plan_table
    from forceglue.run.dry_run import dry_run

    with told_errors():
        request = request_of(
            names, landing, warehouse, delivery, mappings, env, given, full_refresh=full_refresh, quick=True
        )
        planned = dry_run(request)
    if as_json:
        click.echo(planned.to_json())
    else:
        Console(highlight=False).print(plan_table(planned.mappings, planned.told(), planned.rejected_files))
    sys.exit(0 if planned.status == "succeeded" else 1)
