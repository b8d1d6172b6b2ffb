"""What can go wrong between a client and an org: set at any time on the running server, by the process it runs in."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from forceglue.simulated.salesforce.http import Answer, Call

_BODIES = {
    429: ("TOO_MANY_REQUESTS", "Too many requests. Try again later."),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support"),
    503: ("SERVER_UNAVAILABLE", "Server unavailable. The service is temporarily unavailable."),
}


@dataclass
class _Rule:
    """One fault; `times` is how often it still strikes, None for always."""

    kind: Literal["refuse", "cut", "slow", "strip", "count", "act"]
    times: int | None
    path: re.Pattern[str]
    skip: int = 0
    chance: float = 1.0
    answer: Callable[[], Answer] | None = None
    number: float = 0
    names: tuple[str, ...] = ()
    action: Callable[[], object] | None = field(default=None, repr=False)


class Faults:
    """Faults of one server. Each method adds one; `clear` ends all.

    `path` is a regular expression that is looked for in the call's path; `times` is how many calls are struck, and
    `skip` how many matching calls are let pass before.
    """

    def __init__(self, seed: int = 7) -> None:
        self._random = Random(seed)
        self._rules: list[_Rule] = []
        self._guard = threading.Lock()
        self._failed_jobs: list[str] = []

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._guard:
            self._rules.clear()
            self._failed_jobs.clear()

    def refuse(
        self,
        status: int = 503,
        *,
        times: int | None = 1,
        path: str = "",
        skip: int = 0,
        chance: float = 1.0,
        retry_after: int | None = None,
        code: str | None = None,
        message: str | None = None,
    ) -> None:
        """Calls are answered with an error; with `chance` below 1, some of them, by the seed."""
        usual = _BODIES.get(status, ("UNKNOWN_EXCEPTION", "An unexpected error occurred."))
        body = [{"errorCode": code or usual[0], "message": message or usual[1]}]
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._add("refuse", times, path, skip, chance, answer=lambda: Answer(status, body, headers=dict(headers)))

    def cut(self, after: int, *, times: int | None = 1, path: str = "", skip: int = 0, chance: float = 1.0) -> None:
        """The connection ends after so many bytes of the body."""
        self._add("cut", times, path, skip, chance, number=after)

    def slow(self, seconds: float, *, times: int | None = 1, path: str = "", skip: int = 0) -> None:
        """Answers come late."""
        self._add("slow", times, path, skip, 1.0, number=seconds)

    def strip(self, *headers: str, times: int | None = None, path: str = "", skip: int = 0) -> None:
        """Headers are lost on the way, as behind a proxy."""
        self._add("strip", times, path, skip, 1.0, names=tuple(name.lower() for name in headers))

    def miscount(self, by: int, *, times: int | None = 1, path: str = "/results", skip: int = 0) -> None:
        """`Sforce-NumberOfRecords` is wrong by so many."""
        self._add("count", times, path, skip, 1.0, number=by)

    def then(self, action: Callable[[], object], *, times: int | None = 1, path: str = "", skip: int = 0) -> None:
        """Does something right after a call was answered: a field goes away between two pages, a write commits."""
        self._add("act", times, path, skip, 1.0, action=action)

    def fail_job(self, message: str = "QUERY_TIMEOUT: Your query request was running for too long.") -> None:
        """The next Bulk query job ends as Failed, with this message."""
        with self._guard:
            self._failed_jobs.append(message)

    def failed_job(self) -> str | None:
        """The message that the next job fails with; None when it need not fail. Used up by asking."""
        with self._guard:
            return self._failed_jobs.pop(0) if self._failed_jobs else None

    def _add(self, kind: str, times: int | None, path: str, skip: int, chance: float, **more: object) -> None:
        with self._guard:
            self._rules.append(_Rule(kind, times, re.compile(path), skip, chance, **more))  # type: ignore[arg-type]

    def struck(self, call: Call, *kinds: str) -> Iterable[_Rule]:
        """The rules that strike this call now; they are used up by it."""
        found = []
        with self._guard:
            for rule in self._rules:
                if rule.kind not in kinds or rule.times == 0 or not rule.path.search(call.path):
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                if rule.chance < 1 and self._random.random() >= rule.chance:
                    continue
                rule.times = None if rule.times is None else rule.times - 1
                found.append(rule)
        return found
