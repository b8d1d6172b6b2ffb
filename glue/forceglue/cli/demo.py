"""`forceglue demo`: a made-up Salesforce org lands, the main job runs, an hour's changes land, it runs again."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import told_errors

if TYPE_CHECKING:
    from rich.console import Console

    from forceglue.demo.folder import DemoFolder
    from forceglue.demo.truth import OrgTruth
    from forceglue.mapping.project import Project
    from forceglue.run.report import RunReport


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
def demo(out: Path, mappings: Path | None, scale: int, keep: bool) -> None:
    """Load a made-up Salesforce org twice, a full load and then an hour's changes, and tell what became of it.

    Exit code 0: both runs succeeded; 1: a mapping failed or a gate stopped it; 2: usage or mapping errors.
    """
    from rich.console import Console

    from forceglue.demo.folder import shipped_mappings

    with told_errors():
        succeeded = _play(out, mappings or shipped_mappings(), scale, keep, Console(highlight=False))
    sys.exit(0 if succeeded else 1)


@dataclass(frozen=True)
class _Stage:
    console: Console
    project: Project
    mappings: Path
    folder: DemoFolder

    def heading(self, number: int, text: str) -> None:
        from rich.text import Text

        self.console.print(Text(f"\n{number} of 4  {text}", "bold"), soft_wrap=True)

    def landed(self, truth: OrgTruth) -> None:
        from rich.text import Text

        from forceglue.run.wording import number, plural

        told = f"{plural(truth.files, 'file')} of {len(truth.objects)} objects, {number(truth.rows)} rows"
        bad = f"; and {plural(len(truth.bad_files), 'file')} that no job should load" if truth.bad_files else ""
        self.console.print(Text(f"{told}{bad}"), soft_wrap=True)

    def run(self) -> RunReport:
        """The main job, as `forceglue run` runs it."""
        from forceglue.run.console import ProgressPrinter
        from forceglue.run.progress import printer
        from forceglue.run.request import RunRequest
        from forceglue.run.runner import run

        request = RunRequest(
            mappings=self.mappings,
            landing=str(self.folder.landing),
            warehouse=str(self.folder.warehouse),
            delivery=str(self.folder.delivery),
            quick=True,
        )
        with ProgressPrinter(self.console, total=len(self.project.mappings)) as shown:
            return run(printer(request, shown))


def _play(out: Path, mappings: Path, scale: int, keep: bool, console: Console) -> bool:
    from forceglue.demo import org
    from forceglue.demo.folder import demo_folder
    from forceglue.demo.story import story
    from forceglue.mapping.load import load_project
    from forceglue.runtime.session import start

    project = load_project(mappings)
    stage = _Stage(console, project, mappings, demo_folder(out, keep=keep))
    # Spark needs a few seconds to start; the landing area is made meanwhile.
    with ThreadPoolExecutor(max_workers=1) as aside:
        session = aside.submit(start, quick=True)
        stage.heading(1, "A full load of the demo org lands")
        made = org.full_load(stage.folder.landing, project.catalog, scale=scale)
        stage.landed(made)
        session.result()
    stage.heading(2, "The main job")
    full = stage.run()
    stage.heading(3, "An hour's changes land")
    changed = org.hour(stage.folder.landing, project.catalog, made)
    stage.landed(changed)
    stage.heading(4, "The main job again")
    later = stage.run()
    console.print()
    console.print(story(full, later, made, changed), crop=False)
    return full.status == later.status == "succeeded"
