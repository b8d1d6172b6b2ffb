"""No entry is lost, whatever the table does; none is there twice."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from types import ModuleType
from typing import Any

import boto3
import pytest

from common.audit import Audit, Entry, messages
from lambdas.gateway import Context, Stdout
from lambdas.kit import Aws


@pytest.fixture
def table(aws: Aws) -> str:
    name = f"audit-{uuid.uuid4().hex[:8]}"
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("record", "at")],
        KeySchema=[{"AttributeName": "record", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
    )
    return name


@pytest.fixture
def queue(aws: Aws) -> str:
    made = boto3.client("sqs").create_queue(
        QueueName=f"audit-{uuid.uuid4().hex[:8]}", Attributes={"VisibilityTimeout": "0"}
    )
    return str(made["QueueUrl"])


@pytest.fixture
def writer(aws: Aws, table: str, queue: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    from audit_writer import handler
    from audit_writer import table as tables
    from common.aws import client

    monkeypatch.setenv("AUDIT_TABLE", table)
    monkeypatch.setenv("AUDIT_QUEUE_URL", queue)
    monkeypatch.setattr(tables, "_WAITS", (0.0, 0.0))
    client.cache_clear()
    handler.settings.cache_clear()
    handler.logger.logger_handler.setStream(Stdout())
    yield handler
    client.cache_clear()


def entry(at: int, **more: Any) -> Entry:
    return Entry("UPDATE_ACCOUNT", "Account", f"001{at:012d}", "caller", "label", "c-1", **more)


def event(queue: str) -> dict[str, Any]:
    """What Lambda hands to the function of what is in the queue."""
    sqs = boto3.client("sqs")
    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages", [])
    return {
        "Records": [
            {"messageId": one["MessageId"], "receiptHandle": one["ReceiptHandle"], "body": one["Body"],
             "attributes": one["Attributes"], "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "eu-west-1",
             "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:audit", "md5OfBody": ""}
            for one in found
        ]
    }  # fmt: skip


def items(aws: Aws, table: str) -> list[dict[str, Any]]:
    return [{k: v["S"] for k, v in one.items()} for one in aws.dynamodb.scan(TableName=table)["Items"]]


def test_entries_become_items(writer: ModuleType, aws: Aws, table: str, queue: str) -> None:
    told = [entry(at, before={"Phone": "1"}, after={"Phone": None}) for at in range(60)]
    Audit(boto3.client("sqs"), queue, pytest.fail).tell(told)
    asked = event(queue)
    assert writer.handler(asked, Context()) == {"batchItemFailures": []}
    found = {one["id"]: one for one in items(aws, table)}
    assert found.keys() == {one.id for one in told}
    one = found[told[7].id]
    assert (one["record"], one["at"]) == (f"Account#{told[7].record_id}", f"{told[7].timestamp}#{told[7].id}")
    assert (json.loads(one["before"]), json.loads(one["after"])) == ({"Phone": "1"}, {"Phone": None})
    assert writer.handler(asked, Context()) == {"batchItemFailures": []}  # once more
    assert len(items(aws, table)) == 60


def test_a_table_that_throttles_loses_nothing(
    writer: ModuleType, aws: Aws, table: str, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from common.aws import client

    told = [entry(at) for at in range(40)]
    for part in (told[:20], told[20:]):
        Audit(boto3.client("sqs"), queue, pytest.fail).tell(part)
    dynamodb, calls = client("dynamodb"), 0
    real = dynamodb.batch_write_item

    def throttled(RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803
        nonlocal calls
        calls += 1
        if calls <= 7:  # it takes the first entry of each call
            ((name, wanted),) = RequestItems.items()
            real(RequestItems={name: wanted[:1]})
            return {"UnprocessedItems": {name: wanted[1:]} if wanted[1:] else {}}
        return real(RequestItems=RequestItems)

    monkeypatch.setattr(dynamodb, "batch_write_item", throttled)
    monkeypatch.setattr(writer, "_LONGEST", 0)  # the queue gives it again at once
    failed = 0
    for _ in range(10):
        asked = event(queue)
        if not asked["Records"]:
            break
        again = {one["itemIdentifier"] for one in writer.handler(asked, Context())["batchItemFailures"]}
        failed += len(again)
        for record in asked["Records"]:
            if record["messageId"] not in again:
                boto3.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=record["receiptHandle"])
    assert failed >= 2 and {one["id"] for one in items(aws, table)} == {one.id for one in told}


def test_a_message_that_is_none_holds_up_no_other(writer: ModuleType, aws: Aws, table: str, queue: str) -> None:
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="no JSON")
    Audit(boto3.client("sqs"), queue, pytest.fail).tell([entry(1)])
    asked = event(queue)
    wrong = next(one["messageId"] for one in asked["Records"] if one["body"] == "no JSON")
    assert writer.handler(asked, Context()) == {"batchItemFailures": [{"itemIdentifier": wrong}]}
    assert len(items(aws, table)) == 1


def test_entries_are_put_into_messages_that_the_queue_takes() -> None:
    told = [entry(at, after={"Description": "ü" * 3_000}) for at in range(200)]
    bodies = list(messages(told))
    assert all(len(body.encode()) <= 262_144 for body in bodies) and len(bodies) > 1
    assert [one for body in bodies for one in json.loads(body)] == [json.loads(json.dumps(asdict(one))) for one in told]


def test_an_entry_of_very_many_fields_still_fits() -> None:
    wide = {f"Field{at}__c": "ü" * 4_000 for at in range(500)}
    (body,) = messages([entry(1, before=wide, after=wide)])
    ((told,),) = [json.loads(body)]
    assert len(body.encode()) <= 262_144 and told["after"].keys() == wide.keys()
