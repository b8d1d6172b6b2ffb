"""The token requests: JWT bearer, client credentials, refresh token, user name and password."""

from __future__ import annotations

import time
from typing import Any

import requests

from forceglue.errors import AnswerLostError, SalesforceBusyError, SignInError
from forceglue.salesforce.addresses import refused_address
from forceglue.salesforce.oauth_errors import advice
from forceglue.salesforce.retry import NETWORK, Pace, never_connected
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import Token

JWT_SECONDS = 180
"""How long an assertion is valid: Salesforce takes no more than three minutes."""
_SAID = 300


def ask(connection: Connection, web: Web, pace: Pace) -> Token:
    """A token by the connection's flow.

    Raises:
        SignInError: Salesforce refuses.
        SalesforceBusyError: the address did not answer.
    """
    return token_of(answer(connection, web, pace), connection.token_url)


def answer(connection: Connection, web: Web, pace: Pace, refresh_token: str = "") -> dict[str, Any]:
    """The token address's answer; asked again only where that can help (rate, 5xx, network, a refresh at once).

    A refresh token is sent again only where it was not taken: no connection, or an answer that says so (429, 503).

    Raises:
        AnswerLostError: a refresh token was sent, and it is not known whether it is spent.
        SignInError, SalesforceBusyError: as `ask`.
    """
    attempts = pace.start()
    problem: SignInError | SalesforceBusyError
    while True:
        response = None
        try:
            # the form is made anew each time: an assertion grows old while one waits
            response = web.send("POST", connection.token_url, data=_form(connection, refresh_token))
        except NETWORK as error:
            problem = _unreachable(connection, error)
        else:
            if response.status_code == 200:
                return _body(response)
            problem = _refused(connection, response)
        if not isinstance(problem, SalesforceBusyError) or not attempts.again(response):
            raise problem


def token_of(body: dict[str, Any], asked: str) -> Token:
    """The token in an answer; `SignInError` where it is none."""
    token, instance = body.get("access_token"), body.get("instance_url")
    if not isinstance(token, str) or not token or not isinstance(instance, str):
        raise SignInError(f"{asked} answered without access_token and instance_url: is it a token address?")
    if complaint := refused_address(instance):
        raise SignInError(f"{asked} gives an instance_url that {complaint}; no token is sent there")
    return Token(token, instance.rstrip("/"))


def _form(connection: Connection, refresh_token: str) -> dict[str, str]:
    if connection.flow == "jwt":
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": _assertion(connection)}
    client = {"client_id": connection.client_id}
    if connection.client_secret:
        client["client_secret"] = connection.client_secret
    if connection.flow == "refresh":
        return {"grant_type": "refresh_token", "refresh_token": refresh_token, **client}
    if connection.flow == "password":
        return {
            "grant_type": "password",
            "username": connection.username,
            "password": connection.password,
            **client,
        }
    return {"grant_type": "client_credentials", **client}


def _assertion(connection: Connection) -> str:
    import jwt

    claims = {
        "iss": connection.client_id,
        "sub": connection.username,
        "aud": connection.audience,
        "exp": int(time.time()) + JWT_SECONDS,
    }
    try:
        return jwt.encode(claims, connection.private_key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise SignInError(
            "the private key cannot be used: it must be an RSA key in PEM form without a passphrase."
        ) from None


def _body(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def _unreachable(connection: Connection, error: Exception) -> SignInError | SalesforceBusyError:
    url = connection.token_url
    if connection.flow == "refresh" and not never_connected(error):
        return _lost(url, f"its answer was lost ({type(error).__name__})")
    return SalesforceBusyError(
        f"{url} cannot be reached ({type(error).__name__}): check SF_TOKEN_URL and the network, and run again."
    )


def _refused(connection: Connection, response: requests.Response) -> SignInError | SalesforceBusyError:
    url, status = connection.token_url, response.status_code
    body = _body(response)
    code, said = str(body.get("error", "")), _hidden(connection, str(body.get("error_description", "")))
    if connection.flow == "refresh" and status >= 500 and status != 503:
        return _lost(url, f"it answered HTTP {status}", status)
    if status == 429 or (status >= 500 and not code):
        return SalesforceBusyError(f"{url} is busy (HTTP {status}); run again later.", code=code, status=status)
    if 300 <= status < 400:
        return SignInError(f"{url} sends elsewhere (HTTP {status}): give the final address as SF_TOKEN_URL.")
    if not code:
        return SignInError(f"{url} answers HTTP {status} and is no token address: check SF_TOKEN_URL.", status=status)
    known = advice(code, said)
    if known.concurrent and connection.flow == "refresh":
        return _lost(url, "it says that another process refreshes at this moment", status)
    message = f"no token from {url}: {code}" + (f" ({said})" if said else "") + f"; {known.text}."
    kind = SalesforceBusyError if known.passes or status >= 500 else SignInError
    return kind(message, code=code, status=status, reason=said)


def _lost(url: str, what: str, status: int = 0) -> AnswerLostError:
    # a second use of a token that was spent takes every token of the app back: a person must look
    return AnswerLostError(
        f"{url} took the refresh token, and {what}: it may be spent, and is not sent again. Authorise the app again "
        "and give the new one as SF_REFRESH_TOKEN.",
        status=status,
    )


def _hidden(connection: Connection, text: str) -> str:
    """Salesforce's own words without any secret that they may repeat."""
    for secret in connection.secrets:
        text = text.replace(secret, "…")
    return text[:_SAID]
