"""The stack of ingest: every file's event reaches the function or a dead letter, and everything is in the bus's log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.landed import landed
from ingest.sweeping import OVERDUE
from lambdas.ingest_kit import event
from tests.house.templates import LAMBDAS, functions_of, listed, of_type, statements, told


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return told(LAMBDAS / "templates" / "ingest.yaml")


@pytest.fixture(scope="module")
def rules(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return of_type(template, "AWS::Events::Rule")


def test_events_go_from_the_default_bus_to_the_pipelines_and_from_there_to_the_function(
    rules: dict[str, dict[str, Any]],
) -> None:
    forwards, ingests = rules["ForwardFiles"], rules["IngestFiles"]
    assert "EventBusName" not in forwards and ingests["EventBusName"] == {"Ref": "Bus"}
    assert forwards["EventPattern"] == {
        "source": ["aws.s3"], "detail": {"bucket": {"name": [{"Ref": "LandingBucket"}]}}
    }  # fmt: skip
    assert forwards["Targets"][0]["Arn"] == {"Fn::GetAtt": ["Bus", "Arn"]}
    pattern = ingests["EventPattern"]
    assert pattern["detail"]["object"]["key"] == [{"prefix": {"Fn::Sub": "${LandingPrefix}in/"}}]
    assert ingests["Targets"][0]["Arn"] == {"Fn::GetAtt": ["Ingest", "Arn"]}


def test_what_the_rule_lets_through_the_function_understands(rules: dict[str, dict[str, Any]]) -> None:
    for kind in rules["IngestFiles"]["EventPattern"]["detail-type"]:
        assert landed(event("b", "in/Account/e/a.csv", **{"detail-type": kind}))
    assert OVERDUE in rules["IngestFiles"]["EventPattern"]["detail-type"]


def test_no_event_of_a_file_and_no_flow_run_is_lost(template: dict[str, Any], rules: dict[str, dict[str, Any]]) -> None:
    for name, rule in rules.items():
        if name != "LogEvents":
            assert all("DeadLetterConfig" in target for target in rule["Targets"]), name
    ingest, queues = functions_of(template)["Ingest"], of_type(template, "AWS::SQS::Queue")
    assert ingest["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Type"] == "SQS"
    assert ingest["EventInvokeConfig"]["MaximumRetryAttempts"] == 2
    assert queues["FlowRuns"]["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadFlowRuns", "Arn"]}
    reconcile = functions_of(template)["Reconcile"]
    assert queues["FlowRuns"]["VisibilityTimeout"] >= 6 * reconcile["Timeout"]
    assert reconcile["Events"]["Queue"]["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # a run is waited for as long as the function waits for its files, before it is a dead letter
    tries = queues["FlowRuns"]["RedrivePolicy"]["maxReceiveCount"]
    assert tries * queues["FlowRuns"]["VisibilityTimeout"] > 30 * 60
    for name in ("DeadFiles", "DeadFlowRuns"):
        assert queues[name]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_every_event_of_the_bus_is_in_its_log_and_eventbridge_may_write_there(
    template: dict[str, Any], rules: dict[str, dict[str, Any]]
) -> None:
    assert rules["LogEvents"]["EventPattern"] == {"source": [{"exists": True}]}
    group = of_type(template, "AWS::Logs::LogGroup")["BusLogs"]["LogGroupName"]
    assert group == {"Fn::Sub": "/aws/events/${EnvPrefix}-sf-to-dw"}
    assert rules["LogEvents"]["Targets"][0]["Arn"]["Fn::Sub"].endswith(":log-group:${BusLogs}")
    (policy,) = of_type(template, "AWS::Logs::ResourcePolicy").values()
    text = policy["PolicyDocument"]["Fn::Sub"]
    (statement,) = json.loads(text)["Statement"]
    assert statement["Resource"].endswith(":log-group:/aws/events/${EnvPrefix}-sf-to-dw:*")
    assert set(statement["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert "events.amazonaws.com" in statement["Principal"]["Service"]


def test_functions_delete_nothing_but_what_they_moved_and_their_own_notes(template: dict[str, Any]) -> None:
    roles = of_type(template, "AWS::IAM::Role")
    for name, role in roles.items():
        for statement in statements(role):
            if "s3:DeleteObject" in listed(statement["Action"]):
                assert name == "IngestRole"
                ends = [one["Fn::Sub"].partition("${LandingPrefix}")[2] for one in statement["Resource"]]
                assert ends == ["in/*", "processed/*/_*.facts.json", "error/*.reason.json"]
            if "events:PutEvents" in listed(statement["Action"]) and name != "ForwardingRole":
                assert statement["Condition"] == {"StringEquals": {"events:source": {"Ref": "EventSource"}}}


def test_the_layer_and_no_other_package_has_what_reads_parquet(template: dict[str, Any]) -> None:
    (layer,) = of_type(template, "AWS::Serverless::LayerVersion").values()
    assert layer["ContentUri"] == "../../out/layers/landing/"
    assert all(one["Layers"] == [{"Ref": "LandingLayer"}] for one in functions_of(template).values())
