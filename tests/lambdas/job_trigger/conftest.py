"""The function with its environment; Glue, the table, the bus and a queue behind it in AWS's server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import boto3
import pytest
import requests

from lambdas.gateway import Stdout
from lambdas.kit import Aws


@dataclass
class Surroundings:
    """What the function works with, and what it told the bus."""

    job: str
    bus: str
    glue: Any
    heard: str

    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.glue.get_job_runs(JobName=self.job)["JobRuns"]
        return found

    def finish(self, run: str) -> None:
        """The server's run goes on by being looked at."""
        while self.glue.get_job_run(JobName=self.job, RunId=run)["JobRun"]["JobRunState"] != "SUCCEEDED":
            pass

    def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Source, type and detail of the events that came since the last look."""
        sqs, found = boto3.client("sqs"), []
        while got := sqs.receive_message(QueueUrl=self.heard, MaxNumberOfMessages=10).get("Messages"):
            for one in got:
                event = json.loads(one["Body"])
                found.append((event["source"], event["detail-type"], event["detail"]))
                sqs.delete_message(QueueUrl=self.heard, ReceiptHandle=one["ReceiptHandle"])
        return found


@pytest.fixture
def around(aws: Aws) -> Iterator[Surroundings]:
    """A job whose runs go on until they are looked at a few times."""
    name = f"job-{uuid.uuid4().hex[:8]}"
    glue, events, sqs = boto3.client("glue"), boto3.client("events"), boto3.client("sqs")
    glue.create_job(Name=name, Role="r", Command={"Name": "glueetl"}, ExecutionProperty={"MaxConcurrentRuns": 1})
    events.create_event_bus(Name=name)
    heard = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=heard, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": [{"exists": True}]}))
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "q", "Arn": arn}])
    manager = f"{aws.url}/moto-api/state-manager"
    model = {"model_name": "glue::job_run"}
    requests.post(
        f"{manager}/set-transition", json={**model, "transition": {"progression": "manual", "times": 1}}, timeout=5
    ).raise_for_status()
    yield Surroundings(name, name, glue, heard)
    requests.post(f"{manager}/unset-transition", json=model, timeout=5).raise_for_status()


@pytest.fixture
def function(aws: Aws, around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Cold; its log goes to the standard output that the test sees."""
    from common.aws import client
    from job_trigger import handler

    for name, value in {
        "ENV": "test", "JOB_NAME": around.job, "TRIGGER_TABLE": aws.table, "EVENT_BUS": around.bus,
        "JOB_ARGUMENTS": '{"--PARAMS": "a=1"}', "FIRST_WAIT_SECONDS": "0", "TRIES": "2", "BUSY_WAIT_SECONDS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    for cached in (client, handler.settings, handler.trigger):
        cached.cache_clear()
    handler.logger.logger_handler.setStream(Stdout())
    yield handler
    for cached in (client, handler.settings, handler.trigger):
        cached.cache_clear()
