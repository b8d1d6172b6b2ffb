"""Row-level expectations as Spark conditions of Great Expectations' own making, for the run's one pass over the data.

The run evaluates the flags beside its rules, counts for each flag the written rows where it is true, and hands the
counts back; `feed` turns them into the metrics that the expectations ask for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.expectations.expectation import Expectation as GxExpectation
from great_expectations.expectations.row_conditions import Condition, PassThroughCondition, deserialize_row_condition
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.metrics_calculator import MetricsCalculator
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from forceglue.errors import UsageError
from forceglue.mapping.model.quality import Expectation
from forceglue.quality.expectations.build import build
from forceglue.quality.expectations.engine import (
    ROW_COUNT,
    SCHEMA_METRICS,
    FedEngine,
    MetricKey,
    holds_values,
    key_of,
    metric_key,
)
from forceglue.quality.expectations.row_check import NULLS, RowCheck

_BATCH = "staged"
_FORMAT = {"result_format": {"result_format": "SUMMARY"}}
_IGNORE_NOTHING = (None, "neither", "never")
_IGNORE_ANY = ("either_value_is_missing", "any_value_is_missing")


@dataclass(frozen=True)
class OnePass:
    """How the expectations of one mapping are answered.

    Attributes:
        checks: those the pass answers.
        unique: uniqueness, which looks at other rows: counted on the rows that would be written, in one job for all.
        leftover: places of those that Great Expectations itself must compute on the rows that would be written.
        empty: a frame of no rows with the schema of those that would be written.
    """

    empty: DataFrame
    checks: tuple[RowCheck, ...]
    unique: tuple[RowCheck, ...]
    leftover: tuple[int, ...]

    @property
    def needs_rows(self) -> bool:
        """Whether the rows that would be written must be read again."""
        return bool(self.unique or self.leftover)

    def flags(self) -> dict[str, Column]:
        """Boolean columns, never null, for the pass to evaluate on its rows; empty when there is nothing to add."""
        return {name: column for check in self.checks for name, column in check.flags().items()}

    def count_unique(self, frame: DataFrame) -> dict[str, int]:
        """The counts of the uniqueness checks over the rows that would be written: one Spark job, none if none."""
        flags = {name: column for check in self.unique for name, column in check.flags().items()}
        if not flags:
            return {}
        flagged = frame.select(*(column.alias(name) for name, column in flags.items()))
        counted = flagged.agg(*(F.count_if(F.col(name)).alias(name) for name in flags)).first()
        return {name: int(counted[name]) for name in flags} if counted is not None else {}

    def known(
        self, rows: int, counts: Mapping[str, int], unique: Mapping[str, int] | None = None
    ) -> dict[MetricKey, Any]:
        """The metrics that follow from the counts.

        Args:
            rows: rows that would be written.
            counts: how many of them each flag is true for.
            unique: the counts of `count_unique`; None when the rows were not at hand.
        """
        known: dict[MetricKey, Any] = {metric_key(ROW_COUNT, {}, None): rows}
        for check in self.checks:
            known.update(check.metrics(rows, counts))
        for check in self.unique if unique is not None else ():
            known.update(check.metrics(rows, unique or {}))
        return known


def plan(frame: DataFrame, expectations: Sequence[Expectation]) -> OnePass:
    """Which expectations the run's pass can answer, and with which conditions. Starts no Spark job."""
    empty = frame.sparkSession.createDataFrame([], frame.schema)
    engine = FedEngine(spark=frame.sparkSession, batches={_BATCH: empty})
    checks: list[RowCheck] = []
    unique: list[RowCheck] = []
    leftover: list[int] = []
    for index, expectation in enumerate(expectations):
        try:
            built = build(expectation, index)
        except UsageError:
            continue  # told at validation, as this expectation's error
        asked = _asked(engine, built)
        check = _check(engine, built, index, asked)
        kind = None if check is None else _kind(empty, check)
        if check is not None and kind is not None:
            (checks if kind == "row" else unique).append(check)
        elif not _needs_no_rows(asked):
            leftover.append(index)
    return OnePass(empty, tuple(checks), tuple(unique), tuple(leftover))


def _asked(engine: FedEngine, built: GxExpectation) -> tuple[MetricConfiguration, ...] | None:
    try:
        asked = built.get_validation_dependencies(execution_engine=engine, runtime_configuration=_FORMAT)
    except GreatExpectationsError:
        return None  # for example not made for Spark: Great Expectations says so itself at validation
    return tuple(asked.metric_configurations.values())


def _needs_no_rows(asked: tuple[MetricConfiguration, ...] | None) -> bool:
    if not asked:
        return False
    free = metric_key(ROW_COUNT, {}, None)
    return all(m.metric_name in SCHEMA_METRICS or key_of(m) == free for m in asked)


def _check(
    engine: FedEngine,
    built: GxExpectation,
    index: int,
    asked: tuple[MetricConfiguration, ...] | None,
) -> RowCheck | None:
    """The conditions of an expectation, or None when it is not of the kind that has some."""
    own = getattr(built, "map_metric", None)
    if not own or not asked:
        return None
    answered = (f"{own}.unexpected_count", f"{own}.filtered_row_count", NULLS, ROW_COUNT)
    if any(m.metric_name not in answered and not holds_values(m.metric_name) for m in asked):
        return None
    counted = next((m for m in asked if m.metric_name == f"{own}.unexpected_count"), None)
    if counted is None:
        return None
    domain = {k: v for k, v in counted.metric_domain_kwargs.items() if k != "batch_id"}
    condition = MetricConfiguration(
        f"{own}.condition",
        metric_domain_kwargs={**domain, "batch_id": _BATCH},
        metric_value_kwargs=dict(counted.metric_value_kwargs or {}),
    )
    # a condition asks for the number of rows and does not use it: that would be a job each
    engine.known = {key_of(m): 0 for m in asked if m.metric_name == ROW_COUNT}
    resolved, _ = MetricsCalculator(engine, show_progress_bars=False).compute_metrics([condition])
    if condition.id not in resolved:
        return None
    try:
        applies = _applies(engine, domain)
    except _Unreadable:
        return None
    columns = _columns(domain)
    bad = resolved[condition.id][0]
    missing = F.col(columns[0]).isNull() if len(columns) == 1 else None
    if missing is not None and own.endswith("unique"):
        bad = bad & ~missing  # its condition counts nulls as equal; Great Expectations filters them before
    if applies is not None:
        bad, missing = applies & bad, None if missing is None else applies & missing
    return RowCheck(index, own, bad, applies, missing, columns, asked)


class _Unreadable(Exception):
    """A row condition in a form that is not ours to translate."""


def _columns(domain: Mapping[str, Any]) -> tuple[str, ...]:
    if "column" in domain:
        return (domain["column"],)
    return tuple(domain.get("column_list") or (domain["column_A"], domain["column_B"]))


def _applies(engine: FedEngine, domain: Mapping[str, Any]) -> Column | None:
    """The rows that an expectation looks at: its row condition, and its rule about missing values."""
    applies: Column | None = None
    given = domain.get("row_condition")
    if given is not None:
        given = deserialize_row_condition(given) if isinstance(given, dict) else given
        if isinstance(given, PassThroughCondition):
            applies = F.expr(given.pass_through_filter)
        elif isinstance(given, Condition):
            applies = F.expr(engine.condition_to_filter_clause(given))
        else:
            raise _Unreadable
    ignore = domain.get("ignore_row_if")
    columns = _columns(domain)
    if len(columns) > 1 and ignore not in _IGNORE_NOTHING:
        present = F.lit(ignore in _IGNORE_ANY)
        for name in columns:
            there = F.col(name).isNotNull()
            present = (present & there) if ignore in _IGNORE_ANY else (present | there)
        applies = present if applies is None else applies & present
    return applies


def _kind(empty: DataFrame, check: RowCheck) -> Literal["row", "unique"] | None:
    """What a check looks at. None: its conditions do not resolve, or could throw in the middle of the run's write."""
    try:
        flagged = empty.select(*(column.alias(name) for name, column in check.flags().items()))
        # Spark tells its analyzed plan no other way
        logical = flagged._jdf.queryExecution().analyzed().toString()  # noqa: SLF001
    except AnalysisException:
        return None
    ansi = empty.sparkSession.conf.get("spark.sql.ansi.enabled", "false") == "true"
    if ansi and "cast(" in logical:
        return None
    if "Window [" not in logical:
        return "row"
    # In the pass a window would see the rows that are set aside, too. Which rows uniqueness ignores depends on the key
    # alone, so its window may see them; a row condition is another matter, and so is every other kind of window.
    conditioned = any(m.metric_domain_kwargs.get("row_condition") is not None for m in check.configurations)
    return "unique" if check.metric.endswith("unique") and not conditioned else None
