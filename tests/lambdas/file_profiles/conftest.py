from __future__ import annotations

import uuid
from collections.abc import Iterator

import boto3
import pytest

from lambdas.gateway import Stdout
from lambdas.kit import Aws
from lambdas.profiles_kit import Files


@pytest.fixture
def files(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """The functions with their environment, cold; their log goes to the standard output that the test sees."""
    from common.aws import client
    from file_profiles import handler

    name = uuid.uuid4().hex[:8]
    made = Files(handler, f"incoming-{name}", f"landing-{name}", f"failed-{name}")
    for bucket in (made.bucket, made.landing):
        made.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    made.dynamodb.create_table(
        TableName=made.rejects, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "run", "AttributeType": "S"}, {"AttributeName": "line", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "run", "KeyType": "HASH"}, {"AttributeName": "line", "KeyType": "RANGE"}],
    )  # fmt: skip
    machine = boto3.client("stepfunctions").create_state_machine(
        name=f"test-files-{name}", roleArn="arn:aws:iam::123456789012:role/files",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 60, "End": true}}}',
    )["stateMachineArn"]  # fmt: skip
    for variable, value in {
        "ENV": made.env, "REJECTS_TABLE": made.rejects, "LANDING_BUCKET": made.landing, "EVENT_BUS": "test-sf-to-dw",
        "FILE_MACHINE_ARN": machine, "PROFILE_SECONDS": "0",
    }.items():  # fmt: skip
        monkeypatch.setenv(variable, value)
    client.cache_clear()
    handler._settings.cache_clear()
    handler._provider.cache_clear()
    monkeypatch.setattr(handler, "put", lambda bus, source, events: made.told.extend(events))
    handler.logger.logger_handler.setStream(Stdout())
    yield made
    client.cache_clear()
