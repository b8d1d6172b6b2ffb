from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import forceglue
from forceglue.errors import JudgeError, UsageError
from forceglue.mapping.model.quality import Expectation
from forceglue.quality.gx import ExpectationOutcome, RuleOutcome, Validations, one_pass

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from forceglue.quality.actions import Failure

# without one Great Expectations starts a session of its own, which has no Delta
pytestmark = pytest.mark.usefixtures("spark")

GOOD = RuleOutcome("amount_is_positive", "warn", "amount >= 0", "Refunds have their own object.", 3, 0)
BAD = RuleOutcome("account_is_known", "quarantine", "account is not null", None, 2, 1, ({"id": "006A"},))


def expect(name: str, on_failure: str = "fail", **arguments: Any) -> Expectation:
    return Expectation(name=f"expect_{name}", arguments=arguments, on_failure=on_failure)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def people(spark: SparkSession) -> DataFrame:
    rows = [("006A", "Ann Example", 3), ("006B", "Bob Example", 5), ("006C", "Ann Example", None)]
    return spark.createDataFrame(rows, "id string, name string, amount int")


def apart(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(forceglue.__file__).parents[1])}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)


def judge(frame: DataFrame, expectations: list[Expectation], **options: Any) -> tuple[ExpectationOutcome, ...]:
    answers = one_pass(frame, expectations)
    counts = {name: frame.where(column).count() for name, column in answers.flags().items()}
    validations = options.pop("validations", None) or Validations(None, "p")
    return validations.validate("m", [], expectations, lambda: frame, frame.count(), answers=answers, counts=counts)


def test_importing_it_imports_neither_great_expectations_nor_spark() -> None:
    code = "import sys, forceglue.quality.gx; print([m for m in ('great_expectations', 'pyspark') if m in sys.modules])"
    done = apart(code)
    assert done.stdout.strip() == "[]"


def test_nothing_to_judge_starts_nothing(tmp_path: Path) -> None:
    validations = Validations(tmp_path, "p")
    assert validations.validate("m", [], [], None, 3) == ()
    assert validations.build_docs() is None
    assert validations.pages() == {}


def test_outcomes_are_in_the_order_of_the_expectations(people: DataFrame) -> None:
    expectations = [
        expect("column_max_to_be_between", column="amount", max_value=4),
        expect("column_values_to_not_be_null", column="amount"),
        expect("table_row_count_to_be_between", min_value=1),
        expect("column_values_to_be_unique", "warn", column="name"),
        expect("column_values_to_not_be_null", column="amount", mostly=0.5),
    ]
    told = judge(people, expectations)
    assert [outcome.name for outcome in told] == [expectation.name for expectation in expectations]
    assert [outcome.success for outcome in told] == [False, False, True, False, True]
    assert [outcome.unexpected_count for outcome in told] == [None, 1, None, 2, 1]
    assert [outcome.stops for outcome in told] == [True, True, False, False, False]
    assert told[0].observed == 5
    assert all(outcome.error is None for outcome in told)


def test_without_one_pass_everything_is_computed_on_the_rows(people: DataFrame) -> None:
    expectations = [expect("column_values_to_not_be_null", column="amount"), expect("column_to_exist", column="id")]
    told = Validations(None, "p").validate("m", [BAD], expectations, lambda: people, 3)
    assert [(outcome.success, outcome.unexpected_count) for outcome in told] == [(False, 1), (True, None)]


def test_what_great_expectations_swallows_is_an_error_and_stops(people: DataFrame) -> None:
    (told,) = judge(people, [expect("column_max_to_be_between", "warn", column="not_there", max_value=1)])
    assert not told.success
    assert told.error is not None and "not_there" in told.error
    assert told.stops


def test_one_broken_expectation_spoils_no_other(people: DataFrame) -> None:
    broken = [
        expect("column_max_to_be_between", column="not_there", max_value=1),
        expect("no_such_thing"),
        expect("column_to_exist", colum="typo"),
        expect("column_values_to_be_between", column="name", min_value=1, max_value=2),
    ]
    good = expect("column_max_to_be_between", column="amount", max_value=5)
    told = judge(people, [*broken[:2], good, *broken[2:]])
    assert told[2].success and told[2].error is None
    assert all(outcome.error for outcome in (told[0], told[1], told[3]))


def test_rows_that_are_not_at_hand_are_an_error_not_a_pass(people: DataFrame) -> None:
    expectations = [
        expect("column_values_to_be_unique", column="id"),
        expect("column_max_to_be_between", column="amount", max_value=9),
    ]
    answers = one_pass(people, expectations)
    told = Validations(None, "p").validate("m", [GOOD], expectations, None, 3, answers=answers, counts={})
    assert [outcome.success for outcome in told] == [False, False]
    assert all(outcome.error is not None for outcome in told)


def test_a_suite_that_does_not_reach_the_counts_of_the_run_is_no_verdict(people: DataFrame) -> None:
    twice = [RuleOutcome("same", "warn", "a > 1", None, 1, 2), RuleOutcome("same", "warn", "a > 1", None, 3, 0)]
    with pytest.raises(JudgeError, match="same"):
        Validations(None, "p").validate("m", twice, [], None, 3)


def test_mappings_are_judged_at_the_same_time(people: DataFrame, tmp_path: Path) -> None:
    validations = Validations(tmp_path, "p")

    def one(number: int) -> tuple[ExpectationOutcome, ...]:
        rule = RuleOutcome(f"rule_{number}", "warn", "amount > 1", None, 100, number)
        expectation = expect("column_max_to_be_between", column="amount", max_value=number)
        answers = one_pass(people, [expectation])
        return validations.validate(f"m{number}", [rule], [expectation], lambda: people, 3, answers=answers, counts={})

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(one, range(1, 9)))
    assert [outcome.success for (outcome,) in told] == [number >= 5 for number in range(1, 9)]
    validations.build_docs()
    assert len(validations.pages()) == 8


def test_actions_are_told_of_failures_only(people: DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Failure] = []
    monkeypatch.setitem(sys.modules, "team_module", type("team", (), {"notify": told.append}))
    validations = Validations(None, "p", run_id="run-7", on_failure=["team_module:notify"])
    validations.validate("clean", [GOOD], [], None, 3)
    expectations = [
        expect("table_row_count_to_be_between", "warn", min_value=99),
        expect("column_to_exist", colum="typo"),
    ]
    answers = one_pass(people, expectations)
    validations.validate("dirty", [GOOD, BAD], expectations, None, 3, answers=answers, counts={})
    assert validations.action_problems() == ()
    (failure,) = told
    assert (failure.run_id, failure.mapping, failure.stopped) == ("run-7", "dirty", True)
    assert [(c.kind, c.name, c.severity, c.failed, c.rows) for c in failure.checks] == [
        ("rule", "account_is_known", "quarantine", 1, 3),
        ("expectation", "expect_table_row_count_to_be_between", "warn", None, None),
        ("expectation", "expect_column_to_exist", "fail", None, None),
    ]
    assert "006A" not in repr(failure)


def test_an_action_that_raises_changes_no_outcome(people: DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(failure: Failure) -> None:
        raise ConnectionError("down")

    monkeypatch.setitem(sys.modules, "team_module", type("team", (), {"notify": broken}))
    validations = Validations(None, "p", on_failure=["team_module:notify"])
    expectations = [expect("column_values_to_not_be_null", column="amount")]
    (told,) = judge(people, expectations, validations=validations)
    assert (told.success, told.unexpected_count, told.error) == (False, 1, None)
    assert validations.action_problems() == ("action team_module:notify for m raised ConnectionError: down",)


def test_an_unknown_action_is_told_at_the_start() -> None:
    with pytest.raises(UsageError, match="on_failure"):
        Validations(None, "p", on_failure=["no_such_module_here:x"])


def test_nothing_kept_holds_a_value_of_a_row(people: DataFrame, tmp_path: Path) -> None:
    validations = Validations(tmp_path, "p")
    expectations = [
        expect("column_values_to_match_regex", column="name", regex="^X"),
        expect("column_distinct_values_to_be_in_set", column="name", value_set=["X"]),
        expect("column_most_common_value_to_be_in_set", column="name", value_set=["X"]),
        expect("column_distinct_values_to_contain_set", column="name", value_set=["X"]),
        expect("column_values_to_be_unique", column="name"),
        Expectation(name="unexpected_rows_expectation", arguments={"unexpected_rows_query": "select * from {batch}"}),
    ]
    told = judge(people, expectations, validations=validations)
    assert not any(outcome.success for outcome in told)
    assert all(outcome.error is None for outcome in told[:5])
    validations.build_docs()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) >= 4
    for path in kept:
        assert "Example" not in path.read_text("utf-8"), path
    assert "Example" not in repr(told)


def test_results_are_kept_as_great_expectations_writes_them(tmp_path: Path) -> None:
    validations = Validations(tmp_path, "p")
    validations.validate("orders", [GOOD, BAD], [], None, 3)
    validations.build_docs()
    kept = json.loads((tmp_path / "results" / "orders.json").read_text("utf-8"))
    assert kept["suite_name"] == "orders"
    assert kept["success"] is False
    assert [result["result"]["unexpected_count"] for result in kept["results"]] == [0, 1]
    assert [result["expectation_config"]["type"] for result in kept["results"]] == ["expect_rows_to_satisfy"] * 2


def test_a_mapping_judged_again_has_its_last_judgement(tmp_path: Path) -> None:
    validations = Validations(tmp_path, "p")
    validations.validate("orders", [BAD], [], None, 3)
    validations.validate("orders", [GOOD], [], None, 3)
    validations.build_docs()
    kept = json.loads((tmp_path / "results" / "orders.json").read_text("utf-8"))
    assert [result["expectation_config"]["kwargs"]["rule"] for result in kept["results"]] == ["amount_is_positive"]
    assert "account_is_known" not in (tmp_path / validations.pages()["orders"]).read_text("utf-8")


def test_an_import_in_the_background_is_waited_for() -> None:
    code = """
import os, sys
import forceglue.quality.gx as gx
gx.prefetch()
gx.prefetch()
gx._ready()
print("forceglue.quality.expectations.session" in sys.modules, os.environ["GX_ANALYTICS_ENABLED"])
"""
    done = apart(code)
    assert done.stdout.strip() == "True false", done.stderr
