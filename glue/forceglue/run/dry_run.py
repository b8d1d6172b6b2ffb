"""What a run would do, with numbers, writing nothing: the same plan, the same rows, counted instead of written.

Tables that a run would change are read as it would leave them, so that lookups and datasets are counted as in the run.
One aggregation a mapping; with nothing new there is none, and no JVM.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from forceglue.errors import GateStopped
from forceglue.landing.patch import KINDS
from forceglue.mapping.model import AnyMapping
from forceglue.mapping.names import match
from forceglue.quality import rules as q
from forceglue.quality.gx import Validations
from forceglue.quality.outcomes import RuleOutcome
from forceglue.run.context import RunContext
from forceglue.run.dataset_run import dataset_inputs, dataset_report, unique_outcome
from forceglue.run.foreseen import (
    CLOSE,
    EDIT,
    NEW,
    VERSION,
    Foreseen,
    Waiting,
    context,
    good_rows,
    rows_after,
    waiting,
    with_action,
)
from forceglue.run.joins import one_match_each
from forceglue.run.judging import ExpectationFlags, Judgement, expectation_report, rule_outcomes, rule_report
from forceglue.run.object_run import object_report, prepare
from forceglue.run.plan import DatasetPlan, ObjectPlan, hidden
from forceglue.run.planner import Planner
from forceglue.run.report import MappingReport, Paths, RejectedFile, RunReport, RunStatus, followed, run_status
from forceglue.run.request import RunRequest
from forceglue.run.runner import Scheduler
from forceglue.run.stages import Stages
from forceglue.run.tally import Tally, tally
from forceglue.run.wording import number, patched_rows, plural
from forceglue.transform.cast import quoted
from forceglue.transform.dataset_rows import dataset_rows
from forceglue.transform.prepared import Prepared
from forceglue.transform.read import read_batch
from forceglue.write.delta_merge import Merged

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_NAMED = 5
"""Inputs that a note names before it counts the others."""


@dataclass(frozen=True)
class DryRun:
    """A run that was not: its report, `written` meaning "would be written", and what the numbers rest on.

    Attributes:
        notes: `{mapping: sentences}`: why a dataset would be built, what its numbers were counted on.
    """

    report: RunReport
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def status(self) -> RunStatus:
        return self.report.status

    @property
    def mappings(self) -> tuple[MappingReport, ...]:
        return self.report.mappings

    @property
    def rejected_files(self) -> tuple[RejectedFile, ...]:
        return self.report.rejected_files

    def told(self) -> list[tuple[str, str]]:
        """`(mapping, sentence)` for people: the table's changes, rules that rows break, and the notes."""
        lines = []
        for m in self.mappings:
            changes = [f"{number(n)} {word}" for word in ("inserted", "updated", "deleted") if (n := getattr(m, word))]
            if m.kind == "object" and changes and (m.updated or m.deleted):
                patched = f" (of them {patched_rows(m.patched)})" if m.patched else ""
                lines.append((m.name, ", ".join(changes) + patched))
            broken = [r for r in m.rules if r.failed]
            lines += [(m.name, f"{r.name}: {plural(r.failed, 'row', 'rows')} ({r.severity})") for r in broken]
            lines += [(m.name, note) for note in self.notes.get(m.name, ())]
        return lines

    def to_json(self) -> str:
        """The report as `report.json` has it, with `"plan": true` and each mapping's `notes`."""
        body = json.loads(self.report.to_json())
        for m in body["mappings"]:
            m["notes"] = list(self.notes.get(m["name"], ()))
        return json.dumps({"plan": True, **body}, ensure_ascii=False, indent=2)


def dry_run(request: RunRequest) -> DryRun:
    """What `run(request)` would do now. Nothing is moved, made or written.

    Raises:
        MappingErrors, UsageError: nothing was started.
        LandingError: a root cannot be read.
    """
    ctx = context(request)
    ctx.validations = Validations(None, ctx.project.settings.name, run_id=ctx.run_id)
    found = waiting(ctx)
    scheduler = _Foreseeing(ctx, found)
    mappings = scheduler.run_all()
    report = RunReport(
        run_id=ctx.run_id,
        status=run_status(mappings),
        started=ctx.started,
        finished=datetime.now(UTC),
        mappings=mappings,
        ingest=found.counts,
        paths=Paths(landing=request.landing, warehouse=request.warehouse, delivery=request.delivery),
        project=ctx.project.settings.name,
        environment=request.env,
    )
    return DryRun(report, scheduler.notes)


class _Foreseeing(Scheduler):
    """The run's own order of work, with every mapping counted instead of written."""

    def __init__(self, ctx: RunContext, found: Waiting) -> None:
        super().__init__(ctx)
        self._foreseen = self._tables = Foreseen(ctx)
        self._planner = Planner(ctx, self._foreseen, found.files)
        self.notes: dict[str, tuple[str, ...]] = {}

    def _planned(self, name: str) -> MappingReport:
        if name in self._ctx.project.datasets:
            return self._dataset(self._planner.dataset(name))
        plan, rejected = self._planner.object(name)
        try:
            report = self._batch(plan)
        except GateStopped as stop:
            return replace(_gated(plan, stop), rejected_files=rejected)
        for kind in KINDS:
            onto = self._foreseen.onto(plan, kind)
            follows = onto and self._planner.patch_onto(name, kind, plan.patches, *onto)
            if follows:
                try:
                    report = followed(report, self._batch(follows))
                except GateStopped as stop:
                    report = followed(report, _gated(follows, stop))
        return replace(report, rejected_files=rejected)

    def _batch(self, plan: ObjectPlan) -> MappingReport:
        report = MappingReport(plan.name, "object", "unchanged", drift=plan.drift)
        if plan.stopped:
            return replace(report, status="stopped", error=plan.stopped, held=plan.landed, files=_files(plan))
        if plan.unchanged or not (plan.files or plan.table):
            return report
        return self._object(plan)

    def _object(self, plan: ObjectPlan) -> MappingReport:
        if not plan.files:
            return object_report(plan, {}, Judgement((), ()), Merged(0, 0, 0), 0, Stages())
        ctx, mapping, tables = self._ctx, plan.mapping, self._foreseen
        batch = read_batch(ctx.spark(), plan.files, hidden(mapping))
        today = tables.rows(plan.name) if plan.mode in ("merge", "append") else None
        rejected: frozenset[int] = frozenset()
        while True:
            flags = ExpectationFlags(mapping.expectations)
            prepared = prepare(ctx, plan, batch, tables.live, rejected, flags, today)
            counted = _counted(plan, prepared, today)
            again = frozenset(i for i, f in enumerate(batch.files) if f.source_uri in counted.rejecting) - rejected
            if not again:
                break
            rejected |= again
        outcomes = rule_outcomes(mapping, prepared.checks, counted.broken, counted.rows, {})
        judgement = _judged(ctx, mapping, prepared, counted, flags, outcomes)
        if stops := judgement.stops():
            raise GateStopped(plan.name, stops, rule_report(judgement), expectation_report(judgement), plan.landed)
        tables.foresee(plan.name, rows_after(plan, prepared, today))
        done = counted.actions.get
        merged = Merged(done(NEW, 0), done(EDIT, 0) + done(VERSION, 0), done(CLOSE, 0))
        aside = counted.rows.get(q.QUARANTINED, 0)
        return object_report(plan, counted.rows, judgement, merged, aside, Stages())

    def _dataset(self, plan: DatasetPlan) -> MappingReport:
        ctx, mapping, tables = self._ctx, plan.mapping, self._foreseen
        reads = {tables.name_of(r) for r in (mapping.source, *(j.table for j in mapping.joins))}
        changing = sorted(reads & tables.changed)
        report = MappingReport(plan.name, "dataset", "unchanged")
        if plan.unchanged and not changing:
            return report
        self.notes[plan.name] = _why(plan, changing, refresh=ctx.request.full_refresh)

        def rows(_: str, reference: str) -> DataFrame | None:
            return tables.frame(tables.name_of(reference), deleted=mapping.deleted == "include")

        flags = ExpectationFlags(mapping.expectations)
        inputs = dataset_inputs(ctx, mapping, rows, flags)
        prepared = dataset_rows(mapping, inputs)
        key = [quoted(match(k, prepared.columns) or k) for k in mapping.key]
        counted = tally(prepared.frame, prepared.checks, key=key)
        unique = [unique_outcome(mapping, counted.rows.get(q.GOOD, 0), counted.twice)] if key else []
        joined = one_match_each(ctx.project, mapping, inputs)
        outcomes = [*joined, *unique, *rule_outcomes(mapping, prepared.checks, counted.broken, counted.rows, {})]
        judgement = _judged(ctx, mapping, prepared, counted, flags, outcomes)
        if stops := judgement.stops():
            rules, total = rule_report(judgement), sum(counted.rows.values())
            return _stopped(report, GateStopped(plan.name, stops, rules, expectation_report(judgement), total))
        if self._planner.is_read(plan.name):
            tables.foresee(plan.name, good_rows(prepared))
        aside = counted.rows.get(q.QUARANTINED, 0)
        return dataset_report(plan, counted.rows, judgement, aside, (), Stages())


def _counted(plan: ObjectPlan, prepared: Prepared, today: DataFrame | None) -> Tally:
    if not sum(f.rows for f in plan.files):
        return Tally()
    by_file = bool(plan.mapping.quality.reject_file)
    if plan.mode != "merge" or today is None:
        return tally(prepared.frame, prepared.checks, action=f"'{NEW}'", by_file=by_file)
    beside, action = with_action(plan, prepared, today)
    return tally(beside, prepared.checks, action=action, by_file=by_file)


def _judged(
    ctx: RunContext,
    mapping: AnyMapping,
    prepared: Prepared,
    counted: Tally,
    flags: ExpectationFlags,
    outcomes: Sequence[RuleOutcome],
) -> Judgement:
    if not mapping.expectations or ctx.validations is None:
        return Judgement(tuple(outcomes), ())
    good = {c.name: counted.broken.get(c.name, {}).get(q.GOOD, 0) for c in prepared.checks if c.severity == "count"}
    rows = counted.rows.get(q.GOOD, 0)
    told = ctx.validations.validate(
        mapping.mapping, (), mapping.expectations, lambda: good_rows(prepared), rows, answers=flags.answers, counts=good
    )
    return Judgement(tuple(outcomes), told)


def _gated(plan: ObjectPlan, stop: GateStopped) -> MappingReport:
    report = MappingReport(plan.name, "object", "unchanged", drift=plan.drift, files=_files(plan))
    return _stopped(report, stop)


def _files(plan: ObjectPlan) -> tuple[str, ...]:
    return tuple(f.path for f in (*plan.skipped, *plan.files))


def _stopped(report: MappingReport, stop: GateStopped) -> MappingReport:
    return replace(
        report, status="stopped", error=str(stop), held=stop.held, rules=stop.rules, expectations=stop.expectations
    )


def _why(plan: DatasetPlan, changing: Sequence[str], *, refresh: bool) -> tuple[str, ...]:
    """Why the dataset would be built, and what its numbers were counted on."""
    reasons = []
    if refresh:
        reasons.append("everything is built again")
    elif plan.position.version is None:
        reasons.append("it has not been built before")
    elif plan.position.fingerprint != plan.fingerprint:
        reasons.append("its mapping has changed")
    before = plan.position.inputs
    since = sorted(n for n in plan.inputs.keys() | before.keys() if plan.inputs.get(n) != before.get(n))
    if plan.position.version is not None and since:
        reasons.append(f"{_listed(since)} changed since it was built")
    if changing:
        reasons.append(f"this run would change {_listed(changing)}")
    on = "the tables as this run would leave them" if changing else "the tables as they are now"
    return (f"would be built: {'; '.join(reasons)}", f"counted on {on}")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
