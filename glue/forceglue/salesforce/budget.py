"""The day's API calls: how many are used, and up to which share of them we go."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from forceglue.errors import LimitReachedError

HEADER = "Sforce-Limit-Info"
_USAGE = re.compile(r"\bapi-usage=(\d+)/(\d+)")  # further parts may follow: `; api-bursts=1/750`


class Tally:
    """Calls of one piece of work, whichever threads make them."""

    def __init__(self) -> None:
        self.calls = 0


_TALLY: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextmanager
def tallied() -> Iterator[Tally]:
    """Counts the calls that are made in the block, and in threads that run in a copy of its context."""
    tally = Tally()
    token = _TALLY.set(tally)
    try:
        yield tally
    finally:
        _TALLY.reset(token)


class Budget:
    """Reads `Sforce-Limit-Info` of every answer and says when to stop. Threads share it.

    Args:
        share: of the calls of 24 hours, everybody's together; above it no further call is made.

    Attributes:
        used, allowed: as Salesforce said last; None before the first answer.
        calls: that were made through this budget.
    """

    def __init__(self, share: float = 0.8) -> None:
        self.share = share
        self.used: int | None = None
        self.allowed: int | None = None
        self.calls = 0
        self._lock = threading.Lock()

    def note(self, headers: Mapping[str, str]) -> None:
        """Takes note of an answer."""
        found = _USAGE.search(headers.get(HEADER, ""))
        tally = _TALLY.get()
        with self._lock:
            self.calls += 1
            if tally is not None:
                tally.calls += 1
            if found:
                self.used, self.allowed = int(found[1]), int(found[2])

    def check(self) -> None:
        """Stops before a call that the share no longer covers.

        Raises:
            LimitReachedError: the share is reached.
        """
        used, allowed = self.used, self.allowed
        if used is not None and allowed and used >= self.share * allowed:
            raise LimitReachedError(
                f"{used:,} of the org's {allowed:,} API calls of 24 hours are used, and no more than "
                f"{self.share:.0%} of them are to be. Start again later: reading rows and Ids goes on where it was. Or "
                "give a greater --budget.",
                used=used,
                allowed=allowed,
            )

    def exhausted(self, code: str, said: str) -> LimitReachedError:
        """The error for an answer that says that the day's calls are used up."""
        known = f" ({self.used:,} of {self.allowed:,})" if self.used is not None and self.allowed else ""
        return LimitReachedError(
            f"Salesforce takes no more calls today{known}: {code}, {said}. Start again later: "
            "reading rows and Ids goes on where it was.",
            code=code,
            used=self.used,
            allowed=self.allowed,
        )
