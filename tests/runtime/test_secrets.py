from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from forceglue.errors import SetupError, TransientError, UsageError
from forceglue.mapping.model import Connection
from forceglue.runtime import secrets

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "postgresql://host:5432/etl"
WORD = "open-sesame-7"


class FakeManager:
    """Secrets Manager with one answer."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer, self.asked = answer, 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's own name
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"SecretString": self.answer}


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | Exception], FakeManager]:
    """Puts a stand-in where boto3 makes its client."""

    def made(answer: str | Exception) -> FakeManager:
        fake = FakeManager(answer)
        monkeypatch.setattr("boto3.client", lambda _service: fake)
        return fake

    return made


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"about {WORD}"}}, "GetSecretValue")


def test_from_the_secret(manager: Callable[[str | Exception], FakeManager]) -> None:
    manager(json.dumps({"username": "etl", "password": WORD}))
    found = secrets.resolve("warehouse", Connection(url=URL, secret="dev/rds"))
    assert (found.user, found.password and found.password.get_secret_value()) == ("etl", WORD)
    assert WORD not in repr(found)


def test_the_environment_wins_and_nobody_is_asked(
    manager: Callable[[str | Exception], FakeManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = manager(json.dumps({"username": "etl", "password": "other"}))
    monkeypatch.setenv("W_USER", "me")
    monkeypatch.setenv("W_PASSWORD", WORD)
    found = secrets.resolve(
        "warehouse", Connection(url=URL, secret="dev/rds", user_env="W_USER", password_env="W_PASSWORD")
    )
    assert (found.user, found.password and found.password.get_secret_value(), fake.asked) == ("me", WORD, 0)


def test_trust_needs_no_password() -> None:
    assert secrets.resolve("warehouse", Connection(url=URL)).password is None


def test_an_empty_environment_names_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("W_PASSWORD", raising=False)
    with pytest.raises(UsageError, match=r"warehouse.*W_PASSWORD"):
        secrets.resolve("warehouse", Connection(url=URL, password_env="W_PASSWORD"))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused("AccessDeniedException"), SetupError),
        (refused("ResourceNotFoundException"), UsageError),
        (refused("ThrottlingException"), TransientError),
        (NoCredentialsError(), SetupError),
        (f'{{"username": "x", "pass": "{WORD}"}}', UsageError),
        (f"not json {WORD}", UsageError),
        (f'["{WORD}"]', UsageError),
    ],
)
def test_no_error_tells_the_secret(
    manager: Callable[[str | Exception], FakeManager], answer: str | Exception, error: type[Exception]
) -> None:
    manager(answer)
    with pytest.raises(error, match="dev/rds") as told:
        secrets.resolve("warehouse", Connection(url=URL, secret="dev/rds"))
    assert WORD not in str(told.value)
    assert told.value.__cause__ is None
