"""The judge of a staged batch: counts from the masks, Great Expectations on top, and what stops the mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forceglue.mapping.model import AnyMapping, Expectation
from forceglue.quality import rules as q
from forceglue.quality.gx import one_pass
from forceglue.quality.outcomes import ExpectationOutcome, RuleOutcome
from forceglue.run.context import RunContext
from forceglue.run.report import ExpectationResult, RuleCount
from forceglue.run.staging import Staged, rule_counts
from forceglue.transform.prepared import REASONS, RECORD_KEY, Prepared
from forceglue.transform.read import Batch
from forceglue.transform.trace import FILENAME

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from forceglue.quality.expectations.one_pass import OnePass

_SAMPLES = 20


@dataclass(frozen=True)
class Judgement:
    """What the gates say about one batch."""

    rules: tuple[RuleOutcome, ...]
    expectations: tuple[ExpectationOutcome, ...]

    def stops(self) -> dict[str, int]:
        """`{rule or expectation: rows}` that stop the mapping; empty where it may write."""
        told = {r.name: r.failed for r in self.rules if r.severity == "fail" and r.failed}
        return told | {e.name: e.unexpected_count or 0 for e in self.expectations if e.stops}


class ExpectationFlags:
    """The conditions of a mapping's expectations, counted in the same pass; asked once with the frame's schema."""

    def __init__(self, expectations: Sequence[Expectation]) -> None:
        self._expectations = expectations
        self.answers: OnePass | None = None

    def __call__(self, rows: Callable[[], DataFrame]) -> Mapping[str, Column]:
        if not self._expectations:
            return {}
        self.answers = one_pass(rows(), self._expectations)
        return self.answers.flags()

    @property
    def asks(self) -> bool:
        """Whether an expectation asks anything of each row."""
        return self.answers is not None and bool(self.answers.checks)

    @property
    def needs_rows(self) -> bool:
        """Whether an expectation asks for the rows themselves, once staged."""
        return self.answers is not None and self.answers.needs_rows


def judge(
    ctx: RunContext,
    mapping: AnyMapping,
    prepared: Prepared,
    staged: Staged,
    flags: ExpectationFlags,
    extra: tuple[RuleOutcome, ...] = (),
    suite: str | None = None,
) -> Judgement:
    """Judges a staged batch; Spark is asked only where a row breaks a rule or an expectation needs the rows.

    Args:
        suite: under which name Data Docs show it; without it, the mapping's.
    """
    counts = rule_counts(ctx.spark(), prepared, staged, ctx.warehouse) if staged.total else {}
    outcomes = [*extra, *rule_outcomes(mapping, prepared.checks, counts, staged.counts, _samples(ctx, staged))]
    return Judgement(tuple(outcomes), _expected(ctx, mapping, outcomes, staged, prepared, flags, counts, suite))


def rule_outcomes(
    mapping: AnyMapping,
    checks: Sequence[q.Check],
    counts: Mapping[str, Mapping[str, int]],
    rows: Mapping[str, int],
    samples: Mapping[str, Sequence[str]],
) -> list[RuleOutcome]:
    """What the rules of a mapping, and the built-in checks that a row breaks, say of a batch.

    Args:
        counts: `{rule: {verdict: rows that break it}}`.
        rows: `{verdict: rows}`.
        samples: `{rule: keys of records that break it}`.
    """
    judged = sum(rows.values()) - rows.get(q.FILTERED, 0) - rows.get(q.GONE, 0)
    declared = {name: rule for name, _, rule in mapping.rules()}
    outcomes = []
    for check in checks:
        if check.severity == "count":
            continue
        of_rule = counts.get(check.name, {})
        left_out = {q.FILTERED, q.GONE} | (set() if check.severity == "drop" else {q.DROPPED})
        failed = sum(broken for verdict, broken in of_rule.items() if verdict not in left_out)
        total = judged if check.severity == "drop" else judged - rows.get(q.DROPPED, 0)
        if failed or check.name in declared:
            rule = declared.get(check.name)
            outcomes.append(
                RuleOutcome(
                    check.name,
                    check.severity,
                    check.sql,
                    check.description,
                    total - failed,
                    failed,
                    tuple({"record": key} for key in samples.get(check.name, ())),
                    rule.nulls if rule else "fail",
                )
            )
    return outcomes


def _expected(
    ctx: RunContext,
    mapping: AnyMapping,
    outcomes: Sequence[RuleOutcome],
    staged: Staged,
    prepared: Prepared,
    flags: ExpectationFlags,
    counts: Mapping[str, Mapping[str, int]],
    suite: str | None,
) -> tuple[ExpectationOutcome, ...]:
    if ctx.validations is None or not (mapping.rules() or mapping.expectations):
        return ()
    good = {name: of_rule.get(q.GOOD, 0) for name, of_rule in counts.items()}

    def rows() -> DataFrame:
        return staged.good_rows(ctx.spark(), ctx.warehouse, prepared)

    wanted = [c.name for c in prepared.checks if c.severity == "count"]
    return ctx.validations.validate(
        suite or mapping.mapping, outcomes, mapping.expectations, rows, staged.rows(q.GOOD),
        answers=flags.answers, counts={name: good.get(name, 0) for name in wanted},
    )  # fmt: skip


def _samples(ctx: RunContext, staged: Staged) -> dict[str, list[str]]:
    """A few keys of records that break each rule, from the start of a quarantined file; no other value."""
    files = staged.files.get(q.QUARANTINED, ()) or staged.files.get(q.FAILED, ())
    if not files:
        return {}
    import pyarrow.parquet as pq

    found: dict[str, list[str]] = {}
    with ctx.warehouse.open_input(files[0].path) as stream:
        for batch in pq.ParquetFile(stream).iter_batches(batch_size=200, columns=[RECORD_KEY, REASONS]):
            for row in batch.to_pylist():
                for reason in row[REASONS] or ():
                    keys = found.setdefault(reason["rule"], [])
                    if row[RECORD_KEY] and len(keys) < _SAMPLES:
                        keys.append(row[RECORD_KEY])
            break
    return found


def rejected_files(
    ctx: RunContext, mapping: AnyMapping, prepared: Prepared, staged: Staged, batch: Batch
) -> frozenset[int]:
    """Numbers of the batch's files that have a row which breaks a `reject_file` rule."""
    if not mapping.quality.reject_file or staged.clean:
        return frozenset()
    folder = ctx.warehouse.uri(staged.folder)
    frame = ctx.spark().read.option("basePath", folder).parquet(folder)
    hits = frame.where(
        f"{q.hit(prepared.checks, ['reject_file'])} AND {q.VERDICT} NOT IN ('{q.DROPPED}', '{q.FILTERED}', '{q.GONE}')"
    )
    names = {row[0] for row in hits.select(FILENAME).distinct().collect()}
    return frozenset(i for i, f in enumerate(batch.files) if f.source_uri in names)


def rule_report(judgement: Judgement) -> tuple[RuleCount, ...]:
    return tuple(RuleCount(r.name, r.severity, r.passed, r.failed, r.description, r.sql) for r in judgement.rules)


def expectation_report(judgement: Judgement) -> tuple[ExpectationResult, ...]:
    return tuple(
        ExpectationResult(
            e.name,
            e.success,
            "fail" if e.on_failure == "fail" else "warn",
            e.arguments,
            _plain(e.observed),
            e.unexpected_count,
            e.error,
        )
        for e in judgement.expectations
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, dict, type(None))) else str(value)
