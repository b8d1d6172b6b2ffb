"""How many calls of the day are used, and which calls were made."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from forceglue.simulated.salesforce.errors import ApiError


@dataclass(frozen=True)
class Logged:
    """One call: no body, no query string, no secret."""

    method: str
    path: str
    status: int


class Usage:
    """The day's calls.

    Attributes:
        used: calls so far; set it to see a limit come near.
        limit: of the day.
        bursts: a second part of the header, such as `1/750`; empty for none.
    """

    def __init__(self, limit: int = 1_000_000) -> None:
        self.used, self.limit, self.bursts = 0, limit, ""
        self._guard = threading.Lock()
        self._log: list[Logged] = []

    def count(self) -> None:
        """One call more. Raises ApiError (403) when the limit was reached."""
        with self._guard:
            if self.used >= self.limit:
                raise ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
            self.used += 1

    @property
    def header(self) -> str:
        """`Sforce-Limit-Info`."""
        return f"api-usage={self.used}/{self.limit}" + (f"; api-bursts={self.bursts}" if self.bursts else "")

    def note(self, method: str, path: str, status: int) -> None:
        """Keeps a call in the log."""
        with self._guard:
            self._log.append(Logged(method, path, status))

    @property
    def log(self) -> tuple[Logged, ...]:
        """All calls so far, composite ones once."""
        with self._guard:
            return tuple(self._log)

    def forget(self) -> None:
        """Empties the log."""
        with self._guard:
            self._log.clear()

    def calls(self, part: str = "", method: str | None = None) -> int:
        """How many calls had `part` in their path."""
        return sum(part in entry.path and method in (None, entry.method) for entry in self.log)

    def statuses(self) -> Counter[int]:
        """How many calls ended with which status."""
        return Counter(entry.status for entry in self.log)
