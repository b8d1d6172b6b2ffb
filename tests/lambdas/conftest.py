"""AWS as a server of its own process, one for all tests of the functions; a table, a key and an org for each test."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import boto3
import pytest

from forceglue.simulated.salesforce import Org, serve
from forceglue.simulated.salesforce.server import OrgServer
from lambdas.aws_server import CREDENTIALS
from lambdas.aws_server import aws as server_of_aws
from lambdas.gateway import Stdout
from lambdas.kit import CLIENT, SECRET, Aws, made_org, made_table
from lambdas.refresher_kit import SHARDS, Place, made_place


@pytest.fixture(scope="package")
def aws_url() -> Iterator[str]:
    with server_of_aws() as url:
        yield url


@pytest.fixture
def aws(aws_url: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": aws_url}.items():
        monkeypatch.setenv(name, value)
    dynamodb, kms, secrets = (boto3.client(service) for service in ("dynamodb", "kms", "secretsmanager"))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    return Aws(aws_url, dynamodb, kms, secrets, made_table(dynamodb), key)


@pytest.fixture
def server() -> Iterator[OrgServer]:
    with Org() as org, serve(made_org(org)) as running:
        yield running


@pytest.fixture
def place(aws: Aws) -> Place:
    return made_place(aws)


@pytest.fixture
def refresher(place: Place, server: OrgServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The refresher with its environment; its log goes to the standard output that the test sees."""
    from common import connecting
    from common.aws import client
    from token_refresher import handler

    client.cache_clear()
    connecting._secrets.cache_clear()
    for name, value in {
        "ENV": "test", "USERS_TABLE": place.table, "RETRY_QUEUE_URL": place.queue, "USERS_TOPIC_ARN": place.topic,
        "INDEX_SHARDS": str(SHARDS), "REFRESHES_PER_SECOND": "1000", "LEASE_SECONDS": "5",
        "SF_TOKEN_URL": server.token_url, "SF_CLIENT_ID": CLIENT, "SF_CLIENT_SECRET": SECRET,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    handler.logger.logger_handler.setStream(Stdout())
    handler._settings.cache_clear()
    handler._parts.cache_clear()
    yield handler
    client.cache_clear()


@pytest.fixture
def function(aws: Aws, server: OrgServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The function with its environment, cold; its log goes to the standard output that the test sees."""
    from common import connecting
    from common.aws import client
    from token_broker import handler

    client.cache_clear()
    connecting._secrets.cache_clear()
    for name, value in {
        "APP_ID": "app", "ENV": "test", "AUTH_TABLE": aws.table, "AUTH_KEY": aws.key, "TOKEN_YOUNG_SECONDS": "0",
        "SF_TOKEN_URL": server.token_url, "SF_CLIENT_ID": CLIENT, "SF_CLIENT_SECRET": SECRET,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    handler.logger.logger_handler.setStream(Stdout())
    handler.broker.cache_clear()
    yield handler
    client.cache_clear()
