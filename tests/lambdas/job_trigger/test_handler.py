"""Lambda's events as they come, with AWS on a socket."""

from __future__ import annotations

import json
import time
from types import ModuleType
from typing import Any

import pytest

from forceglue.errors import UsageError
from job_trigger.glue_job import GATHERING
from job_trigger.settings import trigger_settings
from lambdas.gateway import Context
from lambdas.job_events import batch, ended, ingested
from lambdas.kit import Aws

SWEEP = {"sweep": True}


def test_a_batch_starts_one_run_and_the_bus_is_told(function: ModuleType, around: Any) -> None:
    answer = function.handler(batch(ingested(), ingested(), ingested()), Context())
    assert answer == {"batchItemFailures": []}
    (run,) = around.runs()
    assert run["Arguments"].items() >= {
        "--PARAMS": "a=1", "--EVENT_BUS": around.bus, "--CORRELATION_ID": "7f3a"
    }.items()  # fmt: skip
    ((source, kind, detail),) = around.events()
    assert (source, kind) == ("forceglue.job-trigger", "job-started")
    assert detail == {
        "job": around.job, "job_run_id": run["Id"], "files": 3, "gathering": run["Arguments"][GATHERING],
        "correlation_id": "7f3a", "correlation_ids": ["7f3a"], "more_correlation_ids": False,
    }  # fmt: skip


def test_a_message_that_is_no_such_event_comes_again_and_the_others_count(
    function: ModuleType, around: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ingested(**{"detail-type": "file-ingestion"})
    answer = function.handler(batch("no json", ingested(), other, '"text"', ingested(None)), Context())
    failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    assert failed == ["m-0", "m-2", "m-3"]
    ((_, _, detail),) = around.events()
    assert (detail["files"], detail["correlation_ids"]) == (2, ["7f3a", "e-1"])
    assert "no file-ingested event" in capsys.readouterr().out


def test_a_batch_of_nothing_that_counts_starts_nothing(function: ModuleType, around: Any) -> None:
    assert function.handler(batch("x"), Context())["batchItemFailures"] == [{"itemIdentifier": "m-0"}]
    assert not around.runs() and not around.events()


def test_files_that_come_during_a_run_start_the_next_one_when_it_ends(function: ModuleType, around: Any) -> None:
    function.handler(batch(ingested("a")), Context())
    function.handler(batch(ingested("b"), ingested("c")), Context())
    (run,) = around.runs()
    around.finish(run["Id"])
    function.handler(ended(around.job, run["Id"]), Context())
    assert len(around.runs()) == 2
    kinds = [(kind, detail["files"]) for _, kind, detail in around.events()]
    assert kinds == [("job-started", 1), ("job-succeeded", 1), ("job-started", 2)]


def test_a_run_that_fails_is_tried_again_and_then_given_up(
    function: ModuleType, around: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    function.handler(batch(ingested()), Context())
    for _ in range(2):
        run = next(run for run in around.runs() if run["JobRunState"] != "SUCCEEDED")
        around.finish(run["Id"])
        function.handler(ended(around.job, run["Id"], "FAILED", "order failed: no space"), Context())
    told = around.events()
    assert [kind for _, kind, _ in told] == ["job-started", "job-failed", "job-started", "job-given-up"]
    assert told[-1][2]["message"] == "order failed: no space" and told[-1][2]["failures"] == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    metrics = [line for line in lines if "_aws" in line]
    assert sum(sum(line.get("JobGivenUp", [])) for line in metrics) == 1
    assert {(line["env"], line["service"]) for line in metrics if "JobGivenUp" in line} == {("local", "job-trigger")}
    (said,) = (line for line in lines if line.get("message") == "job-given-up")
    assert said["correlation_id"] == "7f3a" and said["told"]["state"] == "FAILED"


def test_the_sweep_finds_the_end_that_nobody_told(function: ModuleType, around: Any) -> None:
    function.handler(batch(ingested()), Context())
    for _ in range(4):
        function.handler(SWEEP, Context())
    assert [kind for _, kind, _ in around.events()] == ["job-started", "job-succeeded"]


def test_the_end_of_another_jobs_run_is_not_ours(function: ModuleType, around: Any) -> None:
    function.handler(batch(ingested()), Context())
    (run,) = around.runs()
    function.handler(ended("another", run["Id"]), Context())
    assert [kind for _, kind, _ in around.events()] == ["job-started"]


def test_a_run_by_hand_is_waited_for(function: ModuleType, around: Any) -> None:
    by_hand = around.glue.start_job_run(JobName=around.job)["JobRunId"]
    function.handler(batch(ingested()), Context())
    assert len(around.runs()) == 1
    around.finish(by_hand)
    function.handler(ended(around.job, by_hand), Context())
    assert len(around.runs()) == 2


def test_no_job_of_the_name_is_told_and_files_are_kept(
    function: ModuleType, around: Any, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    around.glue.delete_job(JobName=around.job)
    assert function.handler(batch(ingested()), Context()) == {"batchItemFailures": []}
    out = capsys.readouterr().out
    assert "EntityNotFoundException" in out and '"StartFailed":[1' in out.replace(" ", "")
    around.glue.create_job(Name=around.job, Role="r", Command={"Name": "glueetl"})
    time.sleep(1)
    function.handler(SWEEP, Context())
    assert len(around.runs()) == 1


def test_a_bus_that_is_not_there_starts_the_run_all_the_same(
    function: ModuleType, around: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from botocore.exceptions import ClientError

    from job_trigger import watch

    def put(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "m"}}, "PutEvents")

    monkeypatch.setattr(watch, "put", put)
    function.handler(batch(ingested()), Context())
    assert len(around.runs()) == 1 and '"EventNotPut":[1' in capsys.readouterr().out.replace(" ", "")


def test_an_event_of_another_kind_is_an_error(function: ModuleType) -> None:
    with pytest.raises(UsageError, match="Scheduled Event"):
        function.handler({"detail-type": "Scheduled Event"}, Context())


def test_every_problem_of_the_settings_is_told_at_once() -> None:
    with pytest.raises(UsageError) as told:
        trigger_settings({"JOB_ARGUMENTS": '{"PARAMS": "a", "--GATHERING": "x"}', "TRIES": "0"})
    for name in ("EVENT_BUS", "JOB_NAME", "TRIGGER_TABLE", "TRIES", "'PARAMS'", "'--GATHERING'"):
        assert name in str(told.value)


@pytest.mark.parametrize("text", ["no", "[]", '{"--A": 1}'])
def test_arguments_are_a_json_object_of_texts(text: str) -> None:
    with pytest.raises(UsageError, match="JSON object of texts"):
        trigger_settings({"EVENT_BUS": "b", "JOB_NAME": "j", "TRIGGER_TABLE": "t", "JOB_ARGUMENTS": text})
