"""Who calls, and what they may do: scopes `read`, `write`, `delete`, of all objects or of one (`read:Contact`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from common.api.problems import Problem

Verb = Literal["read", "write", "delete"]


@dataclass(frozen=True)
class Caller:
    """Somebody whom API Gateway let in.

    Attributes:
        id: a client of the user pool, or an IAM principal.
        scopes: in lower case, without the prefix of the resource server.
    """

    id: str
    scopes: frozenset[str]

    def must(self, verb: Verb, *objects: str) -> None:
        """Raises `Problem` (403) for the first object that the caller may not do that with."""
        for name in objects:
            if not {verb, f"{verb}:{name.lower()}"} & self.scopes:
                raise Problem(403, "FORBIDDEN", f"This needs the scope {verb}, or {verb}:{name}")


def caller_of(event: Mapping[str, Any], prefix: str, otherwise: frozenset[str]) -> Caller:
    """The caller of an event of API Gateway.

    Args:
        prefix: the resource server of the scopes (`forceglue` of `forceglue/read`); scopes of others do not count.
        otherwise: the scopes of callers whom no token speaks for (IAM).
    """
    context = event.get("requestContext") or {}
    authorizer = context.get("authorizer") or {}
    identity = context.get("identity") or {}
    if not authorizer:
        who = identity.get("userArn") or identity.get("caller") or "anonymous"
        return Caller(str(who), otherwise)
    claims = authorizer.get("claims") or (authorizer.get("jwt") or {}).get("claims") or authorizer
    who = claims.get("client_id") or claims.get("sub") or claims.get("principalId") or "unknown"
    return Caller(str(who), scopes_in(str(claims.get("scope") or ""), prefix))


def scopes_in(text: str, prefix: str) -> frozenset[str]:
    """The scopes that a text lists, those of this resource server; without a prefix they are all meant."""
    found = text.replace(",", " ").split()
    own = [one.removeprefix(f"{prefix}/") for one in found if "/" not in one or one.startswith(f"{prefix}/")]
    return frozenset(one.lower() for one in own)
