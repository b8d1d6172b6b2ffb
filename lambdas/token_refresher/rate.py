"""No more than so many a second, over all threads."""

from __future__ import annotations

import threading
import time


class Rate:
    """Turns are given out evenly: whoever comes early waits for its own.

    Args:
        per_second: turns.
    """

    def __init__(self, per_second: float) -> None:
        self._gap, self._next = 1 / per_second, 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Returns when it is one's turn."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._gap
        time.sleep(max(0.0, turn - time.monotonic()))
