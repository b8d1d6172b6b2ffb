from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from forceglue.mapping.model.quality import SEVERITIES
from forceglue.quality.outcomes import RuleOutcome

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize(("nulls", "failed"), [("fail", 4), ("pass", 3)])
def test_a_rule_computed_by_great_expectations_says_what_the_run_counts(
    spark: SparkSession, nulls: Literal["fail", "pass"], failed: int
) -> None:
    from forceglue.quality.expectations.rule import expectation_of, fed_metric
    from forceglue.quality.expectations.session import GxSession

    frame = spark.createDataFrame([(n,) for n in (1, 2, 3, None, 4, 5, 6)], "amount int")
    rule = RuleOutcome("small", "quarantine", "amount <= 3", None, 7 - failed, failed, (), nulls)
    session = GxSession("p", "run", None)
    computed = session.validate("a", [expectation_of(rule)], frame, has_rows=True, known={}, action=None)
    known = dict([fed_metric(rule)])
    fed = session.validate("b", [expectation_of(rule)], session.empty_frame(), has_rows=False, known=known, action=None)
    assert computed.results[0].result == fed.results[0].result
    assert fed.results[0].result["unexpected_count"] == failed
    assert computed.results[0].success is fed.results[0].success is False


@pytest.mark.usefixtures("spark")  # else Great Expectations starts a session of its own
def test_without_counts_and_without_rows_a_rule_is_not_judged() -> None:
    """An empty stand-in must never pass for data in which nothing breaks the rule."""
    from forceglue.quality.expectations.redact import cause
    from forceglue.quality.expectations.rule import expectation_of
    from forceglue.quality.expectations.session import GxSession

    session = GxSession("p", "run", None)
    rule = RuleOutcome("r", "fail", "a > 1", None, 3, 0)
    result = session.validate("a", [expectation_of(rule)], session.empty_frame(), has_rows=False, known={}, action=None)
    assert not result.results[0].success
    assert "not counted by the run" in (cause(result.results[0]) or "")


@pytest.mark.parametrize("severity", SEVERITIES)
def test_every_severity_is_an_expectation(severity: str) -> None:
    from forceglue.quality.expectations.rule import expectation_of

    built = expectation_of(RuleOutcome("r", severity, "a > 1", "why", 3, 0))  # type: ignore[arg-type]
    assert built.level == severity
    assert built.configuration.to_json_dict()["kwargs"]["predicate"] == "a > 1"


def test_a_sample_is_cut() -> None:
    from forceglue.quality.expectations.rule import MAX_SAMPLE, fed_metric

    rule = RuleOutcome("r", "warn", "a > 1", None, 0, 500, tuple({"id": str(n)} for n in range(500)))
    assert len(fed_metric(rule)[1]["sample"]) == MAX_SAMPLE
