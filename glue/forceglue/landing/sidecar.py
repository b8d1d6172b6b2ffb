"""The small JSON files beside moved files: facts beside a processed one, the reason beside a rejected one.

A sidecar is written before its file is moved, by an exclusive write: who writes it owns the name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forceglue.landing.facts import FileFacts
from forceglue.landing.layout import numbered
from forceglue.landing.patch import plain_patch
from forceglue.landing.store import Entry, Store


@dataclass(frozen=True)
class Caller:
    """Who ingests; kept for the traceability columns.

    Attributes:
        request_id: of this call; names the ingest.
    """

    function_name: str
    function_version: str
    request_id: str


@dataclass(frozen=True)
class Origin:
    """Which landing a file comes from: the same key landed anew is another origin."""

    original_key: str
    landed_at: datetime
    size: int
    version: str

    @classmethod
    def of(cls, entry: Entry) -> Origin:
        return cls(entry.path, entry.mtime, entry.size, entry.version)


@dataclass(frozen=True)
class ProcessedNote:
    """What is kept beside a processed file."""

    origin: Origin
    object: str
    facts: FileFacts
    flow_execution: str | None
    at: datetime
    caller: Caller


@dataclass(frozen=True)
class RejectedNote:
    """What is kept beside a rejected file: no cell's value."""

    origin: Origin
    object: str | None
    code: str
    message: str
    at: datetime
    caller: Caller


def dump(note: ProcessedNote | RejectedNote) -> bytes:
    head: dict[str, Any]
    if isinstance(note, ProcessedNote):
        facts = note.facts
        head = {
            "object": note.object,
            "format": facts.format,
            "rows": facts.rows,
            "fields": [list(field) for field in facts.fields],
            "flow_execution": note.flow_execution,
        }
        if facts.patch is not None:
            head["patch"] = facts.patch.plain()
    else:
        head = {"code": note.code, "message": note.message, "object": note.object}
    origin = note.origin
    body = head | {
        "original_key": origin.original_key,
        "landed_at": origin.landed_at.isoformat(),
        "size": origin.size,
        "origin_version": origin.version,
        "at": note.at.isoformat(),
        "function_name": note.caller.function_name,
        "function_version": note.caller.function_version,
        "request_id": note.caller.request_id,
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def processed_note(data: bytes) -> ProcessedNote | None:
    """Reads facts; None for a sidecar that is damaged or of another make (the file itself is then read)."""
    try:
        raw = json.loads(data)
        origin = _origin(raw)
        fields = tuple((str(name), str(kind)) for name, kind in raw["fields"])
        patch = plain_patch(raw["patch"]) if "patch" in raw else None
        facts = FileFacts(raw["format"], int(raw["rows"]), fields, origin.size, patch)
        return ProcessedNote(
            origin, raw["object"], facts, raw["flow_execution"], datetime.fromisoformat(raw["at"]), _caller(raw)
        )
    except (ValueError, KeyError, TypeError):
        return None


def rejected_note(data: bytes) -> RejectedNote | None:
    """Reads a reason; None for one that is damaged or of another make."""
    try:
        raw = json.loads(data)
        at = datetime.fromisoformat(raw["at"])
        return RejectedNote(_origin(raw), raw["object"], str(raw["code"]), str(raw["message"]), at, _caller(raw))
    except (ValueError, KeyError, TypeError):
        return None


def _origin(raw: Any) -> Origin:
    return Origin(
        str(raw["original_key"]), datetime.fromisoformat(raw["landed_at"]), int(raw["size"]), str(raw["origin_version"])
    )


def _caller(raw: Any) -> Caller:
    return Caller(str(raw["function_name"]), str(raw["function_version"]), str(raw["request_id"]))


def claim(
    store: Store,
    key: str,
    note: ProcessedNote | RejectedNote,
    *,
    beside: Callable[[str], str],
    read: Callable[[bytes], ProcessedNote | RejectedNote | None],
) -> str:
    """Writes the note under a name that no other file has, and returns the file's key.

    A name is taken by a file or a sidecar of another origin; the next number is then tried. The same origin again
    (a run that died between sidecar and move) takes its name back, so a second try ends where the first would have.
    """
    body = dump(note)
    number, seen = 1, ""
    while True:
        target = numbered(key, number)
        sidecar = beside(target)
        try:
            there = read(store.read_bytes(sidecar))
        except FileNotFoundError:
            if not store.exists(target):
                try:
                    store.write_bytes(sidecar, body, exclusive=True)
                except FileExistsError:
                    continue  # somebody was quicker: look at the same name again
                return target
            if seen != target:
                seen = target
                continue  # perhaps the file came since, with its sidecar: look once more
        else:
            if there is not None and there.origin == note.origin:
                store.write_bytes(sidecar, body)
                return target
        number += 1
