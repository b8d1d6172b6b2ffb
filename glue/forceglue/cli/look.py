"""`forceglue preview` and `forceglue test`: rows of a mapping, and its own examples, without writing."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import json_option, pairs, project_options, request_of, root_options, told_errors

if TYPE_CHECKING:
    from forceglue.run.preview import Only


@click.command()
@click.argument("name")
@root_options
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many rows.")
@click.option("--only", type=click.Choice(["good", "quarantine", "drop"]), help="Rows of one verdict alone.")
@click.option("--full-refresh", is_flag=True, help="As if every file were loaded again.")
@json_option
def preview(
    name: str,
    landing: str | None,
    warehouse: str | None,
    delivery: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    limit: int,
    only: Only | None,
    full_refresh: bool,
    as_json: bool,
) -> None:
    """See rows of the mapping NAME without writing, with the reasons of those that would be set aside.

    Of an object: what the next run would load; with nothing new, the table. Of a dataset: what it would deliver from
    the tables as they are. With --json a row a line. Values are shown as they are: mind who sees your terminal.

    Exit code 0: shown; 1: a root cannot be read; 2: usage or mapping errors.
    """
    from rich.console import Console

    from forceglue.run.look import preview_text
    from forceglue.run.preview import preview as look

    with told_errors():
        roots = (landing, warehouse, delivery)
        request = request_of((), *roots, mappings, env, given, full_refresh=full_refresh, quick=True)
        seen = look(request, name, limit=limit, only=only)
    if as_json:
        for row in seen.rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        Console(highlight=False).print(preview_text(seen))


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@project_options
@json_option
def test(names: Sequence[str], mappings: Path, env: str | None, given: Sequence[str], as_json: bool) -> None:
    """Run the examples of all mappings, or of those named: given rows against what is to become of them.

    Exit code 0: every example holds; 1: one does not; 2: usage or mapping errors.
    """
    from rich.console import Console

    from forceglue.mapping.load import load_project
    from forceglue.run.examples import run_examples
    from forceglue.run.look import results_json, results_text

    with told_errors():
        project = load_project(mappings, env=env, params=pairs(given))
        results = run_examples(project, names)
        wanted = [project.mapping(name).mapping for name in names] or list(project.mappings)
    told = {result.mapping for result in results}
    without = [name for name in wanted if name not in told]
    if as_json:
        click.echo(results_json(results, without))
    else:
        Console(highlight=False).print(results_text(results, without))
    sys.exit(0 if all(result.passed for result in results) else 1)
