"""The CloudFormation template: lint, and the facts that a linter does not know."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forceglue import __version__
from forceglue.runtime import glue, session
from tests.house.lock import ROOT, glue_modules

TEMPLATE = ROOT / "glue" / "template.yaml"
POLICIES = ("SecretPolicy", "EventsPolicy", "ConnectionPolicy")


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template with its short forms (`!Sub`) written out."""
    from cfnlint.decode.cfn_yaml import load

    told: dict[str, Any] = json.loads(json.dumps(load(str(TEMPLATE)), default=str))
    return told


def statements(template: dict[str, Any]) -> list[dict[str, Any]]:
    resources = template["Resources"]
    documents = [policy["PolicyDocument"] for policy in resources["Role"]["Properties"]["Policies"]]
    documents += [resources[name]["Properties"]["PolicyDocument"] for name in POLICIES]
    return [statement for document in documents for statement in document["Statement"]]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_cfn_lint_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    said = subprocess.run([str(linter), str(TEMPLATE)], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_no_right_is_given_by_star(template: dict[str, Any]) -> None:
    for statement in statements(template):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            assert "*" not in action
        if "*" in listed(statement["Resource"]) and "Condition" not in statement:
            # AWS offers no narrower resource for these.
            for action in listed(statement["Action"]):
                assert action == "glue:GetSecurityConfiguration" or action.startswith(("ec2:Describe", "ec2:Create"))


def test_buckets_are_reached_below_their_prefixes_only(template: dict[str, Any]) -> None:
    for statement in statements(template):
        if any(action.endswith("Object") for action in listed(statement["Action"])):
            for resource in listed(statement["Resource"]):
                assert "Prefix}" in resource["Fn::Sub"]
        if statement["Action"] == "s3:ListBucket":
            assert "s3:prefix" in statement["Condition"]["StringLike"]


def test_the_job_passes_what_its_script_reads(template: dict[str, Any]) -> None:
    arguments = template["Resources"]["Job"]["Properties"]["DefaultArguments"]
    own = {name.removeprefix("--") for name in arguments if name.removeprefix("--").isupper()}
    assert set(glue.REQUIRED) - {"JOB_NAME"} <= own
    assert own <= {*glue.REQUIRED, *glue.OPTIONAL}


def test_the_job_starts_with_what_a_running_session_no_longer_takes(template: dict[str, Any]) -> None:
    arguments = template["Resources"]["Job"]["Properties"]["DefaultArguments"]
    assert arguments["--datalake-formats"] == "delta"
    told = dict(pair.split("=", 1) for pair in arguments["--conf"].split(" --conf "))
    assert told == {**session.DELTA, "spark.scheduler.mode": session.LOCAL["spark.scheduler.mode"]}
    assert template["Resources"]["Job"]["Properties"]["ExecutionProperty"]["MaxConcurrentRuns"] == 1


def test_the_default_is_glue_5_1(template: dict[str, Any]) -> None:
    version = template["Parameters"]["GlueVersion"]
    assert version["Default"] == "5.1"
    assert set(version["AllowedValues"]) == set(template["Mappings"]["Modules"])


@pytest.mark.parametrize(("version", "python"), [("5.1", "3.11"), ("6.0", "3.13")])
def test_the_modules_are_those_of_the_lock(template: dict[str, Any], version: str, python: str) -> None:
    assert template["Mappings"]["Modules"][version]["Pins"] == glue_modules(python)


def test_the_wheel_is_that_of_this_version(template: dict[str, Any]) -> None:
    assert template["Parameters"]["ForceglueVersion"]["Default"] == __version__


def test_a_failed_run_tells_somebody(template: dict[str, Any]) -> None:
    rule = template["Resources"]["RunFailed"]["Properties"]
    assert {"FAILED", "TIMEOUT"} <= set(rule["EventPattern"]["detail"]["state"])
    assert rule["Targets"][0]["Arn"] == {"Ref": "Alarms"}
    assert template["Resources"]["NothingSucceeded"]["Properties"]["TreatMissingData"] == "breaching"


def test_every_policy_is_looked_at(template: dict[str, Any]) -> None:
    policies = {name for name, one in template["Resources"].items() if one["Type"] == "AWS::IAM::RolePolicy"}
    assert policies == set(POLICIES)


def test_the_job_tells_one_bus_only_and_under_its_own_source(template: dict[str, Any]) -> None:
    policy = template["Resources"]["EventsPolicy"]
    assert policy["Condition"] == "HasEventBus"
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "events:PutEvents" and statement["Resource"]["Fn::Sub"].endswith(
        ":event-bus/${EventBus}"
    )
    assert statement["Condition"] == {"ForAllValues:StringEquals": {"events:source": {"Ref": "EventSource"}}}
    assert template["Parameters"]["EventSource"]["Default"] == glue.EVENT_SOURCE
    told = template["Resources"]["Job"]["Properties"]["DefaultArguments"]["--EVENT_BUS"]
    assert told == {"Fn::If": ["HasEventBus", {"Ref": "EventBus"}, {"Ref": "AWS::NoValue"}]}


def test_tables_are_looked_after_where_files_start_the_job(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    assert resources["Hourly"]["Properties"]["StartOnCreation"]["Fn::If"][0] == "IsScheduled"
    assert resources["Daily"]["Properties"]["StartOnCreation"]["Fn::If"][0] == "IsMaintained"
    assert resources["NothingSucceeded"]["Condition"] == "IsScheduled"
