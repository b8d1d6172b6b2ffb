"""The secrets that the stacks stand on: the way to the org for the token broker, and the app of the users."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from forceglue.salesforce.settings import TOKEN_PATH

# variables of a connection that go into the secret, beside the address
_PARTS = ("SF_CLIENT_ID", "SF_CLIENT_SECRET", "SF_USERNAME", "SF_PRIVATE_KEY", "SF_REFRESH_TOKEN")


def app(salesforce: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What the secret of the app holds.

    Args:
        salesforce: the org's address.
        environ: may name another app than the simulated org's (`SF_CLIENT_ID`, …).
    """
    from forceglue.demo.org import CLIENT_ID, CLIENT_SECRET

    given = {name: environ[name] for name in _PARTS if environ.get(name)}
    if "SF_CLIENT_ID" not in given:
        given = {"SF_CLIENT_ID": CLIENT_ID, "SF_CLIENT_SECRET": CLIENT_SECRET}
    address = environ.get("SF_TOKEN_URL") or salesforce.rstrip("/") + TOKEN_PATH
    return {"token_url": address, **{name.removeprefix("SF_").lower(): value for name, value in given.items()}}


def enrol(client: Any, environment: str, held: Mapping[str, str]) -> None:
    """Stores the secrets; one that is there gets a new version if it holds something else.

    Args:
        client: of Secrets Manager.
        environment: `EnvPrefix`; the names are those of `lambdas/parameters`.
    """
    for name in ("app", "users-app"):
        text, secret = json.dumps(dict(held)), f"{environment}/salesforce/{name}"
        try:
            before = client.get_secret_value(SecretId=secret)["SecretString"]
        except client.exceptions.ResourceNotFoundException:
            client.create_secret(Name=secret, SecretString=text)
            continue
        if before != text:
            client.put_secret_value(SecretId=secret, SecretString=text)
