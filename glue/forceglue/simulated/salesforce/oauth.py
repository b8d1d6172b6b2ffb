"""The token endpoint and its neighbours: all flows, and Salesforce's own refusals."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from forceglue.simulated.salesforce.access import Access, App, Session, User
from forceglue.simulated.salesforce.http import Answer, Call

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.org import Org

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_LIFE = timedelta(minutes=5)


class _Refused(Exception):
    """An OAuth error: its name, its description, its status."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        self.answer = Answer(status, {"error": error, "error_description": description})
        super().__init__(error)


class OAuth:
    """Tokens of one org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    @property
    def _access(self) -> Access:
        return self._org.access

    def token(self, call: Call) -> Answer:
        """`POST /services/oauth2/token`."""
        flows = {
            JWT_BEARER: self._jwt_bearer,
            "client_credentials": self._client_credentials,
            "refresh_token": self._refresh_token,
            "password": self._password,
        }
        form = _form(call)
        try:
            flow = flows.get(form.get("grant_type", ""))
            if flow is None:
                raise _Refused("unsupported_grant_type", "grant type not supported")
            return flow(call, form)
        except _Refused as refused:
            return refused.answer

    def _jwt_bearer(self, call: Call, form: dict[str, str]) -> Answer:
        """The assertion's own header and claims say which app and user; the app's key proves it."""
        import jwt

        assertion = form.get("assertion", "")
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise _Refused("invalid_grant", "invalid assertion") from None
        app = self._access.apps.get(str(claims.get("iss")))
        if app is None:
            raise _Refused("invalid_client_id", "client identifier invalid")
        try:
            jwt.decode(
                assertion,
                app.public_key or "",
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise _Refused("invalid_grant", "invalid assertion") from None
        audience = claims.get("aud")
        named = {str(one).rstrip("/") for one in (audience if isinstance(audience, list) else [audience])}
        if not named & {*self._access.audiences, call.base}:
            raise _Refused("invalid_grant", "audience is invalid")
        self._not_expired(claims)
        user = self._user(str(claims.get("sub", "")), "user hasn't approved this consumer")
        if app.approved is not None and user.username not in app.approved:
            raise _Refused("invalid_grant", "user hasn't approved this consumer")
        return self._signed_in(call, self._access.sign_in(user, app, shared=True))

    @staticmethod
    def _not_expired(claims: dict[str, Any]) -> None:
        """Assertions are signed now by whoever signs in, whatever time the org's clock was set to."""
        now = datetime.now(UTC)
        try:
            ends = datetime.fromtimestamp(float(claims["exp"]), UTC)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise _Refused("invalid_grant", "invalid assertion") from None
        if not now < ends <= now + _LONGEST_LIFE:
            raise _Refused("invalid_grant", "expired assertion" if ends <= now else "invalid assertion")

    def _client_credentials(self, call: Call, form: dict[str, str]) -> Answer:
        app = self._app(call, form)
        if app.run_as is None:
            raise _Refused("invalid_grant", "no client credentials user enabled")
        return self._signed_in(call, self._access.sign_in(self._user(app.run_as), app))

    def _refresh_token(self, call: Call, form: dict[str, str]) -> Answer:
        app = self._app(call, form, secret_may_lack=True)
        held = self._access.refreshes.get(form.get("refresh_token", ""))
        if held is not None and not held.user.active:
            raise _Refused("inactive_user", "user is inactive")
        found = self._access.refresh(form.get("refresh_token", ""), app)
        if found is None:
            raise _Refused("invalid_grant", "expired access/refresh token")
        session, token = found
        return self._signed_in(call, session, **({"refresh_token": token} if token else {}))

    def _password(self, call: Call, form: dict[str, str]) -> Answer:
        app = self._app(call, form)
        user = self._user(form.get("username", ""))
        if user.password is None or not hmac.compare_digest(user.password.encode(), form.get("password", "").encode()):
            raise _Refused("invalid_grant", "authentication failure")
        return self._signed_in(call, self._access.sign_in(user, app))

    def _app(self, call: Call, form: dict[str, str], *, secret_may_lack: bool = False) -> App:
        client_id, secret = _client(call, form)
        app = self._access.apps.get(client_id)
        if app is None:
            raise _Refused("invalid_client_id", "client identifier invalid")
        if secret_may_lack and secret is None:
            return app
        if not app.client_secret or not hmac.compare_digest(app.client_secret.encode(), (secret or "").encode()):
            raise _Refused("invalid_client", "invalid client credentials")
        return app

    def _user(self, username: str, unknown: str = "authentication failure") -> User:
        user = self._access.users.get(username.lower())
        if user is None:
            raise _Refused("invalid_grant", unknown)
        if not user.active:
            raise _Refused("inactive_user", "user is inactive")
        return user

    def _signed_in(self, call: Call, session: Session, **more: str) -> Answer:
        issued = str(int(session.issued.timestamp() * 1000))
        identity = f"{call.base}/id/{self._org.id}/{session.user.id}"
        secret = (session.app.client_secret if session.app else None) or ""
        signature = base64.b64encode(hmac.digest(secret.encode(), (identity + issued).encode(), "sha256")).decode()
        told = {
            "access_token": session.token,
            "scope": session.app.scope if session.app else "api",
            "instance_url": call.base,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
            "signature": signature,
            "api_instance_url": call.base,
        }
        return Answer(200, told | more, headers={"Cache-Control": "no-cache, no-store"})

    def revoke(self, call: Call) -> Answer:
        """`POST /services/oauth2/revoke`; a token that is not known, or no more, is refused."""
        token = _form(call).get("token") or call.query.get("token", "")
        if self._access.revoke(token):
            return Answer(200)
        return Answer(400, {"error": "unsupported_token_type", "error_description": "this token type is not supported"})

    def introspect(self, call: Call) -> Answer:
        """`POST /services/oauth2/introspect`, with the app's own id and secret."""
        form = _form(call)
        try:
            app = self._app(call, form)
        except _Refused as refused:
            return Answer(401, refused.answer.data)
        session = self._access.sessions.get(form.get("token", ""))
        if session is None or session.app is not app or not self._access.alive(session):
            return Answer(200, {"active": False})
        ends = self._access.ends(session)
        return Answer(
            200,
            {
                "active": True,
                "scope": app.scope,
                "client_id": app.client_id,
                "username": session.user.username,
                "sub": f"{call.base}/id/{self._org.id}/{session.user.id}",
                "token_type": "access_token",
                "exp": int(ends.timestamp()),
                "iat": int(session.issued.timestamp()),
                "nbf": int(session.issued.timestamp()),
            },
        )

    def userinfo(self, call: Call) -> Answer:
        """`GET /services/oauth2/userinfo`: who the token belongs to."""
        token = bearer(call)
        session = self._access.sessions.get(token or "")
        if session is None or not self._access.alive(session):
            return Answer(403, body=b"Bad_OAuth_Token", type="text/html;charset=UTF-8")
        user = session.user
        return Answer(
            200,
            {
                "sub": f"{call.base}/id/{self._org.id}/{user.id}",
                "user_id": user.id,
                "organization_id": self._org.id,
                "preferred_username": user.username,
                "nickname": user.username.partition("@")[0],
                "name": user.username.partition("@")[0],
                "email": user.username,
                "email_verified": True,
                "active": user.active,
                "urls": {
                    "rest": f"{call.base}/services/data/v{{version}}/",
                    "query": f"{call.base}/services/data/v{{version}}/query/",
                },
            },
        )


def bearer(call: Call) -> str | None:
    """The access token of a call: `Authorization: Bearer …`, or `OAuth …`."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else None


def _form(call: Call) -> dict[str, str]:
    return dict(call.query) | dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))


def _client(call: Call, form: dict[str, str]) -> tuple[str, str | None]:
    """The app's id and secret, from the form or from HTTP Basic."""
    if call.headers.get("authorization", "").lower().startswith("basic "):
        try:
            text = base64.b64decode(call.headers["authorization"][6:]).decode()
        except ValueError:
            return "", None
        name, _, secret = text.partition(":")
        return name, secret
    return form.get("client_id", ""), form.get("client_secret")
