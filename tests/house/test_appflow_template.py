"""The stack of AppFlow's utilities: rights to the environment's flows alone, and word of what goes wrong with them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.events.models import EventPattern

from tests.house.templates import LAMBDAS, of_type, statements, told


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return told(LAMBDAS / "templates" / "appflow.yaml")


def test_the_function_has_rights_to_flows_of_its_environment_alone(template: dict[str, Any]) -> None:
    role = of_type(template, "AWS::IAM::Role")["ActivateRole"]
    on_flows = [one for one in statements(role) if "appflow:StartFlow" in one["Action"]]
    (resource,) = (one["Resource"]["Fn::Sub"] for one in on_flows)
    assert resource.endswith(":flow/${EnvPrefix}-*")
    others = [one for one in statements(role) if one["Resource"] == "*" and "ListFlows" in json.dumps(one["Action"])]
    assert [one["Action"] for one in others] == ["appflow:ListFlows"]


def test_a_request_that_was_answered_is_not_done_again(template: dict[str, Any]) -> None:
    function = of_type(template, "AWS::Serverless::Function")["ActivateFlows"]
    assert function["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    assert function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Type"] == "SQS"
    assert function["Timeout"] < 900  # the resource's ServiceTimeout


def matches(rule: dict[str, Any], event: dict[str, Any]) -> bool:
    pattern = json.dumps(rule["EventPattern"]).replace('{"Fn::Sub": "${EnvPrefix}-"}', '"dev-"')
    return bool(EventPattern.load(pattern).matches_event(event))


def event(kind: str, name: str = "dev-Salesforce-Account", **detail: str) -> dict[str, Any]:
    return {
        "source": "aws.appflow",
        "detail-type": kind,
        "detail": {"flow-name": name, "trigger-type": "SCHEDULED", **detail},
    }


END = "AppFlow End Flow Run Report"


@pytest.mark.parametrize(
    ("told_of", "rule", "expected"),
    [
        (event("AppFlow Scheduled Flow Deactivated"), "FlowSwitchedOff", True),
        (event("AppFlow Event Flow Deactivated"), "FlowSwitchedOff", True),
        (event("AppFlow Scheduled Flow Deactivated", "sit-Salesforce-Account"), "FlowSwitchedOff", False),
        (event("AppFlow Start Flow Run Report"), "FlowSwitchedOff", False),
        (event(END, status="Execution Successful"), "FlowRunFailed", False),
        (event(END, status="Execution Failed", error="INVALID_SESSION_ID"), "FlowRunFailed", True),
        (event(END, "devs-Salesforce-Account", status="Execution Failed"), "FlowRunFailed", False),
        (event("AppFlow Start Flow Run Report"), "FlowRunFailed", False),
    ],
)
def test_somebody_is_told_of_what_went_wrong_and_of_nothing_else(template, told_of, rule, expected) -> None:
    found = of_type(template, "AWS::Events::Rule")[rule]
    assert matches(found, told_of) is expected
    (target,) = found["Targets"]
    assert target["Arn"] == {"Ref": "Alarms"}
    for name in target["InputTransformer"]["InputPathsMap"]:
        assert f"<{name}>" in target["InputTransformer"]["InputTemplate"]


def test_rules_and_alarms_may_write_to_the_topic(template: dict[str, Any]) -> None:
    (policy,) = of_type(template, "AWS::SNS::TopicPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert set(statement["Principal"]["Service"]) == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
