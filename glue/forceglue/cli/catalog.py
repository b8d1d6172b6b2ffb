"""`forceglue catalog pull`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import json_option, org_options, pairs, project_options, signed_in, told_errors

if TYPE_CHECKING:
    from forceglue.describe.pull import Pulled

CHANGES_SHOWN = 20


@click.group()
def catalog() -> None:
    """What Salesforce says about its objects, kept in the mappings folder as catalog/<Object>.json."""


@catalog.command()
@click.argument("objects", nargs=-1, metavar="[OBJECT]...")
@click.option("--all", "everything", is_flag=True, help="Every object of the org that can be queried.")
@project_options
@org_options
@json_option
def pull(
    objects: Sequence[str],
    everything: bool,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    allow_password: bool,
    as_json: bool,
) -> None:
    """Describe objects as the integration user sees them: OBJECT (or mapping, table), else the sources of all mappings.

    What has changed since the last time is shown. The connection comes from the environment, as for `extract`.

    Exit code 0: all pulled; 1: an object was not, the others were; 2: usage or settings.
    """
    from forceglue.describe.pull import pull as execute
    from forceglue.mapping.load import read_project

    done: list[Pulled] = []
    with told_errors():
        project = read_project(mappings, env=env, params=pairs(given)).project
        with signed_in(allow_password) as org:
            for one in execute(project, org, objects, everything=everything):
                done.append(one)
                if not as_json:
                    _show(one)
    if as_json:
        click.echo(json.dumps({"objects": [one.to_dict() for one in done]}, indent=2, ensure_ascii=False))
    else:
        counts = {outcome: sum(1 for one in done if one.outcome == outcome) for outcome in ("new", "changed", "same")}
        click.echo(", ".join(f"{count} {outcome}" for outcome, count in counts.items()) + f" in {mappings / 'catalog'}")
    sys.exit(1 if any(one.outcome == "failed" for one in done) else 0)


def _show(one: Pulled) -> None:
    if one.error:
        click.echo(f"{one.object}: not pulled: {one.error}.", err=True)
    elif one.outcome != "same":
        known = f", types of {one.learnt} are known now" if one.learnt else ""
        click.echo(f"{one.object}: {one.outcome}, {one.fields} fields{known}")
    for change in one.changes[:CHANGES_SHOWN]:
        click.echo(f"    {change}")
    if len(one.changes) > CHANGES_SHOWN:
        click.echo(f"    and {len(one.changes) - CHANGES_SHOWN} more: see the difference in version control")
