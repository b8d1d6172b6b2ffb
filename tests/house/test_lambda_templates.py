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
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    "secretsmanager:BatchGetSecretValue",
    "appflow:ListFlows",
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
        assert group["LogGroupName"]["Fn::Sub"] == "/aws/lambda/" + function["FunctionName"]["Fn::Sub"]


def test_a_role_says_what_it_may_and_never_all_but(template: dict[str, Any]) -> None:
    for name, role in rights(template).items():
        for statement in statements(role):
            assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys(), name
            for resource in listed(statement["Resource"]):
                text = resource if isinstance(resource, str) else json.dumps(resource)
                # everything of a kind: every bucket, every table, every function
                assert not re.search(
                    r":::?\*|:(table|function|queue|key|secret|rule|stateMachine|parameter)[:/]\*", text
                ), f"{name}: {text}"


def test_a_traced_function_may_send_its_traces(template: dict[str, Any]) -> None:
    policies = of_type(template, "AWS::IAM::ManagedPolicy")
    roles = of_type(template, "AWS::IAM::Role")
    for name, function in functions_of(template).items():
        role = roles[function["Role"]["Fn::GetAtt"][0]]
        shared = [policies[one["Ref"]] for one in role.get("ManagedPolicyArns", [])]
        actions = {action for one in (role, *shared) for told in statements(one) for action in listed(told["Action"])}
        assert {"xray:PutTraceSegments", "logs:PutLogEvents"} <= actions, name
        assert "logs:CreateLogGroup" not in actions, f"{name}: its log group is the template's, with an end and a key"


def test_what_starts_a_function_without_waiting_for_it_loses_nothing(template: dict[str, Any]) -> None:
    macros = {json.dumps(one["FunctionName"]) for one in of_type(template, "AWS::CloudFormation::Macro").values()}
    for name, function in functions_of(template).items():
        kinds = {event["Type"] for event in function.get("Events", {}).values()}
        # a caller or a stream waits for it; a schedule comes again and brings nothing of its own
        waited_for = kinds and kinds <= {"Api", "HttpApi", "SQS", "DynamoDB", "Kinesis", "Schedule", "ScheduleV2"}
        is_macro = any(f'"{name}"' in macro for macro in macros)
        is_task = name in json.dumps(of_type(template, "AWS::Serverless::StateMachine"))
        if waited_for or is_macro or is_task:
            continue
        invoked = function.get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure", {})
        assert invoked.get("Destination") or function.get("DeadLetterQueue"), f"{name}: its failed events go nowhere"


def test_a_rule_that_cannot_deliver_keeps_the_event(template: dict[str, Any]) -> None:
    targets = [
        (name, target)
        for name, rule in of_type(template, "AWS::Events::Rule").items()
        for target in rule["Targets"]
        # logs and topics take events whatever happens; a bus is asked again for a day
        if not re.search(r"Logs|log-group|Topic|Alarms|event-bus|Bus\b", json.dumps(target["Arn"]))
    ]
    targets += [
        (name, event["Properties"])
        for name, function in functions_of(template).items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "EventBridgeRule"
    ]
    for name, target in targets:
        assert target.get("DeadLetterConfig"), f"{name}: what its target refuses for a day is lost"


def test_a_queue_gives_a_function_time_and_gives_up_into_another_queue(template: dict[str, Any]) -> None:
    queues, functions = of_type(template, "AWS::SQS::Queue"), functions_of(template)
    for name, function in functions.items():
        for event in function.get("Events", {}).values():
            if event["Type"] != "SQS":
                continue
            told = event["Properties"]
            queue = queues[told["Queue"]["Fn::GetAtt"][0]]
            wait = told.get("MaximumBatchingWindowInSeconds", 0)
            waits = 0 if isinstance(wait, dict) else wait
            assert queue["VisibilityTimeout"] >= 6 * function["Timeout"] + waits, name
            assert queue["RedrivePolicy"]["deadLetterTargetArn"], name
            assert told.get("FunctionResponseTypes") == ["ReportBatchItemFailures"] or told.get("BatchSize") == 1, name


def test_dead_letters_are_kept_for_two_weeks_and_ring(template: dict[str, Any]) -> None:
    alarms = [one for one in of_type(template, "AWS::CloudWatch::Alarm").values() if one.get("Namespace") == "AWS/SQS"]
    watched = json.dumps([one["Dimensions"] for one in alarms if one["MetricName"].endswith("MessagesVisible")])
    for name, queue in of_type(template, "AWS::SQS::Queue").items():
        if "RedrivePolicy" not in queue:
            assert queue["MessageRetentionPeriod"] == 1209600, name
            assert f'"{name}"' in watched, f"{name}: nobody is told of what was given up"


def test_each_function_that_breaks_rings(template: dict[str, Any]) -> None:
    alarms = [one for one in of_type(template, "AWS::CloudWatch::Alarm").values() if one.get("MetricName") == "Errors"]
    watched = json.dumps([one["Dimensions"] for one in alarms])
    for name in functions_of(template):
        assert f'{{"Ref": "{name}"}}' in watched, name


def test_what_is_stored_is_encrypted(template: dict[str, Any]) -> None:
    for name, queue in of_type(template, "AWS::SQS::Queue").items():
        assert queue.get("SqsManagedSseEnabled") or queue.get("KmsMasterKeyId"), name
    for name, table in of_type(template, "AWS::DynamoDB::Table").items():
        assert table["SSESpecification"]["SSEEnabled"] is True, name
    for name, group in of_type(template, "AWS::Logs::LogGroup").items():
        assert group["RetentionInDays"] and group["KmsKeyId"], name


def test_a_service_is_let_in_for_this_account_only(template: dict[str, Any]) -> None:
    for kind in (
        "AWS::SQS::QueuePolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::S3::BucketPolicy",
        "AWS::Events::EventBusPolicy",
    ):
        for name, policy in of_type(template, kind).items():
            document = policy.get("PolicyDocument", {"Statement": []})
            for statement in document["Statement"]:
                if statement["Effect"] == "Allow":
                    assert re.search(r"aws:Source(Account|Arn)", json.dumps(statement.get("Condition", {}))), name
    for name, permission in of_type(template, "AWS::Lambda::Permission").items():
        assert permission.get("SourceArn") or permission.get("SourceAccount"), name


def test_a_state_machine_is_traced_and_logged(template: dict[str, Any]) -> None:
    for name, machine in of_type(template, "AWS::Serverless::StateMachine").items():
        assert (machine.get("Tracing") or machine.get("TracingConfiguration"))["Enabled"] is True, name
        assert machine["Logging"]["Destinations"], name
        assert machine["Role"], name


@pytest.mark.slow
def test_what_make_builds_imports_each_function_and_judges_parquet(tmp_path: Path) -> None:
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
    layer, package = ROOT / "out" / "layers" / "landing", ROOT / "out" / "lambdas"
    # Lambda's own limit of a function with its layers is 250 MB
    assert sum(one.stat().st_size for place in (layer, package) for one in place.rglob("*") if one.is_file()) < 200e6
    judged = f"""import sys; sys.path.append({str(Path(boto3.__file__).parents[1])!r})
import pyarrow as pa, pyarrow.fs, pyarrow.parquet as pq
assert pa.__file__.startswith({str(layer)!r})
from ingest.mappings import Mappings
from ingest.settings import IngestSettings
from forceglue.landing.store import Store
pq.write_table(pa.table({{"Id": ["1"], "When": [None]}}), "a.parquet")
_, judge = Mappings(IngestSettings("s3://landing", "bus", "source", {str(ROOT / "mappings")!r})).now()
store = Store(".")
assert judge.facts(store, store.stat("a.parquet"), "Account").rows == 1
pyarrow.fs.S3FileSystem(region="eu-west-1")
"""
    subprocess.run(
        [sys.executable, "-S", "-c", judged], check=True, cwd=tmp_path,
        env={"PYTHONPATH": f"{package}{os.pathsep}{layer / 'python'}", "AWS_DEFAULT_REGION": "eu-west-1"},
    )  # fmt: skip
