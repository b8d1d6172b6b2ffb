"""Lambda gathers messages of a queue: up to `BatchSize` (10,000) within `MaximumBatchingWindowInSeconds`, as on AWS.

ministack hands on ten at most, at once. A batch goes when it is full, when it is 6 MB, or when the window is over that
began with its first message.
"""

from __future__ import annotations

import time
from typing import Any

from ministack.services import lambda_svc, sqs

_MOST_BYTES = 6_000_000
_since: dict[str, float] = {}


def apply() -> None:
    """Corrects it."""
    sqs._receive_messages_for_esm = _received


def _received(url: str, most: int) -> list[dict[str, Any]]:
    with sqs._queues_lock:
        queue = sqs._get_q(url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        waiting = _waiting(queue, most)
        if not waiting:
            _since.pop(url, None)
            return []
        window = _window(str(queue["attributes"].get("QueueArn", "")))
        begun = _since.setdefault(url, time.monotonic())
        full = len(waiting) == most or sum(len(one["body"]) for one in waiting) >= _MOST_BYTES
        if not full and time.monotonic() < begun + window:
            return []
        _since.pop(url, None)
        hidden = int(queue["attributes"].get("VisibilityTimeout", "30"))
        found: list[dict[str, Any]] = sqs._collect_msgs(queue, len(waiting), hidden)
        return found


def _waiting(queue: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """The visible messages that make the next batch."""
    now, size = time.time(), 0
    found: list[dict[str, Any]] = []
    for message in queue["messages"]:
        sqs._ensure_msg_fields(message)
        if message["visible_at"] > now:
            continue
        size += len(message["body"])
        if found and size > _MOST_BYTES:
            break
        found.append(message)
        if len(found) == most:
            break
    return found


def _window(queue_arn: str) -> float:
    """Seconds that the queue's mapping waits for a batch to fill."""
    told = (
        esm.get("MaximumBatchingWindowInSeconds") or 0
        for _, _, esm in lambda_svc._iter_all_esms()
        if esm.get("EventSourceArn") == queue_arn and esm.get("Enabled", True)
    )
    return float(max(told, default=0))
