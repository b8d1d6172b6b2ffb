"""`forceglue drift`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import (
    org_options,
    project_options,
    request_of,
    signed_in,
    told_errors,
    warehouse_option,
)

if TYPE_CHECKING:
    from forceglue.describe.drift import Finding, ObjectDrift

COLOURS = {"stops": "red", "loses": "red", "changes": "yellow", "told": "bright_black"}
HARMLESS = 10
REACHES = 6


@click.command()
@click.argument("objects", nargs=-1, metavar="[OBJECT]...")
@warehouse_option
@project_options
@org_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Exit code 1 for any difference, harmless ones too.")
def drift(
    objects: Sequence[str],
    warehouse: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    allow_password: bool,
    form: str,
    strict: bool,
) -> None:
    r"""What has changed in Salesforce since the snapshots were pulled, and what a run would make of it. No JVM.

    Compares mapping, snapshot, org and, where a warehouse is known, table: of each OBJECT (or mapping, table), else of
    the sources of all mappings. Nothing is written: `forceglue catalog pull` takes the changes over.

    \b
    Each difference:  stops    nothing of the object is loaded while it lasts
                      loses    a column gets no values, or rows are set aside
                      changes  the table gets another column
                      told     nothing follows from it
    Exit code 0: nothing stops or loses; 1: something does; 2: usage or settings.
    """
    from forceglue.describe.drift import drift as compare
    from forceglue.landing.store import Store
    from forceglue.mapping.load import load_project

    found: list[ObjectDrift] = []
    with told_errors():
        request = request_of((), None, warehouse, None, mappings, env, given, needs=())
        project = load_project(mappings, env=env, params=request.params, checked=False)
        tables = Store(request.warehouse) if request.warehouse else None
        with signed_in(allow_password) as org:
            for one in compare(project, org, objects, warehouse=tables):
                found.append(one)
                if form == "text":
                    _show(one)
    grave, some = sum(one.grave for one in found), sum(bool(one.findings) for one in found)
    if form == "json":
        told = {"objects": [one.to_dict() for one in found], "differ": some, "stop_or_lose": grave}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{len(found)} compared, {some} differ, {grave} stop or lose values.")
        if some:
            click.echo("`forceglue catalog pull` takes what Salesforce says over into the snapshots.")
    sys.exit(1 if grave or (strict and some) else 0)


def _show(one: ObjectDrift) -> None:
    if not one.snapshot:
        click.echo(f"{one.object}: no snapshot to compare with: `forceglue catalog pull {one.object}` makes one.")
    if not one.findings:
        return
    made = f" → {one.mapping}" if one.mapping else ""
    click.echo(click.style(f"{one.object}{made} (on_drift: {one.policy})", bold=True))
    order = list(COLOURS)
    shown = sorted(one.findings, key=lambda finding: order.index(finding.severity))
    harmless = [finding for finding in shown if finding.severity == "told"]
    for finding in [f for f in shown if f.severity != "told"] + harmless[:HARMLESS]:
        click.echo(f"  {click.style(f'{finding.severity:<7}', fg=COLOURS[finding.severity])}  {_line(finding)}")
    if len(harmless) > HARMLESS:
        click.echo(f"  and {len(harmless) - HARMLESS} more from which nothing follows: --format json tells all")


def _line(finding: Finding) -> str:
    from forceglue.describe.changes import in_short

    what = f"{finding.field} {finding.kind.replace('_', ' ')}".strip()
    values = " → ".join(in_short(value) for value in (finding.before, finding.after) if value is not None)
    reaches = ", ".join(finding.reaches[:REACHES]) + (" and more" if len(finding.reaches) > REACHES else "")
    return f"{what}{f' {values}' if values else ''}: {finding.effect}{f'; reaches {reaches}' if reaches else ''}"
