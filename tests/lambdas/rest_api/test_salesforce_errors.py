"""What Salesforce says when it does not do what it is asked, and what becomes of that."""

from __future__ import annotations

import os

import pytest

from forceglue.simulated.salesforce.ids import full_id
from forceglue.simulated.salesforce.server import OrgServer
from lambdas.gateway import gateway
from lambdas.kit import Aws
from lambdas.rest_kit import ACCOUNT_ID, Client
from salesforce.kit import answering

PATH = f"/accounts/{ACCOUNT_ID}"


@pytest.fixture(autouse=True)
def warm(api: Client) -> None:
    api.call("GET", "/health")


def test_a_row_that_is_locked_for_a_moment_is_waited_for(api: Client) -> None:
    locked = {"code": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access to this record"}
    api.server.faults.refuse(400, path="/composite", **locked)
    assert api.call("PATCH", PATH, {"Phone": "1"}).status_code == 200
    api.server.faults.refuse(400, path="/composite", times=None, **locked)
    answer = api.call("PATCH", PATH, {"Phone": "2"})
    assert (answer.status_code, answer.json()["error_code"]) == (503, "ROW_LOCKED")
    assert answer.headers["Retry-After"] == "1"


def test_the_limit_of_calls_is_told_with_when_to_come_again(api: Client) -> None:
    usage = api.server.usage
    used, usage.used = usage.used, usage.limit
    answer = api.call("GET", PATH)
    assert (answer.status_code, answer.json()["error_code"]) == (429, "LIMIT_EXCEEDED")
    assert int(answer.headers["Retry-After"]) > 0
    usage.used = used
    assert api.call("GET", PATH).status_code == 200  # nothing is remembered of it


def test_a_busy_salesforce_is_told_with_when_to_come_again(api: Client) -> None:
    api.server.faults.refuse(503, times=1, path="/sobjects")
    assert api.call("GET", PATH).status_code == 200
    api.server.faults.refuse(503, times=None, path="/sobjects")
    answer = api.call("GET", PATH)
    assert (answer.status_code, answer.json()["error_code"]) == (503, "UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_token_that_has_ended_is_renewed_in_silence(api: Client) -> None:
    assert api.call("GET", PATH).status_code == 200
    api.server.org.access.end_sessions()
    api.server.usage.forget()
    assert api.call("GET", PATH).status_code == 200
    assert api.server.usage.calls("/oauth2/token") == 1
    assert api.server.usage.statuses()[401] == 1


def test_a_token_is_renewed_through_the_broker(
    api: Client, aws: Aws, server: OrgServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from common import connecting
    from rest_api import parts
    from token_broker import handler as broker

    for name, value in {
        "APP_ID": "app", "AUTH_TABLE": aws.table, "AUTH_KEY": aws.key, "TOKEN_YOUNG_SECONDS": "0", "MEMORY_SECONDS": "0",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    broker.broker.cache_clear()
    brokers = dict(os.environ)  # caller and broker are one process here, which cannot have both environments
    connect = broker.connect
    monkeypatch.setattr(broker, "connect", lambda: connect(brokers))
    with answering(gateway(broker.handler)) as address:
        monkeypatch.setenv("SF_BROKER_URL", f"{address.url}/sf/token")
        connecting._secrets.cache_clear()
        parts.parts.cache_clear()
        assert api.call("GET", PATH).status_code == 200
        server.org.access.end_sessions()
        assert api.call("GET", PATH).status_code == 200
        assert [bool(one.query.get("stale")) for one in address.asked] == [False, True]
    assert server.usage.statuses()[401] == 1


def test_a_way_in_that_a_person_mends_is_found_again(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_api import parts

    monkeypatch.setattr(parts, "_FORGETS", 0.0)
    parts.parts.cache_clear()
    app = api.server.org.access.apps["app"]
    secret, app.client_secret = app.client_secret, "another"
    assert api.refused("GET", PATH)[:2] == (500, "AUTH_ERROR")
    app.client_secret = secret
    assert api.call("GET", PATH).status_code == 200


def test_a_change_whose_answer_is_lost_is_not_made_twice(api: Client) -> None:
    before = api.server.org.count("Account")
    api.server.faults.cut(0, path="/sobjects/Account")
    assert api.refused("POST", "/accounts", {"Name": "a"})[:2] == (504, "OUTCOME_UNKNOWN")
    assert api.server.org.count("Account") == before + 1
    api.server.faults.refuse(502, path="/composite/sobjects")
    assert api.call("POST", "/batch/accounts", [{"Name": "a"}]).status_code == 504


def test_a_change_that_may_be_repeated_is(api: Client) -> None:
    api.server.faults.cut(0, path="/composite")
    assert api.call("PATCH", PATH, {"Phone": "77"}).status_code == 200
    assert api.server.org.get("Account", str(full_id(ACCOUNT_ID)))["Phone"] == "77"


def test_an_error_that_nobody_knows(api: Client) -> None:
    api.server.faults.refuse(418, path="/sobjects", code="TEAPOT", message="short and stout")
    assert api.refused("GET", PATH) == (500, "SALESFORCE_ERROR", "Salesforce refuses the call: TEAPOT")
    api.server.faults.refuse(403, path="/sobjects", code="INSUFFICIENT_ACCESS", message="no")
    assert api.refused("GET", PATH)[:2] == (403, "FORBIDDEN")


def test_health_says_that_salesforce_is_away(api: Client) -> None:
    api.server.faults.refuse(503, times=None, path="/limits")
    answer = api.call("GET", "/health")
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "degraded")
