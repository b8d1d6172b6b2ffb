"""What a caller's request comes to, given the item, the time and the credential: no call to anything is made here.

A refresh token whose answer never arrived is in doubt: it may be spent, and a second use would take back every token of
the user. So its item is left alone until its holder comes back after all, or a person gives a new refresh token.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import fingerprint
from token_broker.record import Failure, Record

IN_DOUBT = "refresh_token_in_doubt"


@dataclass(frozen=True)
class Credential:
    """What the function would ask with.

    Attributes:
        id: the hash of all of it.
        seed: the hash of the refresh token that a person gave; empty for another flow.
    """

    id: str
    seed: str = ""

    def begins(self, record: Record) -> bool:
        """Whether a person gave a refresh token that was never used."""
        return bool(self.seed) and self.seed not in record.seeds


def credential_of(connection: Connection) -> Credential:
    """What names the credential without telling it: its secrets are hashed together."""
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


@dataclass(frozen=True)
class Serve:
    """Give the token of the item. `although`: what will keep it from being refreshed."""

    although: Failure | None = None


@dataclass(frozen=True)
class Refresh:
    """Take the lease and ask Salesforce."""


@dataclass(frozen=True)
class Wait:
    """Look again after so many seconds; None: soon, somebody else refreshes. `because`: what is waited out."""

    seconds: float | None = None
    because: Failure | None = None


@dataclass(frozen=True)
class Refuse:
    """There is no token, and waiting would not help; a failure without `passes` needs a person."""

    failure: Failure


Decision = Serve | Refresh | Wait | Refuse


def decide(record: Record, now: float, stale: str, credential: Credential, young: float) -> Decision:
    """What to do.

    Args:
        stale: the hash of the token that the caller found refused; empty for none.
        young: seconds in which a new token is not refreshed again, whoever calls it stale.
    """
    usable = record.usable(now, stale)
    if usable and record.fresh(now):
        return Serve()
    hindrance = _hindrance(record, now, credential)
    if hindrance is not None:
        return Serve(_failure_of(hindrance)) if usable else hindrance
    age = now - record.issued_at
    if stale and record.hash == stale and 0 <= age < young:
        return Wait(young - age)
    return Refresh()


def _hindrance(record: Record, now: float, credential: Credential) -> Wait | Refuse | None:
    """What keeps this caller from asking Salesforce."""
    if record.leased(now):
        return Wait()
    if credential.begins(record):
        return None
    failure = record.failure
    if record.sent and credential.seed:
        return Refuse(failure or _in_doubt(credential))
    if failure is None or failure.credential != credential.id or now >= failure.retry_at:
        return None
    return Wait(failure.retry_at - now, failure) if failure.passes else Refuse(failure)


def _failure_of(hindrance: Wait | Refuse) -> Failure | None:
    return hindrance.because if isinstance(hindrance, Wait) else hindrance.failure


def _in_doubt(credential: Credential) -> Failure:
    return Failure(
        IN_DOUBT,
        "a refresh token was sent, and whoever sent it ended before the answer was stored: it may be spent, and is not "
        "sent again. Authorise the app again and store the new one as SF_REFRESH_TOKEN.",
        passes=False,
        retry_at=0.0,
        count=1,
        credential=credential.id,
    )
