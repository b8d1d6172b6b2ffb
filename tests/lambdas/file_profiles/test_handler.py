"""A file's way: read by its profile, its rows handed on once, failed rows told, the file moved; wherever it is tried again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from file_profiles import part
from lambdas.gateway import Context
from lambdas.profiles_kit import STARTED, Files, Row, balanced

HEADER = "ID,Name,Amount\n"
THREE = HEADER + "1,a,1.50\n2,b,oops\n3,c,3\n"


def fails(*lines: int) -> Callable[[Row], None]:
    def row(one: Row) -> None:
        if one["line"] in lines:
            raise TimeoutError("the row says Mrs Secret")

    return row


def test_good_rows_go_on_and_failed_ones_are_told(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    files.profile(limits={"failureShare": 0.7}, key="id")
    event = files.upload(THREE)
    result = files.run(event, fails(4))
    run = files.file(event)["file"]["run"]
    where = f"small/2026/03/04/05/{run}/a.csv"
    assert {name: result[name] for name in ("state", "rows", "RowsProcessed", "RowsFailed", "RowsDropped")} == {
        "state": "success", "rows": 3, "RowsProcessed": 1, "RowsFailed": 2, "RowsDropped": 0,
    }  # fmt: skip
    assert balanced(result)
    assert (result["moved_to"], result["rejects"]) == (f"processed/{where}", f"error/{where}.rejects.jsonl")
    assert files.rejects_of(result) == [
        {"line": 3, "reasons": [{"code": "cast", "column": "amount"}]},
        {"line": 4, "reasons": [{"code": "row_machine", "error": "TimeoutError"}],
         "execution": f"arn:aws:states:eu-west-1:123456789012:execution:dev-file-row:{run}-4"},
    ]  # fmt: skip
    assert files.keys("small/") == [] and files.text(result["moved_to"]) == THREE
    assert json.loads(files.text(f"processed/{where.rpartition('/')[0]}/_a.csv.facts.json")) == result
    told = capsys.readouterr().out
    assert "oops" not in told and "Secret" not in told


def test_a_row_is_given_on_with_its_types_and_a_name_of_its_own(files: Files) -> None:
    files.profile(key=["id", "name"])
    event = files.upload(HEADER + "1,a,1.5\n")
    files.run(event)
    run = files.file(event)["file"]["run"]
    assert files.started == {
        f"{run}-2": {
            "line": 2, "name": f"{run}-2", "key": "1|a", "version": f"{STARTED}#0000000002",
            "row": {"id": "1", "name": "a", "amount": "1.50"},
        }
    }  # fmt: skip


def test_the_bus_and_the_metrics_are_told(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    files.profile(limits={"failureShare": 0.7})
    event = files.upload(THREE)
    result = files.run(event)
    ((kind, detail),) = files.told
    assert kind == "file-processed" and detail == result | {"execution": "arn:aws:states:…:execution:test-files:x"}
    assert detail["correlation_id"] == files.file(event)["file"]["run"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    (metrics,) = [line for line in lines if "_aws" in line]
    assert {name: metrics[name] for name in ("RowsProcessed", "RowsFailed", "FilesProcessed", "FilesFailed")} == {
        "RowsProcessed": [2.0], "RowsFailed": [1.0], "FilesProcessed": [1.0], "FilesFailed": [0.0],
    }  # fmt: skip
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["env", "service"], ["env", "source"]]
    assert metrics["source"] == "small"
    assert {line["correlation_id"] for line in lines if "message" in line} == {detail["correlation_id"]}


def test_rows_may_land_for_the_main_job(files: Files) -> None:
    files.profile(rowStateMachineArn=None, landing={"object": "Small"}, limits={"failureShare": 0.7})
    event = files.upload(THREE, file="Bericht 1.csv")
    result = files.run(event)
    run = files.file(event)["file"]["run"]
    assert result["landed"] == [f"in/test-Salesforce-Small/{run}/Bericht_1-00001.jsonl"]
    lines = files.text(result["landed"][0], files.landing).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": "1", "name": "a", "amount": "1.50"},
        {"id": "3", "name": "c", "amount": "3.00"},
    ]
    assert (result["RowsProcessed"], result["RowsFailed"], balanced(result)) == (2, 1, True)


def test_what_landed_does_not_land_again_where_the_end_is_tried_again(files: Files) -> None:
    files.profile(rowStateMachineArn=None, landing={"object": "Small"})
    state = files.read(files.file(files.upload(HEADER + "1,a,1\n")))
    first = files.conclude(state)
    files.s3.delete_object(Bucket=files.landing, Key=first["landed"][0])  # as ingest moves it on
    assert files.conclude(state) == first and files.keys(bucket=files.landing) == []


def test_what_landed_is_fit_for_the_main_job(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    from forceglue.landing.checks import check
    from forceglue.landing.store import Store
    from forceglue.mapping.model import FileChecks

    files.profile(rowStateMachineArn=None, landing={"object": "Small"}, limits={"failureShare": 0.7})
    result = files.run(files.upload(THREE))
    store = Store(f"s3://{files.landing}")
    entry = store.stat(result["landed"][0])
    assert entry is not None and Path
    facts = check(store, entry, key=("id",), files=FileChecks())
    assert (facts.format, facts.rows, [name for name, _ in facts.fields]) == ("json", 2, ["id", "name", "amount"])


def test_too_many_failures_set_the_file_aside_before_a_row_is_started(files: Files) -> None:
    files.profile()  # one in twenty may fail
    result = files.run(files.upload(THREE))
    assert (result["state"], result["code"], files.started) == ("error", "too_many_failures", {})
    assert (result["RowsProcessed"], result["RowsFailed"], result["RowsNotStarted"]) == (0, 1, 2) and balanced(result)
    assert result["moved_to"].startswith("error/small/") and files.text(result["moved_to"]) == THREE
    assert json.loads(files.text(result["moved_to"] + ".reason.json"))["code"] == "too_many_failures"
    assert files.told[0][0] == "file-processing"


def test_too_many_failures_of_row_machines_fail_the_file_after_them(files: Files) -> None:
    files.profile(limits={"failureShare": 0.4})
    result = files.run(files.upload(HEADER + "1,a,1\n2,b,2\n3,c,3\n"), fails(2, 3))
    assert (result["state"], result["code"]) == ("error", "too_many_failures")
    assert (result["RowsProcessed"], result["RowsFailed"], result["RowsNotStarted"]) == (1, 2, 0) and balanced(result)
    assert [one["line"] for one in files.rejects_of(result)] == [2, 3]


@pytest.mark.parametrize(
    ("data", "more", "code"),
    [
        ("", {}, "empty"),
        (THREE, {"maxBytes": 10}, "too_large"),
        (THREE, {"limits": {"maxRows": 2}}, "too_many_rows"),
        (THREE, {"limits": {"minRows": 4, "failureShare": 1}}, "too_few_rows"),
        ("ID;Name;Amount\n", {}, "column_missing"),
        (THREE, {"quality": {"reject_file": {"is_two": "id <> '3'"}}}, "rule_broken"),
        (b"\xff\xfeI\x00D\x00", {}, "encoding"),
        (b"\x1f\x8b\x08", {}, "wrong_format"),
        (THREE, {"parserId": "xml"}, "bad_profile"),
    ],
)
def test_a_file_that_is_not_what_it_must_be_is_set_aside_with_the_reason(
    files: Files, data: str | bytes, more: dict[str, Any], code: str
) -> None:
    files.profile(**more)
    result = files.run(files.upload(data))
    assert (result["state"], result["code"], files.started) == ("error", code, {}) and balanced(result)
    assert result["moved_to"] in files.keys("error/") and result["message"]
    assert json.loads(files.text(result["moved_to"] + ".reason.json")) == result


def test_a_source_without_a_profile(files: Files) -> None:
    result = files.run(files.upload(THREE, source="nobody"))
    assert result["code"] == "no_profile" and "/crm/file-profiles/test/nobody.json" in result["message"]


def test_a_folder_that_no_parameter_can_be_named_after(files: Files) -> None:
    result = files.run(files.upload(THREE, source="Flood QNS (new)"))
    assert result["state"] == "error" and result["moved_to"].startswith("error/Flood QNS (new)/")


def test_a_header_alone_is_a_file_without_rows(files: Files) -> None:
    files.profile()
    result = files.run(files.upload(HEADER))
    assert (result["state"], result["rows"], result["rejects"]) == ("success", 0, None)


def test_a_long_file_is_read_in_parts_and_nothing_is_lost_or_twice(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "PART_BYTES", 5_000)
    monkeypatch.setattr(part.PartReader.__init__, "__defaults__", (5_000,))
    files.profile(limits={"failureShare": 1})
    rows = "".join(f"{number},n{number},{number if number % 7 else 'x'}\n" for number in range(1000))
    result = files.run(files.upload(HEADER + rows))
    assert (result["rows"], result["RowsProcessed"], result["RowsFailed"]) == (1000, 857, 143)
    assert sorted(int(one["row"]["id"]) for one in files.started.values()) == [n for n in range(1000) if n % 7]
    assert [one["line"] for one in files.rejects_of(result)] == [n + 2 for n in range(0, 1000, 7)]
    assert len([key for key in files.keys("work/") if "/rows/" in key]) > 5


def test_a_call_whose_time_is_over_goes_on_with_the_next(files: Files) -> None:
    files.profile()
    state = files.read(files.file(files.upload(HEADER + "1,a,1\n2,b,2\n")), seconds=1)
    assert (state["progress"]["status"], state["progress"]["rows"]) == ("more", 1)
    state = files.read(state)
    assert (state["progress"]["status"], state["progress"]["rows"], state["progress"]["parts"]) == ("rows", 2, 2)


def test_a_batch_fits_into_a_state_and_a_row_that_does_not_is_set_aside(files: Files) -> None:
    files.profile(limits={"failureShare": 1}, maxBytes=10_000_000)
    rows = "".join(f"{number},{'ä' * 20_000},1\n" for number in range(20)) + f"99,{'x' * 150_000},1\n"
    result = files.run(files.upload(HEADER + rows))
    assert (result["RowsProcessed"], result["RowsFailed"]) == (20, 1)
    assert files.rejects_of(result) == [{"line": 22, "reasons": [{"code": "too_large"}]}]


@given(st.data())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_step_may_be_done_twice(files: Files, data: st.DataObject) -> None:
    """Step Functions calls a function again whose answer was lost."""
    twice = [data.draw(st.booleans(), label=step) for step in ("read", "rows", "conclude")]
    files.started.clear()
    files.profile(limits={"failureShare": 0.7})
    event = files.upload(THREE)
    state = files.file(event)
    after = files.read(state)
    if twice[0]:
        assert files.read(state) == after
    for _ in range(1 + twice[1]):
        files.rows(after, fails(2))
    result = files.conclude(after)
    if twice[2]:
        assert files.conclude(after) == result
    assert len(files.started) == 2 and (result["RowsProcessed"], result["RowsFailed"]) == (1, 2)
    assert [
        key for key in files.keys("processed/") if files.file(event)["file"]["run"] in key and key.endswith("a.csv")
    ]


def test_a_profile_that_changes_meanwhile_does_not_change_the_file(files: Files) -> None:
    files.profile()
    state = files.read(files.file(files.upload(HEADER + "1,a,1\n2,b,2\n")), seconds=1)
    files.profile(mappings={"other": "Name"})
    state = files.read(state)
    files.rows(state, lambda _: None)
    assert [one["row"].keys() for one in files.started.values()] == [{"id", "name", "amount"}] * 2


def test_a_part_may_end_where_the_file_does(files: Files) -> None:
    files.profile()
    state = files.read(files.file(files.upload(HEADER + "1,a,1\n")), seconds=1)
    assert state["progress"]["status"] == "more"
    state = files.read(state)
    assert (state["progress"]["status"], state["progress"]["rows"]) == ("rows", 1)


def test_failed_rows_before_the_one_that_sets_the_file_aside_are_told(files: Files) -> None:
    files.profile(quality={"fail": {"is_two": "id <> '3'"}})
    result = files.run(files.upload(THREE))
    assert (result["code"], result["rows"], result["RowsFailed"]) == ("rule_broken", 3, 1) and balanced(result)
    assert [one["line"] for one in files.rejects_of(result)] == [3]


def test_a_file_that_is_replaced_between_two_parts_is_not_read_on(files: Files) -> None:
    files.profile()
    state = files.read(files.file(files.upload(HEADER + "1,a,1\n2,b,2\n")), seconds=1)
    files.upload(HEADER + "7,x,7\n8,y,8\n")
    state = files.read(state)
    assert (state["progress"]["status"], state["progress"]["code"]) == ("refused", "replaced")
    assert files.conclude(state)["moved_to"] is None and files.keys("small/") == ["small/test/a.csv"]


def test_a_file_that_is_replaced_while_it_is_read_is_left_to_its_own_run(files: Files) -> None:
    files.profile()
    first = files.upload(HEADER + "1,a,1\n")
    second = files.upload(HEADER + "2,b,2\n")
    result = files.run(first)
    assert (result["code"], result["moved_to"], files.started) == ("replaced", None, {})
    assert files.keys("small/") == ["small/test/a.csv"]
    assert files.run(second)["RowsProcessed"] == 1


def test_what_is_uploaded_during_the_run_is_not_moved_with_it(files: Files) -> None:
    files.profile()
    state = files.read(files.file(files.upload(HEADER + "1,a,1\n")))
    files.upload(HEADER + "2,b,2\n")
    files.rows(state, lambda _: None)
    result = files.conclude(state)
    assert (result["RowsProcessed"], result["moved_to"]) == (1, None)
    assert files.text("small/test/a.csv") == HEADER + "2,b,2\n"


def test_with_versions_the_run_keeps_to_the_upload_that_it_was_told_of(files: Files) -> None:
    files.s3.put_bucket_versioning(Bucket=files.bucket, VersioningConfiguration={"Status": "Enabled"})
    files.profile()
    first = files.upload(HEADER + "1,a,1\n")
    first["detail"]["object"]["version-id"] = files.s3.head_object(Bucket=files.bucket, Key="small/test/a.csv")[
        "VersionId"
    ]
    files.upload(HEADER + "2,b,2\n")
    result = files.run(first)
    assert (result["state"], result["RowsProcessed"]) == ("success", 1)
    assert files.text(result["moved_to"]) == HEADER + "1,a,1\n"
    assert files.text("small/test/a.csv") == HEADER + "2,b,2\n"


def test_the_same_event_starts_one_run_and_a_new_upload_another(files: Files) -> None:
    event = files.upload(THREE)
    first = files.handler.start(event, Context())
    again = files.handler.start(event | {"id": "another"}, Context())
    other = files.handler.start(files.upload(THREE), Context())
    assert first["status"] == "started" and other["status"] == "started" and first["run"] != other["run"]
    assert again["run"] == first["run"]
    machines = boto3.client("stepfunctions")
    (arn,) = [one["stateMachineArn"] for one in machines.list_state_machines()["stateMachines"]
              if one["stateMachineArn"] == files.handler._settings().machine]  # fmt: skip
    runs = machines.list_executions(stateMachineArn=arn)["executions"]
    assert sorted(one["name"] for one in runs) == sorted([first["run"], other["run"]])
    given = json.loads(machines.describe_execution(executionArn=runs[0]["executionArn"])["input"])
    assert given.keys() == {"file", "progress"} and given["progress"] is None


@pytest.mark.parametrize(
    "key",
    [
        "small/prod/a.csv", "small/test/deeper/a.csv", "a.csv", "small/test/", "small/test/.hidden", "small/test/_x",
        "processed/small/2026/03/04/05/run/a.csv", "work/run/rows/1.jsonl", "error/test/a.csv.reason/x.json",
    ],
)  # fmt: skip
def test_what_is_no_file_of_a_source_starts_nothing(files: Files, key: str) -> None:
    detail = {"bucket": {"name": files.bucket}, "object": {"key": key, "size": 1, "etag": "e"}}
    assert files.handler.start({"detail": detail}, Context())["status"] == "ignored"


def test_settings_that_are_missing_are_told_together() -> None:
    from file_profiles.settings import file_settings
    from forceglue.errors import UsageError

    with pytest.raises(UsageError) as raised:
        file_settings({})
    assert all(name in str(raised.value) for name in ("ENV", "REJECTS_TABLE", "LANDING_BUCKET", "EVENT_BUS"))
