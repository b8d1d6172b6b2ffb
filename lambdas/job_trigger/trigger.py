"""The trigger: takes in what happened, and then does what comes next until there is nothing left to do."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError

from job_trigger import decision
from job_trigger.decision import GONE, Outcome, Pace
from job_trigger.glue_job import BusyError, GlueJob, RefusedError, Seen
from job_trigger.record import Because, Record, files
from job_trigger.store import Store
from job_trigger.watch import Watch


class Trigger:
    """The trigger of one job; several may work at once, and any of them may die anywhere.

    Args:
        clock: seconds since 1970.
    """

    def __init__(
        self, store: Store, job: GlueJob, watch: Watch, pace: Pace, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._job, self._watch, self._pace, self._clock = store, job, watch, pace, clock

    def note(self, correlation_ids: list[str]) -> None:
        """So many files were told of. When this returns, a run after now is certain."""
        if not correlation_ids:
            return
        told = files(correlation_ids, self._clock())
        self._store.change(lambda record: decision.noted(record, told))
        self._watch.gathered(told)

    def ended(self, seen: Seen) -> None:
        """Glue tells that a run of the job is over: ours, or another that was waited for."""
        if not self._end(seen):
            self._store.change(decision.other_ended)

    def drive(self, *, looks: bool = False) -> None:
        """Starts what is to be started.

        Args:
            looks: asks Glue about the run at work, too: the event of its end may be lost.
        """
        while True:
            record = self._store.read()
            step = decision.following(record, self._clock(), looks=looks)
            if step == "start":
                if self._start(record):
                    break
            elif step == "find":
                self._find(record)
            elif step == "look":
                looks = False
                self._look(record)
            else:
                break

    def waits(self) -> None:
        """Tells how long files have waited for a run that succeeds."""
        oldest = self._store.read().oldest()
        self._watch.waiting(max(0.0, self._clock() - oldest) if oldest else 0.0)

    def _start(self, seen: Record) -> bool:
        """Whether it was this invocation's to ask Glue: once is enough, whatever came of it."""
        gathering = _name(self._clock())
        claimed = decision.claimed(seen, gathering, self._clock(), self._pace)
        if not self._store.write(seen, claimed):
            return False  # another was quicker, or more files came: look again
        try:
            run_id = self._job.start(gathering, claimed.correlation_id)
        except (BusyError, RefusedError) as error:
            # of a call that was repeated since its answer was lost, the first may have made a run
            found = self._job.find(gathering, self._clock())
            if found is not None:
                self._started(gathering, found.run_id)
                return True
            busy = isinstance(error, BusyError)
            if busy:
                self._watch.busy()
            else:
                self._watch.refused(error)
            self._release(gathering, "busy" if busy else "refused", self._clock() + self._pace.busy)
        except BotoCoreError as error:
            self._watch.refused(error)  # whether there is a run is found out once the lease is over
        else:
            self._started(gathering, run_id)
        return True

    def _find(self, record: Record) -> None:
        """A start that nobody finished: it made a run, or it did not."""
        found = self._job.find(record.gathering, record.at - self._pace.lease)
        if found is not None:
            self._started(record.gathering, found.run_id)
            self._end(found)
        else:
            self._release(record.gathering, "", 0.0)

    def _look(self, record: Record) -> None:
        seen = self._job.look(record.run_id)
        if seen.state == GONE and self._clock() < record.at + self._pace.lease:
            return  # so new that Glue may not show it yet
        self._end(seen)

    def _started(self, gathering: str, run_id: str) -> None:
        now = self._clock()
        record = self._store.change(lambda one: decision.started(one, gathering, run_id, now))
        if record is not None:
            self._watch.started(record)
        elif self._store.read().run_id != run_id:
            self._watch.late(gathering, run_id)

    def _release(self, gathering: str, because: Because, until: float) -> None:
        self._store.change(lambda record: decision.released(record, gathering, because, until))

    def _end(self, seen: Seen) -> bool:
        """Whether it was the run at work, and is over."""
        found: list[tuple[Record, Record, Outcome]] = []

        def end(record: Record) -> Record | None:
            made = decision.ended(record, seen.run_id, seen.state, self._clock(), self._pace)
            if made is None:
                return None
            found.append((record, *made))
            return made[0]

        if self._store.change(end) is None:
            return False
        before, after, outcome = found[-1]
        self._watch.ended(before, after, seen, outcome)
        return True


def _name(now: float) -> str:
    """Of a start: unlike all others; they sort by time."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
