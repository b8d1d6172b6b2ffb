"""The main job: ingest, plan, run every mapping in its order, report. One Spark session, or none."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from forceglue.errors import ConcurrentRunError, ForceglueError, GateStopped
from forceglue.landing.ingest import ingest
from forceglue.landing.inventory import LandedFile
from forceglue.landing.patch import KINDS
from forceglue.landing.patch import Kind as PatchKind
from forceglue.landing.store import Store
from forceglue.mapping.load import load_project
from forceglue.quality.quarantine import settle
from forceglue.run.context import RunContext, new_run_id
from forceglue.run.dataset_run import run_dataset
from forceglue.run.object_run import run_object
from forceglue.run.plan import ObjectPlan
from forceglue.run.planner import Planner, work_order
from forceglue.run.publish import publish
from forceglue.run.report import IngestCounts, Kind, MappingReport, Paths, RejectedFile, RunReport, followed
from forceglue.run.request import RunRequest
from forceglue.run.stages import Stages
from forceglue.run.tables import Tables
from forceglue.write.delta_table import usable

_TRIES = 3
"""How often a batch is planned anew when another run commits to its table meanwhile."""
_Done = TypeVar("_Done")


def run(request: RunRequest) -> RunReport:
    """Runs the mappings and writes the report; a mapping that fails does not stop the others.

    Raises:
        MappingErrors, UsageError: nothing was started.
        LandingError: a root cannot be used.
    """
    started = datetime.now(UTC)
    project = load_project(request.mappings, env=request.env, params=request.params)
    project.order(request.names)  # unknown names end here
    usable(request.warehouse)
    ctx = RunContext(
        request=request,
        project=project,
        landing=Store(request.landing),
        warehouse=Store.made(request.warehouse),
        delivery=Store.made(request.delivery),
        run_id=new_run_id(started),
        started=started,
    )
    ctx.prepare_judge()
    ctx.tell("ingest", "started", run_id=ctx.run_id)
    stages = Stages()
    with stages("ingest"):
        counts = _ingested(ctx)
    ctx.tell("ingest", "ended", passed=counts.passed, rejected=len(counts.rejected))
    with stages("mappings"):
        mappings = Scheduler(ctx).run_all()
    failed = any(m.status in ("stopped", "failed", "skipped") for m in mappings)
    report = RunReport(
        run_id=ctx.run_id,
        status="failed" if failed else "succeeded",
        started=started,
        finished=datetime.now(UTC),
        mappings=mappings,
        ingest=counts,
        paths=Paths(landing=request.landing, warehouse=request.warehouse, delivery=request.delivery),
        project=project.settings.name,
        environment=request.env,
        stages=stages.seconds,
        correlation_id=request.correlation_id,
    )
    return publish(ctx, report)


def _ingested(ctx: RunContext) -> IngestCounts:
    from forceglue import __version__

    done = ingest(
        ctx.landing,
        ctx.project,
        now=ctx.started,
        function_name="forceglue",
        function_version=__version__,
        request_id=ctx.run_id,
    )
    rejected = tuple(RejectedFile(f.path, f.message, f.code, f.moved_to) for f in done.rejected)
    kept = tuple(RejectedFile(f.key, f.message or f.status, f.code) for f in done.failed)
    return IngestCounts(len(done.passed), (*rejected, *kept))


class Scheduler:
    """Runs mappings as soon as what they read is done; several at a time, each with its own error."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self._tables = Tables(ctx)
        self._planner = Planner(ctx, self._tables)
        self._done: dict[str, MappingReport] = {}

    def run_all(self) -> tuple[MappingReport, ...]:
        """Every mapping's report, in the order of work."""
        waits = work_order(self._ctx.project, self._planner.objects_without_mapping(), self._ctx.request.names)
        running: dict[Future[MappingReport], str] = {}
        left = dict(waits)
        with ThreadPoolExecutor(max_workers=threads(), thread_name_prefix="mapping") as pool:
            while left or running:
                ready = [name for name, needs in left.items() if all(n in self._done for n in needs)]
                for name in ready:
                    needs = left.pop(name)
                    running[pool.submit(self._one, name, needs)] = name
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future)
                    self._done[name] = future.result()
        return tuple(self._done[name] for name in waits)

    def _one(self, name: str, needs: tuple[str, ...]) -> MappingReport:
        kind: Kind = "dataset" if name in self._ctx.project.datasets else "object"
        lost = [n for n in needs if self._done[n].status in ("stopped", "failed", "skipped")]
        self._ctx.tell(name, "started")
        clock = time.monotonic()
        if lost:
            report = MappingReport(name, kind, "skipped", error=f"{', '.join(lost)} did not succeed in this run")
        else:
            report = isolated(name, kind, lambda: self._planned(name))
        report = replace(report, seconds=round(time.monotonic() - clock, 3))
        self._ctx.tell(name, report.status, report=report)
        return report

    def _planned(self, name: str) -> MappingReport:
        if name in self._ctx.project.datasets:
            return tried(lambda: self._built(name))
        report, patches = tried(lambda: self._whole_records(name))
        for kind in KINDS:
            if any(file.patch and file.patch.kind == kind for file in patches):
                more = isolated(name, "object", partial(tried, partial(self._patched, name, kind, patches)))
                report = followed(report, more)
        return report

    def _built(self, name: str) -> MappingReport:
        dataset = self._planner.dataset(name)
        if dataset.unchanged:
            settle(self._ctx.warehouse, name, dataset.position)
            return MappingReport(name, "dataset", "unchanged")
        with self._ctx.sized(dataset.rows):
            return run_dataset(self._ctx, dataset, self._tables, kept=self._planner.is_read(name))

    def _whole_records(self, name: str) -> tuple[MappingReport, tuple[LandedFile, ...]]:
        """Loads the files that bring records whole; gives the patches that come after them, too."""
        plan, rejected = self._planner.object(name)
        return replace(self._loaded(plan), rejected_files=rejected), plan.patches

    def _patched(self, name: str, kind: PatchKind, patches: Sequence[LandedFile]) -> MappingReport:
        plan = self._planner.patch(name, kind, patches)
        return MappingReport(name, "object", "unchanged") if plan is None else self._loaded(plan)

    def _loaded(self, plan: ObjectPlan) -> MappingReport:
        if plan.stopped:
            return MappingReport(plan.name, "object", "stopped", drift=plan.drift, error=plan.stopped, held=plan.landed)
        if plan.unchanged or not (plan.files or plan.table):
            # what a run that was killed right after its commit left
            settle(self._ctx.warehouse, plan.name, plan.position)
            return MappingReport(plan.name, "object", "unchanged")
        with self._ctx.sized(self._planner.rows_met(plan)):
            return run_object(self._ctx, plan, self._tables.live)


def isolated(name: str, kind: Kind, work: Callable[[], MappingReport]) -> MappingReport:
    """The one place where a mapping's failure is kept from the others; exit code and report show it.

    Args:
        work: plans and loads the mapping.
    """
    try:
        return work()
    except GateStopped as stop:
        return MappingReport(
            name, kind, "stopped", error=str(stop), rules=stop.rules, expectations=stop.expectations, held=stop.held
        )
    except ForceglueError as error:
        return MappingReport(name, kind, "failed", error=str(error))
    except Exception as error:  # noqa: BLE001  # whatever Spark or a library raises fails this mapping alone
        return MappingReport(name, kind, "failed", error=told(error))


def tried(work: Callable[[], _Done]) -> _Done:
    """Plans and loads a batch; again, from its plan, where another run committed to the same table meanwhile."""
    for _ in range(_TRIES - 1):
        try:
            return work()
        except ConcurrentRunError:
            continue
    return work()


def threads() -> int:
    """How many mappings run at a time: while one is planned, which is half of a small one's work, others compute."""
    import os

    return max(4, min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2))


def told(error: BaseException) -> str:
    """The cause in a few lines, without a JVM's stack and without what may quote values of rows."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import AnalysisException, PySparkException

    where = traceback.extract_tb(error.__traceback__)
    place = next(
        (f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in reversed(where) if "forceglue" in f.filename), ""
    )
    if isinstance(error, (PySparkException, Py4JJavaError)) and not isinstance(error, AnalysisException):
        said = _of_spark(str(error))
    else:
        lines = [line for line in str(error).splitlines() if line.strip() and not line.lstrip().startswith("at ")]
        said = f"{type(error).__name__}: {' '.join(lines)[:600]}"
    return said + (f" ({place})" if place else "")


def _of_spark(text: str) -> str:
    """What a failed job says of itself, in names only: exceptions, Spark's error classes, the file that was read."""
    named = re.findall(r"\b(?:[a-z]\w*\.)+([A-Z]\w*(?:Exception|Error))\b", text)
    kinds = dict.fromkeys(kind.rpartition(".")[2] for kind in named)
    classes = dict.fromkeys(re.findall(r"\[([A-Z][A-Z0-9]*_[A-Z0-9_.]+)\]", text))
    files = dict.fromkeys(re.findall(r"reading file:? +((?:file:|s3a?:/)/\S+?)\.?(?=\s|$)", text))
    told = f"Spark ended the job: {', '.join((*classes, *kinds)) or 'no cause is named'}"
    told += f"; reading {', '.join(files)}" if files else ""
    return f"{told}. Its message is left out, since it may quote values of rows"
