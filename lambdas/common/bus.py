"""Events to a bus of EventBridge: all of them, or an error that names those that were not taken.

An event may be told twice (an answer that is lost is asked for again), never not at all: who listens must take it so.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from common.aws import client
from forceglue.errors import ForceglueError

_ENTRIES = 10
_BYTES = 240_000
"""What one call takes: 10 events, 256 KiB in all with what EventBridge itself adds."""
_TRIES = 5
_FIRST_WAIT = 0.1
_PASSING = {"ThrottlingException", "InternalFailure", "InternalException", "ServiceUnavailable", "RequestLimitExceeded"}


class EventsNotPutError(ForceglueError):
    """Events that the bus did not take. Those of the same call that it took are not taken back."""


def put(bus: str, source: str, events: Iterable[tuple[str, Mapping[str, object]]]) -> None:
    """Puts events, in calls as large as EventBridge takes; what is throttled is put again.

    Args:
        bus: its name or ARN.
        source: who tells.
        events: `(detail type, detail)`; a detail is JSON, with values that are not (times) as their text.

    Raises:
        EventsNotPutError: the bus refused some, or was busy for longer than five tries.
        botocore.exceptions.ClientError: the call itself was refused (no such right, an event of more than 256 KiB).
        botocore.exceptions.BotoCoreError: EventBridge cannot be reached.
    """
    for batch in _batches(_entry(bus, source, kind, detail) for kind, detail in events):
        _put(batch)


def _entry(bus: str, source: str, kind: str, detail: Mapping[str, object]) -> dict[str, str]:
    text = json.dumps(detail, default=str, ensure_ascii=False)
    return {"EventBusName": bus, "Source": source, "DetailType": kind, "Detail": text}


def _size(entry: Mapping[str, str]) -> int:
    return sum(len(entry[name].encode("utf-8", "surrogatepass")) for name in ("Source", "DetailType", "Detail"))


def _batches(entries: Iterable[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    batch: list[dict[str, str]] = []
    size = 0
    for entry in entries:
        more = _size(entry)
        if batch and (len(batch) == _ENTRIES or size + more > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += more
    if batch:
        yield batch


def _put(batch: list[dict[str, str]]) -> None:
    """One call, and again for those entries that were not taken while more time may help."""
    for number in range(_TRIES):
        if number:
            time.sleep(_FIRST_WAIT * 2 ** (number - 1) * random.uniform(0.5, 1.5))
        answer: dict[str, Any] = client("events").put_events(Entries=batch)
        left = [
            (entry, one["ErrorCode"], one.get("ErrorMessage", ""))
            for entry, one in zip(batch, answer["Entries"], strict=True)
            if one.get("ErrorCode")
        ]
        if not left:
            return
        batch = [entry for entry, _, _ in left]
        if any(code not in _PASSING for _, code, _ in left):
            break
    kinds = ", ".join(sorted({entry["DetailType"] for entry in batch}))
    why = "; ".join(sorted({f"{code} {message}".strip() for _, code, message in left}))
    raise EventsNotPutError(
        f"bus {batch[0]['EventBusName']}: {len(batch)} of the events were not taken ({kinds}): {why}. See that the bus "
        f"is there and that the function may put events of this source on it; put them again."
    )
