"""Credentials from AWS Secrets Manager or from the environment, never from a file of the project.

What is read here is told to nobody: it stands in no log, no error and no report.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from forceglue.errors import SetupError, TransientError, UsageError

if TYPE_CHECKING:
    from forceglue.mapping.model import Connection
    from forceglue.write.jdbc import ResolvedConnection

# The service says these when it may answer the next time.
BUSY = frozenset({"ThrottlingException", "InternalServiceError", "InternalServiceErrorException", "RequestTimeout"})


def resolve(name: str, connection: Connection) -> ResolvedConnection:
    """The connection `name` of project.yaml with its credentials.

    An environment variable that is set wins over the secret, so that one mapping runs on a laptop and on Glue.

    Raises:
        UsageError: neither the environment nor the secret has them, or the secret has another shape.
        SetupError: Secrets Manager refuses or cannot be reached.
        TransientError: Secrets Manager is busy.
    """
    from forceglue.write.jdbc import ResolvedConnection

    user = os.environ.get(connection.user_env) if connection.user_env else None
    password = os.environ.get(connection.password_env) if connection.password_env else None
    if connection.secret and (password is None or user is None):
        stored = from_secret(connection.secret)
        user, password = user or stored[0], password or stored[1]
    named = [variable for variable in (connection.user_env, connection.password_env) if variable]
    if password is None and named and not connection.secret:
        raise UsageError(
            f"connection {name}: the environment has no {connection.password_env or named[0]}. "
            f"Set {' and '.join(named)}, or name a `secret` in project.yaml."
        )
    return ResolvedConnection(connection.url, user, SecretStr(password) if password is not None else None)


def from_secret(name: str) -> tuple[str, str]:
    """User name and password of the secret `name`, whose text is JSON with `username` and `password`.

    Raises:
        UsageError: the secret has another shape; else as `secret_text`.
    """
    return _pair(name, secret_text(name))


def secret_text(name: str) -> str:
    """The text of the secret `name`; empty where it holds bytes.

    Raises:
        UsageError: the secret is not there.
        SetupError: access is refused, or there are no AWS credentials.
        TransientError: the service is busy.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    client: Any = boto3.client("secretsmanager")
    try:
        text: str = client.get_secret_value(SecretId=name).get("SecretString", "")
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in BUSY:
            raise TransientError(f"secret {name}: Secrets Manager is busy ({code}). Run again.") from None
        if code == "ResourceNotFoundException":
            raise UsageError(f"secret {name}: not found. Create it, or mend `secret` in project.yaml.") from None
        raise SetupError(
            f"secret {name}: refused ({code}). The role needs secretsmanager:GetSecretValue on it."
        ) from None
    except BotoCoreError as error:
        raise SetupError(
            f"secret {name}: Secrets Manager cannot be asked ({type(error).__name__}). "
            "Check the AWS region and credentials."
        ) from None
    return text


def _pair(name: str, text: str) -> tuple[str, str]:
    # The text itself, and a parser's message that quotes it, must not travel on: no cause, no content.
    try:
        stored = json.loads(text)
    except ValueError:
        stored = None
    user, password = (stored.get("username"), stored.get("password")) if isinstance(stored, dict) else (None, None)
    if not isinstance(user, str) or not isinstance(password, str):
        raise UsageError(
            f"secret {name}: its text must be JSON with `username` and `password`. Store it in that shape."
        )
    return user, password
