"""Profiles as SSM's Parameter Store holds them: `/crm/file-profiles/<env>/<source>.json`."""

from __future__ import annotations

from typing import Any

from forceglue.errors import SetupError

PREFIX = "/crm/file-profiles"


def parameter_name(env: str, source: str, prefix: str = PREFIX) -> str:
    """The name of a source's parameter."""
    return f"{prefix.rstrip('/')}/{env}/{source}.json"


class StoredProfiles:
    """Reads the profiles of one environment.

    Args:
        ssm: a client of SSM.
    """

    def __init__(self, ssm: Any, env: str, prefix: str = PREFIX) -> None:
        self._ssm, self._env, self._prefix = ssm, env, prefix

    def names(self) -> list[str]:
        """The sources that have one."""
        folder = parameter_name(self._env, "", self._prefix).removesuffix("/.json")
        return [
            one["Name"].rpartition("/")[2].removesuffix(".json")
            for page in self._told(
                lambda: list(self._ssm.get_paginator("get_parameters_by_path").paginate(Path=folder))
            )
            for one in page["Parameters"]
        ]

    def text(self, source: str) -> str | None:
        """What is stored; None where nothing is.

        Raises:
            SetupError: SSM does not answer, or not to these credentials.
        """
        name = parameter_name(self._env, source, self._prefix)
        try:
            return str(
                self._told(lambda: self._ssm.get_parameter(Name=name, WithDecryption=True))["Parameter"]["Value"]
            )
        except self._ssm.exceptions.ParameterNotFound:
            return None

    def _told(self, ask: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return ask()
        except self._ssm.exceptions.ParameterNotFound:
            raise
        except (BotoCoreError, ClientError) as error:
            raise SetupError(
                f"the parameters below {self._prefix}/{self._env} cannot be read: {error}. See to credentials and "
                f"region (AWS_REGION), and to the right ssm:GetParameter on them."
            ) from error
