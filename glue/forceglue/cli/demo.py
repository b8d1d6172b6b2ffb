"""`forceglue demo`: a made-up Salesforce org is extracted and loaded, then once more after an hour of work in it."""

from __future__ import annotations

import shlex
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import told_errors

if TYPE_CHECKING:
    from rich.console import Console

    from forceglue.demo.folder import DemoFolder
    from forceglue.demo.play import Played


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Where everything goes. An earlier demo there is replaced; a folder with anything else is refused.",
)
@click.option(
    "--mappings",
    type=click.Path(path_type=Path, file_okay=False),
    help="A mappings folder; without it those that come with forceglue.",
)
@click.option(
    "--scale",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How big the org is; 1 has about 20,000 records.",
)
@click.option("--keep", is_flag=True, help="Stop rather than replace an earlier demo.")
@click.option("--keep-org", is_flag=True, help="Let the org go on afterwards, until Ctrl-C, and say how to reach it.")
def demo(out: Path, mappings: Path | None, scale: int, keep: bool, keep_org: bool) -> None:
    """Extract and load a made-up Salesforce org twice, an hour's work apart, and tell what became of it.

    The org is simulated on this machine and answers as Salesforce does.

    Exit code 0: the tables hold what the org holds; 1: they do not, or a step failed; 2: usage or mapping errors.
    """
    from rich.console import Console

    from forceglue.demo.folder import shipped_mappings

    with told_errors():
        succeeded = _play(out, mappings or shipped_mappings(), scale, keep, keep_org, Console(highlight=False))
    sys.exit(0 if succeeded else 1)


def _play(out: Path, mappings: Path, scale: int, keep: bool, keep_org: bool, console: Console) -> bool:
    from forceglue.demo.folder import demo_folder
    from forceglue.demo.play import play
    from forceglue.demo.story import story
    from forceglue.mapping.load import load_project

    project = load_project(mappings)
    folder = demo_folder(out, keep=keep)
    with play(console, project, mappings, folder, scale=scale) as played:
        console.print()
        console.print(story(played.rounds, played.worked, played.proof), crop=False)
        if keep_org:
            _go_on(played, folder, console)
        return played.succeeded


def _go_on(played: Played, folder: DemoFolder, console: Console) -> None:
    """Until Ctrl-C the org answers whoever calls, and its clock goes on."""
    from forceglue.demo.play import connection

    played.demo.clock.go_on()
    lines = [f"export {name}={shlex.quote(value)}" for name, value in connection(played.server).items()]
    landing = f"--landing {shlex.quote(str(folder.landing))}"
    warehouse = f"--warehouse {shlex.quote(str(folder.warehouse))}"
    lines += [
        f"forceglue extract {landing} --lag 0",
        f"forceglue drift {warehouse}",
        f"forceglue reconcile {landing} {warehouse}",
    ]
    console.print("\nThe org goes on until you press Ctrl-C. In another terminal:\n", style="bold")
    console.out("\n".join(lines))
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
