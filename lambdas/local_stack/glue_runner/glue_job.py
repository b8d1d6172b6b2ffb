"""`awsglue.job.Job` without Glue's JVM classes: the job begins with its name and is committed once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Job:
    """Stands where Glue's own would be; job bookmarks are off in the template, so that it keeps nothing."""

    def __init__(self, _session: Any) -> None:
        self._name = ""

    def init(self, job_name: str, args: Mapping[str, str] | None = None) -> None:
        """The job begins."""
        self._name = job_name or (args or {}).get("JOB_NAME", "")

    def isInitialized(self) -> bool:  # noqa: N802  # Glue's own name
        """Whether it has begun."""
        return bool(self._name)

    def commit(self) -> None:
        """The job is done."""
        if not self._name:
            raise RuntimeError("Job.commit() before Job.init()")


def stand_in() -> None:
    """Puts it where `from awsglue.job import Job` finds it."""
    import awsglue.job

    awsglue.job.Job = Job
