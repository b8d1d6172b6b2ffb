"""A token from a token broker: it holds the credentials, and refreshes once for all who ask."""

from __future__ import annotations

import requests

from forceglue.errors import SalesforceBusyError, SignInError
from forceglue.salesforce.flows import token_of
from forceglue.salesforce.retry import NETWORK, Pace
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import Fetch, Token


def from_broker(connection: Connection, web: Web, pace: Pace) -> Fetch:
    """Asks the broker; after a 401 it is told the hash of the stale token, so that it refreshes only that one."""
    url = connection.token_url

    def fetch(stale: Token | None) -> Token:
        attempts = pace.start()
        while True:
            response = None
            try:
                response = web.send("GET", url, params={"stale": stale.hash} if stale else None)
            except NETWORK as error:
                problem: SignInError | SalesforceBusyError = SalesforceBusyError(
                    f"the token broker {url} cannot be reached ({type(error).__name__}): check SF_BROKER_URL, and "
                    "run again."
                )
            else:
                if response.status_code == 200:
                    return token_of(_json(response), url)
                problem = _refused(url, response)
            if not isinstance(problem, SalesforceBusyError) or not attempts.again(response):
                raise problem

    return fetch


def _json(response: requests.Response) -> dict[str, object]:
    try:
        body = response.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def _refused(url: str, response: requests.Response) -> SignInError | SalesforceBusyError:
    status = response.status_code
    if status == 429 or status >= 500:
        return SalesforceBusyError(f"the token broker {url} is busy (HTTP {status}); run again later.", status=status)
    code = str(_json(response).get("error", ""))
    return SignInError(
        f"the token broker {url} gives no token: HTTP {status} {code}".rstrip() + "; see its own log.",
        code=code,
        status=status,
    )
