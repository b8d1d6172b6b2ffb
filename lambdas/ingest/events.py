"""What the bus is told of files: the details of the events, the same whether a file was moved now or long ago."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from forceglue.landing import layout
from forceglue.landing.facts import FileFacts
from forceglue.landing.sidecar import Caller, ProcessedNote
from forceglue.landing.traced import Traced

INGESTED, REJECTED = "file-ingested", "file-ingestion"
"""Detail types. The second has `state`: `error` for a file that was set aside, `left` for one that stays."""
Event = tuple[str, dict[str, Any]]


class Told:
    """Makes the events of one landed file.

    Args:
        bucket, prefix: of the landing; an event names a file by its whole key.
        key: where it landed, below the prefix.
        event: the id of the event that told of it; the correlation id of a file of no execution.
    """

    def __init__(self, bucket: str, prefix: str, key: str, event: str) -> None:
        where = layout.landed(key)
        self._prefix = prefix
        self._execution = where.execution if where else None
        self.correlation_id = self._execution or event
        self._head = {
            "object": f"{bucket}/{prefix}{key}",
            "correlation_id": self.correlation_id,
            "execution": self._execution,
        }

    def ingested(self, moved_to: str, name: str, facts: FileFacts, at: datetime, caller: Caller) -> Event:
        """It is in `processed/`, and may be loaded."""
        return INGESTED, {
            "state": "success",
            **self._head,
            "salesforce_object": name,
            "moved_to": self._prefix + moved_to,
            "rows": facts.rows,
            "bytes": facts.size,
            "format": facts.format,
            "ingested_at": at.isoformat(),
            "function_name": caller.function_name,
            "function_version": caller.function_version,
            "request_id": caller.request_id,
        }

    def rejected(self, moved_to: str, name: str | None, code: str, message: str, request_id: str) -> Event:
        """It is in `error/`, with its reason beside it."""
        return REJECTED, {
            "state": "error",
            "message": message,
            "code": code,
            **self._head,
            "salesforce_object": name,
            "moved_to": self._prefix + moved_to,
            "request_id": request_id,
        }

    def left(self, code: str, message: str, request_id: str) -> Event:
        """It stays where it landed."""
        return REJECTED, {
            "state": "left",
            "message": message,
            "code": code,
            **self._head,
            "salesforce_object": None,
            "moved_to": None,
            "request_id": request_id,
        }

    def again(self, found: Traced) -> Event:
        """What was told, or should have been, when it was moved."""
        note = found.note
        if isinstance(note, ProcessedNote):
            return self.ingested(found.moved_to, note.object, note.facts, note.at, note.caller)
        return self.rejected(found.moved_to, note.object, note.code, note.message, note.caller.request_id)
