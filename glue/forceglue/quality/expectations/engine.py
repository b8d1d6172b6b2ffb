"""A Spark execution engine that already knows some metrics, and never hands out raw values of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from great_expectations.exceptions.exceptions import MetricResolutionError
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.validator.metric_configuration import MetricConfiguration
from pyspark.sql import DataFrame, SparkSession

MetricKey = tuple[str, str, str]

ROW_COUNT = "table.row_count"
# what follows from the schema alone
SCHEMA_METRICS = frozenset({"table.columns", "table.column_types", "table.column_count"})
# lists of values, answered with nothing: the values may be personal, and each would be a Spark job of its own
_VALUE_LISTS = (
    ".unexpected_values",
    ".unexpected_value_counts",
    ".unexpected_rows",
    ".unexpected_index_list",
    ".unexpected_index_query",
    "unexpected_rows_query.table",
)


def holds_values(metric_name: str) -> bool:
    """Whether a metric is a list of raw values of rows."""
    return metric_name.endswith(_VALUE_LISTS)


def metric_key(name: str, domain: Mapping[str, Any], value: Mapping[str, Any] | None) -> MetricKey:
    """What a metric is about, whatever the batch: two configurations with one key have one value."""
    where = {k: v for k, v in domain.items() if k != "batch_id" and v is not None}
    what = {k: v for k, v in (value or {}).items() if k != "result_format" and v is not None}
    return name, repr(sorted(where.items(), key=str)), repr(sorted(what.items(), key=str))


def key_of(metric: MetricConfiguration) -> MetricKey:
    """The key of a configured metric."""
    return metric_key(metric.metric_name, metric.metric_domain_kwargs, metric.metric_value_kwargs)


class FedEngine(SparkDFExecutionEngine):
    """Answers known metrics from what it was fed and computes the others.

    Attributes:
        known: the metrics that need no computing.
        has_rows: whether the batch holds the rows. Without them every metric that would read data is refused, so that
            an empty stand-in frame is never taken for the data.
    """

    known: dict[MetricKey, Any]
    has_rows: bool

    def __init__(
        self, *, spark: SparkSession, batches: dict[str, DataFrame] | None = None, has_rows: bool = False
    ) -> None:
        # persist=True, the default, caches every column of every batch and never frees it
        super().__init__(spark=spark, persist=False, batch_data_dict=batches or {})
        self.known = {}
        self.has_rows = has_rows

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Known metrics first: Great Expectations asks again for the rest, so one that fails spoils no known one."""
        asked = list(metrics_to_resolve)
        answers: dict[Any, Any] = {}
        for metric in asked:
            key = key_of(metric)
            if key in self.known:
                answers[metric.id] = self.known[key]
            elif holds_values(metric.metric_name):
                answers[metric.id] = None if metric.metric_name.endswith("_query") else []
        if answers:
            return answers
        refused = [] if self.has_rows else [m for m in asked if not self._needs_no_rows(m)]
        if refused:
            raise MetricResolutionError(
                message=f"{refused[0].metric_name}: it was not counted by the run, and the rows are not at hand here",
                failed_metrics=tuple(refused),
            )
        computed: dict[Any, Any] = super().resolve_metrics(asked, metrics, runtime_configuration)
        return computed

    @staticmethod
    def _needs_no_rows(metric: MetricConfiguration) -> bool:
        # a condition or an aggregate that is only described (a Spark Column) reads nothing yet
        return metric.metric_name in SCHEMA_METRICS or metric.metric_name.endswith(
            (".condition", ".map", ".aggregate_fn")
        )
