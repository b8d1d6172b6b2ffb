"""What the rules say of a batch, from counts alone."""

from __future__ import annotations

from typing import Any

import pytest

from forceglue.mapping.model import ObjectMapping
from forceglue.quality import rules as q
from forceglue.quality.outcomes import ExpectationOutcome, RuleOutcome
from forceglue.run.judging import Judgement, expectation_report, rule_outcomes, rule_report

MAPPING = ObjectMapping.model_validate(
    {
        "mapping": "deal",
        "source": "Opportunity",
        "quality": {
            "drop": {"real": "name not like 'TEST%'"},
            "warn": {"big": {"sql": "amount > 10", "nulls": "pass"}},
        },
    }
)
CHECKS = (
    q.Check(q.KEY_RULE, "quarantine", "the key is set", "id is null"),
    *(q.rule_check(name, severity, rule) for name, severity, rule in MAPPING.rules()),
    q.Check("counted", "count", "x", "x"),
)
# 100 rows out of the pass: 10 filtered, 5 gone, 15 dropped, 20 set aside, 50 good
ROWS = {q.FILTERED: 10, q.GONE: 5, q.DROPPED: 15, q.QUARANTINED: 20, q.GOOD: 50}


def outcomes(counts: dict[str, dict[str, int]], samples: dict[str, list[str]] | None = None) -> dict[str, RuleOutcome]:
    return {o.name: o for o in rule_outcomes(MAPPING, CHECKS, counts, ROWS, samples or {})}


def test_a_rule_is_told_of_the_rows_that_it_judges() -> None:
    """Rows filtered out are judged by nothing; a dropped row by the rules that drop alone."""
    said = outcomes({"real": {q.DROPPED: 15, q.FILTERED: 3}, "big": {q.GOOD: 4, q.DROPPED: 9, q.QUARANTINED: 1}})
    assert (said["real"].passed, said["real"].failed) == (70, 15)
    assert (said["big"].passed, said["big"].failed, said["big"].nulls) == (65, 5, "pass")


def test_a_declared_rule_is_told_even_where_nothing_breaks_it_and_a_check_of_ours_only_where_something_does() -> None:
    assert {name: o.failed for name, o in outcomes({}).items()} == {"real": 0, "big": 0}
    said = outcomes({q.KEY_RULE: {q.QUARANTINED: 20}, "counted": {q.GOOD: 7}}, {q.KEY_RULE: ["a", "b"]})
    assert {name: o.failed for name, o in said.items()} == {"real": 0, "big": 0, q.KEY_RULE: 20}
    assert said[q.KEY_RULE].sample == ({"record": "a"}, {"record": "b"})


def expectation(name: str, on_failure: str, success: bool, **more: Any) -> ExpectationOutcome:
    told = {"observed": None, "unexpected_count": None, "error": None} | more
    return ExpectationOutcome(name, {"column": "x"}, on_failure, success, **told)


@pytest.mark.parametrize(("severity", "failed", "stops"), [("fail", 3, True), ("fail", 0, False), ("warn", 3, False)])
def test_only_a_broken_rule_of_severity_fail_stops(severity: Any, failed: int, stops: bool) -> None:
    judgement = Judgement((RuleOutcome("r", severity, "x", None, 1, failed),), ())
    assert judgement.stops() == ({"r": failed} if stops else {})


def test_expectations_stop_and_are_reported_without_values_of_other_kinds() -> None:
    judgement = Judgement(
        (RuleOutcome("r", "warn", "x > 1", "why", 9, 1),),
        (
            expectation("good", "fail", True, observed=4),
            expectation("bad", "fail", False, unexpected_count=2),
            expectation("odd", "warn", False, observed=object),
        ),
    )
    assert judgement.stops() == {"bad": 2}
    assert [(e.name, e.success, e.on_failure) for e in expectation_report(judgement)] == [
        ("good", True, "fail"),
        ("bad", False, "fail"),
        ("odd", False, "warn"),
    ]
    assert expectation_report(judgement)[2].observed == str(object)
    (rule,) = rule_report(judgement)
    assert (rule.name, rule.severity, rule.passed, rule.failed) == ("r", "warn", 9, 1)
