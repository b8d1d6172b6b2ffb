"""Files that land: moved once, told of at least once, whatever events come and whenever the function dies."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest

from common.bus import EventsNotPutError
from forceglue.errors import LandingError, MappingErrors, UsageError
from forceglue.landing.retry import retry
from lambdas.ingest_kit import ACCOUNTS, FOLDER, GOOD, Called, Landing, event, notification, parquet
from tests.house.lock import ROOT


def turn(function: ModuleType, given: dict[str, Any], seconds: float = 900) -> list[str]:
    answer = function.handler(given, Called(seconds))
    return [file["status"] for file in answer["files"]]


def details(landing: Landing, kind: str | None = None) -> list[dict[str, Any]]:
    return [one["detail"] for one in landing.told() if kind in (None, one["detail-type"])]


def test_a_good_file_is_moved_and_told_of(function: ModuleType, landing: Landing) -> None:
    context = Called(900)
    answer = function.handler(landing.put(GOOD), context)
    assert answer == {"files": [{"key": GOOD, "status": "ingested"}]}
    sidecar, moved = landing.lying()
    assert moved.startswith("processed/Account/") and moved.endswith("/e1/a.csv") and landing.body(moved) == ACCOUNTS
    (told,) = landing.told()
    assert (told["source"], told["detail-type"]) == ("forceglue.ingest", "file-ingested")
    note = json.loads(landing.body(sidecar))
    assert told["detail"] == {
        "state": "success", "object": f"{landing.bucket}/{GOOD}", "correlation_id": "e1", "execution": "e1",
        "salesforce_object": "Account", "moved_to": moved, "rows": 2, "bytes": len(ACCOUNTS), "format": "csv",
        "ingested_at": note["at"], "function_name": "dev-sf-to-dw-ingest", "function_version": "7",
        "request_id": context.aws_request_id,
    }  # fmt: skip
    assert note["request_id"] == context.aws_request_id and note["function_version"] == "7"


def test_a_bad_file_is_set_aside_and_told_of_and_no_failure(
    function: ModuleType, landing: Landing, capsys: pytest.CaptureFixture[str]
) -> None:
    context = Called(900)
    function.handler(landing.put(f"{FOLDER}/e1/a.parquet", b"Id,Name\n1,hidden-value\n"), context)
    (told,) = landing.told()
    moved, _ = landing.lying()
    assert told["detail-type"] == "file-ingestion"
    message = told["detail"].pop("message")
    assert "plain text" in message and "hidden-value" not in message
    assert told["detail"] == {
        "state": "error", "code": "wrong_format", "object": f"{landing.bucket}/{FOLDER}/e1/a.parquet",
        "correlation_id": "e1", "execution": "e1", "salesforce_object": "Account", "moved_to": moved,
        "request_id": context.aws_request_id,
    }  # fmt: skip
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [one for one in said if one.get("message") == "file rejected"]
    assert (line["correlation_id"], line["key"], line["level"]) == ("e1", f"{FOLDER}/e1/a.parquet", "WARNING")
    (emf,) = [one for one in said if "_aws" in one and "FilesRejected" in one]
    assert emf["FilesRejected"] == [1.0] and emf["service"] == "ingest"


def test_a_file_of_no_execution_is_known_by_its_event(function: ModuleType, landing: Landing) -> None:
    given = landing.put("in/Account/a.csv")
    turn(function, given)
    (told,) = details(landing)
    assert (told["correlation_id"], told["execution"]) == (given["id"], None)


def test_the_same_event_twice(function: ModuleType, landing: Landing) -> None:
    given = landing.put(GOOD)
    assert [turn(function, given), turn(function, given)] == [["ingested"], ["told_again"]]
    first, second = details(landing)
    assert first == second
    assert len(landing.lying()) == 2


@pytest.mark.parametrize("name", ["a.csv", "bad.parquet"])
def test_many_events_of_one_file_at_once(function: ModuleType, landing: Landing, name: str) -> None:
    given = landing.put(f"{FOLDER}/e1/{name}")
    with ThreadPoolExecutor(8) as pool:
        statuses = [status for (status,) in pool.map(lambda _: turn(function, given), range(8))]
    assert set(statuses) <= {"ingested", "rejected", "told_again"} and len(statuses) == 8
    assert len(landing.lying()) == 2  # one file, one sidecar
    told = details(landing)
    assert len(told) == 8 and {one["moved_to"] for one in told} <= set(landing.lying())


@pytest.mark.parametrize(("name", "state"), [("a.csv", "success"), ("bad.parquet", "error")])
def test_a_file_whose_event_was_lost_after_the_move_is_told_of_when_the_event_comes_again(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch, name: str, state: str
) -> None:
    given = landing.put(f"{FOLDER}/e1/{name}")

    def die(*_: Any) -> None:
        raise EventsNotPutError("the bus is away")

    with monkeypatch.context() as patched:
        patched.setattr(function.bus, "put", die)
        with pytest.raises(EventsNotPutError):
            function.handler(given, Called())
    assert landing.lying("in/") == [] and landing.told() == []
    assert turn(function, given) == ["told_again"]
    assert [one["state"] for one in details(landing)] == [state]


class Killed(BaseException):
    """The function is gone: nothing catches this."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_call_to_s3_and_tried_again(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """The next try ends with one file and an event of it."""
    client = function._store()._backend._client
    real = client._make_api_call
    for step in range(99):
        given = landing.put(f"{FOLDER}/e1/{step}.csv")
        left = [step]

        def call(name: str, asked: Any, left: list[int] = left) -> Any:
            left[0] -= 1
            if left[0] >= 0:
                return real(name, asked)
            if after:
                real(name, asked)
            raise Killed

        monkeypatch.setattr(client, "_make_api_call", call)
        try:
            assert turn(function, given) == ["ingested"]
            break
        except Killed:
            pass
        finally:
            monkeypatch.setattr(client, "_make_api_call", real)
        assert turn(function, given)[0] in ("ingested", "told_again")
        assert landing.lying("in/") == []
        (moved,) = {one["moved_to"] for one in details(landing)}
        assert [key for key in landing.lying() if key.endswith(f"/{step}.csv")] == [moved]
    assert 5 <= step < 20


def test_a_key_that_is_landed_again_is_another_file(function: ModuleType, landing: Landing) -> None:
    first, second = landing.put(GOOD), None
    assert turn(function, first) == ["ingested"]
    second = landing.put(GOOD, b"Id\n1\n")
    assert turn(function, first) == ["ingested"]  # late, and repeated: what is there now is ingested
    assert turn(function, second) == ["told_again"]
    assert turn(function, first) == ["told_again"]
    told = details(landing)
    assert sorted(one["rows"] for one in told) == [1, 1, 2, 2]
    assert len({one["moved_to"] for one in told}) == 2


def test_what_was_overwritten_before_anybody_looked_is_gone(function: ModuleType, landing: Landing) -> None:
    first, second = landing.put(GOOD), landing.put(GOOD, b"Id\n1\n")
    assert [turn(function, second), turn(function, first)] == [["ingested"], ["gone"]]
    assert [one["rows"] for one in details(landing)] == [1]


def test_an_event_without_an_etag_finds_its_file_too(function: ModuleType, landing: Landing) -> None:
    landing.put(GOOD)
    given = event(landing.bucket, GOOD)
    assert [turn(function, given), turn(function, given)] == [["ingested"], ["told_again"]]


@pytest.mark.parametrize(
    "file", ["a+b c.csv", "100%25.csv", "ü~'\"&;.csv", "-1-2024-01-01T00:00:01", "=1+2.csv", "a%2Fb.csv", "日本.csv"]
)
def test_odd_names_of_eventbridge_are_taken_as_they_are(function: ModuleType, landing: Landing, file: str) -> None:
    assert turn(function, landing.put(f"{FOLDER}/e 1/{file}")) == ["ingested"]
    (told,) = details(landing)
    assert told["object"] == f"{landing.bucket}/{FOLDER}/e 1/{file}"
    assert landing.lying("in/") == []


def test_names_of_s3_s_own_notification_are_decoded(function: ModuleType, landing: Landing) -> None:
    keys = [f"{FOLDER}/e1/a+b c.csv", f"{FOLDER}/e1/100%25.csv"]
    for key in keys:
        landing.put(key)
    assert turn(function, notification(landing.bucket, *keys)) == ["ingested", "ingested"]
    assert landing.lying("in/") == []


@pytest.mark.parametrize(
    "key",
    [
        "in/", "in/dev-Salesforce-Account/", "in/dev-Salesforce-Account/e1/", "in/a.csv", "in/a/b/c/d.csv",
        "in/Account/e1/_SUCCESS", "in/Account/e1/.hidden", "in//Account/a.csv", "in/../mappings/project.yaml",
        "processed/Account/2024/01/01/00/e/a.csv", "out/a.csv", "inn/Account/e/a.csv",
    ],
)  # fmt: skip
def test_what_is_no_landed_file_stays_and_is_told_in_the_log(
    function: ModuleType, landing: Landing, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert turn(function, landing.put(key, b"")) == ["ignored"]
    assert landing.lying() == [key] and landing.told() == []
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["key"] for one in said if one.get("message") == "file ignored"] == [key]
    assert [one["FilesIgnored"] for one in said if "FilesIgnored" in one] == [[1.0]]


@pytest.mark.parametrize(
    "given",
    [
        {}, {"detail-type": "Object Created"}, {"detail-type": "Object Created", "detail": {"bucket": {}}},
        {"detail-type": "Object Deleted", "detail": {"bucket": {"name": "b"}, "object": {"key": GOOD}}},
        {"detail-type": "Object Created", "detail": {"bucket": {"name": "b"}, "object": {"key": None}}},
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"},
        {"Records": [{"eventName": "ObjectRemoved:Delete"}]},
    ],
)  # fmt: skip
def test_an_event_of_no_file_is_told_in_the_log_and_does_nothing(
    function: ModuleType, given: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert turn(function, given) == []
    assert "the event tells of no file" in capsys.readouterr().out


def test_an_event_of_another_bucket_is_ignored(function: ModuleType) -> None:
    assert turn(function, event("another-bucket", GOOD)) == ["ignored"]


def test_a_landing_below_a_prefix(function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDING", f"s3://{landing.bucket}/some/place/")
    function._settings.cache_clear()
    assert turn(function, landing.put(f"some/place/{GOOD}")) == ["ingested"]
    (told,) = details(landing)
    assert told["object"] == f"{landing.bucket}/some/place/{GOOD}"
    assert told["moved_to"].startswith("some/place/processed/") and told["moved_to"] in landing.lying()
    assert turn(function, landing.put(GOOD)) == ["ignored"]


def test_a_store_that_fails_fails_the_call_and_nothing_is_told(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = landing.put(GOOD)

    def refuse(*_: Any, **__: Any) -> None:
        raise LandingError("no permission at a.csv")

    with monkeypatch.context() as patched:
        patched.setattr(function._store()._backend, "move", refuse)
        with pytest.raises(LandingError, match="no permission"):
            function.handler(given, Called())
    assert landing.told() == [] and GOOD in landing.lying()
    assert turn(function, given) == ["ingested"]


def test_one_file_of_a_notification_that_fails_does_not_stop_the_others(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"{FOLDER}/e1/{number}.csv" for number in range(3)]
    for key in keys:
        landing.put(key)
    real = function._store()._backend.move

    def move(source: str, target: str, seen: Any) -> None:
        if source == keys[1]:
            raise LandingError("no permission at 1.csv")
        real(source, target, seen)

    monkeypatch.setattr(function._store()._backend, "move", move)
    with pytest.raises(LandingError):
        function.handler(notification(landing.bucket, *keys), Called())
    assert landing.lying("in/") == [keys[1]]
    assert len(details(landing)) == 2


def test_broken_mappings_fail_the_call_with_every_problem_and_nothing_is_moved(
    function: ModuleType, landing: Landing
) -> None:
    given = landing.put(GOOD)
    landing.write_mappings({"objects/account.yaml": "mapping: account\nsorce: Account\nquality: 7\n"})
    with pytest.raises(MappingErrors, match=r"objects/account.yaml"):
        function.handler(given, Called())
    assert landing.lying() == [GOOD] and landing.told() == []
    landing.write_mappings({"objects/account.yaml": "mapping: account\nsource: Account\ndescription: One.\n"})
    assert turn(function, given) == ["ingested"]


def test_mappings_that_break_later_are_not_judged_by_what_they_were(function: ModuleType, landing: Landing) -> None:
    assert turn(function, landing.put(GOOD)) == ["ingested"]
    landing.write_mappings({"objects/account.yaml": "mapping: account\nsorce: Account\n"})
    given = landing.put(f"{FOLDER}/e2/a.csv")
    for _ in range(2):
        with pytest.raises(MappingErrors):
            function.handler(given, Called())
    assert landing.lying("in/") == [f"{FOLDER}/e2/a.csv"]


def test_no_mappings_at_all_fail_the_call(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPPINGS", f"s3://{landing.bucket}/nowhere")
    given = landing.put(GOOD)
    with pytest.raises(UsageError, match="there is no mapping"):
        function.handler(given, Called())
    assert landing.lying() == [GOOD]


def test_mappings_that_change_count_from_the_next_look(
    function: ModuleType, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def land(number: int) -> list[str]:
        return turn(function, landing.put(f"in/dev-Salesforce-Lead/e{number}/a.csv"))

    monkeypatch.setenv("MAPPINGS_SECONDS", "3600")
    function._settings.cache_clear()
    assert land(1) == ["rejected"]
    landing.write_mappings({"objects/lead.yaml": "mapping: lead\nsource: Lead\ndescription: Three.\n"})
    assert land(2) == ["rejected"]  # kept for an hour
    function._mappings()._looked -= 3600
    assert land(3) == ["ingested"]
    kept = function._mappings().now()
    function._mappings()._looked -= 3600
    assert function._mappings().now() is kept  # looked at again, and the same


def test_a_text_file_that_takes_too_long_is_left_and_told_of(function: ModuleType, landing: Landing) -> None:
    given = landing.put(GOOD)
    assert turn(function, given, seconds=-1) == ["left"]
    (told,) = details(landing, "file-ingestion")
    assert (told["state"], told["code"], told["moved_to"]) == ("left", "out_of_time", None)
    assert landing.lying() == [GOOD]
    assert turn(function, given) == ["ingested"]


def test_a_rejected_file_that_is_sent_back_is_ingested_again(function: ModuleType, landing: Landing) -> None:
    """`forceglue retry` moves it back to in/, which is a new object and so a new event."""
    key = "in/dev-Salesforce-Lead/e1/a.csv"
    first = landing.put(key)
    assert turn(function, first) == ["rejected"]
    landing.write_mappings({"objects/lead.yaml": "mapping: lead\nsource: Lead\ndescription: Three.\n"})
    (back,) = retry(landing.store)
    assert back.moved_to == key and landing.lying() == [key]
    assert turn(function, event(landing.bucket, key)) == ["ingested"]
    assert turn(function, first) == ["told_again"]  # the first event, very late
    assert sorted(one["state"] for one in details(landing)) == ["error", "success", "success"]


def test_rows_are_counted(function: ModuleType, landing: Landing, capsys: pytest.CaptureFixture[str]) -> None:
    turn(function, landing.put(f"{FOLDER}/e1/0001", parquet(Id=["1", "2", "3"])))
    (emf,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "RowsIngested" in line]
    assert emf["RowsIngested"] == [3.0] and emf["FilesIngested"] == [1.0] and emf["IngestMs"][0] > 0


def test_the_event_as_the_readme_shows_it(function: ModuleType, landing: Landing) -> None:
    text = (ROOT / "lambdas" / "README.md").read_text("utf-8").partition("\n## Ingest\n")[2]
    shown = json.loads(text.partition("```json\n")[2].partition("```")[0])
    turn(function, landing.put(GOOD))
    (told,) = details(landing)
    assert told.keys() == shown.keys()
