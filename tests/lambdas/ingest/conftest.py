"""A landing of its own for each test, and the functions with its environment, cold."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from lambdas.gateway import Stdout
from lambdas.ingest_kit import Landing, made_landing
from lambdas.kit import Aws


@pytest.fixture
def landing(aws: Aws) -> Landing:
    return made_landing()


@pytest.fixture
def function(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    from common.aws import client
    from ingest import handler

    for name, value in {
        "ENV": "dev", "LANDING": f"s3://{landing.bucket}", "EVENT_BUS": landing.bus,
        "MAPPINGS": f"s3://{landing.bucket}/mappings", "FLOW_PREFIX": "dev-Salesforce-",
        "FLOW_QUEUE_URL": landing.flow_queue, "MAPPINGS_SECONDS": "0", "AWS_REGION": "eu-west-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    kept = (client, handler._settings, handler._store, handler._mappings, handler._parts)
    for one in kept:
        one.cache_clear()
    handler.logger.logger_handler.setStream(Stdout())
    yield handler
    for one in kept:
        one.cache_clear()
