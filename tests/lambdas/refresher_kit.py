"""Users of a refresher: made in AWS's server, or kept in memory where ten thousand of them are to be quick."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import boto3

from forceglue.simulated.salesforce import Org
from forceglue.simulated.salesforce.server import OrgServer
from lambdas.kit import CLIENT, Aws
from token_refresher.user_secrets import Secrets, Unusable, UserSecret
from token_refresher.users import User, Users

SHARDS = 3


@dataclass
class Place:
    """The table, queue and topic of one test; `told` is a queue behind the topic."""

    aws: Aws
    table: str
    queue: str
    topic: str
    told: str
    users: Users

    def item(self, user: str) -> dict[str, Any]:
        """A user's item, without the types of its attributes."""
        item = self.aws.dynamodb.get_item(TableName=self.table, Key={"userId": {"S": user}})["Item"]
        return {name: next(iter(value.values())) for name, value in item.items()}

    def tokens(self, user: str) -> dict[str, Any]:
        """A user's secret."""
        text = self.aws.secrets.get_secret_value(SecretId=self.item(user)["secret"])["SecretString"]
        return dict(json.loads(text))

    def enrol(self, server: OrgServer, number: int = 1, *, name: str = "user", valid: float = 0.0) -> list[str]:
        """New users with a secret; `valid`: for how many seconds their tokens still are."""
        made = [f"{name}-{place}" for place in range(number)]
        for user in made:
            ends = time.time() + valid
            text = {"refresh_token": grant(server.org, user), "access_token": "old", "expires_at": ends, "theirs": user}
            arn = self.aws.secrets.create_secret(Name=f"{self.table}/{user}", SecretString=json.dumps(text))["ARN"]
            self.users.enrol(user, arn, ends)
        return made

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """All messages that can be read now, and are gone then."""
        sqs, found = boto3.client("sqs"), []
        while got := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for one in got:
                found.append(json.loads(one["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
        return found


def made_place(aws: Aws) -> Place:
    """A new table with its index, a queue, a topic."""
    table = f"users-{uuid.uuid4().hex[:8]}"
    aws.dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "userId", "AttributeType": "S"},
            {"AttributeName": "shard", "AttributeType": "S"},
            {"AttributeName": "expiresAt", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "userId", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "byExpiry",
                "KeySchema": [
                    {"AttributeName": "shard", "KeyType": "HASH"},
                    {"AttributeName": "expiresAt", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["secret"]},
            }
        ],
    )
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    queue, told = (sqs.create_queue(QueueName=f"{table}-{name}")["QueueUrl"] for name in ("retry", "told"))
    arn = sqs.get_queue_attributes(QueueUrl=told, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name=table)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return Place(aws, table, queue, topic, told, Users(aws.dynamodb, table, SHARDS))


def grant(org: Org, user: str) -> str:
    """A refresh token of a user of that name."""
    access = org.access
    name = f"{user}@example.com"
    return access.grant_refresh(access.users.get(name) or access.add_user(name), access.apps[CLIENT])


def sent_twice(org: Org) -> list[str]:
    """Users whose tokens Salesforce took back, because a spent refresh token was sent again."""
    return [one.user.username for one in org.access.refreshes.values() if one.ended and one.spent]


class UsersInMemory(Users):
    """The table as a dictionary; each method is one step, as an update of an item is."""

    def __init__(self) -> None:
        self.items: dict[str, User] = {}
        self._lock = threading.Lock()

    def enrol(self, user: str, secret: str, expires_at: float) -> None:
        self.items[user] = User(user, secret, expires_at)

    def due(self, before: float) -> Iterator[User]:
        found = [one for one in self.items.values() if one.status == "active" and one.expires_at < before]
        yield from sorted(found, key=lambda one: one.expires_at)

    def get(self, user: str) -> User | None:
        return self.items.get(user)

    def claim(self, user: str, owner: str, sent: str, now: float, until: float) -> tuple[bool, User | None]:
        with self._lock:
            item = self.items[user]
            if item.status != "active" or now < item.lease_until or (item.rotates and item.sent == sent):
                return False, item
            self.items[user] = replace(item, owner=owner, lease_until=until, sent=sent, pending=True)
            return True, self.items[user]

    def settle(self, user: str, sent: str, expires_at: float, *, rotates: bool) -> bool:
        with self._lock:
            if self.items[user].sent != sent:
                return False
            self.items[user] = User(user, self.items[user].secret, expires_at, sent=sent, rotates=rotates)
            return True

    def release(self, user: str, sent: str) -> None:
        with self._lock:
            self.items[user] = replace(self.items[user], owner="", lease_until=0.0, sent="", pending=False)

    def mark(self, user: str, status: Any, reason: str) -> bool:
        with self._lock:
            before = self.items[user]
            self.items[user] = replace(before, status=status, owner="", lease_until=0.0)
            return before.status == "active"


class SecretsInMemory(Secrets):
    """The secrets as a dictionary."""

    def __init__(self) -> None:
        self.texts: dict[str, dict[str, Any]] = {}

    def read(self, names: Iterable[str]) -> dict[str, UserSecret | Unusable]:
        missing = Unusable("ResourceNotFoundException", "it is not there.")
        return {name: UserSecret(name, self.texts[name]) if name in self.texts else missing for name in names}

    def store(self, secret: UserSecret, changes: Mapping[str, Any]) -> None:
        self.texts[secret.name] = {**secret.data, **changes}
