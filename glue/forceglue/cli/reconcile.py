"""`forceglue reconcile`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import (
    landing_option,
    org_options,
    project_options,
    request_of,
    told_errors,
    warehouse_option,
)

if TYPE_CHECKING:
    from forceglue.reconcile.vanished import VanishLimit


@click.command()
@click.argument("objects", nargs=-1, metavar="[OBJECT]...")
@landing_option
@warehouse_option
@project_options
@org_options
@click.option("--since", metavar="DATE", help="Compare records created on or after this day (UTC) only.")
@click.option("--ids", is_flag=True, help="Read and compare all Ids instead: which records differ, exactly.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="With --ids: a CSV file of the Ids.")
@click.option("--land-deleted", is_flag=True, help="With --ids: what has vanished lands, for the next run to delete.")
@click.option("--at-most", default="10%", show_default=True, metavar="N|N%",
              help="How many of a table's live records may vanish at once; more are refused.")  # fmt: skip
@click.option("--allow-empty", is_flag=True, help="With --land-deleted: an object without any record is right.")
@click.option("--budget", type=click.FloatRange(1, 100), default=80.0, show_default=True, metavar="%",
              help="Stop when so much of the org's API calls of 24 hours is used.")  # fmt: skip
@click.option("--at-once", type=click.IntRange(1, 32), default=4, show_default=True, help="Objects compared at once.")
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
def reconcile(
    objects: Sequence[str],
    landing: str | None,
    warehouse: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    allow_password: bool,
    since: str | None,
    ids: bool,
    out: Path | None,
    land_deleted: bool,
    at_most: str,
    allow_empty: bool,
    budget: float,
    at_once: int,
    form: str,
) -> None:
    """Do the tables hold what Salesforce holds? Counts and sums of both, by day, and what explains a difference.

    Of each OBJECT (or mapping, or table), else of the sources of all mappings and of what was extracted. No JVM; the
    connection comes from the environment, as that of `extract`.

    Exit code 0: equal, or every difference is explained; 1: a difference is not, or an object could not be compared;
    2: usage or settings.
    """
    from rich.console import Console

    from forceglue.mapping.load import load_project
    from forceglue.reconcile.console import summary
    from forceglue.reconcile.reconciler import reconcile as execute
    from forceglue.reconcile.report_html import render_html
    from forceglue.reconcile.request import ReconcileRequest
    from forceglue.salesforce.budget import Budget
    from forceglue.salesforce.client import Salesforce
    from forceglue.salesforce.settings import from_environment

    if not ids and (out or land_deleted):
        raise click.UsageError("--out and --land-deleted need --ids: only that knows which records differ.")
    if ids and since:
        raise click.UsageError("--since goes with counts and sums; --ids compares all records.")
    most, first = _most(at_most, allow_empty=allow_empty), _day(since)
    with told_errors():
        roots = request_of((), landing, warehouse, None, mappings, env, given, needs=("landing", "warehouse"))
        request = ReconcileRequest(
            landing=roots.landing,
            warehouse=roots.warehouse,
            project=load_project(mappings, env=env, params=roots.params, checked=False),
            names=tuple(objects),
            since=first,
            ids=ids,
            out=out,
            land_deleted=land_deleted,
            at_most=most,
            label=env or "org",
            at_once=at_once,
        )
        connection = from_environment(allow_password=allow_password)
        with Salesforce(connection, budget=Budget(budget / 100)) as org:
            report = execute(request, org)
    if form == "text":
        Console(highlight=False).print(summary(report))
    else:
        click.echo(report.to_json() if form == "json" else render_html(report))
    sys.exit(0 if report.status == "succeeded" else 1)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise click.BadParameter(f"{text!r} is no day such as 2026-01-31", param_hint="--since") from None


def _most(text: str, *, allow_empty: bool) -> VanishLimit:
    from forceglue.reconcile.vanished import VanishLimit

    number, percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
    if percent and number.replace(".", "", 1).isdigit() and float(number) <= 100:
        return VanishLimit(share=float(number) / 100, empty=allow_empty)
    if not percent and number.isdigit():
        return VanishLimit(number=int(number), empty=allow_empty)
    raise click.BadParameter(f"{text!r} is neither a number nor a share such as 10%", param_hint="--at-most")
