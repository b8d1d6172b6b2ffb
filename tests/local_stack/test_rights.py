"""What the roles may do is what the functions need: every stack on an AWS that asks for rights. By hand: three minutes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deploy import deploy
from forceglue.simulated.salesforce import Org, serve
from lambdas.gateway import event
from lambdas.kit import CLIENT, SECRET, made_org
from local_stack.deployed import Session
from local_stack.enrolling import enrol
from local_stack.parts import CREDENTIALS, REGION, machine
from local_stack_kit import Emulated, emulated, until
from tests.house.lock import ROOT

pytestmark = pytest.mark.slow

ENV = "local"
REFUSED = "not authorized to perform"
HEADER = "QNS_ID|POLICY_NO|RECEIVED|FLOOD_ZONE|BLDG_VALUE|STORIES|ELEVATED|ZIP\n"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """Every stack, deployed where nobody may do more than a policy says; and an org."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    subprocess.run(["make", "-C", str(ROOT), "package", f"LAMBDA_PYTHON={version}"], check=True, capture_output=True)
    runtime = {"Runtime": f"python{version}", "Architecture": machine()}
    with (
        Org() as org,
        serve(made_org(org)) as server,
        emulated(tmp_path_factory.mktemp("aws"), enforced=True) as running,
    ):
        held = {"token_url": server.token_url, "client_id": CLIENT, "client_secret": SECRET}
        enrol(running.client("secretsmanager"), ENV, held)
        session = Session(running.url, REGION, CREDENTIALS)
        deploy(
            ENV, parameters={**runtime, "GatherSeconds": "1"}, session=session, tell=lambda _: None, every=0.2
        )  # fmt: skip
        yield running


def invoked(aws: Emulated, name: str, told: object) -> dict[str, Any]:
    said = aws.client("lambda").invoke(FunctionName=f"{ENV}-{name}", Payload=json.dumps(told))
    answer: dict[str, Any] = json.loads(said["Payload"].read())
    assert "FunctionError" not in said, answer
    return answer


def logged(aws: Emulated) -> dict[str, list[str]]:
    groups = aws.client("logs").describe_log_groups()["logGroups"]
    return {one["logGroupName"]: aws.told(one["logGroupName"]) for one in groups}


def test_a_role_without_rights_is_refused(aws: Emulated) -> None:
    """Otherwise the others would prove nothing."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = aws.client("iam").create_role(
        RoleName="powerless", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    code = (
        "import boto3\ndef handler(event, context): return boto3.client('s3').list_objects_v2(Bucket=event)['KeyCount']"
    )
    aws.function("powerless", code, Role=role)
    said = aws.client("lambda").invoke(FunctionName="powerless", Payload=json.dumps(f"forceglue-{ENV}-sourcecode"))
    assert REFUSED in json.loads(said["Payload"].read())["errorMessage"]


def test_files_are_ingested_and_start_the_job(aws: Emulated) -> None:
    rows, file = pa.table({"Id": ["001000000000001AAA"], "SystemModstamp": ["2026-01-01T00:00:00.000Z"]}), io.BytesIO()
    pq.write_table(rows, file)
    bucket = f"forceglue-{ENV}-sf-to-dw-landing"
    for execution, data in (("good", file.getvalue()), ("bad", b"no parquet")):
        key = f"in/{ENV}-Salesforce-Account/{execution}/part-0.parquet"
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=data)

    def kinds() -> set[str]:
        told = [json.loads(line) for line in aws.told(f"/aws/events/{ENV}-sf-to-dw")]
        return {one["detail-type"] for one in told}

    until(lambda: {"file-ingested", "file-ingestion", "job-started"} <= kinds(), 120)
    until(lambda: aws.runner.asked, 30)
    pages = aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert {one["Key"].partition("/")[0] for one in pages} >= {"processed", "error"}
    assert not [one["Key"] for one in pages if one["Key"].startswith("in/")]


def test_the_broker_has_a_token_for_who_asks(aws: Emulated) -> None:
    said = invoked(aws, "token-broker", event())
    assert said["statusCode"] == 200, said["body"]
    item = aws.client("dynamodb").scan(TableName=f"{ENV}-SfAuthToken")["Items"]
    assert len(item) == 1


def test_users_are_looked_for(aws: Emulated) -> None:
    said = invoked(aws, "token-refresher", {"time": "2026-01-01T00:00:00Z"})
    assert said["statusCode"] == 200 and said["statistics"]["users_queried"] == 0, said


def test_a_file_of_another_source_becomes_rows(aws: Emulated) -> None:
    profile = json.loads((ROOT / "mappings" / "profiles" / "flood_qns.json").read_text("utf-8"))
    machines = aws.client("stepfunctions")
    found = {one["name"]: one["stateMachineArn"] for one in machines.list_state_machines()["stateMachines"]}
    profile["rowStateMachineArn"] = found[f"{ENV}-file-row"]
    aws.client("ssm").put_parameter(
        Name=f"/crm/file-profiles/{ENV}/flood_qns.json", Value=json.dumps(profile), Type="String"
    )
    text = HEADER + "Q1|P-Q1|02/28/2026|AE|1200.50|2|Y|12345\n"
    aws.client("s3").put_object(
        Bucket=f"forceglue-{ENV}-crm-incoming", Key=f"flood_qns/{ENV}/{uuid.uuid4().hex[:6]}.csv", Body=text.encode()
    )

    def runs() -> list[Any]:
        told = machines.list_executions(stateMachineArn=found[f"{ENV}-files"])["executions"]
        return [one for one in told if one["status"] != "RUNNING"]

    (run,) = until(runs, 120)
    told = machines.describe_execution(executionArn=run["executionArn"])
    assert told["status"] == "SUCCEEDED", told
    assert json.loads(told["output"])["RowsProcessed"] == 1


def test_nothing_was_refused_to_any_function(aws: Emulated) -> None:
    """The last one: it looks at what all before it have logged."""
    for group, lines in logged(aws).items():
        assert not [line for line in lines if REFUSED in line], group
