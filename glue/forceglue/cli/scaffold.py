"""`forceglue scaffold`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import json_option, org_options, pairs, project_options, signed_in, told_errors

if TYPE_CHECKING:
    from forceglue.describe.scaffold import Scaffolded

CONNECTION = ("SF_TOKEN_URL", "SF_BROKER_URL", "SF_SECRET")


@click.command()
@click.argument("objects", nargs=-1, metavar="[OBJECT]...")
@click.option("--all", "everything", is_flag=True, help="Every object that has a snapshot.")
@click.option("--force", is_flag=True, help="Add columns to mappings that scaffold did not make, too.")
@click.option("--prune", is_flag=True, help="Take columns that nobody touched out where their field is gone.")
@click.option("--offline", is_flag=True, help="From snapshots only; call nothing.")
@project_options
@org_options
@json_option
def scaffold(
    objects: Sequence[str],
    everything: bool,
    force: bool,
    prune: bool,
    offline: bool,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    allow_password: bool,
    as_json: bool,
) -> None:
    """Write mappings/objects/<name>.yaml for each OBJECT from its snapshot in catalog/; what you edit stays.

    Where the environment has a connection (SF_TOKEN_URL, …), an object without a snapshot is pulled first; with --all
    and no snapshot at all, every object of the org is.
    Made again, new fields are added, and columns that nobody touched follow Salesforce. Fields that are gone, and
    edits that differ from Salesforce, are told and left.

    Exit code 0: all done; 1: an object could not be made, or a mapping of yours was left alone; 2: usage or settings.
    """
    from forceglue.describe.scaffold import scaffold as execute
    from forceglue.describe.scaffold import without_snapshot
    from forceglue.mapping.load import read_project

    failed = False
    with told_errors():
        params = pairs(given)
        loaded = read_project(mappings, env=env, params=params)
        missing = without_snapshot(loaded, objects)
        bare = everything and not len(loaded.project.catalog)
        if (missing or bare) and not offline and any(os.environ.get(name) for name in CONNECTION):
            from forceglue.describe.pull import pull

            with signed_in(allow_password) as org:
                for one in pull(loaded.project, org, missing, everything=bare):
                    if one.error:
                        failed = True
                        click.echo(f"{one.object}: not pulled: {one.error}.", err=True)
            loaded = read_project(mappings, env=env, params=params)
        done = []
        for made in execute(loaded, objects, everything=everything, force=force, prune=prune):
            done.append(made)
            if not as_json and not (everything and made.outcome == "left"):
                _show(made, mappings)
    if as_json:
        click.echo(json.dumps({"objects": [made.to_dict() for made in done]}, indent=2, ensure_ascii=False))
    left = [made for made in done if made.outcome == "left"]
    if left and everything and not as_json:
        many = ("mappings", "were", "they lack") if len(left) > 1 else ("mapping", "was", "it lacks")
        click.echo(
            f"{len(left)} {many[0]} that scaffold did not make {many[1]} left alone; --force adds what {many[2]}."
        )
    failed = failed or any(made.outcome == "failed" for made in done) or bool(left and not everything)
    sys.exit(1 if failed else 0)


def _show(made: Scaffolded, mappings: Path) -> None:
    if made.error:
        click.echo(f"{made.object}: {made.error}.", err=True)
        return
    told = {
        "new": f"new, {made.columns} columns",
        "changed": "changed",
        "same": "as it was",
        "left": "left alone: scaffold did not make it; --force adds the columns that it lacks",
    }[made.outcome]
    click.echo(f"{made.object}: {mappings / (made.file or '')}: {told}")
    for note in made.notes:
        click.echo(f"    {note}")
    if any(note.did == "changed" and note.told.startswith("type ") for note in made.notes):
        click.echo("    a table that is there keeps its types: `forceglue run --full-refresh` makes it anew")
    if made.untyped:
        count = len(made.untyped)
        click.echo(
            f"    the snapshot does not know the type of {count} fields, which are text: `forceglue catalog pull`",
        )
