"""Step Functions start Glue jobs: `arn:aws:states:::glue:startJobRun` and, waiting for the end, `….sync`.

ministack says "not yet implemented".
"""

from __future__ import annotations

import json
import time
from typing import Any

from ministack.services import glue, stepfunctions

_UNDER_WAY = {"STARTING", "RUNNING", "STOPPING", "WAITING"}
_LOOK_SECONDS = 0.3


def apply() -> None:
    """Corrects it."""
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::glue:startJobRun"] = _start


def _start(resource: str, data: dict[str, Any]) -> dict[str, Any]:
    status, _, body = glue._start_job_run(data)
    started: dict[str, Any] = json.loads(body)
    if status >= 400:
        code = str(started.get("__type", "GlueException")).rpartition("#")[2]
        raise stepfunctions._ExecutionError(f"Glue.{code}", str(started.get("message", "")))
    if ".sync" not in resource:
        return started
    asked = {"JobName": data["JobName"], "RunId": started["JobRunId"]}
    while True:
        run: dict[str, Any] = json.loads(glue._get_job_run(asked)[2])["JobRun"]
        if run["JobRunState"] == "SUCCEEDED":
            return run
        if run["JobRunState"] not in _UNDER_WAY:
            raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(run, default=str))
        time.sleep(_LOOK_SECONDS)
