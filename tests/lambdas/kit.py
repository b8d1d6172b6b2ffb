"""What the functions' tests stand on: AWS and an org on sockets, a broker instance with a memory of its own."""

from __future__ import annotations

import io
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from common.sealed import Sealer
from forceglue.salesforce.settings import Connection
from forceglue.simulated.salesforce import Org
from forceglue.simulated.salesforce.server import OrgServer
from token_broker.broker import Broker
from token_broker.record import Record
from token_broker.settings import BrokerSettings
from token_broker.store import TokenStore
from token_broker.watch import Watch

USER = "integration@example.com"
CLIENT, SECRET = "app", "app-secret-7731"
TOKEN_PATH = "/services/oauth2/token"


@dataclass
class Aws:
    """Clients of one server, and what a test made there."""

    url: str
    dynamodb: Any
    kms: Any
    secrets: Any
    table: str
    key: str


def made_table(dynamodb: Any) -> str:
    """A table of tokens, with a name of its own."""
    name = f"SfAuthToken-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
    )
    return name


class Silent(Watch):
    """Counts what it is told."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()
        logger = Logger(service="tests", stream=io.StringIO())
        super().__init__(logger, Metrics(namespace="tests", service="tests"))

    def _count(self, name: str) -> None:
        self.told[name] += 1


@dataclass
class Instance:
    """A broker as one Lambda instance has it; instances share nothing but the table."""

    aws: Aws
    connection: Connection
    settings: BrokerSettings
    watch: Silent = field(default_factory=Silent)

    def __post_init__(self) -> None:
        self.store = TokenStore(self.aws.dynamodb, self.settings.table, self.settings.pk)
        self.broker = Broker(
            self.settings, self.store, Sealer(self.aws.kms, self.settings.key), lambda: self.connection, self.watch
        )

    @property
    def record(self) -> Record:
        return self.store.read()


def settings(aws: Aws, **more: Any) -> BrokerSettings:
    """Settings for quick tests: nothing waits long, a new token may be refreshed at once."""
    return BrokerSettings("app", "test", aws.table, aws.key, **{"young": 0.0, "lease": 5.0, "patience": 10.0, **more})


def connection(server: OrgServer, flow: str = "client_credentials", **more: Any) -> Connection:
    """The way to the simulated org."""
    return Connection(flow, server.token_url, client_id=CLIENT, client_secret=SECRET, **more)  # type: ignore[arg-type]


def made_org(org: Org, *, rotates: bool = True) -> Org:
    """An org with an app and its user."""
    org.access.add_app(CLIENT, SECRET, run_as=USER, rotates=rotates)
    return org


def granted(server: OrgServer, *, rotates: bool = True) -> str:
    """A refresh token, as a person's sign-in gives it."""
    access = server.org.access
    access.apps[CLIENT].rotates = rotates
    return access.grant_refresh(access.users[USER], access.apps[CLIENT])


def refreshing(server: OrgServer, *, rotates: bool = True) -> Connection:
    return connection(server, "refresh", refresh_token=granted(server, rotates=rotates))


def asked(server: OrgServer) -> int:
    """How many requests came to the token address."""
    return sum(call.path == TOKEN_PATH for call in server.usage.log)


def later(aws: Aws, pk: str = "app#test") -> None:
    """So much time has passed that a failure of the item may be tried again."""
    aws.dynamodb.update_item(
        TableName=aws.table,
        Key={"PK": {"S": pk}},
        UpdateExpression="SET failure.retry_at = :past",
        ExpressionAttributeValues={":past": {"N": "1000"}},
    )


def expire(aws: Aws, pk: str = "app#test") -> None:
    """The stored token is over."""
    aws.dynamodb.update_item(
        TableName=aws.table,
        Key={"PK": {"S": pk}},
        UpdateExpression="SET expires_at = :past, issued_at = :before",
        ExpressionAttributeValues={":past": {"N": "1000"}, ":before": {"N": "500"}},
    )
