"""The one token of an app: from memory, from the table, or refreshed by one instance for all."""

from __future__ import annotations

import json
import math
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from common.minting import CONNECT, READ
from common.sealed import Sealer
from forceglue.salesforce.settings import Connection
from token_broker.decision import IN_DOUBT, Credential, Refresh, Refuse, Serve, Wait, credential_of, decide
from token_broker.holder import Holder
from token_broker.record import SKEW, Failure, Record
from token_broker.settings import BrokerSettings
from token_broker.store import TokenStore
from token_broker.watch import Watch

_POLL, _SLOWEST = 0.2, 1.5
_LONGEST = CONNECT + READ + 1.0
"""Seconds that a refresh may take: one that is cut off in its middle may cost a refresh token."""


class NoToken(Exception):
    """A caller gets no token.

    Attributes:
        failure: why, and what a person does about it.
        retry_after: seconds after which to ask again; None where that would not help.
    """

    def __init__(self, failure: Failure, retry_after: float | None) -> None:
        self.failure, self.retry_after = failure, retry_after
        super().__init__(failure.said)


@dataclass(frozen=True)
class Given:
    """A token for a caller; `expires_at` is when it is no longer given out."""

    access_token: str = field(repr=False)
    instance_url: str
    hash: str
    expires_at: float


@dataclass(frozen=True)
class Limits:
    """Until when a caller waits, and until when a refresh may still be begun; by `time.monotonic`."""

    wait: float
    begin: float


class Broker:
    """Gives tokens; threads may share it.

    Args:
        settings: whose token, and times.
        store: the item.
        sealer: opens and seals what is in it.
        connect: gives the way to the org; asked for before a refresh, so that a mended secret is seen.
        watch: is told what happens.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        store: TokenStore,
        sealer: Sealer,
        connect: Callable[[], Connection],
        watch: Watch,
    ) -> None:
        self._settings, self._store, self._sealer, self._connect, self._watch = settings, store, sealer, connect, watch
        self._holder = Holder(settings, store, sealer, watch)
        self._held: Given | None = None
        self._held_until = 0.0
        self._alone = threading.Lock()

    @property
    def patience(self) -> float:
        """Seconds that a caller waits for the refresh of another."""
        return self._settings.patience

    def token(self, stale: str = "", patience: float | None = None, left: float = math.inf) -> Given:
        """The token.

        Args:
            stale: the hash of a token that Salesforce refused to the caller; another one is given.
            patience: seconds to wait for the refresh of another; the settings' unless given.
            left: seconds that the function has; no refresh is begun that it could be ended in.

        Raises:
            NoToken: there is none.
        """
        if (held := self._remembered(stale)) is not None:
            return held
        now = time.monotonic()
        limits = Limits(now + (self._settings.patience if patience is None else patience), now + left - _LONGEST)
        with self._alone:
            return self._remembered(stale) or self._looked_up(stale, limits)

    def _remembered(self, stale: str) -> Given | None:
        held = self._held
        return held if held is not None and held.hash != stale and time.time() < self._held_until else None

    def _looked_up(self, stale: str, limits: Limits) -> Given:
        record = self._store.read()
        if record.usable(now := time.time(), stale) and record.fresh(now):
            return self._kept(record)
        return self._sought(record, stale, limits)

    def _sought(self, record: Record, stale: str, limits: Limits) -> Given:
        """What the item comes to in the end: its token, ours, or none."""
        connection = self._connect()
        credential = credential_of(connection)
        looks = 0
        while True:
            match decide(record, time.time(), stale, credential, self._settings.young):
                case Serve(although):
                    self._tell(although)
                    return self._kept(record)
                case Refresh():
                    if time.monotonic() > limits.begin:
                        raise NoToken(_busy(credential), 1.0)
                    record, ours = self._refreshed(record, connection, credential)
                    if ours:
                        return self._kept(record)
                case Refuse(failure):
                    self._tell(failure)
                    self._watch.refused(failure)
                    raise NoToken(failure, None)
                case Wait(seconds, because):
                    _wait(seconds, looks, limits.wait, because or _busy(credential))
                    looks += 1
                    record = self._store.read()

    def _tell(self, failure: Failure | None) -> None:
        if failure is not None and failure.code == IN_DOUBT:
            self._watch.in_doubt(failure)

    def _refreshed(self, seen: Record, connection: Connection, credential: Credential) -> tuple[Record, bool]:
        """The item after this instance tried to refresh it, and whether it did."""
        attempt = self._holder.attempt(seen, connection, credential)
        owner, now = uuid.uuid4().hex, time.time()
        record = self._store.take(seen, owner, now, now + self._settings.lease, attempt.sending)
        return self._holder.refresh(record, attempt) if record.owner == owner else (record, False)

    def _kept(self, record: Record) -> Given:
        """The item's token, opened, and remembered for a while."""
        told = json.loads(self._sealer.open(record.sealed, self._holder.context("access")))
        given = Given(told["access_token"], told["instance_url"], record.hash, record.expires_at - SKEW)
        self._held_until = min(time.time() + self._settings.memory, given.expires_at)
        self._held = given
        return given


def _wait(seconds: float | None, looks: int, until: float, because: Failure) -> None:
    """Waits so long; with None ever longer, and by chance, so that those who wait do not come all at once."""
    pause = random.uniform(0.5, 1) * min(_POLL * 1.3**looks, _SLOWEST) if seconds is None else seconds
    if time.monotonic() + pause > until:
        raise NoToken(because, max(1.0, pause))
    time.sleep(pause)


def _busy(credential: Credential) -> Failure:
    said = "another caller refreshes the token at this moment, and it takes longer than usual; ask again."
    return Failure("refresh_under_way", said, passes=True, retry_at=0.0, count=1, credential=credential.id)
