"""A row rule of a mapping as an expectation: rows satisfy a SQL predicate."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from pyspark.sql import functions as F

from forceglue.mapping.model.quality import Severity
from forceglue.quality.expectations.engine import MetricKey, metric_key
from forceglue.quality.expectations.rule_rendering import RuleRendering
from forceglue.quality.outcomes import RuleOutcome

METRIC = "forceglue.rows_against_predicate"
# how loud Great Expectations reports a severity of ours
LOUDNESS: dict[Severity, FailureSeverity] = {
    "fail": FailureSeverity.CRITICAL,
    "reject_file": FailureSeverity.CRITICAL,
    "quarantine": FailureSeverity.WARNING,
    "drop": FailureSeverity.WARNING,
    "warn": FailureSeverity.INFO,
}
MAX_SAMPLE = 20


class RowsAgainstPredicate(TableMetricProvider):
    """Rows, and rows that break a predicate. A run feeds it; computed here, it is one Spark job."""

    metric_name = METRIC
    value_keys = ("rule", "predicate", "nulls")

    @metric_value(engine=SparkDFExecutionEngine)
    def _spark(  # the decorator makes it a class method
        cls,  # noqa: N805
        execution_engine: SparkDFExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> dict[str, Any]:
        frame, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
        good = F.coalesce(F.expr(metric_value_kwargs["predicate"]), F.lit(metric_value_kwargs["nulls"] == "pass"))
        counts = frame.agg(F.count(F.lit(1)).alias("rows"), F.count(F.when(~good, 1)).alias("failed")).first()
        return {"rows": counts["rows"], "failed": counts["failed"], "sample": []}


class ExpectRowsToSatisfy(RuleRendering, BatchExpectation):
    """Rows satisfy a SQL predicate over the mapping's own columns.

    Args:
        rule: the rule's name, unique in its mapping.
        predicate: Spark SQL that good rows satisfy.
        level: what happens to a row that breaks it (fail, reject_file, quarantine, drop, warn).
        nulls: what a null result counts as.
    """

    rule: str
    predicate: str
    level: Severity
    nulls: Literal["fail", "pass"] = "fail"

    metric_dependencies: ClassVar[tuple[str, ...]] = (METRIC,)
    success_keys: ClassVar[tuple[str, ...]] = ("rule", "predicate", "level", "nulls")
    args_keys: ClassVar[tuple[str, ...]] = ("rule", "predicate", "level", "nulls")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> dict[str, Any]:
        counted = metrics[METRIC]
        rows, failed = counted["rows"], counted["failed"]
        return {
            "success": failed == 0,
            "result": {
                "element_count": rows,
                "unexpected_count": failed,
                "unexpected_percent": 100.0 * failed / rows if rows else 0.0,
                "partial_unexpected_list": counted["sample"],
            },
        }


def expectation_of(rule: RuleOutcome, place: int = 0) -> ExpectRowsToSatisfy:
    """The expectation that a rule is; its place in the mapping's list is kept in `meta`."""
    return ExpectRowsToSatisfy(
        rule=rule.name,
        predicate=rule.sql,
        level=rule.severity,
        nulls=rule.nulls,
        severity=LOUDNESS[rule.severity],
        notes=rule.description,
        meta={
            "forceglue": {
                "rule": rule.name,
                "severity": rule.severity,
                "description": rule.description,
                "place": place,
            }
        },
    )


def fed_metric(rule: RuleOutcome) -> tuple[MetricKey, dict[str, Any]]:
    """A rule's counts as the metric that its expectation asks for."""
    asked = {"rule": rule.name, "predicate": rule.sql, "nulls": rule.nulls}
    sample = [{k: None if v is None else str(v) for k, v in row.items()} for row in rule.sample[:MAX_SAMPLE]]
    counted = {"rows": rule.passed + rule.failed, "failed": rule.failed, "sample": sample}
    return metric_key(METRIC, {}, asked), counted
