"""The function with its environment, cold, behind a real HTTP server, in front of a simulated org."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import boto3
import pytest

from forceglue.simulated.salesforce import Org, serve
from forceglue.simulated.salesforce.server import OrgServer
from lambdas.gateway import Stdout
from lambdas.kit import CLIENT, SECRET, Aws
from lambdas.rest_kit import OBJECTS, Client, Made, filled, made_on
from lambdas.served import served


@pytest.fixture
def server() -> Iterator[OrgServer]:
    with Org() as org, serve(filled(org)) as running:
        yield running


@pytest.fixture
def made(aws: Aws) -> Made:
    return made_on(aws, boto3.client("sqs"))


@pytest.fixture
def function(
    aws: Aws, made: Made, server: OrgServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ModuleType]:
    from common import connecting
    from common.aws import client
    from rest_api import handler, parts

    objects = tmp_path / "objects.json"
    objects.write_text(json.dumps(OBJECTS), "utf-8")
    for name, value in {
        "ENV": "test", "AUDIT_QUEUE_URL": made.queue, "IDEMPOTENCY_TABLE": made.table, "STATE_KEY": aws.key,
        "OBJECTS": str(objects),
        "SF_TOKEN_URL": server.token_url, "SF_CLIENT_ID": CLIENT, "SF_CLIENT_SECRET": SECRET,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client.cache_clear()
    connecting._secrets.cache_clear()
    parts.parts.cache_clear()
    handler.logger.logger_handler.setStream(Stdout())
    yield handler
    parts.parts.cache_clear()
    client.cache_clear()


@pytest.fixture
def api(function: ModuleType, server: OrgServer, made: Made) -> Iterator[Client]:
    with served(function.handler) as url:
        yield Client(url, server, boto3.client("sqs"), made)
