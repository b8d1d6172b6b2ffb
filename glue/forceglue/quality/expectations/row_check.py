"""A row-level expectation as Spark conditions, and the metrics that follow from how many rows they are true for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from great_expectations.validator.metric_configuration import MetricConfiguration
from pyspark.sql import Column
from pyspark.sql import functions as F

from forceglue.quality.expectations.engine import ROW_COUNT, MetricKey, key_of

NULLS = "column_values.nonnull.unexpected_count"


@dataclass(frozen=True)
class RowCheck:
    """One expectation that the pass can answer, by its place in the mapping's list.

    Attributes:
        bad: true for a row that breaks it. applies: true for a row that it looks at; None is every row.
        missing: true for a row whose value is null, for expectations on one column.
    """

    index: int
    metric: str
    bad: Column
    applies: Column | None
    missing: Column | None
    columns: tuple[str, ...]
    configurations: tuple[MetricConfiguration, ...]

    def flags(self) -> dict[str, Column]:
        """The check's conditions by name, never null. A row with none of them set is an ordinary good row."""
        named = {f"bad_{self.index}": F.coalesce(self.bad, F.lit(False))}
        if self.applies is not None:
            named[f"skipped_{self.index}"] = ~F.coalesce(self.applies, F.lit(False))
        if self.missing is not None:
            named[f"missing_{self.index}"] = F.coalesce(self.missing, F.lit(False))
        return named

    def metrics(self, rows: int, counts: Mapping[str, int]) -> dict[MetricKey, Any]:
        """The counts of the check's flags as the metrics that its expectation asks for."""
        looked_at = rows if self.applies is None else rows - counts[f"skipped_{self.index}"]
        bad = counts[f"bad_{self.index}"]
        # Spark's sum over no rows is null, and that is what Great Expectations gets there
        nothing = looked_at == 0 and len(self.columns) == 1
        counts_rows = self.metric.endswith("unique")  # and a count of no rows is 0
        known: dict[MetricKey, Any] = {}
        for asked in self.configurations:
            name = asked.metric_name
            if name == f"{self.metric}.unexpected_count":
                known[key_of(asked)] = None if nothing and not counts_rows else bad
            elif name == NULLS:
                known[key_of(asked)] = None if nothing else counts[f"missing_{self.index}"]
            elif name in (ROW_COUNT, f"{self.metric}.filtered_row_count"):
                known[key_of(asked)] = looked_at
        return known
