"""How often and after what wait a call is tried again: urllib3's `Retry`, driven by hand.

By hand, because only the body of an answer tells whether it passes (`REQUEST_LIMIT_EXCEEDED` is a 403 either way), and
because a page that is cut in its middle must be asked for again as a whole.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError
from urllib3.util import Retry

TRANSIENT_STATUS = frozenset({408, 420, 429, 502, 503, 504})
# HTTP 500 with one of these, or with no code at all (a proxy's page), passes; any other 500 does not
TRANSIENT_CODES = frozenset({"SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION", "INTERNAL_ERROR", "UNABLE_TO_LOCK_ROW"})

NETWORK = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


@dataclass(frozen=True)
class Pace:
    """Tries and waits.

    Attributes:
        tries: after the first one.
        factor: seconds before the second of them; each wait is twice the one before.
        jitter: up to so many seconds more, by chance, so that many processes do not come back at once.
        most: the longest wait in seconds; also of a `Retry-After`.
    """

    tries: int = 7
    factor: float = 0.5
    jitter: float = 1.0
    most: float = 120.0
    sleep: Callable[[float], None] = time.sleep

    def start(self) -> Attempts:
        return Attempts(self)


class Attempts:
    """The tries of one call."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._retry = Retry(
            total=pace.tries, backoff_factor=pace.factor, backoff_jitter=pace.jitter, backoff_max=pace.most
        )

    def again(self, response: requests.Response | None = None) -> bool:
        """Waits and says True; False when there were enough tries. A `Retry-After` of the answer is honoured."""
        try:
            self._retry = self._retry.increment()
        except MaxRetryError:
            return False
        said = self._retry.get_retry_after(response.raw) if response is not None else None
        # urllib3 goes on at once the first time: a moment by chance, so that threads do not come back together
        wait = self._retry.get_backoff_time() or random.uniform(0, self._pace.factor)
        self._pace.sleep(wait if said is None else min(max(said, 0.0), self._pace.most))
        return True


def is_transient(status: int, code: str, message: str) -> bool:
    """Whether an answer passes by itself."""
    if code == "REQUEST_LIMIT_EXCEEDED":  # the day's calls do not pass; too many at one moment do
        return "concurrent" in message.lower()
    if status == 500:
        return code in TRANSIENT_CODES or not code
    return status in TRANSIENT_STATUS or code in ("UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE")


def may_be_done(status: int, code: str) -> bool:
    """Whether a call that failed may have done its work: what failed was the way back."""
    return status in (502, 504) or (status >= 500 and not code)


def never_connected(error: Exception) -> bool:
    """Whether a network error came before anything was sent."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)
