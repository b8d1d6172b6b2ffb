"""`make events`: the event log as a story, the oldest first, under its correlation ids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forceglue.errors import SetupError
from local_stack import env_file
from local_stack.deployed import Session
from local_stack.place import Place

# told of an event, those that it has; the rest is in the log
_TOLD = ("salesforce_object", "mapping", "flow", "status", "state", "files", "rows", "landed", "written", "quarantined",
         "code", "message", "job_run_id")  # fmt: skip
_LONGEST = {"job_run_id": 11, "message": 200}
_OF_AWS = "aws."


@dataclass(frozen=True)
class Event:
    """An event as a bus carried it.

    Attributes:
        kind: its detail-type.
        detail: what it says.
    """

    time: str
    source: str
    kind: str
    detail: Mapping[str, Any]

    @property
    def correlation_id(self) -> str:
        return str(self.detail.get("correlation_id") or "")

    @property
    def quiet(self) -> bool:
        """Nothing that a person looks for: what S3 says of each object, a mapping that had nothing new."""
        return self.source.startswith(_OF_AWS) or self.detail.get("status") == "unchanged"

    @property
    def line(self) -> str:
        """On one line."""
        if self.source.startswith(_OF_AWS):
            said = str(self.detail.get("object", {}).get("key") or self.detail.get("flow-name") or "")
        else:
            told = ((name, self.detail[name]) for name in _TOLD if self.detail.get(name) not in (None, "", 0))
            said = " ".join(f"{name}={_short(name, str(value))}" for name, value in told)
        return f"{self.time[11:19]}  {self.source.removeprefix('forceglue.'):12} {self.kind:20} {said}".rstrip()


def _short(name: str, text: str) -> str:
    """The beginning of what is long."""
    longest = _LONGEST.get(name, 80)
    return text if len(text) <= longest else f"{text[:longest]}…"


def events(place: Place) -> list[Event]:
    """All that the log holds, in the order of their time.

    Raises:
        SetupError: the stack is not up.
    """
    told = env_file.read(place.folder)
    if not told:
        raise SetupError(f"there is no {env_file.NAME} in {place.folder}: `make up` writes it.")
    logs = Session(told["AWS_ENDPOINT_URL"], told["AWS_REGION"], told).client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=told["EVENT_LOG"])
    return read(event["message"] for page in pages for event in page["events"])


def read(messages: Iterable[str]) -> list[Event]:
    """The events of log messages; those that came at the same second stay in the order of the log."""
    found = (json.loads(message) for message in messages)
    return sorted(
        (Event(one["time"], one["source"], one["detail-type"], one["detail"]) for one in found),
        key=lambda event: event.time,
    )


def told(found: Sequence[Event], *, every: bool = False) -> Iterator[str]:
    """The lines: a heading for each correlation id, in the order in which they began.

    Args:
        every: quiet events, too.
    """
    shown = [event for event in found if every or not event.quiet]
    for correlation_id in dict.fromkeys(event.correlation_id for event in shown):
        yield f"\n{correlation_id or 'without a correlation id'}"
        yield from (f"  {event.line}" for event in shown if event.correlation_id == correlation_id)
    if len(shown) < len(found):
        yield f"\n{len(found) - len(shown)} quiet events are not shown; --all shows them"
