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
_TOLD = ("state", "object", "moved_to", "salesforce_object", "flow", "job_run_id", "mapping", "status", "rows",
         "landed", "written", "files", "code", "message")  # fmt: skip
_WIDTH = 160


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
    def line(self) -> str:
        """On one line."""
        told = " ".join(f"{name}={self.detail[name]}" for name in _TOLD if self.detail.get(name) not in (None, ""))
        return f"{self.time[11:19]}  {self.source.removeprefix('forceglue.'):12} {self.kind:20} {told}"[:_WIDTH]


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


def told(found: Sequence[Event]) -> Iterator[str]:
    """The lines: a heading for each correlation id, in the order in which they began."""
    for correlation_id in dict.fromkeys(event.correlation_id for event in found):
        yield f"\n{correlation_id or 'without a correlation id'}"
        yield from (f"  {event.line}" for event in found if event.correlation_id == correlation_id)
