"""What every template of `lambdas/templates` keeps to: lint, least rights, and that it says what the functions read and tell."""

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
from tests.house.templates import LAMBDAS, TEMPLATES, code, functions_of, listed, of_type, rights, statements, told

# AWS offers no narrower resource for these
FOR_ALL = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "secretsmanager:BatchGetSecretValue",
}


@pytest.fixture(scope="module", params=TEMPLATES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture(scope="module")
def template(path: Path) -> dict[str, Any]:
    return told(path)


def test_cfn_lint_has_nothing_to_say(path: Path) -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    environment = os.environ | {"AWS_DEFAULT_REGION": "eu-west-1"}
    said = subprocess.run([str(linter), str(path)], capture_output=True, text=True, check=False, env=environment)
    assert said.returncode == 0, said.stdout + said.stderr


def test_each_function_has_a_role_of_its_own_and_no_right_by_star(template: dict[str, Any]) -> None:
    functions = functions_of(template)
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
    shared = template.get("Globals", {}).get("Function", {}).get("Environment", {}).get("Variables", {})
    for function in functions_of(template).values():
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
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"], name
        if alarm["Namespace"] == "forceglue":
            dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
            assert dimensions.keys() == {"env", "service"}, name
            assert f'"{alarm["MetricName"]}"' in code(dimensions["service"].replace("-", "_")), name


def test_no_alias_is_used_which_cloudformation_does_not_know(path: Path) -> None:
    assert not re.search(r"(^|[\s\[{])[&*][A-Za-z]", re.sub(r"#.*|\".*?\"", "", path.read_text("utf-8")))


def test_what_stays_of_a_deleted_stack_may_be_decided_by_the_environment(template: dict[str, Any]) -> None:
    decided = [one for one in template["Resources"].values() if isinstance(one.get("DeletionPolicy"), dict)]
    # CloudFormation takes a function there with this transform only, and the linter does not say so
    assert not decided or listed(template.get("Transform"))[0] == "AWS::LanguageExtensions"


def test_logs_end_some_day_and_traces_are_on(template: dict[str, Any]) -> None:
    logs = of_type(template, "AWS::Logs::LogGroup")
    for function in functions_of(template).values():
        assert function["Tracing"] == "Active"
        group = logs[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["RetentionInDays"] and group["KmsKeyId"]


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
