"""The functions' template: lint, rights, and that it says what the functions read and tell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forceglue.salesforce.settings import SECRET_VARIABLE, VARIABLES
from tests.house.lock import ROOT

LAMBDAS = ROOT / "lambdas"
TEMPLATE = LAMBDAS / "template.yaml"
# AWS offers no narrower resource for these
FOR_ALL = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "secretsmanager:BatchGetSecretValue"}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template with its short forms (`!Sub`) written out."""
    from cfnlint.decode.cfn_yaml import load

    told: dict[str, Any] = json.loads(json.dumps(load(str(TEMPLATE)), default=str))
    return told


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == kind}


def rights(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Everything that gives rights."""
    return of_type(template, "AWS::IAM::Role") | of_type(template, "AWS::IAM::ManagedPolicy")


def statements(given: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a role or policy, those of a condition among them."""
    policies = given.get("Policies", [given])
    found = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    return [one["Fn::If"][1] if "Fn::If" in one else one for one in found]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def code(function: str) -> str:
    """The text of a function's own modules and of what all share."""
    files = [*(LAMBDAS / function).glob("*.py"), *(LAMBDAS / "common").glob("*.py")]
    return "\n".join(path.read_text("utf-8") for path in files)


def test_cfn_lint_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    environment = os.environ | {"AWS_DEFAULT_REGION": "eu-west-1"}
    said = subprocess.run([str(linter), str(TEMPLATE)], capture_output=True, text=True, check=False, env=environment)
    assert said.returncode == 0, said.stdout + said.stderr


def test_each_function_has_a_role_of_its_own_and_no_right_by_star(template: dict[str, Any]) -> None:
    functions = of_type(template, "AWS::Serverless::Function")
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions.values()]
    assert len(set(roles)) == len(functions)
    for name, role in rights(template).items():
        for statement in statements(role):
            assert statement["Effect"] == "Allow"
            for action in listed(statement["Action"]):
                assert "*" not in action, name
                if "*" in listed(statement["Resource"]):
                    assert action in FOR_ALL, f"{name}: {action} on everything"


def test_keys_open_texts_of_their_own_context_only(template: dict[str, Any]) -> None:
    for role in rights(template).values():
        for statement in statements(role):
            if any(action.startswith("kms:") for action in listed(statement["Action"])):
                conditions = json.dumps(statement.get("Condition", {}))
                assert "kms:EncryptionContext" in conditions or "kms:ViaService" in conditions, statement["Sid"]


def test_a_function_is_told_every_variable_that_it_reads_and_no_other(template: dict[str, Any]) -> None:
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    for function in of_type(template, "AWS::Serverless::Function").values():
        package, module, entry = function["Handler"].split(".")
        assert f"def {entry}(" in (LAMBDAS / package / f"{module}.py").read_text("utf-8")
        read = set(re.findall(r'(?:given\.(?:text|number)|environ\.get)\(\s*"([A-Z_]+)"', code(package)))
        needed = set(re.findall(r'given\.text\(\s*"([A-Z_]+)", "[^"]*"\)', code(package)))
        told = {*function["Environment"]["Variables"], *shared}
        assert needed <= told, package
        assert told <= read | {*VARIABLES, SECRET_VARIABLE} | {
            name for name in told if name.startswith(("POWERTOOLS_", "AWS_XRAY_"))
        }


def test_alarms_stand_on_metrics_that_the_functions_tell(template: dict[str, Any]) -> None:
    watched = 0
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"], name
        if alarm["Namespace"] == "forceglue":
            dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
            assert dimensions.keys() == {"env", "service"}, name
            assert f'"{alarm["MetricName"]}"' in code(dimensions["service"].replace("-", "_")), name
            watched += 1
    assert watched > 3


def test_no_alias_is_used_which_cloudformation_does_not_know() -> None:
    assert not re.search(r"(^|[\s\[{])[&*][A-Za-z]", re.sub(r"#.*|\".*?\"", "", TEMPLATE.read_text("utf-8")))


def test_no_user_and_no_run_is_lost(template: dict[str, Any]) -> None:
    functions, queues = of_type(template, "AWS::Serverless::Function"), of_type(template, "AWS::SQS::Queue")
    retry = functions["RefresherRetry"]
    assert retry["Events"]["Queue"]["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queues["RetryQueue"]["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadUsers", "Arn"]}
    assert queues["RetryQueue"]["VisibilityTimeout"] >= 6 * retry["Timeout"]
    assert functions["Refresher"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Type"] == "SQS"


def test_logs_end_some_day_and_traces_are_on(template: dict[str, Any]) -> None:
    assert template["Globals"]["Function"]["Tracing"] == "Active"
    logs = of_type(template, "AWS::Logs::LogGroup")
    for function in of_type(template, "AWS::Serverless::Function").values():
        group = logs[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["RetentionInDays"] and group["KmsKeyId"]


@pytest.mark.parametrize("authorization", ["IAM", "COGNITO"])
def test_nobody_asks_for_a_token_without_authorisation(template: dict[str, Any], authorization: str) -> None:
    body = of_type(template, "AWS::Serverless::Api")["BrokerApi"]["DefinitionBody"]
    by_cognito, by_iam = body["paths"]["/sf/token"]["get"]["security"]["Fn::If"][1:]
    assert (by_cognito, by_iam) == ([{"cognito": [{"Ref": "CognitoScope"}]}], [{"iam": []}])
    schemes = body["components"]["securitySchemes"]["Fn::If"][1 if authorization == "COGNITO" else 2]
    (scheme,) = schemes.values()
    assert scheme["x-amazon-apigateway-authtype"] == (
        "cognito_user_pools" if authorization == "COGNITO" else "awsSigv4"
    )
    assert set(body["paths"]) == {"/sf/token"} and set(body["paths"]["/sf/token"]) == {"get"}


@pytest.mark.slow
def test_the_package_that_make_builds_imports_each_function(tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    subprocess.run(["make", "-C", str(ROOT), "lambdas", f"LAMBDA_PYTHON={version}"], check=True, capture_output=True)
    import boto3

    for path in LAMBDAS.glob("*/handler.py"):
        # the SDK is Lambda's own; everything else must be in the package
        words = (
            f"import sys; sys.path.append({str(Path(boto3.__file__).parents[1])!r}); import {path.parent.name}.handler"
        )
        subprocess.run(
            [sys.executable, "-S", "-c", words], check=True, cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT / "out" / "lambdas"), "AWS_DEFAULT_REGION": "eu-west-1"},
        )  # fmt: skip
