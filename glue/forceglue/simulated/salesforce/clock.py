"""The org's time: the real one, or one that a test sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the time now, in UTC."""


def real_clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class SetClock:
    """A clock that stands still until it is told to move.

    Args:
        at: the time that it starts with, with its zone.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> datetime:
        """Moves on, or back, and gives the new time."""
        self.at += by
        return self.at
