"""A landing bucket with mappings, a bus that is listened to, and events as S3 and EventBridge make them."""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from forceglue.landing.store import Store
from lambdas.gateway import Context

FOLDER = "in/dev-Salesforce-Account"
GOOD = f"{FOLDER}/e1/a.csv"
ACCOUNTS = b"Id,Name\n001A,Acme\n001B,Beta\n"
MAPPINGS = {
    "project.yaml": "unmapped: error\n",
    "objects/account.yaml": "mapping: account\nsource: Account\ndescription: One.\n",
    "objects/contact.yaml": "mapping: contact\nsource: Contact\ndescription: Two.\n",
    "datasets/broken.yaml": "mapping: [not, a, dataset\n",
}
FIELDS = {
    "Account": ("Id", "Name", "Industry", "SystemModstamp", "IsDeleted"),
    "Contact": ("Id", "LastName", "Email", "AccountId", "SystemModstamp", "IsDeleted"),
}
CATALOG = {
    f"catalog/{name}.json": json.dumps({"name": name, "label": name, "fields": [{"name": one} for one in fields]})
    for name, fields in FIELDS.items()
}


class Called(Context):
    """The context of one call of the ingest function."""

    function_name, function_version = "dev-sf-to-dw-ingest", "7"


@dataclass
class Landing:
    """The bucket and the bus of one test."""

    bucket: str
    bus: str
    queue: str
    flow_queue: str
    s3: Any = field(default_factory=lambda: boto3.client("s3"))
    sqs: Any = field(default_factory=lambda: boto3.client("sqs"))

    @property
    def store(self) -> Store:
        return Store(f"s3://{self.bucket}")

    def put(self, key: str, body: bytes = ACCOUNTS) -> dict[str, Any]:
        """Lands a file; S3's event of it."""
        etag = self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)["ETag"].strip('"')
        return event(self.bucket, key, etag=etag, size=len(body))

    def lying(self, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        found = [one["Key"] for page in pages for one in page.get("Contents", ())]
        return [key for key in found if not key.startswith("mappings/")]

    def body(self, key: str) -> bytes:
        data: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return data

    def told(self) -> list[dict[str, Any]]:
        """The events that came over the bus since this was asked last, in no order."""
        return [json.loads(body) for body in self.messages(self.queue)]

    def messages(self, queue: str) -> list[str]:
        found = []
        while got := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for one in got:
                found.append(one["Body"])
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
        return found

    def write_mappings(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            self.s3.put_object(Bucket=self.bucket, Key=f"mappings/{name}", Body=text.encode())


def made_landing() -> Landing:
    """A new bucket with mappings, a bus, a queue behind it that gets every event."""
    name = f"landing-{uuid.uuid4().hex[:8]}"
    s3, sqs, events = boto3.client("s3"), boto3.client("sqs"), boto3.client("events")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    events.create_event_bus(Name=name)
    queue, flow_queue = (sqs.create_queue(QueueName=f"{name}-{one}")["QueueUrl"] for one in ("told", "flows"))
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": [{"exists": True}]}))
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "1", "Arn": arn}])
    landing = Landing(name, name, queue, flow_queue)
    landing.write_mappings(MAPPINGS | CATALOG)
    return landing


def event(bucket: str, key: str, *, etag: str | None = None, size: int = 1, **more: Any) -> dict[str, Any]:
    """S3's event as EventBridge brings it."""
    from datetime import UTC, datetime

    made: dict[str, Any] = {"key": key, "size": size, "sequencer": "00617F08299329D189"}
    if etag is not None:
        made["etag"] = etag
    return {
        "version": "0", "id": str(uuid.uuid4()), "detail-type": "Object Created", "source": "aws.s3",
        "account": "123456789012", "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "region": "eu-west-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0", "bucket": {"name": bucket}, "object": made, "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012", "source-ip-address": "192.0.2.1", "reason": "PutObject",
        },
    } | more  # fmt: skip


def notification(bucket: str, *keys: str) -> dict[str, Any]:
    """S3's own notification of several files."""
    return {
        "Records": [
            {
                "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                "eventTime": "2024-05-06T12:30:00.000Z",
                "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/"), "size": 1}},
            }
            for key in keys
        ]
    }  # fmt: skip


def parquet(**columns: list[Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()
