"""A new token from Salesforce: one request, by the flow that the credential allows."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from hashlib import sha256

from forceglue.errors import AnswerLostError, SignInError
from forceglue.salesforce.flows import answer, token_of
from forceglue.salesforce.retry import Pace
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import fingerprint
from token_broker.decision import Credential

CONNECT, READ = 3.0, 8.0
"""Seconds; together shorter than a lease. Nothing is tried again here: the item says when, for all who ask."""
ONCE = Pace(tries=0)


@dataclass(frozen=True)
class Minted:
    """What Salesforce gave; `refresh_token` only where it gave a new one."""

    access_token: str = field(repr=False)
    instance_url: str
    refresh_token: str | None = field(repr=False)
    issued_at: float
    expires_at: float


def web() -> Web:
    """Connections with time limits that fit the lease."""
    return Web(connections=2, timeout=READ, connect=CONNECT)


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


def credential_of(connection: Connection) -> Credential:
    """What names the credential without telling it: high-entropy parts are hashed together with the rest."""
    parts = (
        connection.flow,
        connection.token_url,
        connection.client_id,
        connection.client_secret,
        connection.username,
        connection.password,
        connection.private_key,
        connection.audience,
        connection.refresh_token,
    )
    seed = fingerprint(connection.refresh_token) if connection.flow == "refresh" else ""
    return Credential(sha256("\0".join(parts).encode()).hexdigest(), seed)


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
