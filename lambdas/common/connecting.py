"""The way to the org, from the environment and the secret that it names; read anew before each refresh.

A secret is remembered for a minute, so that one that a person mended is seen, and many refusals do not ask for it each.
Most cold starts find a valid token in the table: what reads secrets is imported by those that do not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from common.aws import client
from forceglue.errors import SetupError, UsageError
from forceglue.salesforce.settings import Connection, from_environment

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

_REMEMBERED = 60


def connect(environ: Mapping[str, str] = os.environ) -> Connection:
    """The connection that the variables describe; refresh tokens are kept by the caller.

    Raises:
        UsageError: with every problem of every variable.
        SetupError: the secret cannot be read.
    """
    connection = from_environment(environ, secret=_secret, keeps_refresh_tokens=True)
    if connection.flow == "broker":
        raise UsageError("SF_BROKER_URL is set, and this function asks the org itself: give SF_TOKEN_URL instead.")
    return connection


def way_in(environ: Mapping[str, str] = os.environ) -> Connection:
    """The connection of a function that uses Salesforce: by the token broker, else by a flow that many may use at once.

    Raises:
        UsageError: with every problem of every variable.
        SetupError: the secret cannot be read.
    """
    connection = from_environment(environ, secret=_secret)
    if connection.flow == "refresh":
        raise UsageError("SF_REFRESH_TOKEN is for one process alone, and a function is many: give SF_BROKER_URL.")
    return connection


@cache
def _secrets() -> SecretsProvider:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

    return SecretsProvider(boto3_client=client("secretsmanager"))


def _secret(name: str) -> str:
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    try:
        return str(_secrets().get(name, max_age=_REMEMBERED))
    except GetParameterError as error:
        why = type(error.__cause__ or error.__context__ or error).__name__
        raise SetupError(
            f"secret {name}: it cannot be read ({why}). See that it is there, and that the function's role may read it."
        ) from None
