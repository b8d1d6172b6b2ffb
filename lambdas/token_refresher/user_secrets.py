"""The users' tokens in Secrets Manager: read twenty at a time, written one by one.

A secret's text is JSON with `refresh_token`, and after the first refresh `access_token`, `instance_url`, `issued_at`
and `expires_at` (seconds since 1970); `token_url` where it is not the app's. Other keys are somebody else's and stay.
A new text becomes `AWSCURRENT` in the moment in which the old one becomes `AWSPREVIOUS`: there is no moment without a
token.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

BATCH = 20
"""How many secrets one call reads."""


@dataclass(frozen=True)
class UserSecret:
    """A secret that can be used."""

    name: str
    data: Mapping[str, Any] = field(repr=False)

    @property
    def refresh_token(self) -> str:
        return str(self.data["refresh_token"])

    @property
    def expires_at(self) -> float:
        """When the access token ends; 0 where there is none, or nothing says so."""
        ends = self.data.get("expires_at")
        return float(ends) if isinstance(ends, (int, float)) and self.data.get("access_token") else 0.0

    @property
    def token_url(self) -> str:
        """The user's own token address; empty for the app's."""
        return str(self.data.get("token_url") or "")


@dataclass(frozen=True)
class Unusable:
    """A secret that cannot be used: why, and what to do; nothing of its text is in it."""

    code: str
    said: str
    passes: bool = False


class Secrets:
    """Reads and writes.

    Args:
        manager: a client of Secrets Manager.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def read(self, names: Iterable[str]) -> dict[str, UserSecret | Unusable]:
        """The secrets by the names or ARNs that were asked for; at most `BATCH` of them."""
        names = list(names)
        answer = self._manager.batch_get_secret_value(SecretIdList=names)
        found: dict[str, UserSecret | Unusable] = {}
        for value in answer.get("SecretValues", ()):
            for name in {value["Name"], value["ARN"]} & set(names):
                found[name] = _opened(name, value.get("SecretString"))
        for error in answer.get("Errors", ()):
            code = str(error.get("ErrorCode", "unknown"))
            passes = code in ("InternalServiceError", "ThrottlingException")
            found[error["SecretId"]] = Unusable(code, f"secret {error['SecretId']} cannot be read ({code}).", passes)
        missing = "ResourceNotFoundException"
        return {name: found.get(name) or Unusable(missing, f"secret {name} is not there.") for name in names}

    def store(self, secret: UserSecret, changes: Mapping[str, Any]) -> None:
        """Writes the tokens into the secret's text; what else is in it stays."""
        text = json.dumps({**secret.data, **changes})
        self._manager.put_secret_value(SecretId=secret.name, SecretString=text)


def _opened(name: str, text: str | None) -> UserSecret | Unusable:
    # neither the text, nor a parser's message that quotes it, goes on from here
    try:
        data = json.loads(text or "")
    except ValueError:
        data = None
    if not isinstance(data, dict) or not isinstance(data.get("refresh_token"), str) or not data["refresh_token"]:
        said = f"secret {name}: its text must be JSON with `refresh_token`; let the user authorise the app again."
        return Unusable("secret_unusable", said)
    return UserSecret(name, data)
