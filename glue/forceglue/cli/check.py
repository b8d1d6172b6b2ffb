"""`forceglue check`: the static checks, all problems at once, no JVM."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import json_option, pairs, project_options, told_errors

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@project_options
@json_option
def check(names: Sequence[str], mappings: Path, env: str | None, given: Sequence[str], as_json: bool) -> None:
    """Check the mapping files: every problem of every file, without starting Spark.

    NAME limits what is shown to these mappings (and project.yaml); all files are checked together in any case.
    Without --env, every environment of project.yaml is tried.

    Exit code 0: no problem, or warnings only; 2: problems.
    """
    from forceglue.cli.problems import show
    from forceglue.mapping.check import check_folder

    with told_errors():
        checked = check_folder(mappings, env=env, params=pairs(given), names=names)
    if as_json:
        shown = {"files": checked.files, "problems": [problem.to_dict() for problem in checked.problems]}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        show(checked.problems, checked.files, mappings)
    if any(not problem.warning for problem in checked.problems):
        sys.exit(2)
