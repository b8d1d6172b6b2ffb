"""Problems on the console: by file, each with its place, what was found, what is allowed, how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forceglue.mapping.problems import Problem


def show(problems: Sequence[Problem], files: int, folder: Path, *, noun: str = "file") -> None:
    """Every problem, and at the end how many there are; `folder` is where the problems' files are."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    file = ""
    for problem in problems:
        if problem.file != file:
            file = problem.file
            console.print(Text(f"\n{folder / file}", style="bold"))
        place = Text(f"  {problem.line:>4}  ")
        place.append(problem.code, style="yellow" if problem.warning else "red")
        place.append(" warning" if problem.warning else "")
        place.append(f"  {problem.path or '(file)'}: ", style="cyan").append(problem.message)
        console.print(place)
        for label, text in problem.details():
            console.print(
                Text(f"          {label}: ", style="dim").append(text, style="green" if label == "did you mean" else "")
            )
    nouns = noun if files == 1 else f"{noun}s"
    if not problems:
        console.print(Text(f"{files} {nouns} checked, no problem", style="green"))
        return
    wrong = len({problem.file for problem in problems})
    warnings = sum(problem.warning for problem in problems)
    counts = ((len(problems) - warnings, "problem"), (warnings, "warning"))
    found = " and ".join(f"{count} {what}{'s' if count > 1 else ''}" for count, what in counts if count)
    style = "bold yellow" if warnings == len(problems) else "bold red"
    console.print(Text(f"\n{found} in {wrong} of {files} {nouns}. mappings/ERRORS.md explains each code.", style=style))
