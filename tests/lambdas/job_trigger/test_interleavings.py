"""Whatever happens in whatever order, a run follows each file: invocations side by side, killed anywhere, events late,
twice or lost, answers lost, runs by hand, Glue that refuses or tries again by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ReadTimeoutError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from job_trigger.glue_job import GATHERING
from job_trigger.record import Record
from lambdas.trigger_kit import PACE, Killed, Place

FINAL = st.sampled_from(["SUCCEEDED", "SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"])


class Interleavings(RuleBasedStateMachine):
    """The trigger, its surroundings, and what may go wrong at the n-th call that an invocation makes."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Place()
        self.place.hook = self._call
        self.told: dict[str, int] = {}  # file → the moment when it was stored
        self.files = 0
        self.events: list[dict[str, Any]] = []
        self.faults: list[tuple[int, Callable[[], None]]] = []
        self.given_up: set[str] = set()
        self.place.store.written = self._written

    def _written(self, seen: Record, record: Record) -> None:
        """The very moment in which the item changes: whether or not the invocation lives to tell of it."""
        moment = next(self.place.clock.happened)
        for file in record.waiting.ids:
            self.told.setdefault(file, moment)
        if seen.phase == "running" and record.because == "failed" and not record.failures:
            self.given_up.add(seen.run_id)

    # what goes wrong

    def _call(self, _: str) -> None:
        self.faults = [(left - 1, fault) for left, fault in self.faults]
        due = [fault for left, fault in self.faults if left <= 0]
        self.faults = [(left, fault) for left, fault in self.faults if left > 0]
        for fault in due:
            fault()

    @rule(at=st.integers(1, 9))
    def is_killed(self, at: int) -> None:
        def kill() -> None:
            raise Killed

        self.faults.append((at, kill))

    @rule(at=st.integers(1, 9))
    def loses_an_answer(self, at: int) -> None:
        def lose() -> None:
            raise ReadTimeoutError(endpoint_url="https://aws")

        self.faults.append((at, lose))

    @rule(at=st.integers(1, 9), what=st.sampled_from(["file", "sweep", "end", "by hand", "time"]), final=FINAL)
    def something_else_comes_between(self, at: int, what: str, final: str) -> None:
        """Another invocation as a whole, between two calls of the one at work."""

        def other() -> None:
            if what == "file":
                self.a_file(1)
            elif what == "sweep":
                self.sweeps(0)
            elif what == "end":
                self.a_run_ends(final, "told", retries=False)
            elif what == "by hand":
                self.a_run_by_hand({})
            else:
                self.place.clock.now += PACE.lease + 1

        self.faults.append((at, other))

    # what happens

    def _invoked(self, call: Callable[[], None]) -> bool:
        """Whether it came to its end."""
        with suppress(Killed, ReadTimeoutError):
            call()
            return True
        return False

    @rule(number=st.integers(1, 2))
    def a_file(self, number: int) -> None:
        names = [f"f{self.files + one}" for one in range(number)]
        self.files += number
        if self._invoked(lambda: self.place.trigger.note(names)):
            assert self.told.keys() >= set(names)
            self._invoked(self.place.trigger.drive)

    @rule(after=st.sampled_from([0, 61, 181, 301, 4000]))
    def sweeps(self, after: float) -> None:
        self._invoked(lambda: self.place.sweep(after))

    @rule(arguments=st.sampled_from([{}, {"--MAINTAIN": "true"}, {"--NAMES": "account"}]))
    def a_run_by_hand(self, arguments: dict[str, str]) -> None:
        if self.place.glue.working is None and not self.place.glue.refuses:
            self.place.glue.begin(arguments)

    @precondition(lambda self: self.place.glue.working is not None)
    @rule(final=FINAL, event=st.sampled_from(["told", "late", "lost", "told twice"]), retries=st.booleans())
    def a_run_ends(self, final: str, event: str, retries: bool) -> None:
        """`retries`: Glue itself tries a run that failed again, with the same arguments."""
        run = self.place.glue.finish(final)
        if run is not None and retries and final in ("FAILED", "TIMEOUT") and not self.place.glue.refuses:
            self.place.glue.begin(run.arguments).id = f"{run.id}_attempt_1"
        if run is None or event == "lost":
            return
        if event == "late":
            self.events.append(run.event())
            return
        for _ in range(1 + (event == "told twice")):
            self._invoked(lambda: self.place.told(run.event()))

    @precondition(lambda self: self.events)
    @rule(at=st.integers(0, 5), again=st.booleans())
    def a_late_event_comes(self, at: int, again: bool) -> None:
        event = self.events[at % len(self.events)]
        if not again:
            self.events.remove(event)
        self._invoked(lambda: self.place.told(event))

    @rule(code=st.sampled_from(["", "ResourceNumberLimitExceededException", "ThrottlingException"]))
    def glue_refuses(self, code: str) -> None:
        self.place.glue.refuses = code

    # what is always so

    def _served(self, file: str) -> bool:
        """Whether a run of ours that began after the file was told of has succeeded, or was given up."""
        after = (run for run in self.place.glue.own if run.began > self.told[file])
        return any(run.state == "SUCCEEDED" or run.id in self.given_up for run in after)

    def _seen(self, file: str) -> bool:
        """Whether a run of ours began after the file was told of."""
        return any(run.began > self.told[file] for run in self.place.glue.own)

    @invariant()
    def a_file_that_no_run_has_seen_is_not_forgotten(self) -> None:
        record = self.place.store.record
        if any(not self._seen(file) for file in self.told):
            assert record.waiting.count or record.going.count

    @invariant()
    def a_start_has_one_run(self) -> None:
        names = [run.arguments[GATHERING] for run in self.place.glue.own if "attempt" not in run.id]
        assert len(set(names)) == len(names)

    def teardown(self) -> None:
        """Once nothing goes wrong any more, every file is loaded, and then nothing is started for nothing."""
        self.faults, self.place.glue.refuses = [], ""
        for _ in range(4):
            self.place.glue.finish()
            self.place.sweep(PACE.longest)
        assert self.place.store.record.phase == "idle" and not self.place.store.record.waiting.count
        assert all(self._served(file) for file in self.told)
        before = len(self.place.glue.runs)
        for _ in range(3):
            self.place.sweep(PACE.longest)
        assert len(self.place.glue.runs) == before


Interleavings.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestInterleavings = Interleavings.TestCase
