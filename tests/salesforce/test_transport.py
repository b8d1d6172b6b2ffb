"""One call: the token, tries, the day's calls; nothing secret in what is said or logged."""

from __future__ import annotations

import http.client
import logging
from itertools import count

import pytest

from forceglue.errors import LimitReachedError, SalesforceBusyError, SalesforceError, SignInError, UsageError
from forceglue.salesforce.budget import Budget, tallied
from forceglue.salesforce.client import Salesforce
from forceglue.salesforce.retry import Pace
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import SignIn, Token
from salesforce.kit import QUICK, Address, Answer, Asked, answering, in_turn

VERSIONS = Answer([{"version": f"{n}.0"} for n in (57, 58, 66, 67, 68)])
EXPIRED = Answer([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)


def org(
    address: Address, *, budget: Budget | None = None, pace: Pace = QUICK, version: str | None = "66.0"
) -> Salesforce:
    numbers = count(1)
    way = SignIn(lambda _: Token(f"hush-{next(numbers)}", address.url))
    return Salesforce(Connection("broker", address.url, api_version=version), budget=budget, pace=pace, sign_in_by=way)


def ask(one: Salesforce) -> object:
    return one.json("GET", "/services/data/v66.0/limits")


def refusal(code: str, said: str, status: int) -> Answer:
    return Answer([{"errorCode": code, "message": said}], status)


@pytest.mark.parametrize(
    "first",
    [
        Answer({}, 429, {"Retry-After": "0"}), Answer({}, 503), Answer(b"gateway", 502), Answer(b"<html>", 500),
        refusal("SERVER_UNAVAILABLE", "soon", 500), refusal("UNKNOWN_EXCEPTION", "ErrorId: 1", 500),
        refusal("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", 403),
        refusal("UNABLE_TO_LOCK_ROW", "busy", 400), Answer({"long": "body"}, cut=3), Answer(b'{"half": '),
    ],
)  # fmt: skip
def test_what_passes_is_tried_again(first: Answer) -> None:
    with answering(in_turn(first, Answer({"fine": True}))) as address:
        assert org(address).json("GET", "/services/data/v66.0/limits") == {"fine": True}
        assert len(address.asked) == 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal("INVALID_FIELD", "No such column", 400), "INVALID_FIELD"), (refusal("APEX_ERROR", "no", 500), "APEX_ERROR"),
        (Answer({}, 404), "404"), (refusal("API_DISABLED_FOR_ORG", "no", 403), "API_DISABLED_FOR_ORG"), (Answer({}, 302), "302"),
    ],
)  # fmt: skip
def test_what_does_not_pass_is_asked_once(answer: Answer, code: str) -> None:
    with answering(in_turn(answer)) as address:
        with pytest.raises(SalesforceError) as caught:
            ask(org(address))
        assert (len(address.asked), caught.value.code) == (1, code)
    assert not isinstance(caught.value, SalesforceBusyError)


def test_tries_end_and_wait_longer_each_time() -> None:
    waits: list[float] = []
    with answering(in_turn(Answer({}, 503))) as address, pytest.raises(SalesforceBusyError):
        ask(org(address, pace=Pace(tries=5, factor=1.0, jitter=0.5, most=100.0, sleep=waits.append)))
    assert len(waits) == 5 and waits[1] >= 2 and waits[2] >= 4 and max(waits) <= 16.5
    assert len({round(w, 6) for w in waits}) == 5  # by chance, never the same


def test_retry_after_is_kept_to() -> None:
    waits: list[float] = []
    with answering(
        in_turn(Answer({}, 503, {"Retry-After": "7"}), Answer({}, 429, {"Retry-After": "900"}), Answer({}))
    ) as address:
        ask(org(address, pace=Pace(most=60, sleep=waits.append)))
    assert waits == [7, 60]


def test_a_stale_token_is_renewed_and_the_call_made_again() -> None:
    with answering(
        lambda asked: Answer({}) if asked.headers["Authorization"] == "Bearer hush-2" else EXPIRED
    ) as address:
        one = org(address)
        ask(one)
        ask(one)
        assert [a.headers["Authorization"][-1] for a in address.asked] == ["1", "2", "2"]


def test_a_user_without_the_api_is_told_after_some_renewals() -> None:
    with answering(in_turn(EXPIRED)) as address:
        with pytest.raises(SignInError, match="may use the API") as caught:
            ask(org(address))
        assert len(address.asked) == 3
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "header", ["api-usage=800/1000", "api-usage=950/1000; api-bursts=1/750", "api-bursts=1/750; api-usage=800/1000"]
)
def test_the_budget_stops_before_the_next_call(header: str) -> None:
    with answering(in_turn(Answer({}, headers={"Sforce-Limit-Info": header}))) as address:
        one = org(address, budget=Budget(0.8))
        ask(one)
        with pytest.raises(LimitReachedError, match=r"of the org's 1,000 API calls.*goes on where it was"):
            ask(one)
        assert len(address.asked) == 1


def test_below_the_share_all_goes_on() -> None:
    with answering(in_turn(Answer({}, headers={"Sforce-Limit-Info": "api-usage=799/1000"}))) as address:
        one = org(address, budget=Budget(0.8))
        for _ in range(3):
            ask(one)
        assert (one.budget.calls, one.budget.used, one.budget.allowed) == (3, 799, 1000)


def test_used_up_calls_are_no_storm() -> None:
    with answering(in_turn(refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403))) as address:
        with pytest.raises(LimitReachedError, match="no more calls today"):
            ask(org(address))
        assert len(address.asked) == 1


def test_calls_are_counted_for_each_piece_of_work() -> None:
    with answering(in_turn(Answer({}))) as address:
        one = org(address)
        with tallied() as first:
            ask(one)
        with tallied() as second:
            ask(one)
            ask(one)
        assert (first.calls, second.calls, one.budget.calls) == (1, 2, 3)


@pytest.mark.parametrize(("asked", "version"), [(None, "67.0"), ("58.0", "58.0"), ("57.0", "57.0")])
def test_the_highest_version_that_both_know(asked: str | None, version: str) -> None:
    with answering(in_turn(VERSIONS)) as address:
        assert org(address, version=asked).version == version


def test_a_version_that_the_org_lacks_is_refused() -> None:
    with answering(in_turn(VERSIONS)) as address, pytest.raises(UsageError, match=r"newest is 68\.0"):
        _ = org(address, version="70.0").version
    with (
        answering(in_turn(Answer([{"version": "30.0"}]))) as address,
        pytest.raises(UsageError, match=r"58\.0 to 67\.0"),
    ):
        _ = org(address, version=None).version


def test_a_next_page_elsewhere_gets_no_token() -> None:
    page = {
        "records": [],
        "done": False,
        "nextRecordsUrl": "https://evil.example/services/data/v66.0/query/01g-2000",
        "totalSize": 0,
    }

    def give(asked: Asked) -> Answer:
        if asked.path == "/services/data/":
            return VERSIONS
        return Answer(page if "q" in asked.query else {**page, "done": True})

    with answering(give) as address:
        pages = list(org(address).query("SELECT Id FROM Account"))
        assert len(pages) == 2 and address.asked[-1].path == "/services/data/v66.0/query/01g-2000"


def test_a_query_that_is_too_long_for_a_url_is_told() -> None:
    with answering(in_turn(VERSIONS)) as address, pytest.raises(UsageError, match="name the fields"):
        list(org(address).query("SELECT " + ", ".join(f"Field_{n}__c" for n in range(2000)) + " FROM Account"))


def test_digits_come_as_they_were_sent() -> None:
    raw = b'{"records": [{"A": 0.10, "B": 12345678901234567890.123, "C": 7}], "done": true, "totalSize": 1}'
    with answering(lambda a: VERSIONS if a.path == "/services/data/" else Answer(raw)) as address:
        page = org(address).query_page(soql="SELECT A FROM B")
    assert page.records == [{"A": "0.10", "B": "12345678901234567890.123", "C": "7"}] and page.total == 1


def test_describe_many_takes_25_a_call_and_keeps_errors_apart() -> None:
    def give(asked: Asked) -> Answer:
        if asked.path == "/services/data/":
            return VERSIONS
        number = next(calls)
        size = 25 if number == 0 else 5
        good = [{"statusCode": 200, "result": {"name": f"O{number * 25 + at}", "fields": []}} for at in range(size)]
        if number:
            good[0] = {"statusCode": 404, "result": [{"errorCode": "NOT_FOUND", "message": "gone"}]}
        return Answer({"hasErrors": bool(number), "results": good})

    calls = count()
    with answering(give) as address:
        found = org(address).describe_many([f"O{n}" for n in range(30)])
        assert len(address.asked) == 3
    assert isinstance(found["O25"], SalesforceError) and found["O29"]["name"] == "O29" and len(found) == 30


def test_no_secret_is_logged_at_any_level(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "forceglue"):
        caplog.set_level(logging.DEBUG, name)
    with answering(in_turn(EXPIRED, Answer({}, 503), Answer({}))) as address:
        ask(org(address))
    assert "GET /services/data/" in caplog.text  # the logs are on
    assert "hush" not in caplog.text + "".join(capsys.readouterr())
    assert http.client.HTTPConnection.debuglevel == 0


def test_netrc_gives_no_other_token(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(in_turn(Answer({}))) as address:
        ask(org(address))
        assert address.asked[-1].headers["Authorization"] == "Bearer hush-1"
