"""What the refresher is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.environment import Settings


@dataclass(frozen=True)
class RefresherSettings:
    """Where users are, and how fast they are worked through; times in seconds.

    Attributes:
        table, shards: the DynamoDB table of users, and into how many parts its index is divided.
        queue, topic: where users that are to be tried again go, and where what a person must know is told.
        within: a token that is valid for longer is skipped.
        rate, workers: refreshes a second, and at once; of one instance of the function.
        life: how long a token is taken to live. Salesforce does not say; its default is two hours, unused.
        lease: how long one refresh may take before another may look after the user.
    """

    table: str
    queue: str
    topic: str
    shards: int = 4
    within: float = 300
    rate: float = 20
    workers: int = 20
    life: float = 7200
    lease: float = 30


def refresher_settings(environ: Mapping[str, str]) -> RefresherSettings:
    """The settings. Raises `UsageError` with every problem."""
    given = Settings(environ)
    made = RefresherSettings(
        table=given.text("USERS_TABLE", "the DynamoDB table of users"),
        queue=given.text("RETRY_QUEUE_URL", "the SQS queue of users to be tried again"),
        topic=given.text("USERS_TOPIC_ARN", "the SNS topic that tells of revoked users"),
        shards=int(given.number("INDEX_SHARDS", 4, least=1, most=64)),
        within=given.number("REFRESH_WITHIN_SECONDS", 300, least=0, most=86_400),
        rate=given.number("REFRESHES_PER_SECOND", 20, least=0.1, most=10_000),
        workers=int(given.number("WORKERS", 20, least=1, most=256)),
        life=given.number("TOKEN_LIFE_SECONDS", 7200, least=60, most=86_400),
        lease=given.number("LEASE_SECONDS", 30, least=1, most=900),
    )
    given.done()
    return made
