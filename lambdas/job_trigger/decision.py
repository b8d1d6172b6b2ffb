"""What comes next, and what becomes of the item when something happens: no call to anything is made here.

    file told of ─► waiting ──claimed──► going: starting ──Glue answered──► running ──succeeded──► done
                       ▲                    │                                  │
                       └──── Glue refused, another run is at work, failed ─────┘

What makes it right: files become `going` before Glue is asked for a run, so that the run starts after each of them was
told of, and finds it under `processed/`. Whatever goes wrong puts them back to `waiting`: a run too many does no harm
(it finds nothing new), one too few does. Only runs that were started here count: one that was started by hand or by a
schedule may load less (one mapping, or nothing but care of the tables).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from job_trigger.record import NONE, Because, Files, Record

SUCCEEDED = "SUCCEEDED"
FAILED = frozenset({"FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED"})
GONE = "GONE"
"""Our word for a run that Glue does not know (any more)."""

Next = Literal["rest", "start", "find", "look"]
"""Nothing to do now; claim and start; see whether a start that nobody finished made a run; ask Glue about the run."""
Outcome = Literal["succeeded", "failed", "given_up"]


@dataclass(frozen=True)
class Pace:
    """Times in seconds.

    Attributes:
        tries: runs that may fail in a row before it is given up.
        first, longest: after a failure; each wait is twice the one before.
        busy: how long a run that is not ours is waited for, if nobody tells of its end.
        lease: how long a start may take; longer than the function lives.
    """

    tries: int = 5
    first: float = 300
    longest: float = 3600
    busy: float = 60
    lease: float = 180

    def wait(self, failures: int) -> float:
        """After so many failures in a row."""
        return min(self.first * float(2 ** min(failures - 1, 30)), self.longest)


def following(record: Record, now: float, *, looks: bool = False) -> Next:
    """What to do next.

    Args:
        looks: the run at work is to be asked for, too: the event of its end may be lost.
    """
    if record.phase == "running":
        return "look" if looks else "rest"
    if record.phase == "starting":
        return "find" if now >= record.at else "rest"
    return "start" if record.waiting.count and now >= record.not_before else "rest"


def noted(record: Record, told: Files) -> Record:
    """Files were told of."""
    return replace(record, waiting=record.waiting + told)


def claimed(record: Record, gathering: str, now: float, pace: Pace) -> Record:
    """Whoever writes this asks Glue for a run."""
    return replace(
        record,
        phase="starting",
        gathering=gathering,
        at=now + pace.lease,
        going=record.waiting,
        waiting=NONE,
        not_before=0.0,
        because="",
    )


def started(record: Record, gathering: str, run_id: str, now: float) -> Record | None:
    """Glue gave a run for this start; None where it is known, or another start has taken its place."""
    if record.phase != "starting" or record.gathering != gathering:
        return None
    return replace(record, phase="running", run_id=run_id, at=now)


def released(record: Record, gathering: str, because: Because, until: float) -> Record | None:
    """There is no run for this start; None where another has taken its place."""
    if record.phase != "starting" or record.gathering != gathering:
        return None
    return record.idle(waiting=record.going + record.waiting, not_before=until, because=because)


def ended(record: Record, run_id: str, state: str, now: float, pace: Pace) -> tuple[Record, Outcome] | None:
    """The run at work is over; None where it is not that run, or the state is none of an end."""
    if record.phase != "running" or record.run_id != run_id or state not in {SUCCEEDED, GONE, *FAILED}:
        return None
    if state == SUCCEEDED:
        return record.idle(failures=0, not_before=0.0, because=""), "succeeded"
    failures = record.failures + 1
    if failures >= pace.tries:
        # what was told of since has seen no run: it begins anew, after a while
        return record.idle(failures=0, not_before=now + pace.first, because="failed"), "given_up"
    waiting = record.going + record.waiting
    until = now + pace.wait(failures)
    return record.idle(waiting=waiting, failures=failures, not_before=until, because="failed"), "failed"


def other_ended(record: Record) -> Record | None:
    """A run that is not ours is over: who waited for it need not any more."""
    if record.phase == "idle" and record.because == "busy":
        return replace(record, not_before=0.0, because="")
    return None
