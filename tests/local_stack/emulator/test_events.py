"""EventBridge: events into log groups, and events of functions that fail or come in crowds."""

from __future__ import annotations

import json
import time

from local_stack_kit import Emulated, until

ONCE_AT_A_TIME = """
import json, os, time, urllib.request, boto3
def handler(event, context):
    time.sleep(0.05)
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=str(event["detail"]["number"]))
"""
FAILING = """
import boto3, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody="1")
    raise ValueError("never")
"""


def bus_to(aws: Emulated, name: str, target: dict[str, object]) -> None:
    events = aws.client("events")
    events.create_event_bus(Name=name)
    events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["a"]}))
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "1", **target}])


def put(aws: Emulated, bus: str, numbers: range) -> None:
    entries = [
        {"EventBusName": bus, "Source": "a", "DetailType": "number", "Detail": json.dumps({"number": number})}
        for number in numbers
    ]
    for first in range(0, len(entries), 10):
        answer = aws.client("events").put_events(Entries=entries[first : first + 10])
        assert not answer["FailedEntryCount"]


def taken(aws: Emulated, url: str) -> list[str]:
    sqs = aws.client("sqs")
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [one["Body"] for one in messages]
        for one in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return found


def test_an_event_is_written_to_a_log_group_whole(aws: Emulated, names: str) -> None:
    group = f"/aws/events/{names}"
    aws.client("logs").create_log_group(logGroupName=group)
    bus_to(aws, names, {"Arn": f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"})
    put(aws, names, range(2))
    events = [json.loads(line) for line in until(lambda: aws.told(group))]
    assert [event["detail"] for event in events] == [{"number": 0}, {"number": 1}]
    assert {(event["source"], event["detail-type"]) for event in events} == {("a", "number")}


def test_an_event_may_be_rewritten_for_the_log(aws: Emulated, names: str) -> None:
    group = f"/aws/events/{names}"
    aws.client("logs").create_log_group(logGroupName=group)
    transformer = {
        "InputPathsMap": {"number": "$.detail.number"},
        "InputTemplate": '{"timestamp": 1000, "message": "number <number>"}',
    }
    bus_to(
        aws, names, {"Arn": f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*", "InputTransformer": transformer}
    )
    put(aws, names, range(1))
    assert until(lambda: aws.told(group)) == ["number 0"]


def test_a_crowd_of_events_waits_and_none_is_lost(aws: Emulated, names: str) -> None:
    seen, _ = aws.queue(names)
    arn = aws.function(names, ONCE_AT_A_TIME, Environment={"Variables": {"SEEN": seen}})
    # on AWS as well, what is throttled waits
    aws.client("lambda").put_function_concurrency(FunctionName=names, ReservedConcurrentExecutions=2)
    bus_to(aws, names, {"Arn": arn})
    put(aws, names, range(30))
    found: list[str] = []
    until(lambda: found.extend(taken(aws, seen)) or len(found) >= 30, 60)
    assert sorted(map(int, found)) == list(range(30))


def test_an_event_that_fails_is_tried_three_times_and_then_a_dead_letter(aws: Emulated, names: str) -> None:
    seen, _ = aws.queue(names)
    dead, dead_arn = aws.queue(f"{names}-dead")
    arn = aws.function(
        names, FAILING, Environment={"Variables": {"SEEN": seen}}, DeadLetterConfig={"TargetArn": dead_arn}
    )
    bus_to(aws, names, {"Arn": arn})
    put(aws, names, range(1))
    letter = until(lambda: aws.received(dead))[0]
    assert letter["requestPayload"]["detail"] == {"number": 0}
    assert len(taken(aws, seen)) == 3


def test_a_log_is_read_page_by_page_to_its_end(aws: Emulated, names: str) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=names)
    logs.create_log_stream(logGroupName=names, logStreamName="one")
    now = int(time.time() * 1000)
    # many at one time, as a crowd of events comes
    told = [{"timestamp": now + number // 20, "message": f"{number:03}"} for number in range(95)]
    logs.put_log_events(logGroupName=names, logStreamName="one", logEvents=told)
    pages = list(
        logs.get_paginator("filter_log_events").paginate(logGroupName=names, PaginationConfig={"PageSize": 30})
    )
    assert [len(page["events"]) for page in pages] == [30, 30, 30, 5]
    assert [event["message"] for page in pages for event in page["events"]] == [one["message"] for one in told]
