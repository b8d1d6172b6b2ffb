"""Event source mappings: batches of queues, failures in streams of DynamoDB."""

from __future__ import annotations

import pytest

from local_stack_kit import Emulated, until

SIZES = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(len(event["Records"])))
"""
RECORDS = """
import boto3, json, os
def handler(event, context):
    keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(keys))
    bad = [r["dynamodb"]["SequenceNumber"] for r in event["Records"] if r["dynamodb"]["Keys"]["pk"]["S"] == "bad"]
    if bad and os.environ["HOW"] == "raise":
        raise ValueError("bad record")
    return {"batchItemFailures": [{"itemIdentifier": number} for number in bad]}
"""


def test_messages_gather_until_the_window_is_over(aws: Emulated, names: str) -> None:
    seen, _ = aws.queue(f"{names}-seen")
    url, arn = aws.queue(names)
    aws.function(names, SIZES, Environment={"Variables": {"SEEN": seen}})
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=names, BatchSize=1000, MaximumBatchingWindowInSeconds=2
    )
    for number in range(25):
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=str(number))
    assert until(lambda: aws.received(seen)) == [25]


def test_a_full_batch_does_not_wait(aws: Emulated, names: str) -> None:
    seen, _ = aws.queue(f"{names}-seen")
    url, arn = aws.queue(names)
    aws.function(names, SIZES, Environment={"Variables": {"SEEN": seen}})
    for number in range(30):
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=str(number))
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=names, BatchSize=30, MaximumBatchingWindowInSeconds=300
    )
    assert until(lambda: aws.received(seen)) == [30]


@pytest.mark.parametrize(
    ("how", "bisect", "lost"), [("report", True, 1), ("report", False, 2), ("raise", True, 1), ("raise", False, 3)]
)
def test_a_record_that_fails_goes_to_the_dead_letters_and_the_others_go_on(
    aws: Emulated, names: str, how: str, bisect: bool, lost: int
) -> None:
    """Of a, bad and z the batch that is given up holds `lost`; the shard goes on."""
    seen, _ = aws.queue(f"{names}-seen")
    dead, dead_arn = aws.queue(names)
    aws.function(names, RECORDS, Environment={"Variables": {"SEEN": seen, "HOW": how}})
    tables = aws.client("dynamodb")
    stream = tables.create_table(
        TableName=names, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )["TableDescription"]["LatestStreamArn"]  # fmt: skip
    for key in ("a", "bad", "z"):
        tables.put_item(TableName=names, Item={"pk": {"S": key}})
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=stream, FunctionName=names, StartingPosition="TRIM_HORIZON", BatchSize=10, MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=bisect, FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": dead_arn}},
    )  # fmt: skip
    letter = until(lambda: aws.received(dead))[0]
    assert letter["DDBStreamBatchInfo"]["batchSize"] == lost
    assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
    tables.put_item(TableName=names, Item={"pk": {"S": "later"}})
    batches: list[object] = []
    until(lambda: batches.extend(aws.received(seen)) or any("later" in keys for keys in batches))  # type: ignore[operator]
