"""How to reach an org: from the environment, from a secret of AWS Secrets Manager, or both; the environment wins.

The flow follows from what is given, in this order: a token broker's URL; a private key (JWT bearer); a refresh token;
user name and password, only where that is allowed in so many words; id and secret (client credentials).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from forceglue.errors import UsageError
from forceglue.salesforce.addresses import gateway_region, refused_address

Flow = Literal["broker", "jwt", "refresh", "password", "client_credentials"]
BrokerAuth = Literal["none", "iam", "cognito"]

TOKEN_PATH, BROKER_PATH = "/services/oauth2/token", "/sf/token"
SECRET_VARIABLE = "SF_SECRET"  # noqa: S105  # the name of the variable that names the secret

# variable → what it is; the key in a secret's JSON is the same without SF_, in lower case
VARIABLES = {
    "SF_TOKEN_URL": "the org's token address, such as https://example.my.salesforce.com/services/oauth2/token",
    "SF_CLIENT_ID": "the consumer key of the External Client App",
    "SF_CLIENT_SECRET": "its consumer secret",
    "SF_USERNAME": "the integration user",
    "SF_PASSWORD": "the user's password with the security token; retired by Salesforce",
    "SF_PRIVATE_KEY_FILE": "the PEM file of the private key whose certificate the app has",
    "SF_PRIVATE_KEY": "the PEM text itself",
    "SF_REFRESH_TOKEN": "a refresh token",
    "SF_TOKEN_FILE": "where the refresh token that Salesforce gives next is kept",
    "SF_BROKER_URL": "a token broker's address",
    "SF_BROKER_AUTH": "what the broker asks for: iam (AWS credentials; so where its address is an API Gateway's), "
    "cognito or none",
    "SF_BROKER_AUTH_URL": "the Cognito user pool's token address; SF_CLIENT_ID and SF_CLIENT_SECRET are its client's",
    "SF_API_VERSION": "for example 66.0; the highest that both sides know unless given",
    "SF_AUDIENCE": "the audience of the JWT; the origin of SF_TOKEN_URL unless given",
    "SF_ALLOW_PASSWORD": "1 allows the retired user name and password flow",
}
# how Secrets Manager's own rotation of Salesforce secrets calls them
_MANAGED = {"consumerkey": "SF_CLIENT_ID", "consumersecret": "SF_CLIENT_SECRET", "baseuri": "SF_TOKEN_URL"}
_VERSION = re.compile(r"v?(\d{2,3})(?:\.0)?")
_WAYS = (
    "SF_PRIVATE_KEY_FILE with SF_CLIENT_ID and SF_USERNAME (JWT bearer), "
    "or SF_CLIENT_ID with SF_CLIENT_SECRET (client credentials), or SF_BROKER_URL"
)


@dataclass(frozen=True)
class Connection:
    """An org and the way in; secrets are not in its repr.

    Attributes:
        token_url: where tokens are asked for; with `broker`, the broker's own address.
        audience: of the JWT.
        token_file: where a rotating refresh token is kept.
        api_version: `66.0`; None: the highest that both sides know.
        broker_auth: what a broker asks for.
        auth_url: with `cognito`, where the client's own token is asked for.
    """

    flow: Flow
    token_url: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    audience: str = ""
    refresh_token: str = field(default="", repr=False)
    token_file: Path | None = None
    api_version: str | None = None
    broker_auth: BrokerAuth = "none"
    auth_url: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that nothing may show."""
        return tuple(s for s in (self.client_secret, self.password, self.private_key, self.refresh_token) if s)


def from_environment(
    environ: Mapping[str, str] | None = None,
    *,
    allow_password: bool = False,
    secret: Callable[[str], str] | None = None,
    keeps_refresh_tokens: bool = False,
) -> Connection:
    """The connection that the variables (and the secret that `SF_SECRET` names) describe.

    Args:
        environ: the variables; those of the process unless given.
        allow_password: as `SF_ALLOW_PASSWORD=1`.
        secret: gives the text of a secret by its name; asks Secrets Manager unless given.
        keeps_refresh_tokens: the caller keeps them itself, so that no file is needed.

    Raises:
        UsageError: with every problem of every variable, and no value of a secret one.
        SetupError, TransientError: Secrets Manager refuses or is busy.
    """
    environ = os.environ if environ is None else environ
    given = {name: value for name in VARIABLES if (value := environ.get(name, "").strip())}
    if name := environ.get(SECRET_VARIABLE, "").strip():
        given = {**_stored(name, secret), **given}
    problems: list[str] = []
    key = _private_key(given, problems)
    allowed = allow_password or given.get("SF_ALLOW_PASSWORD") == "1"
    flow = _flow(given, bool(key), allowed)
    if flow is None:
        problems.append(_nothing_given(given))
    else:
        problems += (
            said for name, said in _missing(flow, given) if not (keeps_refresh_tokens and name == "SF_TOKEN_FILE")
        )
    url = _address(given, "SF_BROKER_URL" if flow == "broker" else "SF_TOKEN_URL", problems)
    version = _version(given, problems)
    auth, auth_url = _broker_auth(given, url, problems) if flow == "broker" else ("none", "")
    if problems or flow is None:
        told = "\n  ".join(problems)
        raise UsageError(f"the connection to Salesforce is not complete:\n  {told}")
    parts = urlsplit(url)
    return Connection(
        flow=flow,
        token_url=url,
        client_id=given.get("SF_CLIENT_ID", ""),
        client_secret=given.get("SF_CLIENT_SECRET", ""),
        username=given.get("SF_USERNAME", ""),
        password=given.get("SF_PASSWORD", "") if flow == "password" else "",
        private_key=key,
        audience=given.get("SF_AUDIENCE") or f"{parts.scheme}://{parts.netloc}",
        refresh_token=given.get("SF_REFRESH_TOKEN", ""),
        token_file=Path(given["SF_TOKEN_FILE"]) if "SF_TOKEN_FILE" in given else None,
        api_version=version,
        broker_auth=auth,
        auth_url=auth_url,
    )


def _flow(given: Mapping[str, str], has_key: bool, allow_password: bool) -> Flow | None:
    if "SF_BROKER_URL" in given:
        return "broker"
    if has_key or {"SF_PRIVATE_KEY", "SF_PRIVATE_KEY_FILE"} & given.keys():
        return "jwt"
    if "SF_REFRESH_TOKEN" in given:
        return "refresh"
    if allow_password and {"SF_USERNAME", "SF_PASSWORD"} <= given.keys():
        return "password"
    return "client_credentials" if {"SF_CLIENT_ID", "SF_CLIENT_SECRET"} <= given.keys() else None


def _nothing_given(given: Mapping[str, str]) -> str:
    if "SF_PASSWORD" in given:
        return (
            "SF_PASSWORD is given, and Salesforce retires sign-in by user name and password: "
            f"set {_WAYS}; or allow it with --allow-password (SF_ALLOW_PASSWORD=1)"
        )
    half = [name for name in ("SF_CLIENT_ID", "SF_CLIENT_SECRET") if name not in given]
    if len(half) == 1:
        return f"{half[0]} is not set ({VARIABLES[half[0]]}), and there is no private key; set {_WAYS}"
    return f"no way to sign in is given: set {_WAYS}"


def _missing(flow: Flow, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    needs = {
        "broker": (),
        "jwt": ("SF_CLIENT_ID", "SF_USERNAME"),
        "refresh": ("SF_CLIENT_ID", "SF_TOKEN_FILE"),
        "password": ("SF_CLIENT_ID", "SF_CLIENT_SECRET"),
        "client_credentials": (),
    }
    for name in needs[flow]:
        if name not in given:
            why = (
                "; each use of a refresh token gives a new one, which must be kept"
                if name == "SF_TOKEN_FILE"
                else f" for the {flow} flow"
            )
            yield name, f"{name} is not set{why}: {VARIABLES[name]}"


def _address(given: Mapping[str, str], name: str, problems: list[str]) -> str:
    url = given.get(name)
    if url is None:
        problems.append(f"{name} is not set: {VARIABLES[name]}")
        return ""
    if complaint := refused_address(url):
        problems.append(f"{name} {complaint}")
        return ""
    parts = urlsplit(url)
    path = BROKER_PATH if name == "SF_BROKER_URL" else TOKEN_PATH
    return url if parts.path.strip("/") else urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _broker_auth(given: Mapping[str, str], url: str, problems: list[str]) -> tuple[BrokerAuth, str]:
    usual = "cognito" if "SF_BROKER_AUTH_URL" in given else "iam" if gateway_region(url) else "none"
    match given.get("SF_BROKER_AUTH", usual).lower():
        case "none":
            return "none", ""
        case "iam":
            return "iam", ""
        case "cognito":
            problems += [
                f"{name} is not set for SF_BROKER_AUTH=cognito: {VARIABLES[name]}"
                for name in ("SF_BROKER_AUTH_URL", "SF_CLIENT_ID", "SF_CLIENT_SECRET")
                if name not in given
            ]
            address = given.get("SF_BROKER_AUTH_URL", "")
            if address and (complaint := refused_address(address)):
                problems.append(f"SF_BROKER_AUTH_URL {complaint}")
            return "cognito", address
        case other:
            problems.append(f"SF_BROKER_AUTH is {other!r}, and there are iam, cognito and none")
            return "none", ""


def _version(given: Mapping[str, str], problems: list[str]) -> str | None:
    said = given.get("SF_API_VERSION")
    if said is None:
        return None
    found = _VERSION.fullmatch(said)
    if found is None:
        problems.append(f"SF_API_VERSION is {said!r}, and a version looks like 66.0")
        return None
    return f"{found[1]}.0"


def _private_key(given: Mapping[str, str], problems: list[str]) -> str:
    file = given.get("SF_PRIVATE_KEY_FILE")
    if "SF_BROKER_URL" in given or (file is None and "SF_PRIVATE_KEY" not in given):
        return ""
    text = given.get("SF_PRIVATE_KEY", "").replace("\\n", "\n")
    if file is not None:
        try:
            text = Path(file).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            said = error.strerror if isinstance(error, OSError) else "it is no text"
            problems.append(f"SF_PRIVATE_KEY_FILE: {file} cannot be read ({said})")
            return ""
    if "PRIVATE KEY-----" not in text:
        name = "SF_PRIVATE_KEY_FILE" if file is not None else "SF_PRIVATE_KEY"
        problems.append(f"{name} holds no PEM private key (it starts with -----BEGIN PRIVATE KEY-----)")
        return ""
    return text


def _stored(name: str, secret: Callable[[str], str] | None) -> dict[str, str]:
    """The variables that a secret holds, under their names, in lower case without SF_, or as Salesforce's rotation."""
    if secret is None:
        from forceglue.runtime.secrets import secret_text

        secret = secret_text
    try:
        held = json.loads(secret(name))
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise UsageError(
            f"secret {name} ({SECRET_VARIABLE}): its text must be JSON such as "
            '{"token_url": …, "client_id": …, "client_secret": …}. Store it in that shape.'
        )
    found = {}
    for key, value in held.items():
        variable = _MANAGED.get(key.lower()) or (key.upper() if key.upper() in VARIABLES else f"SF_{key.upper()}")
        if variable in VARIABLES and isinstance(value, str) and value.strip():
            found[variable] = value.strip()
    return found
