"""Who may use the org: users, connected apps, sessions and refresh tokens."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from forceglue.simulated.salesforce.clock import Clock
from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.ids import new_id


@dataclass
class User:
    """Somebody who signs in; the password includes the security token where one is needed."""

    username: str
    id: str
    password: str | None = field(default=None, repr=False)
    active: bool = True


@dataclass
class App:
    """A connected app or external client app.

    Attributes:
        public_key: PEM of the certificate or public key that its assertions are signed with.
        run_as: username for client credentials; None where nobody was chosen.
        approved: usernames that an administrator approved; None for all.
        rotates: whether each refresh gives a new refresh token and voids the old one.
        scope: what its tokens may do.
    """

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    public_key: str | None = None
    run_as: str | None = None
    approved: set[str] | None = None
    rotates: bool = True
    scope: str = "api refresh_token"


@dataclass
class Session:
    """An access token's session; its life is counted from its last use."""

    token: str = field(repr=False)
    user: User
    app: App | None
    issued: datetime
    used: datetime
    calls: int = 0
    ended: bool = False
    calls_left: int | None = None


@dataclass
class Refresh:
    """A refresh token and those that it followed."""

    token: str = field(repr=False)
    user: User
    app: App
    spent: set[str] = field(default_factory=set, repr=False)
    ended: bool = False


class Access:
    """The org's users, apps and sessions.

    Args:
        org_id: the org's id; tokens begin with its first 15 characters.

    Attributes:
        session_life: how long a session lives after its last use.
        same_session: whether JWT bearer gives a user and app the session that they have, as Salesforce mostly does.
        audiences: what `aud` of an assertion may say, besides the server's own address.
        calls_per_token: new sessions end after so many calls; None for no end (a fault that tests set).
    """

    def __init__(self, org_id: str, clock: Clock) -> None:
        self._org_id, self._clock = org_id, clock
        self._guard = threading.RLock()
        self.session_life = timedelta(hours=2)
        self.same_session = True
        self.audiences = {"https://login.salesforce.com", "https://test.salesforce.com"}
        self.calls_per_token: int | None = None
        self.users: dict[str, User] = {}
        self.apps: dict[str, App] = {}
        self.sessions: dict[str, Session] = {}
        self.refreshes: dict[str, Refresh] = {}
        self.administrator = self.add_user("integration@example.com")

    def add_user(self, username: str, password: str | None = None, *, user_id: str | None = None) -> User:
        """A new user."""
        made = User(username, user_id or new_id("005", len(self.users) + 1), password)
        self.users[username.lower()] = made
        return made

    def add_app(self, client_id: str, client_secret: str | None = None, **more: object) -> App:
        """A new app; `more` are attributes of `App`."""
        made = App(client_id, client_secret, **more)  # type: ignore[arg-type]
        self.apps[client_id] = made
        return made

    def _token(self) -> str:
        return f"{self._org_id[:15]}!AQ{secrets.token_urlsafe(72)}"

    def sign_in(self, user: User, app: App | None = None, *, shared: bool = False) -> Session:
        """A session of a user; with `shared` the one that is there, if it lives."""
        with self._guard:
            now = self._clock()
            if shared and self.same_session:
                for session in self.sessions.values():
                    if session.user is user and session.app is app and self.alive(session):
                        session.used = now
                        return session
            made = Session(self._token(), user, app, now, now, calls_left=self.calls_per_token)
            self.sessions[made.token] = made
            return made

    def alive(self, session: Session) -> bool:
        """Whether the session can be used."""
        spent = session.calls_left is not None and session.calls_left <= 0
        return not (session.ended or spent or self._clock() >= session.used + self.session_life)

    def ends(self, session: Session) -> datetime:
        """When the session ends if nobody uses it."""
        return session.used + self.session_life

    def use(self, token: str | None) -> Session:
        """The session of a call. Raises ApiError (401) when there is none, or none any more."""
        with self._guard:
            session = self.sessions.get(token or "")
            if session is None or not self.alive(session):
                raise ApiError("INVALID_SESSION_ID", "Session expired or invalid", status=401)
            session.used = self._clock()
            session.calls += 1
            if session.calls_left is not None:
                session.calls_left -= 1
            return session

    def end_sessions(self) -> None:
        """Every token that was given out is void from now on."""
        with self._guard:
            for session in self.sessions.values():
                session.ended = True

    # refresh tokens

    def grant_refresh(self, user: User, app: App) -> str:
        """A refresh token, as a person's sign-in in a browser would give."""
        with self._guard:
            made = Refresh(f"5Aep861{secrets.token_urlsafe(60)}", user, app)
            self.refreshes[made.token] = made
            return made.token

    def refresh(self, token: str, app: App) -> tuple[Session, str | None] | None:
        """A new session, and a new refresh token where the app rotates them; None for a token that is no good.

        A token that was replaced already gives everything away: its successors and all sessions of the user end.
        """
        with self._guard:
            found = self.refreshes.get(token)
            if found is None or found.app is not app or found.ended:
                return None
            if token in found.spent:
                self._end(found)
                return None
            session = self.sign_in(found.user, app)
            if not app.rotates:
                return session, None
            found.spent.add(token)
            found.token = f"5Aep861{secrets.token_urlsafe(60)}"
            self.refreshes[found.token] = found
            return session, found.token

    def _end(self, refresh: Refresh) -> None:
        refresh.ended = True
        for session in self.sessions.values():
            if session.user is refresh.user and session.app is refresh.app:
                session.ended = True

    def revoke(self, token: str) -> bool:
        """Ends a session, or a refresh token with all its sessions; False for an unknown token."""
        with self._guard:
            if (session := self.sessions.get(token)) and not session.ended:
                session.ended = True
                return True
            if (refresh := self.refreshes.get(token)) and not refresh.ended:
                self._end(refresh)
                return True
            return False
