"""One API call: the token, the day's calls, errors as they are meant, and what passes tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from forceglue.errors import SalesforceBusyError, SalesforceError, SignInError
from forceglue.salesforce.budget import Budget
from forceglue.salesforce.retry import NETWORK, Pace, is_transient
from forceglue.salesforce.session import Web
from forceglue.salesforce.sign_in import SignIn

_RENEWALS = 2
"""New tokens in a row for one call; a third 401 means that the user may not use the API at all."""
_SAID = 300
_LIMITS = frozenset({"REQUEST_LIMIT_EXCEEDED", "EXCEEDEDQUOTA", "EXCEEDED_QUOTA", "LIMIT_EXCEEDED"})


@dataclass(frozen=True)
class Refusal:
    """What Salesforce says instead of an answer.

    Attributes:
        code: its own, such as `INVALID_FIELD`; empty where it gave none.
        message: its words, cut.
    """

    status: int
    code: str
    message: str


class Transport:
    """Calls to one org. Threads share it.

    Args:
        web: the connections.
        sign_in: where tokens come from.
        budget: the day's calls.
        pace: how often and how fast what passes is tried again.
    """

    def __init__(self, web: Web, sign_in: SignIn, budget: Budget, pace: Pace) -> None:
        self.web, self.sign_in, self.budget, self.pace = web, sign_in, budget, pace

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """The answer to a call; with `stream=True` its body is still to be read.

        Args:
            path: from the root of the org (`/services/data/…`), also as an answer of Salesforce gave it.
            more: `params`, `json`, `headers`, `stream` as `requests` takes them.

        Raises:
            SalesforceError: it is refused for good.
            SignInError: no token is valid for it.
            LimitReachedError: the day's calls are used up, or their share is.
            SalesforceBusyError: it failed in a way that passes, and each try again did.
        """
        attempts = self.pace.start()
        renewals = 0
        problem: SalesforceError
        while True:
            self.budget.check()
            token = self.sign_in.token()
            response = None
            try:
                response = self.web.send(method, token.instance_url + _own_path(path), token.access_token, **more)
            except NETWORK as error:
                problem = SalesforceBusyError(
                    f"{token.instance_url} does not answer ({type(error).__name__}): check the network, and run again."
                )
            else:
                self.budget.note(response.headers)
                if response.status_code < 300:
                    return response
                refusal = refusal_of(response)
                if response.status_code == 401:
                    renewals += 1
                    if renewals > _RENEWALS:
                        raise SignInError(
                            f"{method} {_bare(path)}: Salesforce refuses new tokens too ({refusal.code}: "
                            f"{refusal.message}). See that the user may use the API, and that the app has the scope "
                            "`api`.",
                            code=refusal.code,
                            status=401,
                            reason=refusal.message,
                        )
                    self.sign_in.renewed(token)
                    continue
                problem = self._problem(method, path, refusal)
            if not isinstance(problem, SalesforceBusyError) or not attempts.again(response):
                raise problem

    def _problem(self, method: str, path: str, refusal: Refusal) -> SalesforceError:
        code, said, status = refusal.code, refusal.message, refusal.status
        if is_transient(status, code, said):
            message = (
                f"{method} {_bare(path)}: Salesforce is busy (HTTP {status} {code}".rstrip() + "); run again later."
            )
            return SalesforceBusyError(message, code=code, status=status, reason=said)
        if is_limit(code):
            return self.budget.exhausted(code, said)
        told = f"{code}: {said}" if code else f"HTTP {status}"
        return SalesforceError(f"{method} {_bare(path)}: {told}", code=code or str(status), status=status, reason=said)


def is_limit(code: str) -> bool:
    """Whether a code says that an allowance of the day is used up."""
    return code.upper().replace(" ", "_") in _LIMITS


def refusal_of(response: requests.Response) -> Refusal:
    """Salesforce's list of errors (or its one error); a page that is neither has no code."""
    try:
        body = response.json()
    except (ValueError, requests.RequestException):
        body = None
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return Refusal(response.status_code, "", "")
    code = str(first.get("errorCode") or first.get("exceptionCode") or first.get("error") or "")
    said = str(first.get("message") or first.get("exceptionMessage") or first.get("error_description") or "")
    return Refusal(response.status_code, code, said[:_SAID])


def _own_path(path: str) -> str:
    """A path as it is; of a whole URL the path and query alone: a token goes to its own org only."""
    if path.startswith("/") and not path.startswith("//"):
        return path
    parts = urlsplit(path)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _bare(path: str) -> str:
    """The path without its query, for messages."""
    return urlsplit(path).path
