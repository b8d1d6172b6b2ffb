"""The item in DynamoDB: read whole, written only by whoever holds the lease.

A lease is taken by a conditional update against the item that was seen, so that of all who saw it one wins; the others
get the item as it is now with their refusal. Each lease makes the fence one higher, and a token is written only under
one's own fence: a holder that wakes up after its lease was taken by another writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from token_broker.record import Failure, Record

Values = dict[str, dict[str, Any]]


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
        self._item = {"TableName": table, "Key": {"PK": {"S": pk}}}

    def read(self) -> Record:
        """The item as it is now (a consistent read)."""
        return _record(self._dynamodb.get_item(**self._item, ConsistentRead=True).get("Item"))

    def take(self, seen: Record, owner: str, now: float, until: float, sending: Sending | None = None) -> Record:
        """Tries to take the lease, and gives the item as it is then: the lease is ours where it names `owner`.

        Args:
            seen: the item that the wish to refresh came from.
            sending: the refresh token that will be sent, with that flow.
        """
        set_to: Values = {"fence": _number(seen.fence + 1), "owner": {"S": owner}, "lease_until": _number(until)}
        where = ["attribute_not_exists(lease_until) OR lease_until < :now"]
        values: Values = {":now": _number(now)}
        add: Values = {}
        if seen.fence:
            where.append("fence = :seen")
            values[":seen"] = _number(seen.fence)
        else:
            where.append("attribute_not_exists(fence)")
        if sending is not None:
            set_to["chain"] = {"S": sending.chain}
            if sending.once:
                set_to["sent"] = {"BOOL": True}
            if sending.first is not None:
                set_to["sealed_refresh"] = {"B": sending.first}
                add["seeds"] = {"SS": [sending.chain]}
            else:
                where.append("attribute_not_exists(sent)")
        return self._update(set_to, where, values, add=add)[1]

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
            "issued_at": _number(token.issued_at),
            "expires_at": _number(token.expires_at),
        }
        if settles:
            set_to["rotates"] = {"BOOL": token.sealed_refresh is not None}
        if token.sealed_refresh is not None:
            set_to["sealed_refresh"] = {"B": token.sealed_refresh}
        remove = ("owner", "lease_until", "failure", *(("sent",) if settles else ()))
        return self._update(set_to, ["fence = :mine"], {":mine": _number(fence)}, remove=remove)

    def fail(self, fence: int, failure: Failure, *, settles: bool) -> Record:
        """Stores why there is no token and ends the lease; gives the item as it is now.

        Args:
            settles: the refresh token that was sent was surely not taken, and may be sent again.
        """
        told: Values = {
            "code": {"S": failure.code},
            "said": {"S": failure.said},
            "passes": {"BOOL": failure.passes},
            "retry_at": _number(failure.retry_at),
            "count": _number(failure.count),
            "credential": {"S": failure.credential},
        }
        remove = ("owner", "lease_until", *(("sent",) if settles else ()))
        mine = {":mine": _number(fence)}
        return self._update({"failure": {"M": told}}, ["fence = :mine"], mine, remove=remove)[1]

    def _update(
        self, set_to: Values, where: list[str], values: Values, *, remove: Iterable[str] = (), add: Values | None = None
    ) -> tuple[bool, Record]:
        """One conditional update: whether its conditions held, and the item after it, or as it is."""
        remove, add = tuple(remove), add or {}
        clauses = ["SET " + ", ".join(f"#{name} = :{name}" for name in set_to)]
        clauses += ["ADD " + ", ".join(f"#{name} :{name}" for name in add)] if add else []
        clauses += ["REMOVE " + ", ".join(f"#{name}" for name in remove)] if remove else []
        try:
            answer = self._dynamodb.update_item(
                **self._item,
                UpdateExpression=" ".join(clauses),
                ConditionExpression=" AND ".join(f"({one})" for one in where),
                ExpressionAttributeNames={f"#{name}": name for name in (*set_to, *add, *remove)},
                ExpressionAttributeValues={f":{name}": value for name, value in {**set_to, **add}.items()} | values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as refused:
            found = refused.response.get("Item")
            return False, _record(found) if found else self.read()
        return True, _record(answer["Attributes"])


def _number(value: float) -> dict[str, str]:
    return {"N": str(value if isinstance(value, int) else round(Decimal(value), 3))}


def _record(item: dict[str, Any] | None) -> Record:
    """The item as a value; what is not there has the value of an empty one."""
    if not item:
        return Record()
    told = item.get("failure", {}).get("M")
    return Record(
        fence=int(_of(item, "fence", 0)),
        owner=_of(item, "owner", ""),
        lease_until=float(_of(item, "lease_until", 0)),
        sealed=bytes(_of(item, "sealed", b"")),
        hash=_of(item, "hash", ""),
        issued_at=float(_of(item, "issued_at", 0)),
        expires_at=float(_of(item, "expires_at", 0)),
        chain=_of(item, "chain", ""),
        seeds=frozenset(_of(item, "seeds", ())),
        sealed_refresh=bytes(_of(item, "sealed_refresh", b"")),
        sent=_of(item, "sent", False),
        rotates=_of(item, "rotates", True),
        failure=told
        and Failure(
            code=_of(told, "code", ""),
            said=_of(told, "said", ""),
            passes=_of(told, "passes", True),
            retry_at=float(_of(told, "retry_at", 0)),
            count=int(_of(told, "count", 1)),
            credential=_of(told, "credential", ""),
        ),
    )


def _of(item: dict[str, Any], name: str, absent: Any) -> Any:
    """An attribute's value, without its type (`{"S": "x"}`)."""
    return next(iter(item[name].values())) if name in item else absent
