"""The stack of file profiles: its state machines hang together, hand the functions what they read, and tell no row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from file_profiles.progress import Progress, Status
from tests.house.templates import LAMBDAS, listed, of_type, rights, statements, told


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return told(LAMBDAS / "templates" / "file_profiles.yaml")


@pytest.fixture(scope="module")
def machines(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one["Definition"] for name, one in of_type(template, "AWS::Serverless::StateMachine").items()}


def levels(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A machine and those inside its maps."""
    yield machine
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            yield from levels(state["ItemProcessor"])


def states(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: state for level in levels(machine) for name, state in level["States"].items()}


def followers(state: dict[str, Any]) -> set[str]:
    catches = [one["Next"] for one in [*state.get("Choices", ()), *state.get("Catch", ())]]
    return {one for one in (state.get("Next"), state.get("Default"), *catches) if one}


def test_every_state_is_reached_and_leads_somewhere(machines: dict[str, dict[str, Any]]) -> None:
    for machine in machines.values():
        for level in levels(machine):
            reached, new = set[str](), {level["StartAt"]}
            while new:
                reached |= new
                new = {name for one in new for name in followers(level["States"][one])} - reached
            assert reached == set(level["States"])
            for name, state in level["States"].items():
                assert followers(state) or state.get("End") or state["Type"] in ("Succeed", "Fail"), name


def test_the_functions_are_given_what_they_read(machines: dict[str, dict[str, Any]]) -> None:
    text = (LAMBDAS / "file_profiles" / "handler.py").read_text("utf-8")
    for state, function in (("Read", "read"), ("Conclude", "conclude")):
        body = text.partition(f"def {function}(")[2].partition("\n@tracer")[0]
        read = set(re.findall(r'event(?:\[|\.get\()"(\w+)"', body))
        given = {name.removesuffix(".$") for name in states(machines["Machine"])[state]["Parameters"]}
        assert given == read, state


def test_the_choice_knows_every_status(machines: dict[str, dict[str, Any]]) -> None:
    choice = states(machines["Machine"])["HowFarItIs"]
    known = {one["StringEquals"] for one in choice["Choices"]}
    assert known == {"more", "rows"} and set(get_args(Status)) == known | {"done", "refused"}
    assert choice["Default"] == "Conclude"


def test_what_is_read_of_the_progress_is_there(machines: dict[str, dict[str, Any]]) -> None:
    used = set(re.findall(r"\$\.progress\.(\w+)", json.dumps(machines)))
    assert used <= Progress().plain().keys() and {"row_machine", "parts"} <= used


def test_a_row_is_started_under_its_own_name_and_waited_for(machines: dict[str, dict[str, Any]]) -> None:
    row = states(machines["Machine"])["Row"]
    assert row["Parameters"]["Name.$"] == "$.row.name"
    assert "states:startExecution.sync:2" in json.dumps(row["Resource"])
    told = {name.removesuffix(".$") for name in row["Parameters"]["Input"]}
    guide = (LAMBDAS.parent / "mappings" / "profiles" / "README.md").read_text("utf-8")
    (shown,) = map(json.loads, re.findall(r"```json\n(.*?)```", guide, re.DOTALL))
    assert told == shown.keys()


def test_one_rows_failure_stops_no_other(machines: dict[str, dict[str, Any]]) -> None:
    row = states(machines["Machine"])["Row"]
    assert row["Catch"][-1] == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "NoteFailure"}
    assert (
        any("AlreadyExists" in error for error in row["Catch"][0]["ErrorEquals"])
        and row["Catch"][0]["Next"] == "Earlier"
    )
    noted = json.dumps(states(machines["Machine"])["NoteFailure"]["Parameters"])
    assert "$.failure.Error" in noted and "Cause" not in noted and "$.row.row" not in noted


def test_no_row_comes_back_up(machines: dict[str, dict[str, Any]]) -> None:
    """A state holds 256 KB: what hundreds of rows hand back must be next to nothing."""
    for level in levels(machines["Machine"]):
        ends = [state for state in level["States"].values() if state.get("End")]
        if level is not machines["Machine"]:
            assert [state.get("Result") for state in ends] == [1]


def test_every_task_is_tried_again(machines: dict[str, dict[str, Any]]) -> None:
    for machine in machines.values():
        for name, state in states(machine).items():
            assert state["Type"] != "Task" or state["Retry"], name


def test_logs_of_state_machines_hold_no_row(template: dict[str, Any]) -> None:
    for machine in of_type(template, "AWS::Serverless::StateMachine").values():
        assert (machine["Logging"]["Level"], machine["Logging"]["IncludeExecutionData"]) == ("FATAL", False)


def test_only_row_machines_of_the_prefix_may_be_started(template: dict[str, Any]) -> None:
    (role,) = [one for name, one in rights(template).items() if name == "MachineRole"]
    for statement in statements(role):
        if "states:StartExecution" in listed(statement["Action"]):
            assert "${Row}" in json.dumps(statement["Resource"]) or "${EnvPrefix}-files" in json.dumps(
                statement["Resource"]
            )


def test_a_function_reads_files_of_its_environment_alone_and_takes_nothing_else_away(template: dict[str, Any]) -> None:
    for name, role in rights(template).items():
        for statement in statements(role):
            if "s3:DeleteObject" in listed(statement["Action"]):
                assert name == "ConcludeRole" and "/*/${EnvPrefix}/*" in json.dumps(statement["Resource"])


def test_the_rule_takes_files_of_the_environment(template: dict[str, Any]) -> None:
    (event,) = of_type(template, "AWS::Serverless::Function")["Start"]["Events"].values()
    pattern = event["Properties"]["Pattern"]["detail"]
    assert pattern["object"]["key"] == [{"wildcard": {"Fn::Sub": "*/${EnvPrefix}/*"}}]


def test_the_dashboard_shows_rows_by_source_and_every_alarm(template: dict[str, Any]) -> None:
    (dashboard,) = of_type(template, "AWS::CloudWatch::Dashboard").values()
    body = dashboard["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(re.sub(r"\$\{[^}]+\}", "x", body))["widgets"]
    assert {"RowsProcessed, by source", "RowsFailed, by source"} <= {one["properties"]["title"] for one in widgets}
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    assert {name for name in alarms if f"${{{name}.Arn}}" not in body} == set()
