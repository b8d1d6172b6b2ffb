"""`forceglue init`."""

from __future__ import annotations

from pathlib import Path

import click

from forceglue.cli.options import told_errors


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Start a project in FOLDER, which is empty or not there: settings, a mapping, rows to try, a test, a CI file.

    Exit code 0: made; 2: the folder is not empty, or cannot be written.
    """
    from forceglue.describe.start import start

    with told_errors():
        made = start(folder)
    for file in made:
        click.echo(f"  {folder / file}")
    go = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    click.echo(f"Go on with: {go}forceglue check && forceglue test && forceglue run")
