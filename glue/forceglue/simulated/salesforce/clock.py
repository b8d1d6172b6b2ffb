"""The org's time: the real one, or one that is set."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the time now, in UTC."""


def real_clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class SetClock:
    """A clock that stands still until it is told to move, or to go on.

    Args:
        at: the time that it starts with, with its zone.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)
        self._going_since: float | None = None

    def __call__(self) -> datetime:
        gone = 0.0 if self._going_since is None else time.monotonic() - self._going_since
        return self.at + timedelta(seconds=gone)

    def go_on(self) -> None:
        """From now on time passes here as everywhere."""
        self._going_since = time.monotonic()

    def advance(self, by: timedelta) -> datetime:
        """Moves on, or back, and gives the new time."""
        self.at += by
        return self.at
