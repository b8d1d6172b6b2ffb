"""5,000 files within a minute: a handful of runs, and each file is loaded once, by a run that began after it came."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from job_trigger import handler
from lambdas.gateway import Context
from lambdas.job_events import batch, ended, ingested
from lambdas.trigger_kit import JOB, Place

WINDOW, SIZE, PAYLOAD, POLLERS = 60, 10_000, 6_000_000, 2


@dataclass
class Queue:
    """What Lambda does with a queue: pollers side by side, each gathers until its window, its size or a payload is full.

    Messages come twice now and then, as those of a standard queue may.
    """

    chance: random.Random
    waiting: list[list[str]] = field(default_factory=lambda: [[] for _ in range(POLLERS)])
    since: list[int] = field(default_factory=lambda: [0] * POLLERS)

    def send(self, body: str, now: int) -> None:
        for _ in range(1 + (self.chance.random() < 0.01)):
            poller = self.chance.randrange(POLLERS)
            if not self.waiting[poller]:
                self.since[poller] = now
            self.waiting[poller].append(body)

    def due(self, now: int) -> list[list[str]]:
        found = []
        for poller, bodies in enumerate(self.waiting):
            full = len(bodies) >= SIZE or sum(len(body) + 600 for body in bodies) > PAYLOAD - 10_000
            if bodies and (full or now - self.since[poller] >= WINDOW):
                found.append(bodies)
                self.waiting[poller] = []
        return found


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    made = Place()
    made.clock.now = 0.0
    monkeypatch.setattr(handler, "trigger", lambda: made.trigger)
    monkeypatch.setattr(handler, "settings", lambda: SimpleNamespace(job=JOB))
    level = handler.logger.log_level
    handler.logger.setLevel("ERROR")
    yield made
    handler.logger.setLevel(level)


@dataclass
class Landing:
    """Which files are there, and which run loaded each."""

    came: dict[str, int] = field(default_factory=dict)
    loaded: dict[str, list[str]] = field(default_factory=dict)

    def load(self, run: str) -> None:
        """A run lists `processed/` when it begins, and loads what none has loaded."""
        for file in self.came:
            self.loaded.setdefault(file, [run])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("takes", "most"), [(40, 4), (100, 4), (1_200, 4)])
def test_many_files_are_loaded_by_a_handful_of_runs(place: Place, seed: int, takes: int, most: int) -> None:
    chance = random.Random(seed)
    queue, landing = Queue(chance), Landing()
    comes = sorted((chance.uniform(0, 60), f"{number % 36}") for number in range(5_000))
    seen = 0
    for now in range(4_000):
        place.clock.now = float(now)
        while comes and comes[0][0] <= now:
            _, execution = comes.pop(0)
            landing.came[f"{len(landing.came)}"] = now
            queue.send(ingested(execution), now)
        for bodies in queue.due(now):
            assert handler.handler(batch(*bodies), Context())["batchItemFailures"] == []
        for run in place.glue.runs[seen:]:
            landing.load(run.id)
        seen = len(place.glue.runs)
        working = place.glue.working
        if working is not None and now - working.started_on >= takes:
            place.glue.finish()
            handler.handler(ended(JOB, working.id), Context())
        if now % 300 == 0:
            handler.handler({"sweep": True}, Context())
    assert len(place.glue.own) <= most
    assert len(landing.came) == 5_000 and landing.loaded.keys() == landing.came.keys()
    assert all(len(runs) == 1 for runs in landing.loaded.values())
    record = place.store.record
    assert (record.phase, record.waiting.count) == ("idle", 0)
    told = [detail["files"] for kind, detail in place.watch.events if kind == "job-succeeded"]
    assert 5_000 <= sum(told) < 5_200  # those that came twice are counted twice


def test_files_that_trickle_in_wait_no_longer_than_the_window_and_a_run(place: Place) -> None:
    queue = Queue(random.Random(7))
    came: list[int] = []
    begun: list[int] = []
    for now in range(3_600):
        place.clock.now = float(now)
        if now % 50 == 0 and now < 3_000:
            came.append(now)
            queue.send(ingested(f"e-{now}"), now)
        for bodies in queue.due(now):
            handler.handler(batch(*bodies), Context())
        begun += [now] * (len(place.glue.runs) - len(begun))
        working = place.glue.working
        if working is not None and now - working.started_on >= 90:
            place.glue.finish()
            handler.handler(ended(JOB, working.id), Context())
    waits = [next(start for start in begun if start >= file) - file for file in came]
    assert max(waits) <= WINDOW + 90 + 2 and len(begun) < len(came)
