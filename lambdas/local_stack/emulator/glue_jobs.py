"""Glue runs its Spark jobs for real, one after another in the warm runner, and tells of them on the default bus.

ministack says SUCCEEDED of a Spark job that never ran. As on AWS: `ConcurrentRunsExceededException` where a job runs
as often as its `MaxConcurrentRuns` allows; STARTING and RUNNING are followed by SUCCEEDED, FAILED (with the error),
TIMEOUT or STOPPED; a failed run is tried again `MaxRetries` times; each end is an event `Glue Job State Change`; what a
run printed is in the log group `/aws-glue/jobs/output`.
"""

from __future__ import annotations

import contextvars
import copy
import json
import logging
import os
import secrets
import threading
import time
import urllib.request
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs, eventbridge, glue
from ministack.services.cloudformation import provisioners

log = logging.getLogger("glue")
RUNNER_VARIABLE = "LOCAL_GLUE_RUNNER"
UNDER_WAY = {"STARTING", "RUNNING", "STOPPING", "WAITING"}
OUTPUT = "/aws-glue/jobs/output"
_DAYS_SECONDS = 3 * 86_400
_SEVERITY = {"SUCCEEDED": "INFO", "STOPPED": "INFO", "TIMEOUT": "WARN", "FAILED": "ERROR"}
_starting = threading.Lock()


def apply() -> None:
    """Corrects it."""
    provisioners._GLUE_JOB_DEFAULTS["ExecutionProperty"] = {"MaxConcurrentRuns": 1}
    glue._create_job = _keeping_concurrency(glue._create_job, lambda data: data)
    glue._update_job = _keeping_concurrency(glue._update_job, lambda data: data.get("JobUpdate", {}))
    glue._start_job_run = _start
    glue._batch_stop_job_run = _stop


def _keeping_concurrency(original: Any, fields: Any) -> Any:
    def call(data: dict[str, Any]) -> Any:
        answer = original(data)
        job = glue._jobs.get(data.get("Name") or data.get("JobName"))
        if job is not None and "ExecutionProperty" in fields(data):
            job["ExecutionProperty"] = fields(data)["ExecutionProperty"]
        return answer

    return call


def _start(data: dict[str, Any]) -> Any:
    """`StartJobRun`."""
    name = data.get("JobName")
    job = glue._jobs.get(name)
    if job is None:
        return error_response_json(
            "EntityNotFoundException", f"Failed to start job run due to missing metadata: {name}", 400
        )
    with _starting:
        runs = glue._job_runs.setdefault(name, [])
        most = int((job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns") or 1)
        if sum(run["JobRunState"] in UNDER_WAY for run in runs) >= most:
            return error_response_json("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {name}", 400)
        run = _run_of(job, data)
        runs.append(run)
    # a thread begins without the account and region of the request
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_work, job, run), name="glue-run", daemon=True).start()
    return json_response({"JobRunId": run["Id"]})


def _run_of(job: dict[str, Any], data: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    attempt = before["Attempt"] + 1 if before else 0
    first = before["Id"].partition("_attempt_")[0] if before else f"jr_{secrets.token_hex(32)}"
    now = int(time.time())
    return {
        "Id": f"{first}_attempt_{attempt}" if attempt else first,
        "Attempt": attempt,
        **({"PreviousRunId": before["Id"]} if before else {}),
        "JobName": job["Name"],
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "STARTING",
        "Arguments": dict(data.get("Arguments") or {}),
        "PredecessorRuns": [],
        "ExecutionTime": 0,
        "Timeout": int(data.get("Timeout") or job.get("Timeout") or 2880),
        **{key: job[key] for key in ("WorkerType", "NumberOfWorkers", "GlueVersion") if job.get(key)},
        **({"SecurityConfiguration": job["SecurityConfiguration"]} if job.get("SecurityConfiguration") else {}),
        "LogGroupName": "/aws-glue/jobs",
    }


def _work(job: dict[str, Any], run: dict[str, Any]) -> None:
    """One run from its start to the event of its end; after a failure the next attempt."""
    done = _handed_over(job, run)
    state = run["JobRunState"] if run["JobRunState"] == "STOPPING" else done["state"]
    state = "STOPPED" if state == "STOPPING" else state
    now = int(time.time())
    said = str(done.get("message") or "")
    run |= {"CompletedOn": now, "LastModifiedOn": now, "ExecutionTime": now - run["StartedOn"]}
    if said and state != "SUCCEEDED":
        run["ErrorMessage"] = said
    _log(run, str(done.get("output") or ""))
    again = None
    with _starting:
        if state in {"FAILED", "TIMEOUT"} and run["Attempt"] < int(job.get("MaxRetries") or 0):
            again = _run_of(job, run, run)
            glue._job_runs[job["Name"]].append(again)
        run["JobRunState"] = state
    log.info("Glue: %s %s %s", job["Name"], run["Id"], state)
    _tell(job["Name"], run, state, said)
    if again is not None:
        _work(job, again)


def _handed_over(job: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """What the runner says of the run: `state`, `message`, `output`; it answers when the run is over."""
    given = {**job.get("DefaultArguments", {}), **run["Arguments"]}
    told = {"--JOB_NAME": job["Name"], "--JOB_RUN_ID": run["Id"], "--JOB_ID": f"j_{job['Name']}", **given}
    asked = {
        "run": run["Id"],
        "script": job.get("Command", {}).get("ScriptLocation", ""),
        "arguments": [part for key, value in told.items() for part in (key, str(value))],
        "timeout_seconds": run["Timeout"] * 60,
    }
    run["JobRunState"] = "RUNNING"
    try:
        return _asked("/runs", asked)
    except OSError as error:
        return {"state": "FAILED", "message": f"the Spark runner does not answer ({error}); see its log"}


def _asked(path: str, data: dict[str, Any]) -> dict[str, Any]:
    where = os.environ[RUNNER_VARIABLE] + path
    request = urllib.request.Request(where, json.dumps(data).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_DAYS_SECONDS) as answer:  # noqa: S310  # the runner's own address
        found: dict[str, Any] = json.load(answer)
        return found


def _stop(data: dict[str, Any]) -> Any:
    """`BatchStopJobRun`."""
    name = data.get("JobName")
    runs = {run["Id"]: run for run in glue._job_runs.get(name, [])}
    stopped, errors = [], []
    for run_id in data.get("JobRunIds", []):
        run = runs.get(run_id)
        if run is not None and run["JobRunState"] in UNDER_WAY:
            run["JobRunState"] = "STOPPING"
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(_asked, "/stop", {"run": run_id}), daemon=True).start()
            stopped.append({"JobName": name, "JobRunId": run_id})
            continue
        code, said = ("InvalidInputException", "is over") if run else ("EntityNotFoundException", "is not there")
        detail = {"ErrorCode": code, "ErrorMessage": f"The run {run_id} {said}"}
        errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
    return json_response({"SuccessfulSubmissions": stopped, "Errors": errors})


def _tell(name: str, run: dict[str, Any], state: str, said: str) -> None:
    """The event of a run's end, as Glue writes it."""
    message = {
        "SUCCEEDED": "Job run succeeded",
        "STOPPED": "Job run stopped",
        "TIMEOUT": "Job run timed out",
    }.get(state, f"JobName:{name} and JobRunId:{run['Id']} failed to execute with exception {said}")
    detail = {
        "jobName": name,
        "severity": _SEVERITY.get(state, "ERROR"),
        "state": state,
        "jobRunId": run["Id"],
        "message": message,
    }
    entry = {"Source": "aws.glue", "DetailType": "Glue Job State Change", "Detail": json.dumps(detail), "Resources": []}
    eventbridge._put_events({"Entries": [copy.deepcopy(entry)]}, allow_aws_source=True)


def _log(run: dict[str, Any], output: str) -> None:
    now = int(time.time() * 1000)
    lines = [{"timestamp": now, "message": line} for line in output.splitlines() if line.strip()]
    if not lines:
        return
    cloudwatch_logs._create_log_group({"logGroupName": OUTPUT})
    cloudwatch_logs._create_log_stream({"logGroupName": OUTPUT, "logStreamName": run["Id"]})
    cloudwatch_logs._put_log_events({"logGroupName": OUTPUT, "logStreamName": run["Id"], "logEvents": lines})
