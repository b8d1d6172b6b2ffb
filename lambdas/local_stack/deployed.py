"""The stacks on the emulated AWS, by the same deployment as to AWS, and the addresses that their outputs tell."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local_stack.parts import machine

_LOOK_SECONDS = 0.2
_GATEWAY = re.compile(r"https://(?P<api>[a-z0-9]+)\.execute-api\.[a-z0-9-]+\.[a-z.]+/(?P<rest>.*)")

Outputs = Mapping[str, Mapping[str, str]]


def deploy_all(
    environment: str, session: Session, mappings: Path, tell: Callable[[str], None], parameters: Mapping[str, str]
) -> Outputs:
    """Deploys every stack; gives their outputs, by template and name.

    Args:
        environment: a file of `lambdas/parameters`.
        session: of the AWS to deploy to.
        mappings: the folder of the mappings.
        parameters: values that win over the file's.

    Raises:
        UsageError, deploy.change.DeploymentFailed: as `deploy.deploy`.
    """
    from deploy import deploy
    from deploy.source import Source

    here = {"Runtime": f"python3.{sys.version_info.minor}", "Architecture": machine()}
    return deploy(
        environment, parameters={**here, **parameters}, session=session, source=Source(mappings=mappings), tell=tell,
        every=_LOOK_SECONDS,
    )  # fmt: skip


class Session:
    """What the deployment asks of a boto3 session; all clients ask one endpoint, whatever the environment says."""

    def __init__(self, endpoint: str, region: str, credentials: Mapping[str, str]) -> None:
        import boto3

        self.region_name = region
        self._endpoint = endpoint
        self._session = boto3.Session(
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
            region_name=region,
        )

    def client(self, service: str, **options: Any) -> Any:
        """A client of the service."""
        return self._session.client(service, endpoint_url=self._endpoint, **options)


def local_address(url: str, endpoint: str) -> str:
    """An API Gateway's address as the emulator serves it; any other as it is."""
    found = _GATEWAY.fullmatch(url)
    return f"{endpoint}/_aws/execute-api/{found['api']}/{found['rest']}" if found else url
