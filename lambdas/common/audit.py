"""The audit: an entry for each change, handed to a queue that a writer takes them from.

A queue, because it takes entries in a few milliseconds whatever the table does: where the table throttles, entries wait
in the queue (14 days), and then among its dead letters. Values of personal fields never leave the function.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MASK = "***"
_LARGEST = 240_000
"""Bytes of one message (SQS takes 256 KiB)."""
_LONGEST = 4_000
"""Characters of one value; a longer one is cut."""
_JSON = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True)
class Entry:
    """One change.

    Attributes:
        operation: such as `UPDATE_ACCOUNT`.
        record_id: whose; of a bulk job, the job.
        caller, application_label, correlation_id: who, from where, in which transaction.
        before, after: the changed fields as they were and are.
    """

    operation: str
    object: str
    record_id: str
    caller: str
    application_label: str
    correlation_id: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    timestamp: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    id: str = field(default_factory=lambda: os.urandom(16).hex())


def masked(values: Mapping[str, Any], personal: Collection[str]) -> dict[str, Any]:
    """Values with those of personal fields (lower-case names) masked; an empty one still shows as empty."""
    return {
        name: MASK if name.lower() in personal and value not in (None, "") else _short(value)
        for name, value in values.items()
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Only the fields that differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def messages(entries: Iterable[Entry]) -> Iterable[str]:
    """Entries as bodies of messages, as many in one as fit."""
    held: list[str] = []
    size = 0
    for text in map(_text, entries):
        length = len(text.encode())
        if held and size + length > _LARGEST:
            yield f"[{','.join(held)}]"
            held, size = [], 0
        held.append(text)
        size += length + 1
    if held:
        yield f"[{','.join(held)}]"


def _text(entry: Entry) -> str:
    """An entry in JSON; where it would be too large for a message, every value is cut short."""
    told = vars(entry)  # dataclasses.asdict copies every value, which is half of the work on a batch
    text = _JSON(told)
    for most in (400, 40, 0):
        if len(text.encode()) <= _LARGEST:
            break
        cut = {side: {key: _short(value, most) for key, value in told[side].items()} for side in ("before", "after")}
        text = _JSON(told | cut)
    return text


def _short(value: Any, most: int = _LONGEST) -> Any:
    return f"{value[:most]}…" if isinstance(value, str) and len(value) > most else value


class Audit:
    """Hands entries on.

    Args:
        sqs: a client of SQS, with short time limits.
        lost: is told of messages that the queue did not take; they are in the log then, and an alarm says so.
    """

    def __init__(self, sqs: Any, queue: str, lost: Any) -> None:
        self._sqs, self._queue, self._lost = sqs, queue, lost

    def tell(self, entries: Iterable[Entry]) -> None:
        """Returns when the queue has them. The change is made already, so nothing is raised."""
        from botocore.exceptions import BotoCoreError, ClientError

        for body in messages(entries):
            try:
                self._sqs.send_message(QueueUrl=self._queue, MessageBody=body)
            except (BotoCoreError, ClientError) as error:
                self._lost(body, type(error).__name__)
