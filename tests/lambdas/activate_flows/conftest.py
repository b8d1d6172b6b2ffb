from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from botocore import endpoint

from lambdas.active_flows_kit import Stack, cloudformation
from lambdas.appflow_server import appflow
from lambdas.aws_server import CREDENTIALS
from lambdas.gateway import Stdout


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    from activate_flows import appflow as calls
    from activate_flows import handler
    from common import cloudformation as answering
    from common.aws import client

    client.cache_clear()
    handler.logger.logger_handler.setStream(Stdout())
    for name, value in {**CREDENTIALS, "ENV": "test"}.items():
        monkeypatch.setenv(name, value)
    # waits are as they are in the order of their lengths, and a hundredth as long
    for module in (calls, answering, endpoint):
        monkeypatch.setattr(module, "time", _Quick)
    with appflow() as service, cloudformation() as place:
        monkeypatch.setenv("AWS_ENDPOINT_URL_APPFLOW", service.url)
        yield Stack(handler, service, place)
    client.cache_clear()


class _Quick:
    monotonic = staticmethod(time.monotonic)

    @staticmethod
    def sleep(seconds: float) -> None:
        time.sleep(seconds / 100)
