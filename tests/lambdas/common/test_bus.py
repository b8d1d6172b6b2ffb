"""Events to a bus: all of them, in as few calls as EventBridge allows, or an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import bus
from lambdas.kit import Aws

Answer = Callable[[dict[str, str]], str | None]


class Taking:
    """EventBridge's API: answers each entry with an error code, or takes it."""

    def __init__(self, answer: Answer = lambda _: None) -> None:
        self.taken: list[dict[str, str]] = []
        self.calls: list[int] = []
        self._answer = answer

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        self.calls.append(len(Entries))
        said = []
        for entry in Entries:
            code = self._answer(entry)
            said.append({"ErrorCode": code, "ErrorMessage": "no"} if code else {"EventId": "1"})
            if not code:
                self.taken.append(entry)
        return {"FailedEntryCount": sum("ErrorCode" in one for one in said), "Entries": said}


def events(number: int) -> list[tuple[str, dict[str, object]]]:
    return [("file-ingested", {"number": one}) for one in range(number)]


@pytest.fixture
def put_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus.time, "sleep", lambda _: None)


def numbers(server: Taking) -> list[int]:
    return [json.loads(entry["Detail"])["number"] for entry in server.taken]


def test_events_go_ten_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Taking()
    monkeypatch.setattr(bus, "client", lambda _: server)
    bus.put("dev-bus", "forceglue.ingest", events(23))
    assert server.calls == [10, 10, 3]
    assert numbers(server) == list(range(23))
    assert server.taken[0] == {
        "EventBusName": "dev-bus", "Source": "forceglue.ingest", "DetailType": "file-ingested", "Detail": '{"number": 0}'
    }  # fmt: skip


@given(st.lists(st.integers(min_value=0, max_value=200_000), max_size=30))
def test_no_call_is_larger_than_eventbridge_takes(sizes: list[int]) -> None:
    server = Taking()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bus, "client", lambda _: server)
        bus.put("b", "s", [("t", {"text": "x" * size}) for size in sizes])
    place = 0
    for call in server.calls:
        size = sum(len(entry["Detail"]) for entry in server.taken[place : place + call])
        assert call <= 10 and size < 256 * 1024
        place += call
    assert [len(json.loads(entry["Detail"])["text"]) for entry in server.taken] == sizes


@pytest.mark.usefixtures("put_at_once")
def test_what_is_throttled_is_put_again_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = {3: 2, 7: 1}

    def answer(entry: dict[str, str]) -> str | None:
        number = json.loads(entry["Detail"])["number"]
        busy[number] = busy.get(number, 0) - 1
        return "ThrottlingException" if busy[number] >= 0 else None

    server = Taking(answer)
    monkeypatch.setattr(bus, "client", lambda _: server)
    bus.put("b", "s", events(10))
    assert server.calls == [10, 2, 1]
    assert sorted(numbers(server)) == list(range(10))


@pytest.mark.usefixtures("put_at_once")
@pytest.mark.parametrize(("code", "calls"), [("ThrottlingException", 5), ("NotAuthorizedForSource", 1)])
def test_an_event_that_is_not_taken_is_an_error(monkeypatch: pytest.MonkeyPatch, code: str, calls: int) -> None:
    server = Taking(lambda entry: code if json.loads(entry["Detail"])["number"] == 1 else None)
    monkeypatch.setattr(bus, "client", lambda _: server)
    with pytest.raises(bus.EventsNotPutError, match=rf"1 of the events were not taken \(file-ingested\): {code} no"):
        bus.put("b", "s", events(3))
    assert len(server.calls) == calls


def test_a_real_bus_takes_them(aws: Aws) -> None:
    bus.client.cache_clear()
    bus.client("events").create_event_bus(Name="taking")
    bus.put("taking", "forceglue.ingest", events(12))
    bus.client.cache_clear()
