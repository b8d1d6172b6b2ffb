"""The HTTP side that all calls share: one pool of connections, no cookies, no .netrc, no redirects."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

CONNECT_TIMEOUT, READ_TIMEOUT = 20.0, 300.0


class Bearer(AuthBase):
    """The token of a call. An `auth` of its own keeps `requests` from looking for another one in `.netrc`."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Web:
    """A pool of connections that threads may share.

    Args:
        connections: at once to one address.
        timeout, connect: seconds without a byte, and until there is a connection.
    """

    def __init__(self, connections: int = 16, timeout: float = READ_TIMEOUT, connect: float = CONNECT_TIMEOUT) -> None:
        self._timeout = (connect, timeout)
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers["User-Agent"] = "forceglue"

    def send(
        self, method: str, url: str, token: str | None = None, *, auth: AuthBase | None = None, **more: Any
    ) -> requests.Response:
        """One request; nothing is tried again. A redirect is an answer like any other.

        Args:
            auth: what proves who asks, where that is not a bearer token.
        """
        return self._session.request(
            method, url, auth=auth or Bearer(token), timeout=self._timeout, allow_redirects=False, **more
        )

    def close(self) -> None:
        self._session.close()
