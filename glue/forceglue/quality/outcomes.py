"""What the quality gates say about one mapping, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from forceglue.mapping.model.quality import Severity


@dataclass(frozen=True)
class RuleOutcome:
    """One row rule of a mapping and how many rows it was true for.

    Attributes:
        sql: the predicate that good rows satisfy.
        passed, failed: rows; together the rows that were judged.
        sample: a few rows that break the rule, **key columns only**: they are shown in the report.
        nulls: what a null result counts as.
    """

    name: str
    severity: Severity
    sql: str
    description: str | None
    passed: int
    failed: int
    sample: tuple[dict[str, Any], ...] = ()
    nulls: Literal["fail", "pass"] = "fail"


@dataclass(frozen=True)
class ExpectationOutcome:
    """One batch-level expectation of a mapping.

    Attributes:
        observed: what was seen, without raw values of rows.
        unexpected_count: rows that break a row-level expectation, None for the other kinds.
        error: why Great Expectations could not judge. Then `success` is False, and it says nothing about the data.
    """

    name: str
    arguments: Mapping[str, Any]
    on_failure: str
    success: bool
    observed: object
    unexpected_count: int | None
    error: str | None

    @property
    def stops(self) -> bool:
        """Whether this outcome stops the mapping; what could not be judged never passes a gate."""
        return not self.success and (self.error is not None or self.on_failure == "fail")
