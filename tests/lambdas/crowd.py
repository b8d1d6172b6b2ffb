"""Many users of an org in a process of its own, some of whom fail in each way that Salesforce can; and a run over them.

AWS is kept in memory here: what is looked at is the run itself and the org at the other end of the socket.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from forceglue.salesforce.settings import Connection
from forceglue.simulated.salesforce import Org, serve
from lambdas.kit import CLIENT, SECRET, TOKEN_PATH, asked, made_org
from lambdas.refresher_kit import SecretsInMemory, UsersInMemory, grant, sent_twice
from token_refresher.notify import Notices
from token_refresher.refreshing import Refreshing
from token_refresher.running import Run
from token_refresher.settings import RefresherSettings


@dataclass(frozen=True)
class Ways:
    """How many fail in which way."""

    revoked: int = 2
    inactive: int = 2
    unknown: int = 1
    missing: int = 1
    cut: int = 1
    server_error: int = 1
    unavailable: int = 2
    too_many: int = 1
    silent: int = 0

    @classmethod
    def hundred(cls) -> Ways:
        """One in a hundred of ten thousand."""
        return cls(20, 20, 10, 10, 10, 5, 15, 8, 2)

    @property
    def out(self) -> int:
        """Who may no longer."""
        return self.revoked + self.inactive + self.unknown

    @property
    def lost(self) -> int:
        """Answers that never came, or say nothing."""
        return self.cut + self.server_error + self.silent

    @property
    def passing(self) -> int:
        return self.unavailable + self.too_many


class Topic:
    """SNS, which counts."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def publish(self, **given: Any) -> None:
        self.told.append(json.loads(given["Message"]))


class Queue:
    """The retry queue, which keeps."""

    def __init__(self) -> None:
        self.users: list[str] = []

    def send(self, users: list[str], delay: int) -> None:
        self.users += users


def refreshed(number: int, ways: Ways, rate: float = 10_000) -> dict[str, Any]:
    """A run over so many users; seconds, and the statistics, which were compared with what Salesforce saw."""
    with org_process(number, ways) as (told, ended):
        users, secrets, topic, queue = UsersInMemory(), SecretsInMemory(), Topic(), Queue()
        for user, token in told["tokens"].items():
            users.enrol(user, user, 0)
            secrets.texts[user] = {"refresh_token": token}
        for place in range(ways.missing):
            del secrets.texts[f"user-{place}"]
        settings = RefresherSettings("", "", "", rate=rate, workers=32)
        app = Connection("refresh", f"{told['url']}{TOKEN_PATH}", client_id=CLIENT, client_secret=SECRET)
        notices = Notices(topic, "", Logger(service="crowd", level="CRITICAL"), Metrics("crowd", "crowd"))
        refreshing = Refreshing(settings, users, secrets, notices, app)
        run = Run(settings, users, secrets, queue, refreshing, time.monotonic() + 600)  # type: ignore[arg-type]
        began = time.monotonic()
        run.all()
        took = time.monotonic() - began
        saw = ended()
    statistics = run.statistics.told()
    marked = Counter(one.status for one in users.items.values())
    assert statistics["users_queried"] == number
    assert statistics["to_be_tried_again"] == ways.passing == len(queue.users)
    assert statistics["users_in_doubt"] == ways.lost == marked["in_doubt"]
    # whoever may no longer, and met another fault before that was seen, is counted there
    struck = ways.out - statistics["users_revoked"]
    assert 0 <= struck <= ways.lost + ways.passing and statistics["users_revoked"] == marked["revoked"]
    assert statistics["failures"] == ways.passing + ways.lost + ways.out - struck + ways.missing
    assert statistics["tokens_refreshed"] == number - statistics["failures"]
    assert len(topic.told) == marked["in_doubt"] + marked["revoked"]
    # a call that Salesforce is still silent about is not in its log yet
    assert saw["asked"] == number - ways.missing - ways.silent and not saw["sent_twice"]
    for user, item in users.items.items():
        if item.status == "active" and user in secrets.texts:
            assert secrets.texts[user]["refresh_token"] == saw["good"][user], user
    return {"seconds": took, "statistics": statistics}


@contextmanager
def org_process(number: int, ways: Ways) -> Iterator[tuple[dict[str, Any], Any]]:
    """The org; gives its address with the users' tokens, and what ends it and tells what it saw."""
    places = os.pathsep.join(path for path in sys.path if path)
    given = [sys.executable, str(Path(__file__)), str(number), json.dumps(vars(ways))]
    with subprocess.Popen(
        given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": places}
    ) as org:
        assert org.stdin is not None and org.stdout is not None
        out = org.stdout
        try:
            yield json.loads(out.readline()), lambda: (org.stdin.close(), json.loads(out.readline()))[1]  # type: ignore[union-attr]
        finally:
            org.stdin.close()
            org.wait(30)


def main(number: int, ways: Ways) -> None:
    with Org() as org, serve(made_org(org)) as server:
        users = [f"user-{place}" for place in range(number)]
        tokens = {user: grant(org, user) for user in users}
        failing = iter(users[ways.missing :])
        for _ in range(ways.revoked):
            org.access.revoke(tokens[next(failing)])
        for _ in range(ways.inactive):
            org.access.users[f"{next(failing)}@example.com"].active = False
        for _ in range(ways.unknown):
            tokens[next(failing)] = "5Aep861unknown"
        # far enough apart that each strikes calls of its own
        server.faults.cut(5, times=ways.cut, skip=number // 10, path=TOKEN_PATH)
        server.faults.refuse(500, times=ways.server_error, skip=number // 5, path=TOKEN_PATH)
        server.faults.refuse(503, times=ways.unavailable, skip=number // 3, path=TOKEN_PATH)
        server.faults.refuse(429, times=ways.too_many, skip=number // 2, path=TOKEN_PATH)
        server.faults.slow(30, times=ways.silent, skip=number * 2 // 3, path=TOKEN_PATH)
        _say({"url": server.url, "tokens": tokens})
        sys.stdin.read()
        good = {one.user.username.partition("@")[0]: one.token for one in org.access.refreshes.values()}
        _say({"asked": asked(server), "sent_twice": sent_twice(org), "good": good})


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), Ways(**json.loads(sys.argv[2])))
