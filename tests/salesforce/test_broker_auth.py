"""What proves to a broker who asks; whole calls by a real broker are in tests/lambdas/token_broker/test_handler.py."""

from __future__ import annotations

import pytest
import requests

from forceglue.errors import SalesforceBusyError, SignInError
from forceglue.salesforce.broker_auth import authorizer
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection
from salesforce.kit import Address, Answer, answering, in_turn

GATEWAY = "https://a1b2.execute-api.eu-west-1.amazonaws.com/v1/sf/token"
GOOD = {"access_token": "cognito", "expires_in": 3600}


def by_cognito(pool: Address):
    one = Connection(
        "broker", GATEWAY, client_id="id", client_secret="hush", broker_auth="cognito",
        auth_url=f"{pool.url}/oauth2/token",
    )  # fmt: skip
    made = authorizer(one, Web())
    assert made is not None
    return made


def asked(auth) -> str:
    return auth(requests.Request("GET", GATEWAY).prepare()).headers["Authorization"]


def test_a_broker_that_asks_for_nothing_gets_nothing() -> None:
    assert authorizer(Connection("broker", GATEWAY), Web()) is None


def test_a_signature_is_of_the_gateways_region_and_covers_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    auth = authorizer(Connection("broker", GATEWAY, broker_auth="iam"), Web())
    assert auth is not None
    one, other = (asked_for(auth, stale) for stale in ("a", "b"))
    assert "/eu-west-1/execute-api/aws4_request" in one and "hush" not in one
    assert one.rpartition("=")[2] != other.rpartition("=")[2]


def asked_for(auth, stale: str) -> str:
    return auth(requests.Request("GET", GATEWAY, params={"stale": stale}).prepare()).headers["Authorization"]


@pytest.mark.parametrize(("lacks", "said"), [("credentials", "no AWS credentials"), ("region", "AWS_REGION")])
def test_what_lacks_for_a_signature_is_told(monkeypatch: pytest.MonkeyPatch, lacks: str, said: str) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    if lacks == "region":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    with pytest.raises(SignInError, match=said):
        authorizer(Connection("broker", "https://tokens.acme.example", broker_auth="iam"), Web())


def test_a_token_of_cognito_is_asked_for_again_shortly_before_its_end() -> None:
    with answering(in_turn(Answer({**GOOD, "expires_in": 60}), Answer({**GOOD, "access_token": "next"}))) as pool:
        auth = by_cognito(pool)
        assert [asked(auth) for _ in range(3)] == ["Bearer cognito", "Bearer next", "Bearer next"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer({"error": "invalid_client"}, 400), SignInError),
        (Answer({}, 200), SignInError),
        (Answer(b"<html>", 200), SignInError),
        (Answer({}, 503), SalesforceBusyError),
        (Answer({}, 429), SalesforceBusyError),
    ],
)
def test_what_cognito_refuses_is_told_without_a_secret(answer: Answer, kind: type[Exception]) -> None:
    with answering(in_turn(answer)) as pool, pytest.raises(kind) as caught:
        asked(by_cognito(pool))
    assert "hush" not in str(caught.value)
