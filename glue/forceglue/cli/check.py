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

    from forceglue.mapping.problems import Problem


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
    from forceglue.mapping.check import check_folder

    with told_errors():
        checked = check_folder(mappings, env=env, params=pairs(given), names=names)
    if as_json:
        shown = {"files": checked.files, "problems": [problem.to_dict() for problem in checked.problems]}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        _show(checked.problems, checked.files, mappings)
    if any(not problem.warning for problem in checked.problems):
        sys.exit(2)


def _show(problems: Sequence[Problem], files: int, mappings: Path) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    file = ""
    for problem in problems:
        if problem.file != file:
            file = problem.file
            console.print(Text(f"\n{mappings / file}", style="bold"))
        place = Text(f"  {problem.line:>4}  ")
        place.append(problem.code, style="yellow" if problem.warning else "red")
        place.append(" warning" if problem.warning else "")
        place.append(f"  {problem.path or '(file)'}: ", style="cyan").append(problem.message)
        console.print(place)
        for label, text in problem.details():
            console.print(
                Text(f"          {label}: ", style="dim").append(text, style="green" if label == "did you mean" else "")
            )
    noun = "file" if files == 1 else "files"
    if not problems:
        console.print(Text(f"{files} {noun} checked, no problem", style="green"))
        return
    wrong = len({problem.file for problem in problems})
    warnings = sum(problem.warning for problem in problems)
    counts = ((len(problems) - warnings, "problem"), (warnings, "warning"))
    found = " and ".join(f"{count} {what}{'s' if count > 1 else ''}" for count, what in counts if count)
    style = "bold yellow" if warnings == len(problems) else "bold red"
    console.print(Text(f"\n{found} in {wrong} of {files} {noun}. mappings/ERRORS.md explains each code.", style=style))
