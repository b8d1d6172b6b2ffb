"""Every problem at once, by the names of the variables, and no secret in any of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forceglue.errors import UsageError
from forceglue.runtime import secrets
from forceglue.salesforce.settings import from_environment

URL = "https://acme.my.salesforce.com/services/oauth2/token"
PEM = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n"
ID, SECRET = {"SF_CLIENT_ID": "3MVG9"}, {"SF_CLIENT_SECRET": "hush-secret"}


def problems(environ: dict[str, str]) -> str:
    with pytest.raises(UsageError) as caught:
        from_environment(environ)
    return str(caught.value)


def test_a_private_key_makes_jwt_bearer(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PEM)
    found = from_environment(
        {
            "SF_TOKEN_URL": URL,
            **ID,
            **SECRET,
            "SF_USERNAME": "etl@acme.example",
            "SF_PRIVATE_KEY_FILE": str(tmp_path / "key.pem"),
        }
    )
    assert (found.flow, found.audience, found.private_key) == ("jwt", "https://acme.my.salesforce.com", PEM)


def test_id_and_secret_make_client_credentials_also_beside_a_password() -> None:
    found = from_environment({"SF_TOKEN_URL": URL, **ID, **SECRET, "SF_USERNAME": "u", "SF_PASSWORD": "hush"})
    assert (found.flow, found.password) == ("client_credentials", "")


def test_a_password_needs_to_be_allowed() -> None:
    given = {"SF_TOKEN_URL": URL, **ID, "SF_USERNAME": "u", "SF_PASSWORD": "hush-password"}
    said = problems(given)
    assert "--allow-password" in said and "SF_PRIVATE_KEY_FILE" in said and "hush" not in said
    assert from_environment({**given, **SECRET}, allow_password=True).flow == "password"
    assert from_environment({**given, **SECRET, "SF_ALLOW_PASSWORD": "1"}).flow == "password"


def test_a_broker_goes_before_everything_and_gets_its_path() -> None:
    found = from_environment(
        {"SF_BROKER_URL": "http://localhost:8080", **ID, **SECRET, "SF_PRIVATE_KEY_FILE": "/nowhere"}
    )
    assert (found.flow, found.token_url) == ("broker", "http://localhost:8080/sf/token")
    assert (
        from_environment({"SF_BROKER_URL": "https://x.example/v2/sf/token"}).token_url
        == "https://x.example/v2/sf/token"
    )


def test_a_refresh_token_needs_a_file_to_keep_the_next_one() -> None:
    given = {"SF_TOKEN_URL": URL, **ID, "SF_REFRESH_TOKEN": "hush-refresh"}
    said = problems(given)
    assert "SF_TOKEN_FILE is not set" in said and "hush" not in said
    assert from_environment({**given, "SF_TOKEN_FILE": "/tmp/t"}).flow == "refresh"


def test_all_problems_are_told_at_once() -> None:
    said = problems(
        {"SF_PRIVATE_KEY_FILE": "/not/there.pem", "SF_API_VERSION": "newest", "SF_TOKEN_URL": "http://acme.example"}
    )
    for part in ("SF_PRIVATE_KEY_FILE", "SF_CLIENT_ID", "SF_USERNAME", "SF_API_VERSION", "SF_TOKEN_URL is http"):
        assert part in said


def test_nothing_at_all_names_the_ways() -> None:
    said = problems({})
    assert "SF_TOKEN_URL is not set" in said and "SF_BROKER_URL" in said and "SF_CLIENT_SECRET" in said


def test_half_of_client_credentials_names_the_other_half() -> None:
    assert "SF_CLIENT_SECRET is not set" in problems({"SF_TOKEN_URL": URL, **ID})


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.example/t",
        "https://user:hush@acme.example/t",
        "https://acme.example/t?key=hush",
        "ftp://x",
        "acme",
        "http://[",
        "https://x:99999/",
    ],
)
def test_an_address_that_a_secret_must_not_be_sent_to_is_refused(url: str) -> None:
    said = problems({"SF_TOKEN_URL": url, **ID, **SECRET})
    assert "SF_TOKEN_URL" in said and "hush" not in said


@pytest.mark.parametrize("url", ["http://localhost:1/services/oauth2/token", "http://127.0.0.1:1", "http://[::1]:1"])
def test_http_is_for_loopback(url: str) -> None:
    assert from_environment({"SF_TOKEN_URL": url, **ID, **SECRET}).token_url.endswith("/services/oauth2/token")


@pytest.mark.parametrize(("said", "version"), [("66.0", "66.0"), ("v66.0", "66.0"), ("66", "66.0")])
def test_versions(said: str, version: str) -> None:
    assert from_environment({"SF_TOKEN_URL": URL, **ID, **SECRET, "SF_API_VERSION": said}).api_version == version


def test_nothing_secret_is_in_the_repr(tmp_path: Path) -> None:
    (tmp_path / "k").write_text(PEM)
    given = {
        "SF_TOKEN_URL": URL,
        **ID,
        **SECRET,
        "SF_USERNAME": "u",
        "SF_PRIVATE_KEY_FILE": str(tmp_path / "k"),
        "SF_REFRESH_TOKEN": "hush-r",
    }
    assert "hush" not in (shown := repr(from_environment(given))) and "PRIVATE" not in shown


def test_a_secret_fills_in_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {
        "consumerKey": "stored",
        "consumerSecret": "hush-1",
        "baseUri": "https://acme.my.salesforce.com",
        "SF_API_VERSION": "65.0",
    }
    monkeypatch.setattr(secrets, "secret_text", lambda name: json.dumps(held) if name == "prod/sf" else "")
    found = from_environment({"SF_SECRET": "prod/sf", "SF_CLIENT_ID": "mine"})
    assert (found.client_id, found.client_secret, found.token_url, found.api_version) == ("mine", "hush-1", URL, "65.0")


def test_a_secret_of_another_shape_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "secret_text", lambda _: "hush this is no json")
    said = problems({"SF_SECRET": "prod/sf"})
    assert "prod/sf" in said and "hush" not in said


GATEWAY = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/dev/sf/token"
POOL = "https://acme.auth.eu-west-1.amazoncognito.com/oauth2/token"


def test_a_broker_behind_api_gateway_is_asked_with_a_signature() -> None:
    found = from_environment({"SF_BROKER_URL": GATEWAY})
    assert (found.token_url, found.broker_auth) == (GATEWAY, "iam")
    assert from_environment({"SF_BROKER_URL": GATEWAY, "SF_BROKER_AUTH": "none"}).broker_auth == "none"
    assert from_environment({"SF_BROKER_URL": "https://tokens.acme.example"}).broker_auth == "none"
    assert from_environment({"SF_BROKER_URL": "https://t.acme.example", "SF_BROKER_AUTH": "IAM"}).broker_auth == "iam"
    assert from_environment({"SF_BROKER_URL": "https://x.execute-api.cn-north-1.amazonaws.com.cn"}).broker_auth == "iam"


def test_a_broker_by_cognito_needs_a_client_of_the_pool() -> None:
    found = from_environment({"SF_BROKER_URL": GATEWAY, "SF_BROKER_AUTH_URL": POOL, **ID, **SECRET})
    assert (found.broker_auth, found.auth_url) == ("cognito", POOL)
    said = problems({"SF_BROKER_URL": GATEWAY, "SF_BROKER_AUTH": "cognito"})
    assert all(name in said for name in ("SF_BROKER_AUTH_URL", "SF_CLIENT_ID", "SF_CLIENT_SECRET"))
    assert "http" in problems({"SF_BROKER_URL": GATEWAY, "SF_BROKER_AUTH_URL": "http://pool.example", **ID, **SECRET})
    assert "SF_BROKER_AUTH is 'apikey'" in problems({"SF_BROKER_URL": GATEWAY, "SF_BROKER_AUTH": "apikey"})


def test_who_keeps_refresh_tokens_itself_needs_no_file() -> None:
    given = {"SF_TOKEN_URL": URL, **ID, "SF_REFRESH_TOKEN": "hush"}
    assert "SF_TOKEN_FILE" in problems(given)
    assert from_environment(given, keeps_refresh_tokens=True).refresh_token == "hush"


def test_a_secret_may_come_from_elsewhere() -> None:
    held = json.dumps({"token_url": URL, "client_id": "3MVG9", "client_secret": "hush"})
    found = from_environment({"SF_SECRET": "prod/sf"}, secret=lambda name: held if name == "prod/sf" else "")
    assert (found.flow, found.client_secret) == ("client_credentials", "hush")
