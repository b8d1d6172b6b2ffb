"""What proves to a token broker who asks: a signature by AWS credentials (IAM), or a token of a Cognito user pool."""

from __future__ import annotations

import threading
import time
from typing import Any

import requests
from requests.auth import AuthBase

from forceglue.errors import SalesforceBusyError, SignInError
from forceglue.salesforce.addresses import gateway_region
from forceglue.salesforce.retry import NETWORK
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection

_SERVICE = "execute-api"
_EARLY = 60.0
"""Seconds before its end in which a token is no longer used."""


def authorizer(connection: Connection, web: Web) -> AuthBase | None:
    """What each request to the broker carries; None where it asks for nothing.

    Raises:
        SignInError: there are no AWS credentials, or no region.
    """
    if connection.broker_auth == "iam":
        return SignedByAws(connection.token_url)
    return FromCognito(connection, web) if connection.broker_auth == "cognito" else None


class SignedByAws(AuthBase):
    """Signature Version 4 by the credentials that the AWS SDK finds (a role's are renewed by it)."""

    def __init__(self, url: str) -> None:
        from botocore.session import Session

        session = Session()
        self._credentials = session.get_credentials()
        self._region = gateway_region(url) or session.get_config_variable("region")
        if self._credentials is None or not self._region:
            lacks = "AWS credentials" if self._credentials is None else "an AWS region (AWS_REGION)"
            raise SignInError(f"the token broker {url} is asked with a signature by IAM, and there are no {lacks}.")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        signed = AWSRequest(request.method, request.url, data=request.body)
        SigV4Auth(self._credentials.get_frozen_credentials(), _SERVICE, self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


class FromCognito(AuthBase):
    """An access token by client credentials, kept until shortly before its end; threads share it."""

    def __init__(self, connection: Connection, web: Web) -> None:
        self._connection, self._web = connection, web
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        with self._lock:
            if time.monotonic() >= self._until:
                self._ask()
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _ask(self) -> None:
        one, url = self._connection, self._connection.auth_url
        client = requests.auth.HTTPBasicAuth(one.client_id, one.client_secret)
        try:
            answer = self._web.send("POST", url, data={"grant_type": "client_credentials"}, auth=client)
        except NETWORK as error:
            raise SalesforceBusyError(
                f"{url} cannot be reached ({type(error).__name__}): check SF_BROKER_AUTH_URL and the network, and run "
                "again."
            ) from None
        body = _object(answer)
        token = body.get("access_token")
        if answer.status_code == 429 or answer.status_code >= 500:
            raise SalesforceBusyError(f"{url} is busy (HTTP {answer.status_code}); run again later.")
        if answer.status_code != 200 or not isinstance(token, str):
            raise SignInError(
                f"{url} gives no token for the broker: HTTP {answer.status_code} {body.get('error', '')}".rstrip()
                + "; check SF_BROKER_AUTH_URL, SF_CLIENT_ID and SF_CLIENT_SECRET, and that the client may use the "
                "client credentials grant.",
                status=answer.status_code,
            )
        self._token = token
        self._until = time.monotonic() + float(body.get("expires_in") or 0) - _EARLY


def _object(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}
