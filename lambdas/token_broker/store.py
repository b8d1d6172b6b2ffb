"""The item in DynamoDB: read whole, written only by whoever holds the lease.

A lease is taken by a conditional update against the item that was seen, so that of all who saw it one wins; the others
get the item as it is now with their refusal. Each lease makes the fence one higher, and a token is written only under
one's own fence: a holder that wakes up after its lease was taken by another writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from common.items import Values, number, plain, update
from token_broker.record import Failure, Record


@dataclass(frozen=True)
class Sending:
    """A refresh token that is about to be sent.

    Attributes:
        chain: the hash of the token that a person gave, which it came from.
        once: it is spent by its use, so the item says `sent` until its answer is stored.
        first: it is the first of its chain: the token itself, sealed.
    """

    chain: str
    once: bool
    first: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Stored:
    """A token as it is stored; `sealed_refresh`: the new refresh token, where there is one."""

    sealed: bytes = field(repr=False)
    hash: str
    issued_at: float
    expires_at: float
    sealed_refresh: bytes | None = field(default=None, repr=False)


class TokenStore:
    """One item.

    Args:
        dynamodb: a boto3 client of DynamoDB.
        table, pk: the table and the item's key, whose attribute is `PK`.
    """

    def __init__(self, dynamodb: Any, table: str, pk: str) -> None:
        self._dynamodb = dynamodb
        self._at = {"TableName": table, "Key": {"PK": {"S": pk}}}

    def read(self) -> Record:
        """The item as it is now (a consistent read)."""
        return _record(self._dynamodb.get_item(**self._at, ConsistentRead=True).get("Item"))

    def take(self, seen: Record, owner: str, now: float, until: float, sending: Sending | None = None) -> Record:
        """Tries to take the lease, and gives the item as it is then: the lease is ours where it names `owner`.

        Args:
            seen: the item that the wish to refresh came from.
            sending: the refresh token that will be sent, with that flow.
        """
        set_to: Values = {"fence": number(seen.fence + 1), "owner": {"S": owner}, "lease_until": number(until)}
        where = ["attribute_not_exists(#lease_until) OR #lease_until < :now"]
        values: Values = {":now": number(now)}
        add: Values = {}
        if seen.fence:
            where.append("#fence = :seen")
            values[":seen"] = number(seen.fence)
        else:
            where.append("attribute_not_exists(#fence)")
        if sending is not None:
            set_to["chain"] = {"S": sending.chain}
            if sending.once:
                set_to["sent"] = {"BOOL": True}
            if sending.first is not None:
                set_to["sealed_refresh"] = {"B": sending.first}
                add["seeds"] = {"SS": [sending.chain]}
            else:
                where.append("attribute_not_exists(#sent)")
        return self._update(set_to=set_to, add=add, where=where, values=values)[1]

    def save(self, fence: int, token: Stored, *, settles: bool) -> tuple[bool, Record]:
        """Stores a token, and in the same write the refresh token that came with it; ends the lease.

        Args:
            settles: a refresh token was sent, and its answer is here.

        Returns:
            Whether it was stored (no, if the lease has gone to another), and the item as it is now.
        """
        set_to: Values = {
            "sealed": {"B": token.sealed},
            "hash": {"S": token.hash},
            "issued_at": number(token.issued_at),
            "expires_at": number(token.expires_at),
        }
        if settles:
            set_to["rotates"] = {"BOOL": token.sealed_refresh is not None}
        if token.sealed_refresh is not None:
            set_to["sealed_refresh"] = {"B": token.sealed_refresh}
        remove = ("owner", "lease_until", "failure", *(("sent",) if settles else ()))
        return self._update(set_to=set_to, remove=remove, **_mine(fence))

    def fail(self, fence: int, failure: Failure, *, settles: bool) -> Record:
        """Stores why there is no token and ends the lease; gives the item as it is now.

        Args:
            settles: the refresh token that was sent was surely not taken, and may be sent again.
        """
        told: Values = {
            "code": {"S": failure.code},
            "said": {"S": failure.said},
            "passes": {"BOOL": failure.passes},
            "retry_at": number(failure.retry_at),
            "count": number(failure.count),
            "credential": {"S": failure.credential},
        }
        remove = ("owner", "lease_until", *(("sent",) if settles else ()))
        return self._update(set_to={"failure": {"M": told}}, remove=remove, **_mine(fence))[1]

    def _update(self, **change: Any) -> tuple[bool, Record]:
        held, item = update(self._dynamodb, self._at, **change)
        return held, _record(item) if item else self.read()


def _mine(fence: int) -> dict[str, Any]:
    """The condition that nobody has taken the lease since."""
    return {"where": ["#fence = :mine"], "values": {":mine": number(fence)}}


def _record(item: Values | None) -> Record:
    """The item as a value; what is not there has the value of an empty one."""
    told = plain(item or {})
    failure = plain(told["failure"]) if "failure" in told else None
    return Record(
        fence=int(told.get("fence", 0)),
        owner=told.get("owner", ""),
        lease_until=float(told.get("lease_until", 0)),
        sealed=bytes(told.get("sealed", b"")),
        hash=told.get("hash", ""),
        issued_at=float(told.get("issued_at", 0)),
        expires_at=float(told.get("expires_at", 0)),
        chain=told.get("chain", ""),
        seeds=frozenset(told.get("seeds", ())),
        sealed_refresh=bytes(told.get("sealed_refresh", b"")),
        sent=told.get("sent", False),
        rotates=told.get("rotates", True),
        failure=None
        if failure is None
        else Failure(
            code=failure["code"],
            said=failure["said"],
            passes=failure["passes"],
            retry_at=float(failure["retry_at"]),
            count=int(failure["count"]),
            credential=failure["credential"],
        ),
    )
