"""What the trigger tells of itself: metrics and log lines, on which the alarms stand, and events on the bus."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from common.bus import EventsNotPutError, put
from job_trigger.decision import Outcome
from job_trigger.glue_job import Seen
from job_trigger.record import Files, Record

_LONGEST = 1_000
_METRIC: dict[Outcome, str] = {
    "succeeded": "JobSucceeded",
    "failed": "JobFailed",
    "given_up": "JobGivenUp",
}


class Watch:
    """Tells what happens. Nothing secret is handed to it.

    Args:
        bus, source: where its events go, and as whose.
    """

    def __init__(self, job: str, bus: str, source: str, logger: Logger, metrics: Metrics) -> None:
        self._job, self._bus, self._source = job, bus, source
        self._logger, self._metrics = logger, metrics

    def gathered(self, files: Files) -> None:
        """Files were told of, and are stored."""
        self._count("FilesGathered", files.count)
        more: dict[str, object] = {"files": files.count, "correlation_ids": list(files.ids)}
        if shared := files.correlation_id(""):
            more["correlation_id"] = shared
        self._logger.info("files gathered", extra=more)

    def started(self, record: Record) -> None:
        """A run was started, or one was found that an earlier invocation had started."""
        self._count("JobStarted")
        self._tell("job-started", record.going, record.gathering, {"job_run_id": record.run_id})

    def ended(self, before: Record, after: Record, seen: Seen, outcome: Outcome) -> None:
        """The run at work is over."""
        self._count(_METRIC[outcome])
        detail: dict[str, object] = {"job_run_id": seen.run_id, "state": seen.state}
        if outcome != "succeeded":
            detail |= {"failures": before.failures + 1, "message": seen.said[:_LONGEST]}
        if outcome == "failed":
            detail["next_try_at"] = datetime.fromtimestamp(after.not_before, UTC).isoformat()
        self._tell(f"job-{outcome.replace('_', '-')}", before.going, before.gathering, detail)

    def busy(self) -> None:
        """A run that is not ours is at work."""
        self._count("JobBusy")
        self._logger.info("another run of the job is at work; files wait for its end", extra={"job": self._job})

    def refused(self, error: Exception) -> None:
        """Glue starts no run, or does not answer."""
        self._count("StartFailed")
        self._logger.error("no run was started: %s", error, extra={"job": self._job, "error": type(error).__name__})

    def late(self, gathering: str, run_id: str) -> None:
        """A run was started so late that another start had taken its place: it does no harm."""
        self._logger.warning("a run was started late", extra={"gathering": gathering, "job_run_id": run_id})

    def waiting(self, seconds: float) -> None:
        """How long files have waited for a run that succeeds; 0 where none does."""
        self._metrics.add_metric(name="WaitingMinutes", unit=MetricUnit.NoUnit, value=round(seconds / 60, 3))

    def _tell(self, kind: str, files: Files, gathering: str, detail: dict[str, Any]) -> None:
        """The state is stored already: an event that is not taken changes nothing of it, and is told by an alarm."""
        told = {
            "job": self._job,
            "gathering": gathering,
            "files": files.count,
            "correlation_id": files.correlation_id(gathering),
            "correlation_ids": list(files.ids),
            "more_correlation_ids": files.more,
            **detail,
        }
        level = "info" if kind in ("job-started", "job-succeeded") else "error"
        getattr(self._logger, level)(kind, extra={"correlation_id": told["correlation_id"], "told": told})
        try:
            put(self._bus, self._source, [(kind, told)])
        except (EventsNotPutError, BotoCoreError, ClientError):
            self._count("EventNotPut")
            self._logger.exception("an event was not put", extra={"kind": kind})

    def _count(self, name: str, number: int = 1) -> None:
        self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
