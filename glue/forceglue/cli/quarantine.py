"""`forceglue quarantine show` and `replay`: the rows that were set aside, and their way back."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forceglue.cli.options import json_option, project_options, request_of, root_options, told_errors, warehouse_option
from forceglue.cli.tables import show as show_table
from forceglue.cli.tables import table

if TYPE_CHECKING:
    from forceglue.run.quarantined import AsideRow, Held


@click.group()
def quarantine() -> None:
    """Rows that were set aside: see them, and judge them again."""


@quarantine.command()
@click.argument("name", required=False)
@warehouse_option
@project_options
@click.option("--rule", help="Only rows that break this rule.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many rows.")
@click.option("--raw", is_flag=True, help="With the landed row and the offending values: personal data.")
@json_option
def show(
    name: str | None,
    warehouse: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    rule: str | None,
    limit: int,
    raw: bool,
    as_json: bool,
) -> None:
    """Without NAME, how many rows each mapping has set aside and why; with NAME, the rows, those of the last run first.

    Shown are the record's key, its file, run, time and the rules it breaks. No JVM.
    """
    from forceglue.errors import UsageError
    from forceglue.landing.store import Store
    from forceglue.mapping.load import load_project
    from forceglue.run.quarantined import held, quarantined_names, rows

    with told_errors():
        request = request_of((), None, warehouse, None, mappings, env, given, needs=("warehouse",))
        project = load_project(mappings, env=env, params=request.params)
        store = Store(request.warehouse)
        if name is None:
            if rule or raw:
                raise UsageError("--rule and --raw are about the rows of one mapping: name it.")
            counts = held(store, project, quarantined_names(store))
            _told({"mappings": [asdict(h) for h in counts]}) if as_json else _show_counts(counts)
            return
        known = name if name in quarantined_names(store) else project.mapping(name).mapping
        found = rows(store, project, known, rule=rule, limit=limit, raw=raw)
    if as_json:
        _told({"mapping": known, "rows": [_row(row, raw) for row in found]})
    else:
        _show_rows(known, found, raw)


@quarantine.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@root_options
@click.option("--quick", is_flag=True, help="JVM settings for small data: a faster start, slower long jobs.")
@json_option
def replay(
    names: Sequence[str],
    landing: str | None,
    warehouse: str | None,
    delivery: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    quick: bool,
    as_json: bool,
) -> None:
    """Judge the set-aside rows again by the mappings of today: all mappings, or those named.

    Rows that are good now go into the table, where an older version never overwrites a newer one. A dataset's rows come
    from tables, so the dataset is built again.

    Exit code 0: done; 1: a mapping failed or a gate stopped it; 2: usage or mapping errors.
    """
    from rich.console import Console

    from forceglue.run.console import ProgressPrinter, summary
    from forceglue.run.progress import printer
    from forceglue.run.replay import replay as execute

    console = Console(stderr=as_json, highlight=False)
    with told_errors():
        request = request_of(names, landing, warehouse, delivery, mappings, env, given, quick=quick)
        with ProgressPrinter(console) as shown:
            report = execute(printer(request, shown))
    if as_json:
        click.echo(report.to_json())
    else:
        console.print(summary(report))
        datasets = [m.name for m in report.mappings if m.kind == "dataset" and m.status == "written"]
        if datasets:
            console.print(f"Built again, since their rows come from tables: {', '.join(datasets)}.")
        if any(m.kind == "object" and m.written for m in report.mappings):
            console.print("`forceglue run` rebuilds the datasets that read these tables.")
    sys.exit(0 if report.status == "succeeded" else 1)


def _told(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=lambda v: v.isoformat()))


def _row(row: AsideRow, raw: bool) -> dict[str, Any]:
    """The row as JSON; without `--raw` the keys for values are not there at all."""
    told = asdict(row)
    if not raw:
        del told["raw"]
        for reason in told["reasons"]:
            del reason["value"]
    return told


def _show_counts(counts: Sequence[Held]) -> None:
    if not counts:
        click.echo("Nothing is set aside.")
        return
    made = table("Mapping", "Rows", "Rule", "Severity", numbers=("Rows",))
    for one in counts:
        made.add_row(one.mapping, str(one.rows), "", "", style="bold")
        for rule in one.rules:
            made.add_row("", str(rule.rows), rule.rule, rule.severity)
    show_table(made)
    click.echo("A row may break several rules. The rows: `forceglue quarantine show NAME`.")


def _show_rows(name: str, found: Sequence[AsideRow], raw: bool) -> None:
    from rich.text import Text

    from forceglue.run.wording import clean

    if not found:
        click.echo(f"{name}: no such row is set aside.")
        return
    made = table("Record", "Set aside", "Reasons", "File", "Row", "Run", *(("Raw row",) if raw else ()))
    for row in found:
        reasons = ", ".join(
            f"{r.rule} ({r.severity})" + (f": {r.value!r}" if raw and r.value is not None else "") for r in row.reasons
        )
        cells = [
            row.record or "no key",
            f"{row.at:%Y-%m-%d %H:%M:%S}" if row.at else "",
            reasons,
            row.file or "",
            "" if row.row is None else str(row.row),
            row.run_id or "",
        ]
        if raw:
            cells.append(json.dumps({k: v for k, v in (row.raw or {}).items() if v is not None}, ensure_ascii=False))
        made.add_row(*(Text(clean(cell)) for cell in cells))
    show_table(made)
