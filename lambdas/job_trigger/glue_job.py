"""The job of Glue: start a run, ask about one, find the one that a start made.

Glue takes no token that would make a start idempotent. So the start's own name goes along as an argument, and stands in
the list of runs; the job itself reads it not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from job_trigger.decision import GONE

GATHERING = "--GATHERING"
_BUSY, _UNKNOWN = "ConcurrentRunsExceededException", "EntityNotFoundException"
_SLACK = 900.0
"""Seconds by which clocks may differ."""
_PAGE = 100


@dataclass(frozen=True)
class Seen:
    """A run as Glue tells of it; `said`: why it failed."""

    run_id: str
    state: str
    said: str = ""


class BusyError(Exception):
    """Another run of the job is at work, and the job takes one at a time."""


class RefusedError(Exception):
    """Glue starts no run: a limit of the account, no such job, no right.

    Attributes:
        code: Glue's own.
    """

    def __init__(self, code: str, said: str) -> None:
        self.code = code
        super().__init__(f"Glue starts no run ({code}): {said}")


class GlueJob:
    """One job.

    Args:
        glue: a client of Glue.
        arguments: what each run is given besides.
    """

    def __init__(self, glue: Any, name: str, arguments: Mapping[str, str]) -> None:
        self._glue, self.name, self._arguments = glue, name, arguments

    def start(self, gathering: str, correlation_id: str) -> str:
        """Starts a run; its id.

        Raises:
            BusyError, RefusedError: there is none; unless an answer was lost and the call repeated: `find` knows.
            botocore.exceptions.BotoCoreError: Glue cannot be reached, or its answer is lost: there may be one.
        """
        arguments = {**self._arguments, "--CORRELATION_ID": correlation_id, GATHERING: gathering}
        try:
            return str(self._glue.start_job_run(JobName=self.name, Arguments=arguments)["JobRunId"])
        except ClientError as error:
            if _code(error) == _BUSY:
                raise BusyError from None
            raise RefusedError(_code(error), error.response["Error"].get("Message", "")) from None

    def look(self, run_id: str) -> Seen:
        """A run as it is now; its state is `GONE` where Glue does not know it."""
        try:
            return _seen(self._glue.get_job_run(JobName=self.name, RunId=run_id)["JobRun"])
        except ClientError as error:
            if _code(error) != _UNKNOWN:
                raise
            return Seen(run_id, GONE, "Glue does not know the run")

    def find(self, gathering: str, since: float) -> Seen | None:
        """The run that was started with this name, if there is one.

        Args:
            since: it cannot be older. Glue lists the newest first, so that a few calls are enough.
        """
        token: dict[str, str] = {}
        while True:
            try:
                answer = self._glue.get_job_runs(JobName=self.name, MaxResults=_PAGE, **token)
            except ClientError as error:
                if _code(error) == _UNKNOWN:
                    return None  # there is no such job
                raise
            runs = answer.get("JobRuns", [])
            for run in runs:
                if run.get("Arguments", {}).get(GATHERING) == gathering:
                    return _seen(run)
            if not answer.get("NextToken") or _beyond(runs, since - _SLACK):
                return None
            token = {"NextToken": answer["NextToken"]}


def _beyond(runs: Sequence[Mapping[str, Any]], moment: float) -> bool:
    """Whether all further runs of the list are older. Its order is no promise of Glue's: it is seen, not taken."""
    times = [run["StartedOn"].timestamp() for run in runs if "StartedOn" in run]
    return bool(times) and times == sorted(times, reverse=True) and times[0] > times[-1] < moment


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", "unknown"))


def _seen(run: Mapping[str, Any]) -> Seen:
    return Seen(run["Id"], run.get("JobRunState", ""), run.get("ErrorMessage", ""))
