"""The template of the job trigger: what a linter and the rules for all templates do not know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from job_trigger import handler
from job_trigger.decision import FAILED, SUCCEEDED
from job_trigger.gathering import FILE_INGESTED
from job_trigger.settings import trigger_settings
from tests.house.lock import ROOT
from tests.house.templates import TEMPLATES, listed, of_type, rights, statements, told

OWN_JOB = {"Fn::If": ["OwnJob", {"Fn::Sub": "${EnvPrefix}-forceglue"}, {"Ref": "JobName"}]}
OWN_BUS = {"Fn::If": ["OwnBus", {"Fn::Sub": "${EnvPrefix}-sf-to-dw"}, {"Ref": "EventBusName"}]}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    (path,) = (path for path in TEMPLATES if path.stem == "job_trigger")
    return told(path)


@pytest.fixture(scope="module")
def function(template: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"]["Trigger"]["Properties"]
    return found


def test_it_starts_the_job_that_the_other_template_makes(template: dict[str, Any], function: dict[str, Any]) -> None:
    job = told(ROOT / "glue" / "template.yaml")["Resources"]["Job"]["Properties"]["Name"]
    assert job == OWN_JOB["Fn::If"][1]
    assert function["Environment"]["Variables"]["JOB_NAME"] == OWN_JOB
    rule = template["Resources"]["RunEnded"]["Properties"]["EventPattern"]
    assert rule["detail"]["jobName"] == [OWN_JOB]


def test_every_end_of_a_run_is_told_and_nothing_else(template: dict[str, Any]) -> None:
    rule = template["Resources"]["RunEnded"]["Properties"]["EventPattern"]
    assert set(rule["detail"]["state"]) == {SUCCEEDED, *FAILED}
    assert rule["detail-type"] == [handler.RUN_STATE]


def test_what_is_gathered_are_files_that_were_ingested(template: dict[str, Any]) -> None:
    rule = template["Resources"]["Ingested"]["Properties"]
    assert rule["EventPattern"] == {"source": [{"Ref": "IngestSource"}], "detail-type": [FILE_INGESTED]}
    assert rule["EventBusName"] == OWN_BUS
    assert rule["Targets"][0]["Arn"] == {"Fn::GetAtt": ["Files", "Arn"]}


def test_the_queue_gives_each_batch_its_time(template: dict[str, Any], function: dict[str, Any]) -> None:
    files = function["Events"]["Files"]["Properties"]
    window = template["Parameters"]["GatherSeconds"]
    queue = template["Resources"]["Files"]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"] + window["MaxValue"]
    assert files["BatchSize"] == 10_000 and window["MinValue"] >= 1  # so large a batch needs a window
    assert files["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_start_is_given_up_only_once_its_function_is_surely_over(function: dict[str, Any]) -> None:
    told = {"EVENT_BUS": "b", "JOB_NAME": "j", "TRIGGER_TABLE": "t"}
    assert trigger_settings(told).pace.lease >= 2 * function["Timeout"]


def test_the_templates_defaults_are_those_of_the_settings(template: dict[str, Any]) -> None:
    pace = trigger_settings({"EVENT_BUS": "b", "JOB_NAME": "j", "TRIGGER_TABLE": "t"}).pace
    given = {
        name: template["Parameters"][name]["Default"] for name in ("Tries", "FirstWaitSeconds", "LongestWaitSeconds")
    }
    assert list(given.values()) == [pace.tries, pace.first, pace.longest]


def test_the_sweep_is_what_the_handler_takes_it_for(function: dict[str, Any]) -> None:
    assert handler.SWEEP in json.loads(function["Events"]["Sweep"]["Properties"]["Input"])


def test_nothing_that_fails_to_come_is_lost(template: dict[str, Any], function: dict[str, Any]) -> None:
    dead = {"Fn::GetAtt": ["Dead", "Arn"]}
    for rule in of_type(template, "AWS::Events::Rule").values():
        assert [target["DeadLetterConfig"]["Arn"] for target in rule["Targets"]] == [dead]
    assert template["Resources"]["Files"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] == dead
    assert function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"] == dead
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    assert {"DeadLetters", "QueueOld", "JobGivenUp", "JobFails", "StartFails", "FilesWait", "NoSweep"} <= alarms.keys()


def test_it_may_run_one_job_and_tell_one_bus(template: dict[str, Any]) -> None:
    (role,) = rights(template).values()
    by_action = {action: one for one in statements(role) for action in listed(one["Action"])}
    text, names = by_action["glue:StartJobRun"]["Resource"]["Fn::Sub"]
    assert text.endswith(":job/${Job}") and names == {"Job": OWN_JOB}
    text, names = by_action["events:PutEvents"]["Resource"]["Fn::Sub"]
    assert text.endswith(":event-bus/${Bus}") and names == {"Bus": OWN_BUS}
    assert by_action["dynamodb:PutItem"]["Condition"]["ForAllValues:StringEquals"] == {
        "dynamodb:LeadingKeys": [OWN_JOB]
    }
