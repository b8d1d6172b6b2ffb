"""One dataset, executed: read the tables, stage, judge, deliver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from forceglue.errors import ConcurrentRunError, GateStopped
from forceglue.landing.position import announce, announced, propose
from forceglue.mapping.expand import dataset_columns
from forceglue.mapping.model import DatasetMapping
from forceglue.mapping.names import match
from forceglue.quality import rules as q
from forceglue.quality.outcomes import RuleOutcome
from forceglue.quality.quarantine import set_aside, settle
from forceglue.run.context import RunContext
from forceglue.run.deliveries import Delivered, deliver
from forceglue.run.joins import one_match_each
from forceglue.run.judging import ExpectationFlags, Judgement, expectation_report, judge, rule_report
from forceglue.run.lines import lined
from forceglue.run.plan import DatasetPlan
from forceglue.run.report import MappingReport
from forceglue.run.stages import Stages
from forceglue.run.staging import READ_HERE, Staged, stage
from forceglue.run.tables import Tables
from forceglue.run.taking import take
from forceglue.transform.cast import quoted
from forceglue.transform.dataset_rows import DatasetInputs, dataset_rows
from forceglue.transform.prepared import Prepared
from forceglue.write.delta_table import Table
from forceglue.write.staged import discard

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

UNIQUE = "key_is_unique"


def run_dataset(ctx: RunContext, plan: DatasetPlan, tables: Tables, *, kept: bool) -> MappingReport:
    """Builds the dataset and delivers it.

    Args:
        kept: also keep it as a table of the warehouse, since another dataset reads it.

    Raises:
        GateStopped: a `fail` rule, an expectation or a key that is not unique; nothing was delivered.
        ConcurrentRunError: another run built it meanwhile; plan again.
    """
    stages = Stages()
    mapping = plan.mapping
    manifest = propose(
        ctx.warehouse, plan.position, at=ctx.started, inputs=plan.inputs, fingerprint=plan.fingerprint, settling=True
    )
    table = Table(ctx.warehouse, plan.name, plan.name)
    at = table.state() if kept else None
    folder = f"{plan.name}/batch-{manifest.version}" if kept else f"_staging/{ctx.run_id}/{plan.name}"
    committed = False

    def expect() -> None:
        if announced(ctx.warehouse, plan.name) != plan.position.version:
            raise ConcurrentRunError(f"{plan.name}: another run built it meanwhile. Run again.")

    try:
        with stages("session"):
            ctx.spark()
        with stages("read and join"):
            flags = ExpectationFlags(mapping.expectations)
            size = plan.sizes.get
            inputs = dataset_inputs(
                ctx, mapping, _reads(mapping, tables), flags, lambda reference: size(tables.name_of(reference))
            )
            as_lines = None if kept else lined(mapping, inputs, flags)
            prepared = as_lines.prepared if as_lines else dataset_rows(mapping, inputs)
        with stages("stage"):
            parts = tuple(match(name, prepared.columns) or name for name in mapping.target.partition_by) if kept else ()
            staged = stage(prepared, ctx.warehouse, folder, parts)
        with stages("judge"):
            extra = (*one_match_each(ctx.project, mapping, inputs), *_unique(ctx, mapping, prepared, staged))
            judgement = judge(ctx, mapping, prepared, staged, flags, extra)
            if stops := judgement.stops():
                raise GateStopped(plan.name, stops, rule_report(judgement), expectation_report(judgement), staged.total)
        with stages("quarantine"):
            aside = set_aside(
                ctx.warehouse, plan.name, staged, position=manifest.version, before=plan.position, expect=expect
            )
        expect()
        try:
            with stages("deliver"):
                delivered = deliver(ctx, mapping, staged, prepared, as_lines)
            if kept:
                with stages("commit"):
                    committed = take(
                        ctx, table, staged, prepared, manifest.version, at, replace=True, partition_by=parts
                    )
            expect()
        except ConcurrentRunError:
            # nobody knows whose files stand now: a position of no inputs has the dataset built once more
            announce(ctx.warehouse, propose(ctx.warehouse, plan.position, at=ctx.started, inputs={}, settling=True))
            raise
        announce(ctx.warehouse, manifest)
        settle(ctx.warehouse, plan.name, manifest)
    finally:
        if not committed:
            discard(ctx.warehouse, folder)
    return dataset_report(plan, staged.counts, judgement, aside, delivered, stages)


def _reads(mapping: DatasetMapping, tables: Tables) -> Callable[[str, str], DataFrame | None]:
    return lambda _, reference: tables.frame(tables.name_of(reference), deleted=mapping.deleted == "include")


def dataset_inputs(
    ctx: RunContext,
    mapping: DatasetMapping,
    rows: Callable[[str, str], DataFrame | None],
    flags: ExpectationFlags,
    size: Callable[[str], int | None] = lambda _: None,
) -> DatasetInputs:
    """What the dataset reads.

    Args:
        rows: from an alias and the table that it means to the rows that are read; None where there is no such table.
        size: how many rows the table has that is meant; None: unknown.
    """
    promised = ctx.project.inputs(mapping)
    sources = {mapping.name: mapping.source, **{j.name: j.table for j in mapping.joins}}
    sizes = {alias: size(reference) for alias, reference in sources.items()}
    frames: dict[str, DataFrame] = {}
    known: dict[str, tuple[str, ...]] = {}
    for alias, reference in sources.items():
        frame = rows(alias, reference)
        if frame is None:
            ddl = ", ".join(f"{quoted(c)} string" for c in promised[alias]) or "`id` string"
            frame = ctx.spark().createDataFrame([], ddl)
        frames[alias] = frame
        # the catalog's columns keep their order and stay the contract; without a catalog, what has landed is
        known[alias] = promised[alias] or tuple(frame.columns)
    return DatasetInputs(frames, known, dataset_columns(mapping, known), ctx.started, flags, sizes)


def _unique(ctx: RunContext, mapping: DatasetMapping, prepared: Prepared, staged: Staged) -> tuple[RuleOutcome, ...]:
    """Whether the key of the dataset is one; a grain that is said and not kept stops the delivery."""
    if not mapping.key:
        return ()
    rows = staged.rows(q.GOOD)
    names = [match(k, prepared.columns) or k for k in mapping.key]
    if rows <= READ_HERE:
        return (unique_outcome(mapping, rows, _twice_in_files(ctx, staged, names)),)
    counted = staged.good_rows(ctx.spark(), ctx.warehouse, prepared).groupBy(*map(quoted, names)).count()
    row = counted.where("count > 1").selectExpr("coalesce(sum(count), 0)").first()
    return (unique_outcome(mapping, rows, int(row[0]) if row else 0),)


def _twice_in_files(ctx: RunContext, staged: Staged, names: Sequence[str]) -> int:
    """Rows that share their key, of few staged rows: reading the key columns costs less than starting a Spark job."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for file in staged.files.get(q.GOOD, ()):
        with ctx.warehouse.open_input(file.path) as stream:
            tables.append(pq.ParquetFile(stream).read(columns=list(names)))
    if not tables:
        return 0
    counts = (
        pa.concat_tables(tables).group_by(list(names)).aggregate([([], "count_all")]).column("count_all").to_pylist()
    )
    return sum(n for n in counts if n > 1)


def unique_outcome(mapping: DatasetMapping, rows: int, twice: int) -> RuleOutcome:
    """What `key` says of `rows` rows of which `twice` share their key with another."""
    return RuleOutcome(UNIQUE, "fail", f"{', '.join(mapping.key)} is unique", mapping.grain, rows - twice, twice)


def dataset_report(
    plan: DatasetPlan,
    rows: Mapping[str, int],
    judgement: Judgement,
    aside: int,
    delivered: Sequence[Delivered],
    stages: Stages,
) -> MappingReport:
    """The report of a dataset with these rows by verdict."""
    good = rows.get(q.GOOD, 0)
    return MappingReport(
        name=plan.name,
        kind="dataset",
        status="written",
        landed=sum(rows.values()),
        written=good,
        inserted=good,
        filtered=rows.get(q.FILTERED, 0),
        dropped=rows.get(q.DROPPED, 0),
        quarantined=aside,
        rules=rule_report(judgement),
        deliveries=tuple(d.place for d in delivered),
        warnings=tuple(d.warning for d in delivered if d.warning),
        stages=stages.seconds,
        expectations=expectation_report(judgement),
    )
