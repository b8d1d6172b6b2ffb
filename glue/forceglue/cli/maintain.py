"""`forceglue maintain`: tables that stay quick to read and no larger than they must be."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import (
    delivery_option,
    json_option,
    project_options,
    request_of,
    told_errors,
    warehouse_option,
)
from forceglue.cli.tables import show, table

if TYPE_CHECKING:
    from forceglue.run.maintain import Care, Maintained


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@warehouse_option
@delivery_option
@project_options
@click.option("--dry-run", "dry", is_flag=True, help="Show what would be done, with numbers; change nothing. No JVM.")
@json_option
def maintain(
    names: Sequence[str],
    warehouse: str | None,
    delivery: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    dry: bool,
    as_json: bool,
) -> None:
    """Join small files and remove what is no longer needed, as `maintain` of each mapping and of project.yaml says.

    Without NAME: all tables, and what runs have left. Exit code 0: all done; 1: a table failed; 2: usage or mapping
    errors.
    """
    from forceglue.run.maintain import maintain as look_after

    with told_errors():
        request = request_of(names, None, warehouse, delivery, mappings, env, given, needs=("warehouse",))
        done = look_after(request, dry=dry)
    if as_json:
        click.echo(json.dumps(asdict(done), indent=2, ensure_ascii=False))
    else:
        _show(done)
    sys.exit(1 if done.failed else 0)


def _show(done: Maintained) -> None:
    numbers = ("Files", "Size", "Joined", "Removed", "Freed", "Commits")
    made = table("Table", "Files", "Size", "Joined", "Removed", "Freed", "Commits", "Kept for", numbers=numbers)
    for care in done.tables:
        if care.files or care.error or care.removed:
            made.add_row(*_row(care))
    show(made)
    for care in done.tables:
        for line in _lines(care):
            click.echo(f"{care.name}: {line}")
    rest = done.leftovers
    if rest.runs or rest.staged:
        click.echo(
            f"Beside the tables: reports of {rest.runs} runs and staged rows of {rest.staged} runs that ended early, "
            f"{_size(rest.freed)}."
        )
    if done.dry:
        click.echo("Nothing was changed. `rewind` reaches back as far as replaced files are kept.")


def _row(care: Care) -> list[str]:
    joined = f"{care.joined} → {care.into}" if care.joined else ""
    removed, freed = (str(care.removed), _size(care.freed)) if care.removed else ("", "")
    return [care.name, str(care.files), _size(care.size), joined, removed, freed, str(care.log or ""), care.keep]


def _lines(care: Care) -> list[str]:
    said = [care.error, care.note]
    said.append(f"{care.rows} set-aside rows are older than keep_quarantine" if care.rows else None)
    said.append(f"deletions of {care.deletions} batches are older than keep_deleted" if care.deletions else None)
    return [line for line in said if line]


def _size(count: int) -> str:
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
