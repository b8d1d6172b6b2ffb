"""A run: everybody who is due, many at once, until they are done, the time is over, or the app itself is refused."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from botocore.exceptions import BotoCoreError, ClientError

from token_refresher.outcome import Outcome, Statistics
from token_refresher.refreshing import Refreshing
from token_refresher.retry_queue import RetryQueue
from token_refresher.settings import RefresherSettings
from token_refresher.user_secrets import BATCH, Secrets, Unusable, UserSecret
from token_refresher.users import User, Users

SOON, LATER = 0, 60
"""Seconds until the retry function looks at who is left, and at who failed in a way that passes."""


class AppRefusedError(Exception):
    """Salesforce refuses the app, or secrets cannot be written: who is not done yet would only fail too."""


class Run:
    """One run; its statistics can be read at any time, also after an error.

    Args:
        deadline: when nobody else is begun, by `time.monotonic`.
    """

    def __init__(
        self,
        settings: RefresherSettings,
        users: Users,
        secrets: Secrets,
        queue: RetryQueue,
        refreshing: Refreshing,
        deadline: float,
    ) -> None:
        self._settings, self._users, self._secrets, self._queue = settings, users, secrets, queue
        self._refreshing, self._deadline = refreshing, deadline
        self.statistics = Statistics()
        self._stopped: Outcome | None = None
        self._again: list[str] = []
        self._broken: list[BaseException] = []

    def all(self) -> None:
        """Refreshes everybody who is due, and hands on who is not done.

        Raises:
            AppRefusedError: it was stopped; who is left is still due.
            ExceptionGroup: what nobody foresaw went wrong with some users; the others are done.
        """
        due = self._users.due(time.time() + self._settings.within)
        with ThreadPoolExecutor(self._settings.workers, thread_name_prefix="refresh") as pool:
            pending: set[Future[Outcome]] = set()
            for batch in _batches(due, BATCH):
                if self._stopped is not None or time.monotonic() > self._deadline:
                    self._hand_on(batch)
                    break
                found = self._read(batch)
                pending |= {pool.submit(self._refreshing.one, user, found[user.secret]) for user in batch}
                while len(pending) > 2 * self._settings.workers:
                    pending = self._noted(pending)
            while pending:
                pending = self._noted(pending)
        if self._stopped is None:
            self._hand_on(due)
        self._queue.send(self._again, LATER)
        if self._broken:
            raise ExceptionGroup("refreshing went wrong in a way that nobody foresaw", [*map(_as_error, self._broken)])
        if self._stopped is not None:
            raise AppRefusedError(self._stopped.message)

    def _read(self, batch: list[User]) -> dict[str, UserSecret | Unusable]:
        names = list({user.secret for user in batch})
        try:
            return self._secrets.read(names)
        except (BotoCoreError, ClientError) as error:
            said = f"Secrets Manager did not answer ({type(error).__name__})."
            return {name: Unusable("secrets_manager", said, passes=True) for name in names}

    def _noted(self, pending: set[Future[Outcome]]) -> set[Future[Outcome]]:
        """Counts who is done; gives who is not."""
        done, left = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            if (error := future.exception()) is not None:
                self._broken.append(error)
                continue
            outcome = future.result()
            self.statistics.add(outcome)
            if outcome.kind == "again":
                self._again.append(outcome.user)
            if outcome.stops and self._stopped is None:
                self._stopped = outcome
        return left

    def _hand_on(self, users: Iterable[User]) -> None:
        """Who is left goes to the retry function, unless the run was stopped."""
        if self._stopped is not None:
            return
        for batch in _batches(users, 1_000):
            self._queue.send([user.id for user in batch], SOON)
            self.statistics.left += len(batch)


def _batches(users: Iterable[User], size: int) -> Iterator[list[User]]:
    rest = iter(users)
    while batch := list(islice(rest, size)):
        yield batch


def _as_error(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
