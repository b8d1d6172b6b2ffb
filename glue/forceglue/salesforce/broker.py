"""A token from a token broker: it holds the credentials, and refreshes once for all who ask."""

from __future__ import annotations

import requests

from forceglue.errors import SalesforceBusyError, SignInError
from forceglue.salesforce.broker_auth import authorizer
from forceglue.salesforce.flows import token_of
from forceglue.salesforce.retry import NETWORK, Pace
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import Fetch, Token

_SAID = 300
_WHO = {
    "iam": "the AWS credentials need execute-api:Invoke on it, and its region must be theirs",
    "cognito": "SF_CLIENT_ID must be a client of the user pool that the broker trusts, with its scope",
    "none": "set SF_BROKER_AUTH to what it asks for (iam, cognito)",
}


def from_broker(connection: Connection, web: Web, pace: Pace) -> Fetch:
    """Asks the broker; after a 401 it is told the hash of the stale token, so that it refreshes only that one.

    What passes is tried again: an answer with `Retry-After`, a gateway's own 429 and 5xx, the network. What the broker
    itself refuses for good (an `error` without `Retry-After`) is not.
    """
    url, auth = connection.token_url, authorizer(connection, web)

    def fetch(stale: Token | None) -> Token:
        attempts = pace.start()
        while True:
            response = None
            try:
                response = web.send("GET", url, params={"stale": stale.hash} if stale else None, auth=auth)
            except NETWORK as error:
                problem: SignInError | SalesforceBusyError = SalesforceBusyError(
                    f"the token broker {url} cannot be reached ({type(error).__name__}): check SF_BROKER_URL, and "
                    "run again."
                )
            else:
                if response.status_code == 200:
                    return token_of(_json(response), url)
                problem = _refused(connection, response)
            if not isinstance(problem, SalesforceBusyError) or not attempts.again(response):
                raise problem

    return fetch


def _json(response: requests.Response) -> dict[str, object]:
    try:
        body = response.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def _refused(connection: Connection, response: requests.Response) -> SignInError | SalesforceBusyError:
    url, status, body = connection.token_url, response.status_code, _json(response)
    code, said = str(body.get("error", "")), str(body.get("error_description", ""))[:_SAID]
    told = f"HTTP {status} {code}".rstrip() + (f" ({said})" if said else "")
    passes = status == 429 or status >= 500
    if passes and (not code or "Retry-After" in response.headers):
        return SalesforceBusyError(
            f"the token broker {url} is busy: {told}; run again later.", code=code, status=status, reason=said
        )
    advice = _WHO[connection.broker_auth] if status in (401, 403) and not code else "see its own log"
    return SignInError(
        f"the token broker {url} gives no token: {told}; {advice}.", code=code, status=status, reason=said
    )
