"""The command line: `python -m local_stack up|down|events`, which make calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from forceglue.errors import ForceglueError
from local_stack.place import Place


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which stack is meant."""
    usual = Place()
    folder = click.Path(path_type=Path, file_okay=False, resolve_path=True)
    command = click.option(
        "--environment", default=usual.environment, show_default=True, help="EnvPrefix of the stacks."
    )(command)
    return click.option("--folder", type=folder, default=usual.folder, help="Of its processes, logs and stack.env.")(
        command
    )


@contextmanager
def told() -> Iterator[None]:
    """Errors that say what to do are told without a trace."""
    try:
        yield
    except ForceglueError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def main() -> None:
    """The whole system on this machine."""


@main.command()
@options
@click.option(
    "--mappings",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The mappings; unless given this checkout's.",
)
def up(folder: Path, environment: str, mappings: Path | None) -> None:
    """Start the emulated AWS, the simulated org and Spark, and deploy the stacks."""
    from local_stack.up import up as bring

    place = Place(folder, environment, *((mappings,) if mappings else ()))
    with told():
        bring(place, lambda line: click.echo(line if line.startswith("\n") else f"up: {line}"))


@main.command()
@options
def down(folder: Path, environment: str) -> None:
    """End what `up` started."""
    from local_stack.down import down as end

    with told():
        end(Place(folder, environment), lambda line: click.echo(f"down: {line}"))


@main.command()
@options
@click.option(
    "--all", "every", is_flag=True, help="Also what S3 says of each object, and mappings without anything new."
)
def events(folder: Path, environment: str, every: bool) -> None:
    """Tell what happened: the event log, under its correlation ids."""
    from local_stack import story

    with told():
        for line in story.told(story.events(Place(folder, environment)), every=every):
            click.echo(line)


if __name__ == "__main__":
    main()
