"""What is known of an app's token: the item of the table as a value, and what follows from it at a given moment."""

from __future__ import annotations

from dataclasses import dataclass, field

SKEW = 30.0
"""Seconds before its end in which a token is no longer given out: it is still on its way then."""


@dataclass(frozen=True)
class Failure:
    """Why there is no token, kept so that nobody tries it again at once.

    Attributes:
        code, said: Salesforce's own code, and the message that tells a person what to do; no secret is in them.
        passes: it may pass by itself.
        retry_at: when it may be tried again, in seconds since 1970.
        count: failures in a row.
        credential: what it was tried with; another credential is tried at once.
    """

    code: str
    said: str
    passes: bool
    retry_at: float
    count: int
    credential: str


@dataclass(frozen=True)
class Record:
    """The item. Times are seconds since 1970; an empty one stands for an item that is not there.

    Attributes:
        fence: grows with each lease; only the last holder may write.
        owner, lease_until: who refreshes, and until when that counts.
        sealed, hash: the access token with its instance's address, encrypted; its SHA-256.
        issued_at, expires_at: from when to when it is used.
        chain: the hash of the refresh token that a person gave, which all later ones came from.
        seeds: the hashes of all that persons ever gave: one that was used once is not begun again.
        sealed_refresh: the refresh token that is good now, encrypted.
        sent: there while a refresh token is on its way and it is not known whether it is spent.
        rotates: whether the last refresh gave a new refresh token; so it is taken until an answer says otherwise.
        failure: the last failure, if nothing succeeded since.
    """

    fence: int = 0
    owner: str = ""
    lease_until: float = 0.0
    sealed: bytes = field(default=b"", repr=False)
    hash: str = ""
    issued_at: float = 0.0
    expires_at: float = 0.0
    chain: str = ""
    seeds: frozenset[str] = frozenset()
    sealed_refresh: bytes = field(default=b"", repr=False)
    sent: bool = False
    rotates: bool = True
    failure: Failure | None = None

    def usable(self, now: float, stale: str) -> bool:
        """Whether the token can be given to a caller who found `stale` refused."""
        return bool(self.hash) and self.hash != stale and now < self.expires_at - SKEW

    def fresh(self, now: float) -> bool:
        """Whether nobody needs to refresh it yet: four fifths of its life are not over."""
        return now < self.issued_at + 0.8 * (self.expires_at - self.issued_at)

    def leased(self, now: float) -> bool:
        """Whether somebody refreshes it at this moment."""
        return bool(self.owner) and now < self.lease_until
