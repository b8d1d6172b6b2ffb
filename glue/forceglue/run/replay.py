"""Rows that were set aside, through the mapping of today again.

A replay is a run whose batch is the quarantine instead of new files: latest version, columns, rules and commit are the
same.
All rows of a table's quarantine are judged together. The table's one commit carries the good rows and a position that
leaves the old quarantine behind; what is still bad stands there under the new position, with today's reasons. So a
replay that dies before that commit has done nothing, and one that dies after it is done.

Batch-level expectations are about what landed and are not asked again. A dataset's rows come from tables, not from
files: its replay is to build it again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from forceglue.landing.position import announced, read
from forceglue.landing.store import Store
from forceglue.mapping.load import load_project
from forceglue.mapping.model import ObjectMapping
from forceglue.quality.quarantine import counted_files, quarantine_table, settle
from forceglue.run.context import RunContext, new_run_id
from forceglue.run.dataset_run import run_dataset
from forceglue.run.object_run import run_object
from forceglue.run.plan import hidden, plan_object
from forceglue.run.planner import Planner, work_order
from forceglue.run.publish import publish
from forceglue.run.report import MappingReport, Paths, RunReport, run_status
from forceglue.run.request import RunRequest
from forceglue.run.runner import isolated, tried
from forceglue.run.tables import Tables
from forceglue.run.wording import plural
from forceglue.transform.again import read_again
from forceglue.write.delta_table import Table


def replay(request: RunRequest) -> RunReport:
    """Replays the quarantines of the named mappings (without names: every one) and writes a report like a run's.

    A mapping with nothing set aside is `unchanged`; one that fails does not stop the others.

    Raises:
        MappingErrors, UsageError: nothing was started.
        LandingError: a root cannot be used.
    """
    started = datetime.now(UTC)
    project = load_project(request.mappings, env=request.env, params=request.params)
    ctx = RunContext(
        request=request,
        project=project,
        landing=Store(request.landing),
        warehouse=Store.made(request.warehouse),
        delivery=Store.made(request.delivery),
        run_id=new_run_id(started),
        started=started,
    )
    tables = Tables(ctx)
    again = _Replay(ctx, Planner(ctx, tables), tables)
    names = again.names(request.names)
    ctx.prepare_judge()
    mappings = tuple(again.one(name) for name in names)
    report = RunReport(
        run_id=ctx.run_id,
        status=run_status(mappings),
        started=started,
        finished=datetime.now(UTC),
        mappings=mappings,
        paths=Paths(landing=request.landing, warehouse=request.warehouse, delivery=request.delivery),
        project=project.settings.name,
        environment=request.env,
    )
    return publish(ctx, report)


class _Replay:
    """One replay; mappings one after another, since a quarantine is small beside what landed."""

    def __init__(self, ctx: RunContext, planner: Planner, tables: Tables) -> None:
        self._ctx, self._planner, self._tables = ctx, planner, tables

    def names(self, asked: Sequence[str]) -> tuple[str, ...]:
        """The mappings to replay, each after those that it reads."""
        without = self._planner.objects_without_mapping()
        order = work_order(self._ctx.project, without, ())
        if not asked:
            return tuple(name for name in order if quarantine_table(self._ctx.warehouse, name).open() is not None)
        wanted = {name if name in without else self._ctx.project.mapping(name).mapping for name in asked}
        return tuple(name for name in order if name in wanted)

    def one(self, name: str) -> MappingReport:
        """The mapping's report; its failure is kept from the others."""
        dataset = name in self._ctx.project.datasets
        self._ctx.tell(name, "started")
        clock = time.monotonic()
        work = self._dataset if dataset else self._object
        report = isolated(name, "dataset" if dataset else "object", lambda: tried(lambda: work(name)))
        report = replace(report, seconds=round(time.monotonic() - clock, 3))
        self._ctx.tell(name, report.status, report=report)
        return report

    def _object(self, name: str) -> MappingReport:
        ctx = self._ctx
        state = Table(ctx.warehouse, name, name).state()
        position = read(ctx.warehouse, name, state.position if state else None)
        files = counted_files(ctx.warehouse, name, position)
        if state is None or not files:
            settle(ctx.warehouse, name, position)
            return MappingReport(name, "object", "unchanged")
        mapping = _as_replayed(self._planner.mapping(name))
        batch = read_again(ctx.spark(), ctx.warehouse, name, files, hidden(mapping), mapping.source)
        plan = plan_object(
            mapping,
            catalog_fields=ctx.project.fields(mapping) or (),
            files=batch.files,
            repeated=(),
            position=replace(position, fields={}),  # rows that wait are no load whose fields could drift
            table=state,
            full_refresh=False,
            keeps_types=name not in ctx.project.objects,
        )
        report = run_object(ctx, replace(plan, position=position, again=True), self._tables.live, batch)
        return replace(report, warnings=(*report.warnings, *_left_out(batch.left_out)))

    def _dataset(self, name: str) -> MappingReport:
        ctx = self._ctx
        position = read(ctx.warehouse, name, announced(ctx.warehouse, name))
        if not counted_files(ctx.warehouse, name, position):
            settle(ctx.warehouse, name, position)
            return MappingReport(name, "dataset", "unchanged")
        return run_dataset(ctx, self._planner.dataset(name), self._tables, kept=self._planner.is_read(name))


def _left_out(rows: int) -> tuple[str, ...]:
    """What is told of rows that patches brought: each is a part of a record, and the next refresh brings it again."""
    if not rows:
        return ()
    return (f"{plural(rows, 'refreshed row')} left out: the next refresh brings the values again",)


def _as_replayed(mapping: ObjectMapping) -> ObjectMapping:
    """The mapping as it judges single rows; where a load replaces the table, they join what the load brought."""
    target = mapping.target
    if target.write == "replace":
        target = target.model_copy(update={"write": "upsert"})
    return mapping.model_copy(update={"expectations": (), "target": target})
