"""What the broker is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.environment import Settings


@dataclass(frozen=True)
class BrokerSettings:
    """Whose tokens, where they are kept, and times in seconds.

    Attributes:
        app, env: together the item's key, and what its texts are sealed for.
        table, key: the DynamoDB table and the KMS key.
        life: how long a token is used. Salesforce does not say how long it lives; its default is two hours.
        young: a token of this age is not refreshed again, whoever calls it stale.
        memory: how long an instance answers from its memory.
        lease: how long a refresh may take before another instance may try.
        patience: how long a caller waits for the refresh of another.
    """

    app: str
    env: str
    table: str
    key: str
    life: float = 3600
    young: float = 10
    memory: float = 300
    lease: float = 15
    patience: float = 20

    @property
    def pk(self) -> str:
        return f"{self.app}#{self.env}"

    @property
    def soft(self) -> float:
        """The age at which one caller refreshes the token while the others go on with it."""
        return self.life * 0.8


def broker_settings(environ: Mapping[str, str]) -> BrokerSettings:
    """The settings. Raises `UsageError` with every problem."""
    given = Settings(environ)
    made = BrokerSettings(
        app=given.text("APP_ID", "the app's name, part of the item's key"),
        env=given.text("ENV", "the environment's name (dev, prod), part of the item's key"),
        table=given.text("AUTH_TABLE", "the DynamoDB table", "SfAuthToken"),
        key=given.text("AUTH_KEY", "the KMS key that tokens are encrypted with: its ARN, id or alias"),
        life=given.number("TOKEN_LIFE_SECONDS", 3600, least=60, most=86_400),
        young=given.number("TOKEN_YOUNG_SECONDS", 10, least=0, most=600),
        memory=given.number("MEMORY_SECONDS", 300, least=0, most=3600),
        # longer than the two requests of a refresh may take: see `minting`
        lease=given.number("LEASE_SECONDS", 15, least=1, most=300),
        # an API Gateway ends a call after 29 seconds
        patience=given.number("PATIENCE_SECONDS", 20, least=0, most=25),
    )
    given.done()
    return made
