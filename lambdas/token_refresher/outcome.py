"""What became of users: one by one, and counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["refreshed", "skipped", "failed", "again", "revoked", "in_doubt"]
SHOWN = 100
"""Errors that are listed; all are counted."""
_ENOUGH = 20


@dataclass(frozen=True)
class Outcome:
    """One user.

    Attributes:
        kind: `again`: it failed in a way that passes; `failed`: a person has to mend something, and the next run
            tries again; `revoked`, `in_doubt`: the user is marked.
        error, message: the code, and what to do; no secret is in them.
        stops: the app itself is refused, so every other user would be too.
    """

    user: str
    kind: Kind
    error: str = ""
    message: str = ""
    stops: bool = False


@dataclass
class Statistics:
    """All users of a run; `users_queried` is the sum of refreshed, skipped and failures."""

    counts: Counter[str] = field(default_factory=Counter)
    errors: list[dict[str, str]] = field(default_factory=list)
    left: int = 0

    def add(self, outcome: Outcome) -> None:
        """Counts a user."""
        self.counts[outcome.kind] += 1
        if outcome.error and len(self.errors) < SHOWN:
            told = {
                "user_id": outcome.user,
                "outcome": outcome.kind,
                "error": outcome.error,
                "message": outcome.message,
            }
            self.errors.append(told)

    @property
    def failures(self) -> int:
        return sum(self.counts[kind] for kind in ("failed", "again", "revoked", "in_doubt"))

    @property
    def percent(self) -> float:
        """Failures in a hundred users; 0 where there are too few to say."""
        queried = self.counts.total()
        return 100 * self.failures / queried if queried >= _ENOUGH else 0.0

    def told(self) -> dict[str, Any]:
        """As the answer has it."""
        return {
            "users_queried": self.counts.total(),
            "tokens_refreshed": self.counts["refreshed"],
            "tokens_skipped": self.counts["skipped"],
            "failures": self.failures,
            "to_be_tried_again": self.counts["again"],
            "users_revoked": self.counts["revoked"],
            "users_in_doubt": self.counts["in_doubt"],
            "users_left": self.left,
            "errors": list(self.errors),
        }
