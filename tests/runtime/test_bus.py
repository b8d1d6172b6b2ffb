"""Events beside the work: in order, never in its way, and what is lost is told."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from forceglue.runtime import bus as bus_module
from forceglue.runtime.bus import ENTRIES, Bus


class Events:
    """EventBridge; `refuses` says the error code of an entry, or raises."""

    def __init__(self, refuses: Callable[[dict[str, str]], str | None] = lambda _: None) -> None:
        self.refuses = refuses
        self.calls: list[list[dict[str, str]]] = []
        self.taken: list[dict[str, str]] = []

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803  # as the API has it
        self.calls.append(Entries)
        told: list[dict[str, str]] = []
        for entry in Entries:
            code = self.refuses(entry)
            told.append({"ErrorCode": code} if code else {"EventId": "e"})
            if not code:
                self.taken.append(entry)
        return {"Entries": told}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "_FIRST_WAIT", 0.001)


def test_all_events_are_put_in_their_order_before_the_block_ends() -> None:
    events = Events()
    with Bus("b", "forceglue.job", client=events) as bus:
        for number in range(25):
            bus.tell("mapping-finished", {"number": number})
    assert [json.loads(entry["Detail"])["number"] for entry in events.taken] == list(range(25))
    assert {(e["EventBusName"], e["Source"], e["DetailType"]) for e in events.taken} == {
        ("b", "forceglue.job", "mapping-finished")
    }
    assert max(map(len, events.calls)) <= ENTRIES and bus.given_up == 0


def test_what_is_throttled_is_put_again_and_nothing_twice() -> None:
    seen: list[str] = []

    def refuses(entry: dict[str, str]) -> str | None:
        seen.append(entry["Detail"])
        return "ThrottlingException" if seen.count(entry["Detail"]) < 3 else None

    events = Events(refuses)
    with Bus("b", "s", client=events) as bus:
        for number in range(4):
            bus.tell("t", {"number": number})
    assert sorted(json.loads(entry["Detail"])["number"] for entry in events.taken) == [0, 1, 2, 3]


def errors(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.message) for record in caplog.records if record.levelno == logging.ERROR]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": "m"}}, "PutEvents"),
            "AccessDeniedException",
        ),
        (EndpointConnectionError(endpoint_url="http://e"), "EndpointConnectionError"),
    ],
)
def test_a_bus_that_refuses_fails_nothing_and_is_told(
    error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(_: dict[str, str]) -> str | None:
        raise error

    with Bus("b", "s", client=Events(refuses)) as bus:
        bus.tell("t", {})
        bus.tell("t", {})
    assert errors(caplog) == [{"bus": "b", "events_lost": 2, "reason": reason}] and bus.given_up == 2


def test_an_entry_that_is_refused_loses_no_other(caplog: pytest.LogCaptureFixture) -> None:
    events = Events(lambda entry: "MalformedDetail" if "1" in entry["Detail"] else None)
    with Bus("b", "s", client=events) as bus:
        for number in range(3):
            bus.tell("t", {"number": number})
    assert len(events.taken) == 2
    assert errors(caplog) == [{"bus": "b", "events_lost": 1, "reason": "MalformedDetail"}]


def test_a_bus_that_hangs_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    free = threading.Event()

    def refuses(_: dict[str, str]) -> str | None:
        free.wait(20)
        return None

    began = time.monotonic()
    with Bus("b", "s", client=Events(refuses), patience=0.05) as bus:
        for _ in range(100):
            bus.tell("t", {})
    assert time.monotonic() - began < 5
    free.set()
    (told,) = errors(caplog)
    assert told["events_lost"] == 100 and "within 0.05 seconds" in told["reason"]


def test_an_error_of_the_block_goes_on() -> None:
    events = Events()
    with pytest.raises(ZeroDivisionError), Bus("b", "s", client=events) as bus:
        bus.tell("t", {})
        raise ZeroDivisionError
    assert len(events.taken) == 1


def test_the_region_is_that_of_the_arn(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    asked: dict[str, Any] = {}
    monkeypatch.setattr(boto3, "client", lambda _, **more: asked.update(more) or Events())
    with Bus("arn:aws:events:eu-west-3:123456789012:event-bus/b", "s") as bus:
        bus.tell("t", {})
    assert asked["region_name"] == "eu-west-3" and bus.given_up == 0


def test_who_asks_for_no_bus_imports_no_sdk() -> None:
    code = "import sys, forceglue.runtime.bus, forceglue.run.events; print('boto3' in sys.modules, 'botocore' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]
