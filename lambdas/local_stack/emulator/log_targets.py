"""EventBridge writes events into log groups (`arn:…:logs:…:log-group:…` as a rule's target), as on AWS.

ministack warns of an unsupported target and drops the event.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from typing import Any

from ministack.services import cloudwatch_logs, eventbridge

log = logging.getLogger("eventbridge")
_STREAM = uuid.uuid4().hex


def apply() -> None:
    """Corrects it."""
    original = eventbridge._invoke_target

    def invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        parts = str(target.get("Arn", "")).split(":")
        if len(parts) < 7 or parts[2] != "logs":
            original(target, event, rule, view)
            return
        view = view or eventbridge._pattern_event_view(event)
        _write(parts[6], *_entry(target, rule, view))

    eventbridge._invoke_target = invoke


def _entry(target: dict[str, Any], rule: dict[str, Any], view: Any) -> tuple[int, str]:
    """Time in milliseconds and text: the whole event, or what an input transformer makes (`timestamp`, `message`)."""
    now = int(time.time() * 1000)
    if "InputTransformer" not in target:
        return now, json.dumps(view.event_with_detail())
    made = json.loads(eventbridge._apply_input_transformer(target["InputTransformer"], rule, view))
    message = made["message"]
    return int(made.get("timestamp") or now), message if isinstance(message, str) else json.dumps(message)


def _write(group: str, timestamp: int, message: str) -> None:
    held = cloudwatch_logs._log_groups.get(group)
    if held is None:
        log.warning("EventBridge: the log group %s is not there; its event is dropped", group)
        return
    stream = held["streams"].setdefault(_STREAM, {
        "events": [], "uploadSequenceToken": "1", "creationTime": timestamp,
        "firstEventTimestamp": None, "lastEventTimestamp": None, "lastIngestionTime": None,
    })  # fmt: skip
    told = {"timestamp": timestamp, "message": message, "ingestionTime": int(time.time() * 1000)}
    cloudwatch_logs._append_log_events(stream, [told])
    cloudwatch_logs._fanout_to_subscription_filters(group, _STREAM, [{"timestamp": timestamp, "message": message}])
