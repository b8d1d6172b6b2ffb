"""Users in DynamoDB: who is due, who is being refreshed, who needs a person.

An item has the key `userId`; `secret` (the name or ARN of the user's secret), `status` and `expiresAt`; while the user
is active also `shard`, a part of the index `byExpiry` (key `shard`, `expiresAt`). Who is marked leaves the index, so
that it holds only who is to be refreshed. The item says which refresh token was sent last (`sent`, its hash), so that
whoever read the secret before that does not send it again; and while its answer is not stored (`pending`), until when
nobody else may look after the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from common.items import Values, number, plain, update

INDEX = "byExpiry"
Status = Literal["active", "revoked", "in_doubt"]
_ACTIVE = "#status = :active"
# a token that was sent last is spent, unless its app is known not to rotate them
_UNSPENT = "attribute_not_exists(#sent) OR #sent <> :sent OR #rotates = :no"
_FREE = "attribute_not_exists(#leaseUntil) OR #leaseUntil < :now"


@dataclass(frozen=True)
class User:
    """An item.

    Attributes:
        expires_at: when the access token ends, as the index knows it; the secret knows it better.
        owner, lease_until: who refreshes it, and until when that counts.
        sent: the hash of the refresh token that was sent last.
        pending: whether its answer is still to be stored.
        rotates: whether the last refresh gave a new refresh token; so it is taken until an answer says otherwise.
    """

    id: str
    secret: str
    expires_at: float = 0.0
    status: str = "active"
    owner: str = ""
    lease_until: float = 0.0
    sent: str = ""
    pending: bool = False
    rotates: bool = True

    def leased(self, now: float) -> bool:
        """Whether somebody refreshes the user's token at this moment."""
        return bool(self.owner) and now < self.lease_until


class Users:
    """The table.

    Args:
        dynamodb: a client of DynamoDB.
        shards: into how many parts the index is divided; a user stays in its part.
    """

    def __init__(self, dynamodb: Any, table: str, shards: int) -> None:
        self._dynamodb, self._table, self._shards = dynamodb, table, shards

    def enrol(self, user: str, secret: str, expires_at: float) -> None:
        """A user who signed in, for the first time or again; the secret holds the refresh token already."""
        self._update(
            user,
            set_to={"secret": {"S": secret}, **self._active(user, expires_at)},
            remove=("sent", "pending", "reason", "owner", "leaseUntil"),
        )

    def due(self, before: float) -> Iterator[User]:
        """Active users whose token ends before a time, page by page; of each part those first that end first."""
        for shard in range(self._shards):
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=INDEX,
                KeyConditionExpression="#shard = :shard AND #expiresAt < :before",
                ExpressionAttributeNames={"#shard": "shard", "#expiresAt": "expiresAt"},
                ExpressionAttributeValues={":shard": {"S": str(shard)}, ":before": number(before)},
            )
            for page in pages:
                yield from map(_user, page["Items"])

    def get(self, user: str) -> User | None:
        """One user, as it is now; None for nobody."""
        key = {"userId": {"S": user}}
        item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return _user(item) if item else None

    def claim(self, user: str, owner: str, sent: str, now: float, until: float) -> tuple[bool, User | None]:
        """Takes the user for one refresh, and says which refresh token will be sent.

        A token that was sent last is not sent again, unless its app is known not to rotate them.

        Returns:
            Whether it was taken, and the item as it is now.
        """
        return self._update(
            user,
            set_to={
                "owner": {"S": owner},
                "leaseUntil": number(until),
                "sent": {"S": sent},
                "pending": {"BOOL": True},
            },
            where=[_ACTIVE, _FREE, _UNSPENT],
            values={":active": {"S": "active"}, ":now": number(now), ":no": {"BOOL": False}},
        )

    def settle(self, user: str, sent: str, expires_at: float, *, rotates: bool) -> bool:
        """The answer to what was sent is stored. A user who was marked meanwhile, in doubt about it, is active again.

        Returns:
            False where something else was sent since: the item is left to it.
        """
        return self._update(
            user,
            set_to={"rotates": {"BOOL": rotates}, **self._active(user, expires_at)},
            remove=("owner", "leaseUntil", "pending", "reason"),
            where=["#sent = :sent"],
            values={":sent": {"S": sent}},
        )[0]

    def release(self, user: str, sent: str) -> None:
        """What was sent was surely not taken: it may be sent again."""
        self._update(
            user,
            remove=("owner", "leaseUntil", "pending", "sent"),
            where=["#sent = :sent"],
            values={":sent": {"S": sent}},
        )

    def moved(self, user: str, sent: str, expires_at: float, now: float) -> None:
        """The index learns what the secret says: another has refreshed, and ended before it could tell.

        Args:
            sent: the hash of the secret's refresh token; the item is left alone where that one is on its way.
        """
        self._update(
            user,
            set_to={"expiresAt": number(expires_at)},
            remove=("owner", "leaseUntil", "pending"),
            where=[_ACTIVE, _FREE, _UNSPENT],
            values={
                ":active": {"S": "active"},
                ":now": number(now),
                ":sent": {"S": sent},
                ":no": {"BOOL": False},
            },
        )

    def mark(self, user: str, status: Status, reason: str) -> bool:
        """The user needs a person, and is not refreshed until `enrol`. False where it was so already."""
        return self._update(
            user,
            set_to={"status": {"S": status}, "reason": {"S": reason}},
            remove=("shard", "owner", "leaseUntil"),
            where=[_ACTIVE],
            values={":active": {"S": "active"}},
        )[0]

    def _active(self, user: str, expires_at: float) -> Values:
        part = int.from_bytes(sha256(user.encode()).digest()[:4], "big") % self._shards
        return {"status": {"S": "active"}, "expiresAt": number(expires_at), "shard": {"S": str(part)}}

    def _update(self, user: str, **change: Any) -> tuple[bool, User | None]:
        held, item = update(self._dynamodb, {"TableName": self._table, "Key": {"userId": {"S": user}}}, **change)
        return held, _user(item) if item else None


def _user(item: dict[str, Any]) -> User:
    told = plain(item)
    return User(
        id=told["userId"],
        secret=told.get("secret", ""),
        expires_at=float(told.get("expiresAt", 0)),
        status=told.get("status", ""),
        owner=told.get("owner", ""),
        lease_until=float(told.get("leaseUntil", 0)),
        sent=told.get("sent", ""),
        pending=told.get("pending", False),
        rotates=told.get("rotates", True),
    )
