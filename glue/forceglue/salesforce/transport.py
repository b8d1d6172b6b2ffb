"""One API call: the token, the day's calls, errors as they are meant, and what passes tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from forceglue.errors import OutcomeUnknownError, SalesforceBusyError, SalesforceError, SignInError
from forceglue.salesforce.budget import Budget
from forceglue.salesforce.retry import NETWORK, Pace, is_transient, may_be_done, never_connected
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
        message: its words, cut; of several errors those of all.
        fields: the fields that it names.
    """

    status: int
    code: str
    message: str
    fields: tuple[str, ...] = ()


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

    def call(self, method: str, path: str, *, repeats: bool = True, **more: Any) -> requests.Response:
        """The answer to a call; with `stream=True` its body is still to be read.

        Args:
            path: from the root of the org (`/services/data/…`), also as an answer of Salesforce gave it.
            repeats: the call may be made twice with no harm; else it is not tried again once it may have been done.
            more: `params`, `json`, `headers`, `stream` as `requests` takes them.

        Raises:
            SalesforceError: it is refused for good.
            SignInError: no token is valid for it.
            LimitReachedError: the day's calls are used up, or their share is.
            SalesforceBusyError: it failed in a way that passes, and each try again did.
            OutcomeUnknownError: its answer was lost, and it does not repeat.
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
                if not repeats and not never_connected(error):
                    raise _unknown(method, path, type(error).__name__) from None
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
                if not repeats and may_be_done(refusal.status, refusal.code):
                    raise _unknown(method, path, f"HTTP {refusal.status}")
                problem = self.problem(method, path, refusal)
            if not isinstance(problem, SalesforceBusyError) or not attempts.again(response):
                raise problem

    def problem(self, method: str, path: str, refusal: Refusal) -> SalesforceError:
        """What a refusal means: of a call, or of a part of one."""
        code, said, status = refusal.code, refusal.message, refusal.status
        if is_transient(status, code, said):
            message = (
                f"{method} {_bare(path)}: Salesforce is busy (HTTP {status} {code}".rstrip() + "); run again later."
            )
            return SalesforceBusyError(message, code=code, status=status, reason=said)
        if is_limit(code):
            return self.budget.exhausted(code, said)
        told = f"{code}: {said}" if code else f"HTTP {status}"
        return SalesforceError(
            f"{method} {_bare(path)}: {told}",
            code=code or str(status),
            status=status,
            reason=said,
            fields=refusal.fields,
        )


def _unknown(method: str, path: str, why: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"{method} {_bare(path)}: the answer was lost ({why}), and the change may have been made; look before you make "
        "it again."
    )


def is_limit(code: str) -> bool:
    """Whether a code says that an allowance of the day is used up."""
    return code.upper().replace(" ", "_") in _LIMITS


def refusal_of(response: requests.Response) -> Refusal:
    """Salesforce's list of errors (or its one error); a page that is neither has no code."""
    try:
        body = response.json()
    except (ValueError, requests.RequestException):
        body = None
    return refusal_in(response.status_code, body)


def refusal_in(status: int, body: Any) -> Refusal:
    """The same of a body that is a part of another one."""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return Refusal(status, "", "")
    told = [one for one in (body if isinstance(body, list) else [body]) if isinstance(one, dict)]
    code = str(first.get("errorCode") or first.get("exceptionCode") or first.get("error") or "")
    said = "; ".join(
        str(one.get("message") or one.get("exceptionMessage") or one.get("error_description") or "") for one in told
    )
    fields = tuple(str(name) for one in told for name in one.get("fields") or ())
    return Refusal(status, code, said[:_SAID], fields)


def _own_path(path: str) -> str:
    """A path as it is; of a whole URL the path and query alone: a token goes to its own org only."""
    if path.startswith("/") and not path.startswith("//"):
        return path
    parts = urlsplit(path)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _bare(path: str) -> str:
    """The path without its query, for messages."""
    return urlsplit(path).path
