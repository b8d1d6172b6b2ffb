"""The job trigger's surroundings in memory: Glue's runs, the item, a clock; each call of theirs may be the last."""

from __future__ import annotations

import io
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from botocore.exceptions import ClientError
from hypothesis import strategies as st

from job_trigger.decision import Pace
from job_trigger.glue_job import GATHERING, GlueJob, Seen
from job_trigger.record import Files, Record, files
from job_trigger.store import Store
from job_trigger.trigger import Trigger
from job_trigger.watch import Watch

JOB = "dev-forceglue"
PACE = Pace(tries=3, first=300, longest=3600, busy=60, lease=180)
Hook = Callable[[str], None]

IDS = st.lists(st.sampled_from([f"id-{n}" for n in range(150)]), max_size=200)
TIMES = st.floats(1, 1e9)
FILES = st.builds(files, IDS, TIMES)
RECORDS = st.builds(
    Record,
    version=st.integers(1, 9), waiting=FILES, going=FILES, phase=st.sampled_from(["idle", "starting", "running"]),
    gathering=st.just("g"), run_id=st.just("jr"), at=TIMES, failures=st.integers(0, 9), not_before=TIMES,
    because=st.sampled_from(["", "busy", "failed", "refused"]),
)  # fmt: skip


class Killed(BaseException):
    """The function is gone: nothing catches this."""


@dataclass
class Clock:
    """Seconds since 1970, as a test says; and a number for each thing that happens, in their order."""

    now: float = 1_800_000_000.0
    happened: Any = field(default_factory=itertools.count)

    def __call__(self) -> float:
        return self.now


@dataclass
class Run:
    """A run of the job.

    Attributes:
        began: the number of its begin among all that happened.
    """

    id: str
    arguments: Mapping[str, str]
    began: int
    started_on: float
    state: str = "RUNNING"
    said: str = ""

    @property
    def ours(self) -> bool:
        return GATHERING in self.arguments

    def event(self) -> dict[str, Any]:
        """Detail of the event of its end."""
        return {"jobName": JOB, "severity": "INFO", "state": self.state, "jobRunId": self.id, "message": self.said}


class Glue:
    """Glue with one job that takes one run at a time.

    Attributes:
        hook: called around each call of its API: it may die, lose the answer, or let something else happen first.
        refuses: an error code for starts.
        newest_first: as Glue lists runs; another server may not.
    """

    def __init__(self, clock: Clock, hook: Hook = lambda _: None) -> None:
        self.clock, self.hook = clock, hook
        self.runs: list[Run] = []
        self.refuses, self.newest_first = "", True
        self.calls: Counter[str] = Counter()

    @property
    def working(self) -> Run | None:
        return next((run for run in self.runs if run.state == "RUNNING"), None)

    @property
    def own(self) -> list[Run]:
        return [run for run in self.runs if run.ours]

    def begin(self, arguments: Mapping[str, str]) -> Run:
        """A run, by whomever; Glue refuses a second one at the same time."""
        if self.refuses:
            raise _error(self.refuses)
        if self.working is not None:
            raise _error("ConcurrentRunsExceededException")
        run = Run(f"jr_{len(self.runs)}", dict(arguments), next(self.clock.happened), self.clock.now)
        self.runs.append(run)
        return run

    def finish(self, state: str = "SUCCEEDED", said: str = "") -> Run | None:
        """The run at work is over."""
        run = self.working
        if run is not None:
            run.state, run.said = state, said
        return run

    def start_job_run(self, *, JobName: str, Arguments: Mapping[str, str]) -> dict[str, Any]:  # noqa: N803
        assert JobName == JOB
        self.calls["start"] += 1
        self.hook("start: before")
        run = self.begin(Arguments)
        self.hook("start: after")
        return {"JobRunId": run.id}

    def get_job_run(self, *, JobName: str, RunId: str) -> dict[str, Any]:  # noqa: N803
        assert JobName == JOB
        self.calls["look"] += 1
        self.hook("look")
        found = next((run for run in self.runs if run.id == RunId), None)
        if found is None:
            raise _error("EntityNotFoundException")
        return {"JobRun": _told(found)}

    def get_job_runs(self, *, JobName: str, MaxResults: int, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        assert JobName == JOB
        self.calls["list"] += 1
        self.hook("list")
        start = int(NextToken)
        newest = self.runs[:: -1 if self.newest_first else 1][start : start + MaxResults]
        more = {"NextToken": str(start + MaxResults)} if start + MaxResults < len(self.runs) else {}
        return {"JobRuns": [_told(run) for run in newest], **more}


def _told(run: Run) -> dict[str, Any]:
    started = datetime.fromtimestamp(run.started_on, UTC)
    said = {"ErrorMessage": run.said} if run.said else {}
    return {"Id": run.id, "JobRunState": run.state, "StartedOn": started, "Arguments": dict(run.arguments), **said}


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "StartJobRun")


class Memory(Store):
    """The item in memory; each method is one step, as a call to DynamoDB is."""

    def __init__(self, hook: Hook = lambda _: None) -> None:
        self.record, self.hook = Record(), hook
        self.written: Callable[[Record, Record], None] = lambda *_: None

    def read(self) -> Record:
        self.hook("read")
        return self.record

    def write(self, seen: Record, record: Record) -> bool:
        self.hook("write: before")
        if self.record.version != seen.version:
            return False
        self.record = replace(record, version=seen.version + 1)
        self.written(seen, record)
        self.hook("write: after")
        return True


class Silent(Watch):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.events: list[tuple[str, dict[str, Any]]] = []
        logger = Logger(service="tests", stream=io.StringIO())
        super().__init__(JOB, "bus", "source", logger, Metrics(namespace="tests", service="tests"))

    def _tell(self, kind: str, files: Files, gathering: str, detail: dict[str, Any]) -> None:
        told = {"correlation_id": files.correlation_id(gathering), "files": files.count, "gathering": gathering}
        self.events.append((kind, {**told, **detail}))

    def _count(self, name: str, number: int = 1) -> None:
        self.counted[name] += number

    def waiting(self, seconds: float) -> None:
        self.counted["waiting"] = int(seconds)


@dataclass
class Place:
    """A trigger with all that is around it, in memory."""

    clock: Clock = field(default_factory=Clock)
    pace: Pace = PACE
    arguments: Mapping[str, str] = field(default_factory=dict)
    hook: Hook = lambda _: None

    def __post_init__(self) -> None:
        self.glue, self.store, self.watch = Glue(self.clock, self._hooked), Memory(self._hooked), Silent()
        self.trigger = Trigger(self.store, GlueJob(self.glue, JOB, self.arguments), self.watch, self.pace, self.clock)

    def _hooked(self, step: str) -> None:
        self.hook(step)

    def files(self, *ids: str) -> None:
        """A batch of the queue."""
        self.trigger.note(list(ids))
        self.trigger.drive()

    def ends(self, state: str = "SUCCEEDED", said: str = "") -> None:
        """The run at work is over, and the event of it comes."""
        run = self.glue.finish(state, said)
        assert run is not None
        self.told(run.event())

    def told(self, detail: Mapping[str, Any]) -> None:
        """The event of the end of a run."""
        self.trigger.ended(Seen(detail["jobRunId"], detail["state"], detail.get("message", "")))
        self.trigger.drive()

    def sweep(self, after: float = 0.0) -> None:
        self.clock.now += after
        self.trigger.drive(looks=True)
        self.trigger.waits()

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.watch.events]
