"""A place for files: buckets, tables, profiles on a server of AWS; and the file's state machine, played step by step."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import boto3

from lambdas.gateway import Context
from profiles.kit import SMALL

STARTED = "2026-03-04T05:06:07.123Z"
Row = dict[str, Any]


@dataclass
class Files:
    """What a test does with files.

    Attributes:
        told: events on the bus, as `(detail type, detail)`.
        started: the rows that were given to their state machine, by the names of their executions.
    """

    handler: ModuleType
    bucket: str
    landing: str
    rejects: str
    env: str = "test"
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    started: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.s3, self.dynamodb, self.ssm = boto3.client("s3"), boto3.client("dynamodb"), boto3.client("ssm")

    def profile(self, source: str = "small", **more: Any) -> str:
        """Saves a profile; the source's name."""
        value = json.dumps({name: one for name, one in (SMALL | more).items() if one is not None})
        self.ssm.put_parameter(
            Name=f"/crm/file-profiles/{self.env}/{source}.json", Value=value, Type="String", Overwrite=True
        )
        return source

    def upload(self, data: bytes | str, source: str = "small", file: str = "a.csv") -> dict[str, Any]:
        """Puts a file; the event that S3 sends."""
        key, body = f"{source}/{self.env}/{file}", data.encode() if isinstance(data, str) else data
        etag = self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)["ETag"].strip('"')
        told = {"key": key, "size": len(body), "etag": etag, "sequencer": uuid.uuid4().hex[:16].upper()}
        return {
            "version": "0", "id": str(uuid.uuid4()), "detail-type": "Object Created", "source": "aws.s3",
            "time": "2026-03-04T05:06:06Z", "detail": {"bucket": {"name": self.bucket}, "object": told},
        }  # fmt: skip

    def file(self, event: dict[str, Any]) -> dict[str, Any]:
        """What the state machine is given for an event."""
        from file_profiles.incoming import incoming

        found = incoming(event["detail"], self.env)
        assert found is not None
        return {"file": found.plain(), "progress": None}

    def read(self, state: dict[str, Any], seconds: float = 900) -> dict[str, Any]:
        given = {**state, "started_at": STARTED}
        return {**state, "progress": through_json(self.handler.read(through_json(given), Context(seconds)))}

    def conclude(self, state: dict[str, Any]) -> dict[str, Any]:
        given = {**state, "started_at": STARTED, "execution": "arn:aws:states:…:execution:test-files:x"}
        return through_json(self.handler.conclude(through_json(given), Context()))

    def run(
        self, event: dict[str, Any], row: Callable[[Row], None] = lambda _: None, seconds: float = 900
    ) -> dict[str, Any]:
        """The whole way of a file, as the state machine has it; the result."""
        state = self.file(event)
        while (state := self.read(state, seconds))["progress"]["status"] == "more":
            assert len(json.dumps(state)) < 256_000
        if state["progress"]["status"] == "rows":
            self.rows(state, row)
        return self.conclude(state)

    def rows(self, state: dict[str, Any], row: Callable[[Row], None]) -> None:
        """Starts each row that was not started before; one that raises has failed."""
        file, progress = state["file"], state["progress"]
        for number in range(1, progress["parts"] + 1):
            for line in self.text(f"work/{file['run']}/rows/{number}.jsonl").splitlines():
                assert len(line.encode()) < 256_000
                for one in json.loads(line)["rows"]:
                    self._start(file, progress, one, row)

    def _start(self, file: Row, progress: Row, one: Row, row: Callable[[Row], None]) -> None:
        if one["name"] in self.started:
            return
        self.started[one["name"]] = one
        try:
            row(one)
        except Exception as error:  # noqa: BLE001  # a test's row machine fails as it likes
            execution = f"{progress['row_executions']}:{one['name']}"
            self.dynamodb.put_item(
                TableName=self.rejects,
                Item={"run": {"S": file["run"]}, "line": {"N": str(one["line"])}, "error": {"S": type(error).__name__},
                      "execution": {"S": execution}, "expires": {"N": str(progress["forget_at"])}},
            )  # fmt: skip

    def keys(self, prefix: str = "", bucket: str | None = None) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=bucket or self.bucket, Prefix=prefix).get("Contents", ())
        return [one["Key"] for one in found]

    def text(self, key: str, bucket: str | None = None) -> str:
        return str(self.s3.get_object(Bucket=bucket or self.bucket, Key=key)["Body"].read().decode())

    def rejects_of(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text(result["rejects"]).splitlines()]


def through_json(value: Any) -> Any:
    """What comes out at the other end of a state machine's state."""
    return json.loads(json.dumps(value))


def balanced(result: dict[str, Any]) -> bool:
    """Whether every row that was read is accounted for."""
    parts = ("RowsProcessed", "RowsFailed", "RowsDropped", "RowsNotStarted")
    return result["rows"] == sum(result[part] for part in parts)
