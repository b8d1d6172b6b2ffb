from __future__ import annotations

import json

from forceglue.salesforce.settings import from_environment
from local_stack.enrolling import app, enrol
from local_stack_kit import Emulated


def test_the_secret_of_the_simulated_org_is_a_whole_connection() -> None:
    held = app("http://127.0.0.1:1", {})
    found = from_environment({"SF_SECRET": "any"}, secret=lambda _: json.dumps(held))
    assert (found.flow, found.token_url) == ("client_credentials", "http://127.0.0.1:1/services/oauth2/token")


def test_another_server_may_have_an_app_of_its_own() -> None:
    held = app(
        "https://x.example/",
        {"SF_CLIENT_ID": "own", "SF_USERNAME": "u@example.com", "SF_PRIVATE_KEY": "k", "PATH": "p"},
    )
    assert held == {
        "token_url": "https://x.example/services/oauth2/token", "client_id": "own", "username": "u@example.com", "private_key": "k",
    }  # fmt: skip


def test_secrets_are_stored_once_and_changed_where_they_differ(aws: Emulated, names: str) -> None:
    client = aws.client("secretsmanager")

    def versions() -> int:
        return len(
            client.list_secret_version_ids(SecretId=f"{names}/salesforce/app", IncludeDeprecated=True)["Versions"]
        )

    for held, count in (({"a": "1"}, 1), ({"a": "1"}, 1), ({"a": "2"}, 2)):
        enrol(client, names, held)
        assert json.loads(client.get_secret_value(SecretId=f"{names}/salesforce/app")["SecretString"]) == held
        assert versions() == count
    assert client.get_secret_value(SecretId=f"{names}/salesforce/users-app")
