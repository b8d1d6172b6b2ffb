"""Flow runs: what they announced against what landed, and whatever no event told of."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from forceglue.errors import UsageError
from ingest import executions, sweeping
from ingest.executions import runs
from ingest.flows import FlowRun, flow_run, recorded
from lambdas.ingest_kit import FOLDER, GOOD, Called, Landing, parquet

FLOW = "dev-Salesforce-Account"
NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)


def report(landing: Landing, rows: int, execution: str = "e1", **more: str) -> dict[str, Any]:
    """AppFlow's event at the end of a run: all counts are text, times have a zone in brackets."""
    detail = {
        "flow-name": FLOW, "created-by": "arn:aws:iam::123456789012:user/a", "flow-arn": f"arn:aws:appflow:::flow/{FLOW}",
        "source": "SALESFORCE", "destination": "S3", "source-object": "Account", "trigger-type": "SCHEDULED",
        "destination-object": f"s3://{landing.bucket}/in", "num-of-documents-processed": "1",
        "execution-id": execution, "num-of-records-processed": str(rows), "num-of-records-filtered": "0",
        "num-of-record-failures": "0", "data-processed": "59264", "status": "Execution Successful",
        "start-time": f"{NOW - 2 * MINUTE:%Y-%m-%dT%H:%M:%S}.049Z[UTC]",
        "end-time": f"{NOW - MINUTE:%Y-%m-%dT%H:%M:%S}.721Z[UTC]",
    }  # fmt: skip
    return {
        "source": "aws.appflow", "detail-type": "AppFlow End Flow Run Report", "time": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        "detail": detail | {name.replace("_", "-"): value for name, value in more.items()},
    }  # fmt: skip


def reconcile(function: ModuleType, *bodies: dict[str, Any]) -> list[str]:
    """Messages of the queue; which of them come again."""
    records = [
        {
            "messageId": str(number),
            "receiptHandle": "r",
            "body": json.dumps(body),
            "attributes": {},
            "eventSource": "aws:sqs",
        }
        for number, body in enumerate(bodies)
    ]
    answer = function.reconcile({"Records": records}, Called(60))
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def told(landing: Landing) -> list[dict[str, Any]]:
    return [one["detail"] for one in landing.told() if one["detail-type"] == "flow-reconciled"]


def ingest(function: ModuleType, landing: Landing, name: str, rows: int, execution: str = "e1") -> None:
    given = landing.put(f"{FOLDER}/{execution}/{name}", parquet(Id=[str(one) for one in range(rows)]))
    function.handler(given, Called(900))


def test_a_run_whose_rows_all_landed_is_equal_and_told_once(function: ModuleType, landing: Landing) -> None:
    ingest(function, landing, "0001", 3)
    ingest(function, landing, "0002", 4)
    ingest(function, landing, "0001", 9, "another")
    assert reconcile(function, report(landing, 8, num_of_record_failures="1")) == []
    (found,) = told(landing)
    assert found == {
        "state": "equal", "correlation_id": "e1", "execution": "e1", "flow": FLOW, "status": "Execution Successful",
        "announced": 7, "landed": 7, "files": 2, "rejected": 0, "waiting": 0, "unknown": 0,
        "ended_at": found["ended_at"],
    }  # fmt: skip
    assert datetime.fromisoformat(found["ended_at"]) == NOW - MINUTE + timedelta(milliseconds=721)
    assert reconcile(function, report(landing, 8)) == []
    assert told(landing) == []  # AppFlow's event twice
    assert json.loads(landing.body(f"_executions/{FLOW}/e1.json"))["state"] == "equal"


def test_rows_that_are_missing_are_told_and_counted(
    function: ModuleType, landing: Landing, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(function, landing, "0001", 3)
    reconcile(function, report(landing, 5))
    (found,) = told(landing)
    assert (found["state"], found["announced"], found["landed"]) == ("different", 5, 3)
    (emf,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"FlowsDifferent":[' in line]
    assert (emf["FlowsReconciled"], emf["FlowsDifferent"], emf["FlowsFailed"]) == ([1.0], [1.0], [0.0])


def test_a_rejected_file_makes_a_difference(function: ModuleType, landing: Landing) -> None:
    ingest(function, landing, "0001", 3)
    function.handler(landing.put(f"{FOLDER}/e1/0002", b"PAR1 cut"), Called(900))
    reconcile(function, report(landing, 3))
    (found,) = told(landing)
    assert (found["state"], found["files"], found["rejected"]) == ("different", 1, 1)


def test_a_run_without_rows_writes_no_file(function: ModuleType, landing: Landing) -> None:
    reconcile(function, report(landing, 0))
    assert [(one["state"], one["files"]) for one in told(landing)] == [("equal", 0)]


def test_a_run_that_failed_is_told_as_that(function: ModuleType, landing: Landing) -> None:
    reconcile(function, report(landing, 0, status="Execution Failed"))
    assert [(one["state"], one["status"]) for one in told(landing)] == [("failed", "Execution Failed")]


def test_files_on_their_way_are_waited_for_and_not_for_ever(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = landing.put(f"{FOLDER}/e1/0001", parquet(Id=["1"]))
    assert reconcile(function, report(landing, 1)) == ["0"]
    assert told(landing) == []
    monkeypatch.setenv("FLOW_WAIT_MINUTES", "0.5")
    function._settings.cache_clear()
    assert reconcile(function, report(landing, 1)) == []
    assert [(one["state"], one["waiting"]) for one in told(landing)] == [("incomplete", 1)]
    function.handler(given, Called(900))
    landing.told()
    reconcile(function, report(landing, 1))  # it was not the last word
    assert [one["state"] for one in told(landing)] == ["equal"]


def test_a_run_that_wrote_elsewhere_is_none_of_ours(function: ModuleType, landing: Landing) -> None:
    assert reconcile(function, report(landing, 5, destination_object="s3://another/in")) == []
    assert told(landing) == []


def test_a_message_that_is_no_run_comes_again_until_it_is_a_dead_letter_and_stops_no_other(
    function: ModuleType, landing: Landing
) -> None:
    broken = report(landing, 1)
    broken["detail"]["num-of-records-processed"] = "many"
    assert reconcile(function, {"detail": {}}, report(landing, 0), broken) == ["0", "2"]
    assert len(told(landing)) == 1


def test_an_event_that_is_not_put_is_put_when_the_message_comes_again(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise function.bus.EventsNotPutError("the bus is away")

    with monkeypatch.context() as patched:
        patched.setattr(function.bus, "put", die)
        assert reconcile(function, report(landing, 0)) == ["0"]
    assert reconcile(function, report(landing, 0)) == []
    assert len(told(landing)) == 1


@pytest.mark.parametrize(
    ("status", "succeeded"), [("Successful", True), ("Error", False), ("Canceled", False), ("InProgress", None)]
)
def test_a_record_of_appflow_and_its_event_are_one_run(landing: Landing, status: str, succeeded: bool | None) -> None:
    record = {
        "executionId": "e1", "executionStatus": status, "startedAt": NOW - 2 * MINUTE, "lastUpdatedAt": NOW - MINUTE,
        "executionResult": {"recordsProcessed": 7, "bytesWritten": 1},
    }  # fmt: skip
    run = recorded(FLOW, record)
    if succeeded is None:
        assert run is None
        return
    assert run == FlowRun(FLOW, "e1", succeeded, status, 7, NOW - 2 * MINUTE, NOW - MINUTE)
    assert flow_run(json.loads(json.dumps(run.message()))) == run


@pytest.mark.parametrize("message", [{}, {"flow": "f"}, {"detail": {"flow-name": "f"}}, {"detail": "x"}])
def test_what_is_no_run_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="tells of no flow run"):
        flow_run(message)


class AppFlow:
    """The two calls of AppFlow that list runs, two entries a page."""

    def __init__(self, history: dict[str, list[dict[str, Any]]]) -> None:
        self._history = history
        self.asked: list[str] = []

    def list_flows(self, nextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        flows = [
            {"flowName": name, "lastRunExecutionDetails": {"mostRecentExecutionTime": max(r["startedAt"] for r in ran)}}
            if ran
            else {"flowName": name}
            for name, ran in self._history.items()
        ]
        return self._page("flows", flows, nextToken)

    def describe_flow_execution_records(self, flowName: str, nextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        self.asked.append(flowName)
        return self._page("flowExecutions", self._history[flowName], nextToken)

    def _page(self, name: str, found: list[Any], token: str) -> dict[str, Any]:
        start = int(token)
        page: dict[str, Any] = {name: found[start : start + 2]}
        return page | ({"nextToken": str(start + 2)} if start + 2 < len(found) else {})


def record(age: timedelta, execution: str = "", **more: Any) -> dict[str, Any]:
    began = NOW - age
    return {
        "executionId": execution or str(uuid.uuid4()), "executionStatus": "Successful", "startedAt": began,
        "lastUpdatedAt": began + MINUTE, "executionResult": {"recordsProcessed": 0},
    } | more  # fmt: skip


HOUR = timedelta(hours=1)


def test_runs_are_listed_back_to_a_time_in_either_order(monkeypatch: pytest.MonkeyPatch) -> None:
    history = [record(hours * HOUR, f"e{hours}") for hours in range(1, 9)]
    for order, pages in ((history, 3), (history[::-1], 4)):
        appflow = AppFlow({"dev-Salesforce-Account": order, "dev-Salesforce-Old": [record(99 * HOUR)], "other": order})
        monkeypatch.setattr(executions, "client", lambda _, appflow=appflow: appflow)
        found = runs("dev-Salesforce-", NOW - 4.5 * HOUR)
        assert sorted(run.execution for run in found) == ["e1", "e2", "e3", "e4"]
        assert appflow.asked == ["dev-Salesforce-Account"] * pages


def test_the_sweep_sends_runs_that_nobody_reconciled_to_the_queue(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = {
        FLOW: [
            record(2 * MINUTE, "young"), record(HOUR, "lost"), record(HOUR, "failed", executionStatus="Error"),
            record(HOUR, "running", executionStatus="InProgress"), record(2 * HOUR, "told"), record(48 * HOUR, "old"),
        ],
        "dev-Salesforce-Never": [],
    }  # fmt: skip
    monkeypatch.setattr(executions, "client", lambda _: AppFlow(history))
    reconcile(function, report(landing, 0, "told"))
    landing.told()
    assert function.sweep({}, Called(60))["flow_runs_overdue"] == 2
    messages = [json.loads(body) for body in landing.messages(landing.flow_queue)]
    assert reconcile(function, *messages) == []
    assert {one["execution"]: one["state"] for one in told(landing)} == {"lost": "equal", "failed": "failed"}
    assert function.sweep({}, Called(60))["flow_runs_overdue"] == 0


def test_without_flows_appflow_is_not_asked(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOW_PREFIX", "")
    function._settings.cache_clear()
    monkeypatch.setattr(executions, "client", lambda _: 1 / 0)
    assert function.sweep({}, Called(60)) == {"files_overdue": 0, "files_stranded": 0, "flow_runs_overdue": 0}


def later(monkeypatch: pytest.MonkeyPatch, age: timedelta) -> None:
    """The sweep's clock is so much ahead of that of the landing."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + age

    monkeypatch.setattr(sweeping, "datetime", Later)


def test_the_sweep_announces_files_whose_event_was_lost(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOW_PREFIX", "")
    monkeypatch.setenv("MAPPINGS_SECONDS", "0")
    landing.write_mappings({"project.yaml": "unmapped: ignore\n"})
    for key in (GOOD, f"{FOLDER}/e1/a+b.csv", "in/Lead/e1/a.csv", "in/x.csv", f"{FOLDER}/e1/_SUCCESS"):
        landing.put(key)
    later(monkeypatch, 5 * MINUTE)
    assert function.sweep({}, Called(60))["files_overdue"] == 0
    later(monkeypatch, 16 * MINUTE)
    assert function.sweep({}, Called(60)) == {"files_overdue": 2, "files_stranded": 0, "flow_runs_overdue": 0}
    announced = landing.told()
    assert {one["detail-type"] for one in announced} == {"file-overdue"}
    assert {one["detail"]["correlation_id"] for one in announced} == {"e1"}
    for one in announced:
        answer = function.handler(one, Called(900))
        assert [file["status"] for file in answer["files"]] == ["ingested"]
    assert landing.lying(FOLDER) == [f"{FOLDER}/e1/_SUCCESS"]
    assert len([one for one in landing.told() if one["detail-type"] == "file-ingested"]) == 2


def test_a_file_is_announced_again_ever_more_rarely_and_then_needs_a_person(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOW_PREFIX", "")
    landing.put(GOOD)
    announced = []
    for sweep in range(1, 100):
        later(monkeypatch, sweep * 15 * MINUTE + MINUTE)
        told = function.sweep({}, Called(60))
        if told["files_overdue"]:
            announced.append(sweep)
        assert told["files_stranded"] == (sweep * 15 + 1 >= 24 * 60)
    assert announced == [1, 2, 4, 8, 16, 32, 64]
