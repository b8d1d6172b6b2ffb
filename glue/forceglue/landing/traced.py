"""What became of a file that is no longer under `in/`: the sidecar beside it says where it came from.

A file's key under `processed/` or `error/` follows from the key under `in/` and the hour of its ingest, so a few reads
find it and nothing is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from forceglue.landing import layout
from forceglue.landing.sidecar import ProcessedNote, RejectedNote, processed_note, rejected_note
from forceglue.landing.store import Store

Note = ProcessedNote | RejectedNote
_SKEW = timedelta(minutes=15)
"""How far the clocks of those who land and those who ingest may be apart."""
_LONGEST = timedelta(days=15)
"""How long after its landing a file is looked for: a little longer than a dead letter may wait."""
_STAGES: tuple[tuple[layout.Stage, Callable[[str], str], Callable[[bytes], Note | None]], ...] = (
    ("processed", layout.facts_key, processed_note),
    ("error", layout.reason_key, rejected_note),
)


@dataclass(frozen=True)
class Traced:
    """A file that was ingested.

    Attributes:
        moved_to: where it is now.
        note: its facts or its reason, and who ingested it when.
    """

    moved_to: str
    note: Note


def traced(store: Store, key: str, *, version: str | None, at: datetime, until: datetime) -> Traced | None:
    """Finds a file that was ingested after it had landed.

    Args:
        key: where it landed.
        version: of the content (`Entry.version`); None where that is not known: then, of a key that was landed more
            than once, the landing that is nearest to `at`.
        at: when it landed, with its zone.
        until: up to when it is looked for, 15 days after `at` at most. About four small reads for each hour.

    Returns:
        None where no such file is there: it was landed anew before it was ingested, moved on since, or ingested by
        somebody who leaves no sidecar.

    Raises:
        LandingError: the store cannot be read.
    """
    where = layout.landed(key)
    if where is None:
        return None
    for hour in _hours(at - _SKEW, min(until, at + _LONGEST) + _SKEW):
        found = []
        for stage, beside, read in _STAGES:
            kept = layout.kept_key(stage, where.token, hour, where.execution, where.file)
            found += [
                one
                for one in _numbered(store, kept, beside, read)
                if one.note.origin.original_key == key and version in (None, one.note.origin.version)
            ]
        if found:
            return min(found, key=lambda one: abs(one.note.origin.landed_at - at))
    return None


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Every hour that the time touches: a file is ingested soon after it landed, as a rule."""
    at = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while at <= until:
        yield at
        at += timedelta(hours=1)


def _numbered(
    store: Store, kept: str, beside: Callable[[str], str], read: Callable[[bytes], Note | None]
) -> Iterator[Traced]:
    """The files under a key and its numbered names; the first name that nobody has ends them."""
    number = 1
    while True:
        name = layout.numbered(kept, number)
        number += 1
        there = store.exists(name)
        try:
            note = read(store.read_bytes(beside(name)))
        except FileNotFoundError:
            if not there:
                return
            continue
        if there and note is not None:
            yield Traced(name, note)
