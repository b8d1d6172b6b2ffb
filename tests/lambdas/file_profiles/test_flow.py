"""The whole way on an emulated AWS, by the stacks as they are deployed: event, state machine, rows, event. By hand: a minute."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deploy import deploy
from forceglue.cli.profile_lint import profile_lint
from lambdas.profiles_kit import balanced
from local_stack.deployed import Session
from local_stack.parts import CREDENTIALS, REGION, machine
from local_stack_kit import Emulated, emulated, until
from tests.house.lock import ROOT

pytestmark = pytest.mark.slow

SAMPLE = ROOT / "mappings" / "profiles" / "flood_qns.json"
HEADER = "QNS_ID|POLICY_NO|RECEIVED|FLOOD_ZONE|BLDG_VALUE|STORIES|ELEVATED|ZIP\n"
ENV = "local"


@dataclass(frozen=True)
class Stack:
    aws: Emulated
    outputs: dict[str, str]
    landing: str

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def save(self, source: str, **more: Any) -> None:
        """The sample with what differs, saved as the profile of a source."""
        value = json.loads(SAMPLE.read_text("utf-8")) | {"rowStateMachineArn": self.outputs["RowMachineArn"]} | more
        told = json.dumps({name: one for name, one in value.items() if one is not None})
        self.client("ssm").put_parameter(Name=f"/crm/file-profiles/{ENV}/{source}.json", Value=told, Type="String")

    def upload(self, source: str, text: str) -> str:
        key = f"{source}/{ENV}/{uuid.uuid4().hex[:6]}.csv"
        self.client("s3").put_object(Bucket=self.outputs["IncomingBucketName"], Key=key, Body=text.encode())
        return key

    def runs(self, source: str) -> list[dict[str, Any]]:
        found = self.client("stepfunctions").list_executions(stateMachineArn=self.outputs["FileMachineArn"])
        return [one for one in found["executions"] if one["name"].startswith(f"{source}-")]

    def result(self, source: str) -> dict[str, Any]:
        """Of the source's only run, when it is over."""
        until(lambda: [one for one in self.runs(source) if one["status"] != "RUNNING"], 120)
        (run,) = self.runs(source)
        told = self.client("stepfunctions").describe_execution(executionArn=run["executionArn"])
        assert told["status"] == "SUCCEEDED", told
        found: dict[str, Any] = json.loads(told["output"])
        assert balanced(found)
        return found

    def rows(self, source: str) -> dict[str, dict[str, Any]]:
        pages = self.client("dynamodb").get_paginator("query").paginate(
            TableName=self.outputs["RowsTable"], KeyConditionExpression="#s = :s",
            ExpressionAttributeNames={"#s": "source"}, ExpressionAttributeValues={":s": {"S": source}},
        )  # fmt: skip
        return {one["key"]["S"]: json.loads(one["row"]["S"]) for page in pages for one in page["Items"]}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    subprocess.run(["make", "-C", str(ROOT), "lambdas", f"LAMBDA_PYTHON={version}"], check=True, capture_output=True)
    with emulated(tmp_path_factory.mktemp("emulated"), enforced=True) as aws:
        outputs = deploy(
            ENV, ["storage", "ingest", "file_profiles"], {"Runtime": f"python{version}", "Architecture": machine()},
            Session(aws.url, REGION, CREDENTIALS), tell=lambda _: None, every=0.2,
        )  # fmt: skip
        yield Stack(aws, outputs["file_profiles"], outputs["storage"]["LandingBucket"])


def lines(*keys: str, zone: str = "AE") -> str:
    return "".join(f"{key}|P-{key}|02/28/2026|{zone}|1200.50|2|Y|12345\n" for key in keys)


def test_a_new_process_is_added_as_the_guide_says(stack: Stack, tmp_path: Path) -> None:
    # 1. author a profile: copy the sample, adjust limits and mappings, save it as /crm/file-profiles/<env>/<source>.json
    profile = json.loads(SAMPLE.read_text("utf-8"))
    profile["limits"]["failureShare"] = 0.5
    # 2. connect the row state machine
    profile["rowStateMachineArn"] = stack.outputs["RowMachineArn"]
    (tmp_path / "storm_qns.json").write_text(json.dumps(profile, indent=2))
    name = f"/crm/file-profiles/{ENV}/storm_qns.json"
    stack.client("ssm").put_parameter(Name=name, Value=(tmp_path / "storm_qns.json").read_text(), Type="String")
    # 3. nothing is deployed: the functions need no changes
    # 4. run profile-lint, then upload a test file to <incoming>/<source>/<env>/
    linted = CliRunner().invoke(profile_lint, [str(tmp_path / "storm_qns.json")])
    assert linted.exit_code == 0, linted.output
    key = stack.upload("storm_qns", HEADER + lines("Q1", "Q2") + lines("Q3", zone="nowhere"))
    result = stack.result("storm_qns")
    assert (result["state"], result["RowsProcessed"], result["RowsFailed"]) == ("success", 2, 1)
    assert stack.rows("storm_qns")["Q2"] == {
        "qns_id": "Q2", "policy_no": "P-Q2", "received_on": "2026-02-28", "flood_zone": "AE", "building_value": "1200.50",
        "stories": 2, "elevated": True, "postal_code": "12345", "origin": "flood_qns",
    }  # fmt: skip
    # 5. monitor: the event is on the bus, under the file's correlation id; metrics are in the function's log
    told = until(lambda: [one for one in stack.aws.told(f"/aws/events/{ENV}-sf-to-dw") if "file-processed" in one], 30)
    (event,) = [json.loads(one) for one in told if key in one]
    assert event["detail"]["correlation_id"] == result["correlation_id"] and event["detail"]["RowsFailed"] == 1
    metrics = [json.loads(one) for one in stack.aws.told(f"/aws/lambda/{ENV}-files-conclude") if '"_aws"' in one]
    assert {"RowsProcessed": [2.0], "RowsFailed": [1.0], "source": "storm_qns"}.items() <= metrics[0].items()
    assert json.loads(stack.client("cloudwatch").get_dashboard(DashboardName=f"{ENV}-files")["DashboardBody"])[
        "widgets"
    ]


def test_rows_whose_machine_fails_are_told_and_the_rest_goes_on(stack: Stack) -> None:
    picky = {
        "StartAt": "Choose",
        "States": {
            "Choose": {"Type": "Choice", "Default": "Good",
                       "Choices": [{"Variable": "$.key", "StringEquals": "Q13", "Next": "Bad"}]},
            "Bad": {"Type": "Fail", "Error": "NotThisOne", "Cause": "it is Mrs Secret's"},
            "Good": {"Type": "Succeed"},
        },
    }  # fmt: skip
    machines = stack.client("stepfunctions")
    role = machines.describe_state_machine(stateMachineArn=stack.outputs["RowMachineArn"])["roleArn"]
    arn = machines.create_state_machine(name=f"{ENV}-file-row-picky", definition=json.dumps(picky), roleArn=role)[
        "stateMachineArn"
    ]
    stack.save("picky", rowStateMachineArn=arn)
    stack.upload("picky", HEADER + lines(*(f"Q{number}" for number in range(130))))
    result = stack.result("picky")
    assert (result["state"], result["RowsProcessed"], result["RowsFailed"]) == ("success", 129, 1)
    text = (
        stack.client("s3").get_object(Bucket=stack.outputs["IncomingBucketName"], Key=result["rejects"])["Body"].read()
    )
    told = json.loads(text)
    assert told["line"] == 15 and told["reasons"][0]["code"] == "row_machine"
    assert told["execution"] == arn.replace("stateMachine", "execution") + f":{result['correlation_id']}-15"
    started = [one for page in machines.get_paginator("list_executions").paginate(stateMachineArn=arn)
               for one in page["executions"]]  # fmt: skip
    assert len(started) == len({one["name"] for one in started}) == 130
    everything = "".join(
        one for name in ("start", "read", "conclude") for one in stack.aws.told(f"/aws/lambda/{ENV}-files-{name}")
    )
    assert "Secret" not in everything and "P-Q1" not in everything


def test_the_same_event_again_starts_nothing(stack: Stack) -> None:
    stack.save("again")
    url, arn = stack.aws.queue("events-again")
    events = stack.client("events")
    events.put_rule(Name="again", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="again", Targets=[{"Id": "kept", "Arn": arn}])
    key = stack.upload("again", HEADER + lines("Q1"))
    kept: list[dict[str, Any]] = []
    until(
        lambda: kept.extend(stack.aws.received(url)) or [one for one in kept if one["detail"]["object"]["key"] == key]
    )
    (event,) = [one for one in kept if one["detail"]["object"]["key"] == key]
    first = stack.result("again")
    for _ in range(2):
        invoked = stack.client("lambda").invoke(FunctionName=f"{ENV}-files-start", Payload=json.dumps(event))
        said = json.loads(invoked["Payload"].read())
        assert said == {"status": "repeated", "run": first["correlation_id"]}
    assert len(stack.runs("again")) == 1 and first["RowsProcessed"] == 1


def test_rows_land_where_the_main_job_finds_them(stack: Stack) -> None:
    stack.save("lands", rowStateMachineArn=None, landing={"object": "FloodQns"})
    stack.upload("lands", HEADER + lines("Q1", "Q2"))
    result = stack.result("lands")
    (key,) = result["landed"]
    assert key.startswith(f"in/{ENV}-Salesforce-FloodQns/{result['correlation_id']}/")
    s3 = stack.client("s3")
    # the ingest function takes it at once, and sets it aside where no mapping knows the object
    found = until(lambda: [one["Key"] for one in s3.list_objects_v2(Bucket=stack.landing).get("Contents", ())
                           if result["correlation_id"] in one["Key"]])  # fmt: skip
    assert found


def test_a_file_is_read_in_parts_by_the_state_machine(stack: Stack) -> None:
    stack.save("many", limits={"failureShare": 0, "maxRows": 3000})
    stack.upload("many", HEADER + lines(*(f"Q{number}" for number in range(600))))
    result = stack.result("many")
    assert (result["state"], result["RowsProcessed"]) == ("success", 600) and len(stack.rows("many")) == 600


def test_nothing_was_refused_to_any_function(stack: Stack) -> None:
    """The last one: the emulator asks for rights, and the others have done everything."""
    for name in ("start", "read", "conclude"):
        lines = stack.aws.told(f"/aws/lambda/{ENV}-files-{name}")
        assert lines and not [line for line in lines if "not authorized to perform" in line], name
