"""A run in a process of its own that ends at a chosen place, as if the machine had gone.

Run as a program with the place (`asking`, `answered`, `stored`, or nothing) and how many users it lets pass before.
"""

from __future__ import annotations

import os
import sys
import threading

from lambdas.gateway import Context
from token_refresher import refreshing
from token_refresher.handler import handler
from token_refresher.user_secrets import Secrets
from token_refresher.users import Users

KILLED = 9


def main(where: str, after: int) -> None:
    left, lock = [after], threading.Lock()

    def ending(real):
        def call(*given, **named):
            with lock:
                left[0] -= 1
                if left[0] < 0:
                    os._exit(KILLED)
            return real(*given, **named)

        return call

    if where == "asking":
        refreshing.mint = ending(refreshing.mint)
    elif where == "answered":
        Secrets.store = ending(Secrets.store)  # type: ignore[method-assign]
    elif where == "stored":
        Users.settle = ending(Users.settle)  # type: ignore[method-assign]
    handler({}, Context(900))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
