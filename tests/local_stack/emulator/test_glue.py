"""Glue: runs that are handed over, one at a time, their states, their events, and Step Functions that wait for them."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from local_stack_kit import ROLE, Emulated, until

OVER = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"}


def job(aws: Emulated, name: str, **more: Any) -> str:
    aws.client("glue").create_job(
        Name=name, Role=ROLE, Command={"Name": "glueetl", "ScriptLocation": "s3://code/job.py"},
        DefaultArguments={"--LANDING": "s3://landing/", "--ENV": "dev"}, GlueVersion="5.0", **more,
    )  # fmt: skip
    return name


def events(aws: Emulated, name: str) -> str:
    """A log group that gets the state changes of a job."""
    group, rules = f"/aws/events/{name}", aws.client("events")
    aws.client("logs").create_log_group(logGroupName=group)
    pattern = {"source": ["aws.glue"], "detail-type": ["Glue Job State Change"], "detail": {"jobName": [name]}}
    rules.put_rule(Name=name, EventPattern=json.dumps(pattern))
    rules.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"}])
    return group


def ended(aws: Emulated, name: str, run: str) -> dict[str, Any]:
    glue = aws.client("glue")

    def look() -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = glue.get_job_run(JobName=name, RunId=run)["JobRun"]
        except glue.exceptions.EntityNotFoundException:
            return None  # a further attempt is there some time after the one before has ended
        return found if found["JobRunState"] in OVER else None

    return until(look)  # type: ignore[return-value]


def test_a_run_gets_the_arguments_that_glue_gives(aws: Emulated, names: str) -> None:
    aws.runner.answer = lambda _: {"state": "SUCCEEDED", "output": "one\ntwo"}
    name = job(aws, names)
    run = aws.client("glue").start_job_run(JobName=name, Arguments={"--ENV": "other"})["JobRunId"]
    assert ended(aws, name, run)["JobRunState"] == "SUCCEEDED"
    asked = next(one for one in aws.runner.asked if one["run"] == run)
    given = dict(zip(asked["arguments"][::2], asked["arguments"][1::2], strict=True))
    assert asked["script"] == "s3://code/job.py"
    assert given["--JOB_NAME"] == name and given["--JOB_RUN_ID"] == run
    assert given["--ENV"] == "other" and given["--LANDING"] == "s3://landing/"
    logs = aws.client("logs").get_log_events(logGroupName="/aws-glue/jobs/output", logStreamName=run)
    assert [one["message"] for one in logs["events"]] == ["one", "two"]


@pytest.mark.parametrize(
    ("state", "severity", "message"),
    [
        ("SUCCEEDED", "INFO", "Job run succeeded"),
        ("FAILED", "ERROR", "failed to execute with exception JobFailed: account"),
        ("TIMEOUT", "WARN", "Job run timed out"),
    ],
)
def test_the_end_of_a_run_is_an_event_as_glue_sends_it(
    aws: Emulated, names: str, state: str, severity: str, message: str
) -> None:
    aws.runner.answer = lambda _: {"state": state, "message": "JobFailed: account"}
    name, group = job(aws, names), events(aws, names)
    run = aws.client("glue").start_job_run(JobName=name)["JobRunId"]
    event = json.loads(until(lambda: aws.told(group))[0])
    assert {key: event["detail"][key] for key in ("jobName", "state", "severity", "jobRunId")} == {
        "jobName": name, "state": state, "severity": severity, "jobRunId": run,
    }  # fmt: skip
    assert message in event["detail"]["message"]
    found = ended(aws, name, run)
    assert (found["JobRunState"], found.get("ErrorMessage")) == (
        state,
        None if state == "SUCCEEDED" else "JobFailed: account",
    )


def test_a_second_run_is_refused_while_the_first_goes_on(aws: Emulated, names: str) -> None:
    over, glue = threading.Event(), aws.client("glue")
    aws.runner.answer = lambda _: {"state": "SUCCEEDED" if over.wait(20) else "FAILED"}
    name = job(aws, names)
    run = glue.start_job_run(JobName=name)["JobRunId"]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName=name)
    over.set()
    assert ended(aws, name, run)["JobRunState"] == "SUCCEEDED"
    ended(aws, name, glue.start_job_run(JobName=name)["JobRunId"])


def test_a_job_of_two_runs_takes_two(aws: Emulated, names: str) -> None:
    over, glue = threading.Event(), aws.client("glue")
    aws.runner.answer = lambda _: {"state": "SUCCEEDED" if over.wait(20) else "FAILED"}
    name = job(aws, names, ExecutionProperty={"MaxConcurrentRuns": 2})
    runs = [glue.start_job_run(JobName=name)["JobRunId"] for _ in range(2)]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName=name)
    over.set()
    assert {ended(aws, name, run)["JobRunState"] for run in runs} == {"SUCCEEDED"}


def test_a_failed_run_is_tried_again_as_often_as_the_job_says(aws: Emulated, names: str) -> None:
    aws.runner.answer = lambda asked: {
        "state": "SUCCEEDED" if "attempt_1" in asked["run"] else "FAILED",
        "message": "x",
    }
    name, group = job(aws, names, MaxRetries=2), events(aws, names)
    run = aws.client("glue").start_job_run(JobName=name)["JobRunId"]
    assert ended(aws, name, f"{run}_attempt_1")["JobRunState"] == "SUCCEEDED"
    until(lambda: len(aws.told(group)) == 2)
    states = [json.loads(line)["detail"]["state"] for line in aws.told(group)]
    assert states == ["FAILED", "SUCCEEDED"]
    assert len(aws.client("glue").get_job_runs(JobName=name)["JobRuns"]) == 2


def test_a_run_can_be_stopped(aws: Emulated, names: str) -> None:
    over, glue = threading.Event(), aws.client("glue")
    aws.runner.answer = lambda _: {"state": "STOPPED" if over.wait(20) else "FAILED"}
    name = job(aws, names, MaxRetries=1)
    run = glue.start_job_run(JobName=name)["JobRunId"]
    assert not glue.batch_stop_job_run(JobName=name, JobRunIds=[run])["Errors"]
    until(lambda: run in aws.runner.stopped)
    over.set()
    assert ended(aws, name, run)["JobRunState"] == "STOPPED"
    assert len(glue.get_job_runs(JobName=name)["JobRuns"]) == 1
    again = glue.batch_stop_job_run(JobName=name, JobRunIds=[run, "jr_unknown"])["Errors"]
    assert [one["ErrorDetail"]["ErrorCode"] for one in again] == ["InvalidInputException", "EntityNotFoundException"]


@pytest.mark.parametrize(("state", "becomes"), [("SUCCEEDED", "SUCCEEDED"), ("FAILED", "FAILED")])
def test_step_functions_wait_for_a_run(aws: Emulated, names: str, state: str, becomes: str) -> None:
    aws.runner.answer = lambda _: {"state": state, "message": "x"}
    name, states = job(aws, names), aws.client("stepfunctions")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun.sync",
        "Parameters": {"JobName": name},
        "End": True,
    }
    machine = states.create_state_machine(
        name=names, roleArn=ROLE, definition=json.dumps({"StartAt": "Job", "States": {"Job": task}})
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    until(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
    assert states.describe_execution(executionArn=execution)["status"] == becomes
