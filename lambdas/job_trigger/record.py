"""What is known of the job: the item of the table as a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

LISTED = 100
"""Correlation ids that are kept of gathered files: the item, and an event, has a largest size."""

Phase = Literal["idle", "starting", "running"]
Because = Literal["", "busy", "failed", "refused"]


@dataclass(frozen=True)
class Files:
    """Files that were ingested, gathered.

    Attributes:
        count: how many were told of; one that was told of twice counts twice.
        ids: their correlation ids, the first ones; `more`: there are others.
        since: when the first of them was told of, in seconds since 1970.
    """

    count: int = 0
    ids: tuple[str, ...] = ()
    more: bool = False
    since: float = 0.0

    def __add__(self, other: Files) -> Files:
        if not (self.count and other.count):
            return self if self.count else other
        ids = tuple(dict.fromkeys((*self.ids, *other.ids)))
        more = self.more or other.more or len(ids) > LISTED
        return Files(self.count + other.count, ids[:LISTED], more, min(self.since, other.since))

    def correlation_id(self, own: str) -> str:
        """The one that they share; where they are of several, `own`."""
        return self.ids[0] if len(self.ids) == 1 and not self.more else own


NONE = Files()


def files(ids: list[str], now: float) -> Files:
    """So many files, each with its correlation id, told of now."""
    known = tuple(dict.fromkeys(ids))
    return Files(len(ids), known[:LISTED], len(known) > LISTED, now) if ids else NONE


@dataclass(frozen=True)
class Record:
    """The item. Times are seconds since 1970; an empty one stands for an item that is not there.

    Attributes:
        version: grows with each change; a change is written only onto the version that it was made of.
        waiting: files that a run is still to be started for.
        going: files that the run at work was started after. It sees them; where it fails, they wait again.
        phase: `starting` from before Glue is asked until its answer is stored.
        gathering: names the start; the run has it among its arguments, so that it is found if its answer was lost.
        run_id: of the run at work.
        at: `starting`: until when whoever asks Glue may still be at it; `running`: since when.
        failures: runs that failed in a row.
        not_before, because: nothing is started until then, since another run is at work, the last one failed, or Glue
            refused.
    """

    version: int = 0
    waiting: Files = NONE
    going: Files = NONE
    phase: Phase = "idle"
    gathering: str = ""
    run_id: str = ""
    at: float = 0.0
    failures: int = 0
    not_before: float = 0.0
    because: Because = ""

    @property
    def correlation_id(self) -> str:
        """Of the run at work."""
        return self.going.correlation_id(self.gathering)

    def idle(self, **more: object) -> Record:
        """Nothing is at work; `gathering` stays, for whoever still tells of it."""
        told: dict[str, object] = {"phase": "idle", "run_id": "", "at": 0.0, "going": NONE, **more}
        return replace(self, **told)  # type: ignore[arg-type]  # names of fields, each with its type

    def oldest(self) -> float:
        """Since when files wait for a run that succeeds; 0 where none does."""
        return min((one.since for one in (self.waiting, self.going) if one.count), default=0.0)
