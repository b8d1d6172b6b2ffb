"""One user's token, refreshed: whatever goes wrong with it is the outcome of this user, and of no other.

The order is what makes it safe: the item says which refresh token will be sent, before it is sent; the secret has the
next one, before the item says that it is settled. Killed before the first step, nothing happened; between the last two,
the secret is right and the next run sees it. In between, nobody knows whether the token is spent: it is not sent again,
and a person is told.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.minting import Minted, mint, web
from forceglue.errors import AnswerLostError, SalesforceBusyError, SignInError
from forceglue.salesforce.addresses import refused_address
from forceglue.salesforce.oauth_errors import advice
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import fingerprint
from token_refresher.notify import Notices
from token_refresher.outcome import Outcome
from token_refresher.rate import Rate
from token_refresher.settings import RefresherSettings
from token_refresher.user_secrets import Secrets, Unusable, UserSecret
from token_refresher.users import User, Users

# the app, and so every user of it, is refused
_APP = frozenset(
    {"invalid_client_id", "invalid_client", "inactive_org", "unsupported_grant_type", "unauthorized_client"}
)
_OF_ONE_SECRET = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
_AGAIN = 0.5
_IN_DOUBT = (
    "the refresh token was sent, and the next one was not stored: it may be spent, and is not sent again. Let the user "
    "authorise the app again."
)


class Refreshing:
    """Refreshes users; threads share it.

    Args:
        connection: the app, with its token address.
    """

    def __init__(
        self, settings: RefresherSettings, users: Users, secrets: Secrets, notices: Notices, connection: Connection
    ) -> None:
        self._settings, self._users, self._secrets, self._notices = settings, users, secrets, notices
        self._connection = connection
        self._rate = Rate(settings.rate)
        self._web = web(settings.workers)

    def one(self, user: User, secret: UserSecret | Unusable) -> Outcome:
        """What became of a user; AWS that does not answer makes it one to be tried again."""
        try:
            return self._one(user, secret)
        except (BotoCoreError, ClientError) as error:
            return Outcome(user.id, "again", _code(error), f"AWS did not answer as it should ({_code(error)}).")

    def _one(self, user: User, secret: UserSecret | Unusable) -> Outcome:
        if isinstance(secret, Unusable):
            return Outcome(user.id, "again" if secret.passes else "failed", secret.code, secret.said)
        sent, now = fingerprint(secret.refresh_token), time.time()
        if secret.expires_at > now + self._settings.within:
            if user.expires_at < secret.expires_at:
                self._users.moved(user.id, sent, secret.expires_at, now)
            return Outcome(user.id, "skipped")
        if secret.token_url and (complaint := refused_address(secret.token_url)):
            return Outcome(user.id, "failed", "secret_unusable", f"secret {secret.name}: token_url {complaint}.")
        self._rate.wait()
        now = time.time()
        until = now + self._settings.lease
        taken, found = self._users.claim(user.id, uuid.uuid4().hex, sent, now, until)
        if taken and found is not None:
            return self._asked(found, secret, sent, until)
        return self._in_the_way(user.id, found, sent, now)

    def _in_the_way(self, user: str, found: User | None, sent: str, now: float) -> Outcome:
        """Somebody else refreshes the user, or has done so since the secret was read, or has marked or removed it.

        Or a refresh with this very token was begun, and never ended.
        """
        if found is None or found.status != "active" or found.leased(now):
            return Outcome(user, "skipped")
        begun = found.pending and found.sent == sent
        return self._doubtful(user, _IN_DOUBT) if begun else Outcome(user, "skipped")

    def _asked(self, user: User, secret: UserSecret, sent: str, until: float) -> Outcome:
        one = self._connection
        one = replace(one, token_url=secret.token_url or one.token_url, refresh_token=secret.refresh_token)
        try:
            minted = mint(one, self._web, secret.refresh_token, self._settings.life)
        except AnswerLostError as lost:
            if user.rotates:
                return self._doubtful(user.id, str(lost))
            self._users.release(user.id, sent)
            return Outcome(user.id, "again", "answer_lost", str(lost))
        except SalesforceBusyError as busy:
            self._users.release(user.id, sent)
            return Outcome(user.id, "again", busy.code or str(busy.status or "unreachable"), str(busy))
        except SignInError as refused:
            return self._refused(user, secret, sent, refused)
        return self._stored(user, secret, sent, minted, until)

    def _refused(self, user: User, secret: UserSecret, sent: str, refused: SignInError) -> Outcome:
        known = advice(refused.code, refused.reason)
        if known.inactive or known.ends_token:
            if self._users.mark(user.id, "revoked", refused.code):
                self._notices.tell(user.id, "revoked", refused.code, known.text)
            return Outcome(user.id, "revoked", refused.code, str(refused))
        self._users.release(user.id, sent)
        stops = refused.code in _APP and not secret.token_url
        return Outcome(user.id, "failed", refused.code or str(refused.status), str(refused), stops=stops)

    def _stored(self, user: User, secret: UserSecret, sent: str, minted: Minted, until: float) -> Outcome:
        changes: dict[str, Any] = {
            "access_token": minted.access_token,
            "instance_url": minted.instance_url,
            "issued_at": int(minted.issued_at),
            "expires_at": int(minted.expires_at),
        }
        if minted.refresh_token:
            changes["refresh_token"] = minted.refresh_token
        if (error := self._kept(secret, changes, until)) is not None:
            said = f"secret {secret.name} cannot be written ({error})"
            if not minted.refresh_token:
                self._users.release(user.id, sent)
                return Outcome(user.id, "again", error, said)
            # nobody else's token is spent where it is not this secret alone that cannot be written
            return replace(self._doubtful(user.id, f"{said}: {_IN_DOUBT}"), stops=error not in _OF_ONE_SECRET)
        self._users.settle(user.id, sent, minted.expires_at, rotates=minted.refresh_token is not None)
        return Outcome(user.id, "refreshed")

    def _kept(self, secret: UserSecret, changes: Mapping[str, Any], until: float) -> str | None:
        """Writes the secret, again and again until the lease is over: what is in `changes` is nowhere else."""
        while True:
            try:
                self._secrets.store(secret, changes)
            except (BotoCoreError, ClientError) as error:
                if time.time() + _AGAIN > until:
                    return _code(error)
                time.sleep(_AGAIN)
            else:
                return None

    def _doubtful(self, user: str, said: str) -> Outcome:
        if self._users.mark(user, "in_doubt", "refresh_token_in_doubt"):
            self._notices.tell(user, "in_doubt", "refresh_token_in_doubt", "let the user authorise the app again")
        return Outcome(user, "in_doubt", "refresh_token_in_doubt", said)


def _code(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__
