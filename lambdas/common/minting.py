"""A new token from Salesforce: one request, by the flow that the connection allows."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field

from forceglue.errors import AnswerLostError, SignInError
from forceglue.salesforce.flows import answer, token_of
from forceglue.salesforce.retry import Pace
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection

CONNECT, READ = 3.0, 8.0
"""Seconds; together shorter than a lease. Nothing is tried again here: whoever asks says when."""
ONCE = Pace(tries=0)


@dataclass(frozen=True)
class Minted:
    """What Salesforce gave; `refresh_token` only where it gave a new one."""

    access_token: str = field(repr=False)
    instance_url: str
    refresh_token: str | None = field(repr=False)
    issued_at: float
    expires_at: float


def web(connections: int = 2) -> Web:
    """Connections with time limits that fit a lease; so many at once."""
    return Web(connections=connections, timeout=READ, connect=CONNECT)


def mint(connection: Connection, connections: Web, refresh_token: str, life: float) -> Minted:
    """Asks once.

    Args:
        refresh_token: the one to send, with the refresh flow.
        life: how long the token is used; a token that says itself when it ends (a JWT) is not used longer.

    Raises:
        SignInError, AnswerLostError, SalesforceBusyError: as `forceglue.salesforce.flows.answer`.
    """
    issued = time.time()
    body = answer(connection, connections, ONCE, refresh_token)
    try:
        token = token_of(body, connection.token_url)
    except SignInError as error:
        if connection.flow == "refresh":
            raise AnswerLostError(f"{error} The refresh token is spent: authorise the app again.") from None
        raise
    given = body.get("refresh_token")
    return Minted(
        token.access_token,
        token.instance_url,
        given if isinstance(given, str) and given and given != refresh_token else None,
        issued,
        min(issued + life, _ends(token.access_token)),
    )


def _ends(token: str) -> float:
    """`exp` of a token that is a JWT; infinity for an opaque one."""
    parts = token.split(".")
    if len(parts) != 3:
        return float("inf")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims["exp"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
