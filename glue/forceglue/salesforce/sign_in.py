"""Tokens: one for all threads, asked for once, and once more when Salesforce says that it is no longer valid."""

from __future__ import annotations

import hashlib
import math
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

from forceglue.errors import SignInError
from forceglue.salesforce.retry import Pace
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection


@dataclass(frozen=True)
class Token:
    """An access token and the org it is for."""

    access_token: str = field(repr=False)
    instance_url: str = ""

    @property
    def hash(self) -> str:
        """What names the token to a broker without telling it."""
        return fingerprint(self.access_token)


def fingerprint(secret: str) -> str:
    """What stands for a secret where it must be told apart from another one, and not be told."""
    return hashlib.sha256(secret.encode()).hexdigest()


Fetch = Callable[["Token | None"], Token]
"""Gets a token from somewhere; the argument is the one that is no longer valid, if there was one."""


class SignIn:
    """The token that all threads use; whoever finds it stale gets a new one, the others wait for it.

    A refusal is kept: wrong credentials that are tried again by every thread would lock the user.

    Args:
        forgets: seconds after which a refusal is forgotten, for a process that lives on while a person mends things.
    """

    def __init__(self, fetch: Fetch, forgets: float = math.inf) -> None:
        self._fetch, self._forgets = fetch, forgets
        self._refused_at = 0.0
        self._token: Token | None = None
        self._refused: SignInError | None = None
        self._lock = threading.Lock()

    def token(self) -> Token:
        """The token, asked for when there is none.

        Raises:
            SignInError: there is none to be had.
            SalesforceBusyError: the token address did not answer.
        """
        with self._lock:
            return self._token or self._fetched(None)

    def renewed(self, stale: Token) -> Token:
        """Another token than `stale`: the one that another thread has got meanwhile, else a new one."""
        with self._lock:
            if self._token is None or self._token == stale:
                return self._fetched(stale)
            return self._token

    def _fetched(self, stale: Token | None) -> Token:
        if self._refused is not None and time.monotonic() - self._refused_at < self._forgets:
            raise self._refused
        try:
            self._token = self._fetch(stale)
        except SignInError as refused:
            self._refused, self._refused_at = refused, time.monotonic()
            raise
        self._refused = None
        return self._token


def sign_in(connection: Connection, web: Web, pace: Pace | None = None, *, forgets: float = math.inf) -> SignIn:
    """The way in that the connection describes; `forgets` as in `SignIn`."""
    from forceglue.salesforce import flows

    pace = pace or Pace()
    if connection.flow == "broker":
        from forceglue.salesforce.broker import from_broker

        return SignIn(from_broker(connection, web, pace), forgets)
    if connection.flow == "refresh":
        from forceglue.salesforce.rotation import rotating

        return SignIn(rotating(connection, web, pace), forgets)
    if connection.flow == "password":
        warnings.warn(
            "Salesforce retires sign-in by user name and password: use a private key (SF_PRIVATE_KEY_FILE) or "
            "client credentials",
            UserWarning,
            stacklevel=2,
        )
    return SignIn(lambda _: flows.ask(connection, web, pace), forgets)
