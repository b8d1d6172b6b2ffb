"""Whoever has the lease: asks Salesforce once, and stores the token, or why there is none, under its own fence."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from common.minting import mint, web
from common.sealed import Sealer
from forceglue.errors import AnswerLostError, SalesforceBusyError, SalesforceError, SignInError
from forceglue.salesforce.oauth_errors import advice
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import fingerprint
from token_broker.decision import IN_DOUBT, Credential
from token_broker.record import Failure, Record
from token_broker.settings import BrokerSettings
from token_broker.store import Sending, Stored, TokenStore
from token_broker.watch import Watch

# seconds before the next try: the first, and the longest; each is twice the one before
_PASSING, _REFUSED = (1.0, 60.0), (60.0, 900.0)
_AGAIN = 0.5


@dataclass(frozen=True)
class Attempt:
    """A refresh that is ready to be made.

    Attributes:
        seal, seal_refresh: seal the two texts of the answer; KMS has been asked.
        sending, refresh_token: with the refresh flow, what will be sent.
    """

    connection: Connection
    credential: Credential
    seal: Callable[[str], bytes]
    sending: Sending | None = None
    refresh_token: str = field(default="", repr=False)
    seal_refresh: Callable[[str], bytes] | None = None


class Holder:
    """What is done under a lease."""

    def __init__(self, settings: BrokerSettings, store: TokenStore, sealer: Sealer, watch: Watch) -> None:
        self._settings, self._store, self._sealer, self._watch = settings, store, sealer, watch
        self._web = web()

    def context(self, what: str) -> dict[str, str]:
        """What a text of the item is sealed for."""
        return {"app": self._settings.app, "env": self._settings.env, "what": what}

    def attempt(self, seen: Record, connection: Connection, credential: Credential) -> Attempt:
        """Makes ready, before the lease is taken, what needs KMS.

        So nothing but one write stands between a new refresh token and its storing, and no refresh token counts as sent
        because KMS did not answer.
        """
        seal = self._sealer.ready(self.context("access"))
        if not credential.seed:
            return Attempt(connection, credential, seal)
        refresh = self.context("refresh")
        if credential.begins(seen):
            first = self._sealer.seal(connection.refresh_token, refresh)
            sending, token = Sending(credential.seed, once=True, first=first), connection.refresh_token
        else:
            sending, token = Sending(seen.chain, once=seen.rotates), self._sealer.open(seen.sealed_refresh, refresh)
        return Attempt(connection, credential, seal, sending, token, self._sealer.ready(refresh))

    def refresh(self, record: Record, attempt: Attempt) -> tuple[Record, bool]:
        """Asks, and stores what comes of it: the item as it is then, and whether our token is in it."""
        try:
            minted = mint(attempt.connection, self._web, attempt.refresh_token, self._settings.life)
        except SalesforceError as error:
            return self._failed(record, error, attempt), False
        told = json.dumps({"access_token": minted.access_token, "instance_url": minted.instance_url})
        rotated = minted.refresh_token is not None
        stored = Stored(
            attempt.seal(told),
            fingerprint(minted.access_token),
            minted.issued_at,
            minted.expires_at,
            attempt.seal_refresh(minted.refresh_token) if minted.refresh_token and attempt.seal_refresh else None,
        )
        kept, now = self._saved(record, stored, settles=attempt.sending is not None)
        if not kept:
            self._watch.fenced_off(record.fence)
            return now, False
        self._watch.refreshed(record.fence, rotated=rotated)
        return now, True

    def _saved(self, record: Record, stored: Stored, *, settles: bool) -> tuple[bool, Record]:
        """The write that must not be lost: tried until it is answered, or the lease is over."""
        while True:
            try:
                return self._store.save(record.fence, stored, settles=settles)
            except (BotoCoreError, ClientError):
                if time.time() > record.lease_until:
                    raise
                time.sleep(_AGAIN)

    def _failed(self, record: Record, error: SalesforceError, attempt: Attempt) -> Record:
        """Stores the failure: nobody tries again before its time, or before a person has done something."""
        sending = attempt.sending
        lost = isinstance(error, AnswerLostError)
        ended = isinstance(error, SignInError) and not lost and advice(error.code, error.reason).ends_token
        gone = sending is not None and (ended or (lost and sending.once))
        failure = _failure(record, error, attempt.credential, in_doubt=lost and gone, passes=lost and not gone)
        self._watch.failed(failure)
        if failure.code == IN_DOUBT:
            self._watch.in_doubt(failure)
        return self._store.fail(record.fence, failure, settles=sending is not None and not gone)


def _failure(
    record: Record, error: SalesforceError, credential: Credential, *, in_doubt: bool, passes: bool
) -> Failure:
    before = record.failure if record.failure and record.failure.credential == credential.id else None
    count = before.count + 1 if before else 1
    passes = passes or isinstance(error, SalesforceBusyError)
    first, longest = _PASSING if passes else _REFUSED
    return Failure(
        code=IN_DOUBT if in_doubt else error.code or "unreachable",
        said=str(error),
        passes=passes,
        retry_at=time.time() + min(first * 2 ** min(count - 1, 20), longest),
        count=count,
        credential=credential.id,
    )
