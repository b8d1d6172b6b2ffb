"""Refresh tokens that are good for one use: one process at a time, and the next one is stored before it is needed.

Salesforce takes back every token of the app when an old refresh token is used a second time. So a file of this machine
holds the one that is good now, under a lock that only one process has (`flock`; it ends with the process): whoever has
it reads the file again, uses what it says, and writes the next token to disk before the access token is used. Before a
token is sent the file says so: one whose process ended before its answer was written is not sent again.
Processes on several machines share a token broker instead.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forceglue.errors import AnswerLostError, SalesforceError, SignInError
from forceglue.salesforce.flows import answer, token_of
from forceglue.salesforce.oauth_errors import advice
from forceglue.salesforce.retry import Pace
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import Fetch, Token


def rotating(connection: Connection, web: Web, pace: Pace) -> Fetch:
    """Gets tokens by `connection.token_file`; `SF_REFRESH_TOKEN` counts only where it is newer than the file."""
    if connection.token_file is None:
        raise SignInError("SF_TOKEN_FILE is not set: a rotating refresh token must be kept somewhere.")
    file = connection.token_file
    seed = hashlib.sha256(connection.refresh_token.encode()).hexdigest()

    def fetch(stale: Token | None) -> Token:
        with _alone(file):
            kept = _read(file)
            if kept.get("seed") != seed:  # authorised anew by a person: the old chain is over
                kept = {"seed": seed, "refresh_token": connection.refresh_token}
            held = Token(kept.get("access_token", ""), kept.get("instance_url", ""))
            if held.access_token and held != stale:
                return held  # another process has refreshed meanwhile
            return _renewed(file, kept, connection, web, pace)

    return fetch


def _renewed(file: Path, kept: dict[str, str], connection: Connection, web: Web, pace: Pace) -> Token:
    """A token by the refresh token that the file has; what comes is written before it is used."""
    sent = kept["refresh_token"]
    if "sent" in kept:
        raise AnswerLostError(
            f"the refresh token of {file} was sent, and its answer was never written: it may be spent, and is not sent "
            "again. Authorise the app again and give the new one as SF_REFRESH_TOKEN."
        )
    if kept.get("rotates") != "no":
        _write(file, {**kept, "sent": "yes"})
    try:
        body = answer(connection, web, pace, sent)
    except AnswerLostError:
        raise
    except SalesforceError as error:
        if not advice(error.code, error.reason).ends_token:
            _write(file, kept)
        raise
    token = token_of(body, connection.token_url)
    given = str(body.get("refresh_token") or sent)
    _write(
        file,
        {
            "seed": kept["seed"],
            "refresh_token": given,
            "rotates": "no" if given == sent else "yes",
            "access_token": token.access_token,
            "instance_url": token.instance_url,
        },
    )
    return token


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """One process at a time; beside the file, which is replaced."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SignInError(f"SF_TOKEN_FILE {file} cannot be used: {error.strerror}; give one that can.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(file: Path) -> dict[str, str]:
    try:
        kept = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise SignInError(
            f"SF_TOKEN_FILE {file} cannot be read or is damaged: authorise the app again, remove the file and give "
            "the new token as SF_REFRESH_TOKEN."
        ) from None
    if not isinstance(kept, dict):
        raise SignInError(f"SF_TOKEN_FILE {file} is no file of forceglue: give another name.")
    return {str(key): str(value) for key, value in kept.items()}


def _write(file: Path, kept: dict[str, str]) -> None:
    temporary = file.with_name(f"{file.name}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(json.dumps(kept).encode())
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(file)
