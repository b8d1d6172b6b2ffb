"""The demo from the first record to the proof: the org, the extract, the main job; an hour's work; both again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from forceglue.demo import beside
from forceglue.demo.hour import Worked, work
from forceglue.demo.org import CLIENT_ID, CLIENT_SECRET, DemoOrg, demo_org
from forceglue.demo.proof import Proof, prove
from forceglue.demo.story import Round, told
from forceglue.run.wording import number, plural
from forceglue.simulated.salesforce.server import serve

if TYPE_CHECKING:
    from rich.console import Console

    from forceglue.demo.folder import DemoFolder
    from forceglue.extract.report import ExtractReport
    from forceglue.mapping.project import Project
    from forceglue.run.report import RunReport
    from forceglue.simulated.salesforce.server import OrgServer

STEPS = 6


@dataclass(frozen=True)
class Played:
    """A demo that was played; its org still answers.

    Attributes:
        rounds: the first load, and the hour after it.
    """

    demo: DemoOrg
    server: OrgServer
    rounds: tuple[Round, Round]
    worked: Worked
    proof: Proof

    @property
    def succeeded(self) -> bool:
        """Whether everything went well and the tables hold what the org holds."""
        return all(one.succeeded for one in self.rounds) and not self.proof.differences


@contextmanager
def play(console: Console, project: Project, mappings: Path, folder: DemoFolder, *, scale: int = 1) -> Iterator[Played]:
    """Plays the demo and tells it; the org answers until the block ends.

    Args:
        mappings: where `project` was loaded from.

    Raises:
        UsageError: the catalog lacks an object of the demo.
        SetupError: the machine lacks something that Spark or the simulated org needs.
    """
    from forceglue.runtime.session import start

    # Spark needs a few seconds to start; the org is filled and read meanwhile
    with ThreadPoolExecutor(max_workers=1) as aside:
        session = aside.submit(start, quick=True)
        demo = demo_org(project.catalog, scale=scale)
        with demo.org, serve(demo.org) as server:
            stage = _Stage(console, project, mappings, folder, demo, server)
            stage.heading(1, "A Salesforce org")
            console.print(f"{number(demo.records)} records of {len(demo.org.objects)} objects at {server.url}")
            first = stage.round(2, beside.first(folder.landing, project.catalog, demo), session.result)
            stage.heading(4, "An hour of work in the org")
            worked = work(demo)
            console.print(Text(f"{told(worked)}."))
            landed = beside.later(folder.landing, project.catalog, demo)
            rounds = (first, stage.round(5, landed, lambda: None))
            yield Played(demo, server, rounds, worked, prove(demo.org, project, Path(folder.warehouse)))


@dataclass(frozen=True)
class _Stage:
    """What every step needs."""

    console: Console
    project: Project
    mappings: Path
    folder: DemoFolder
    demo: DemoOrg
    server: OrgServer

    def heading(self, step: int, text: str) -> None:
        self.console.print(Text(f"\n{step} of {STEPS}  {text}", "bold"), soft_wrap=True)

    def round(self, step: int, landed: beside.Landed, ready: Callable[[], object]) -> Round:
        """The extract, then the main job."""
        again = " again" if step > 2 else ""
        self.heading(step, f"forceglue extract{again}")
        extracted = self._extract()
        self.console.print(f"{plural(extracted.rows, 'row')} landed; {plural(extracted.calls, 'API call')}")
        bad = plural(len(landed.bad_files), "file")
        self.console.print(
            f"Beside them: {plural(landed.files, 'file')} of AppFlow flows with {plural(landed.rows, 'row')}"
            + (f", and {bad} that no job should load" if landed.bad_files else ""),
            soft_wrap=True,
        )
        ready()
        self.heading(step + 1, f"forceglue run{again}")
        return Round(self.demo.records, extracted, landed, self._run())

    def _extract(self) -> ExtractReport:
        """As `forceglue extract` does it: nothing there knows that the org is simulated."""
        from forceglue.extract.console import Shown
        from forceglue.extract.extractor import extract
        from forceglue.extract.request import ExtractRequest
        from forceglue.salesforce.client import Salesforce
        from forceglue.salesforce.settings import from_environment

        with Shown(self.console) as shown:
            request = ExtractRequest(landing=str(self.folder.landing), project=self.project, progress=shown.on_event)
            connections = request.objects_at_once + request.pages_at_once
            with Salesforce(from_environment(connection(self.server)), connections=connections) as org:
                return extract(request, org)

    def _run(self) -> RunReport:
        """As `forceglue run` does it."""
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


def connection(server: OrgServer) -> dict[str, str]:
    """The variables that say how to reach the demo's org."""
    return {"SF_TOKEN_URL": server.token_url, "SF_CLIENT_ID": CLIENT_ID, "SF_CLIENT_SECRET": CLIENT_SECRET}
