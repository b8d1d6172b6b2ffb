"""Events to a bus of EventBridge, put beside the work: they neither slow it nor fail it, and what is lost is told."""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

log = logging.getLogger(__name__)

ENTRIES = 10
"""Events that EventBridge takes in one call; those of a run are far from the 256 KiB that it takes in all."""
_TRIES, _FIRST_WAIT = 4, 0.2
_PASSING = {"ThrottlingException", "InternalFailure", "InternalException", "ServiceUnavailable"}

Entry = dict[str, str]


class Bus:
    """A bus, for the length of a block. Events leave in the order in which they were told, by a thread of its own.

    Args:
        name: its name or ARN; an ARN says its region, too.
        source: who tells.
        client: one of EventBridge; made of the environment when the first event is to be put.
        patience: seconds that the end of the block waits for events that are still to be put.
    """

    def __init__(self, name: str, source: str, *, client: Any = None, patience: float = 10.0) -> None:
        self._name, self._source, self._client, self._patience = name, source, client, patience
        self._waiting: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._reasons: dict[str, None] = {}
        self._thread = threading.Thread(target=self._work, name="events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.put(None)
        self._thread.join(self._patience)
        lost = self._counts["told"] - self._counts["put"]
        if lost:
            late = f"the bus did not take them within {self._patience:g} seconds" if self._thread.is_alive() else ""
            reason = "; ".join(filter(None, (*self._reasons, late)))
            log.error(json.dumps({"bus": self._name, "events_lost": lost, "reason": reason}))

    @property
    def given_up(self) -> int:
        """How many events the bus has not taken so far, and will not."""
        return self._counts["given_up"]

    def tell(self, kind: str, detail: Mapping[str, object]) -> None:
        """An event of the type `kind`; it is on the bus some time soon. Threads may share this."""
        text = json.dumps(detail, default=str)
        self._count("told", 1)
        self._waiting.put({"EventBusName": self._name, "Source": self._source, "DetailType": kind, "Detail": text})

    def _work(self) -> None:
        while batch := self._batch():
            self._put(batch)

    def _batch(self) -> list[Entry]:
        """What waits, ten at most; empty once everything is put."""
        found: list[Entry] = []
        while len(found) < ENTRIES:
            try:
                entry = self._waiting.get(block=not found)
            except queue.Empty:
                break
            if entry is None:
                self._waiting.put(None)  # the end, for the next time
                break
            found.append(entry)
        return found

    def _put(self, batch: list[Entry]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            left = self._tried(batch)
        except ClientError as refused:
            left = {refused.response["Error"].get("Code", "unknown"): len(batch)}
        except BotoCoreError as error:
            left = {type(error).__name__: len(batch)}
        for code, number in left.items():
            self._reasons[code] = None
            self._count("given_up", number)
        self._count("put", len(batch) - sum(left.values()))

    def _tried(self, batch: list[Entry]) -> dict[str, int]:
        """What was not taken in the end: its error codes, counted."""
        for number in range(_TRIES):
            if number:
                time.sleep(_FIRST_WAIT * 2 ** (number - 1))
            answer = self._events().put_events(Entries=batch)
            left = [
                (entry, one["ErrorCode"])
                for entry, one in zip(batch, answer["Entries"], strict=True)
                if one.get("ErrorCode")
            ]
            batch = [entry for entry, _ in left]
            if not left or any(code not in _PASSING for _, code in left):
                break
        return dict(Counter(code for _, code in left))

    def _events(self) -> Any:
        if self._client is None:
            import boto3
            from botocore.config import Config

            region = self._name.split(":")[3] if self._name.startswith("arn:") else None
            retries = {"mode": "standard", "total_max_attempts": 3}
            config = Config(connect_timeout=2, read_timeout=5, retries=retries)
            self._client = boto3.client("events", region_name=region, config=config)
        return self._client

    def _count(self, name: str, number: int) -> None:
        with self._lock:
            self._counts[name] += number
