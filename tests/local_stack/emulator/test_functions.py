"""Lambda: what a function sees, how its errors are named, how its metrics count."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from local_stack_kit import Emulated, until

MISSING = "import pydantic\ndef handler(event, context): return 1"
SDK = "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['Account']"
RAISING = "class RowError(Exception): pass\ndef handler(event, context): raise RowError('row 3')"
COUNTING = """
import json
def handler(event, context):
    print(json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "own", "Dimensions": [["env"]],
        "Metrics": [{"Name": "Rows", "Unit": "Count"}]}]}, "env": "dev", "Rows": [3, 4]}))
    return event
"""
ENVIRONMENT = "import os\ndef handler(event, context): return dict(os.environ)"


def invoke(aws: Emulated, name: str, event: object = None) -> object:
    return json.loads(aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read())


def test_a_package_that_lacks_a_dependency_does_not_start(aws: Emulated, names: str) -> None:
    aws.function(names, MISSING)
    answer = invoke(aws, names)
    assert isinstance(answer, dict)
    assert "No module named 'pydantic'" in answer["errorMessage"]


def test_the_sdk_is_there_and_asks_the_emulator(aws: Emulated, names: str) -> None:
    aws.function(names, SDK)
    assert invoke(aws, names) == "000000000000"


def test_an_error_has_the_name_of_its_class_and_its_trace(aws: Emulated, names: str) -> None:
    aws.function(names, RAISING)
    answer = invoke(aws, names)
    assert isinstance(answer, dict)
    assert (answer["errorType"], answer["errorMessage"]) == ("RowError", "row 3")
    assert any("raise RowError" in line for line in answer["stackTrace"])


def test_metrics_in_a_log_line_are_metrics_and_ring_alarms(aws: Emulated, names: str) -> None:
    aws.function(names, COUNTING)
    watch = aws.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName=names, Namespace="own", MetricName="Rows", Dimensions=[{"Name": "env", "Value": "dev"}],
        Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=5, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    invoke(aws, names)
    until(lambda: watch.describe_alarms(AlarmNames=[names])["MetricAlarms"][0]["StateValue"] == "ALARM")


def test_each_invocation_counts_once_whatever_started_it(aws: Emulated, names: str) -> None:
    url, arn = aws.queue(names)
    aws.function(names, "def handler(event, context): return 1")
    aws.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=names, BatchSize=1)
    invoke(aws, names)
    aws.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    now = datetime.now(UTC)

    def invocations() -> float:
        found = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="Invocations", Dimensions=[{"Name": "FunctionName", "Value": names}],
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1), Period=3600, Statistics=["Sum"],
        )  # fmt: skip
        return sum(point["Sum"] for point in found["Datapoints"])

    until(lambda: invocations() == 2)


def test_a_package_is_unpacked_once_for_all_its_functions(aws: Emulated, names: str) -> None:
    where = "import os\ndef handler(event, context): return os.path.realpath(__file__)"
    for name in (names, f"{names}-other"):
        aws.function(name, where)
    assert invoke(aws, names) == invoke(aws, f"{names}-other")


def test_a_function_sees_nothing_of_the_shell_that_started_the_stack(aws: Emulated, names: str) -> None:
    aws.function(names, ENVIRONMENT)
    seen = invoke(aws, names)
    assert isinstance(seen, dict)
    assert not {name for name in seen if name.startswith(("SF_", "PYTEST", "VIRTUAL_ENV"))}
