"""Where files lie below a landing root, as pure functions of the key.

    in/<env>-Salesforce-<Object>/<execution>/<file>                      what AppFlow writes
    processed|error/<Object>/<YYYY>/<MM>/<DD>/<HH>/<execution>/<file>    what ingest makes of it; the hour is UTC
    in/<env>-Salesforce-<Object>.full/…                                  an object's flow that reads all of it
    <Object>.csv  or  <Object>/<file>                                    an export, read in place and never moved

`<Object>` is the folder's token after `Salesforce-`, as it is. Tolerated: no env, no `Salesforce-`, no execution.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

IN, PROCESSED, ERROR = "in", "processed", "error"
Stage = Literal["processed", "error"]
FULL = ".full"
"""What the name of an object's full flow ends with; no API name and hardly a label has a point in it."""

FACTS_SUFFIX = ".facts.json"
REASON_SUFFIX = ".reason.json"
MAX_NAME_BYTES = 200  # leaves room for a sidecar's ending within the 255 bytes of common file systems

_FOLDER = re.compile(r"(?:(?P<env>[^-]+)-+)?salesforce-(?P<token>.+?)(?:\.full)?", re.IGNORECASE | re.DOTALL)
_EXPORT = re.compile(r"(?P<token>.+?)\.(?:csv|parquet|json|jsonl|ndjson)(?:\.gz)?", re.IGNORECASE | re.DOTALL)
_ENDING = re.compile(r"(?:\.(?:csv|parquet|json|jsonl|ndjson|txt))?(?:\.gz)?$", re.IGNORECASE)
_PATTERN = re.compile(r"[{}\[\]*?\\\x00-\x1f\x7f]")


@dataclass(frozen=True)
class LandedKey:
    """A key under `in/`.

    Attributes:
        env: the flow's environment; None where the folder has none.
        token: the object's folder name without env and `Salesforce-`.
        execution: the flow's execution id; None for a file directly in the object's folder.
    """

    env: str | None
    token: str
    execution: str | None
    file: str


@dataclass(frozen=True)
class KeptKey:
    """A key under `processed/` or `error/`; `hour` is the UTC hour of processing."""

    stage: Stage
    token: str
    hour: datetime
    execution: str | None
    file: str


@dataclass(frozen=True)
class ExportKey:
    """A file of an export that is read in place."""

    token: str
    file: str


def folder_parts(folder: str) -> tuple[str | None, str]:
    """`(env, token)` of a folder: `dev-Salesforce-Account` → `('dev', 'Account')`, `Account` → `(None, 'Account')`.

    The folder of the object's full flow, `dev-Salesforce-Account.full`, is another of the same object.
    """
    found = _FOLDER.fullmatch(folder)
    return (found["env"], found["token"]) if found else (None, folder)


def landed(key: str) -> LandedKey | None:
    """Reads a key under `in/`; None for another form (a folder's marker, a file directly in `in/`, a deeper one)."""
    parts = key.split("/")
    if parts[0] != IN or len(parts) not in (3, 4) or not all(parts):
        return None
    env, token = folder_parts(parts[1])
    return LandedKey(env, token, parts[2] if len(parts) == 4 else None, parts[-1])


def landed_key(token: str, execution: str | None, file: str, *, env: str | None = None) -> str:
    """The key under `in/`; without `env` the folder is the bare token."""
    folder = f"{env}-Salesforce-{token}" if env else token
    return "/".join(part for part in (IN, folder, execution, file) if part is not None)


def kept_key(stage: Stage, token: str, at: datetime, execution: str | None, file: str) -> str:
    """The key that a file gets when it is ingested at `at` (any zone; the hour in the key is UTC).

    A `:` in the file's name (AppFlow writes times there) becomes `-`: Hadoop cannot open such a name in a local folder.
    """
    file = file.replace(":", "-")
    hour = at.astimezone(UTC).strftime("%Y/%m/%d/%H")
    return "/".join(part for part in (stage, token, hour, execution, file) if part is not None)


def kept(key: str) -> KeptKey | None:
    """Reads a key under `processed/` or `error/`; None for a key of another form."""
    stage, *parts = key.split("/")
    if stage not in (PROCESSED, ERROR) or len(parts) not in (6, 7) or not all(parts):
        return None
    token, year, month, day, hour, *rest = parts
    if not re.fullmatch(r"\d{4}/\d\d/\d\d/\d\d", stamp := f"{year}/{month}/{day}/{hour}", re.ASCII):
        return None
    try:
        at = datetime.strptime(stamp, "%Y/%m/%d/%H").replace(tzinfo=UTC)
    except ValueError:
        return None
    found: Stage = "processed" if stage == PROCESSED else "error"
    return KeptKey(found, token, at, rest[0] if len(rest) == 2 else None, rest[-1])


def export(key: str) -> ExportKey | None:
    """Reads a key of a plain export; None for a file that is none (`README.md`, a hidden file, a deeper folder)."""
    *folder, file = key.split("/")
    if hidden(file) or len(folder) > 1 or (folder and (hidden(folder[0]) or folder[0] in (IN, PROCESSED, ERROR))):
        return None
    found = _EXPORT.fullmatch(file)
    if folder:
        return ExportKey(folder_parts(folder[0])[1], file) if found or "." not in file else None
    return ExportKey(folder_parts(found["token"])[1], file) if found else None


def hidden(name: str) -> bool:
    """Names that Spark and the Glue catalog take for hidden and never read."""
    return name.startswith((".", "_"))


def facts_key(key: str) -> str:
    """Where the facts of a processed file stand; hidden, so that nobody reads them as data."""
    folder, _, file = key.rpartition("/")
    return f"{folder}/_{file}{FACTS_SUFFIX}"


def reason_key(key: str) -> str:
    """Where the reason of a rejected file stands."""
    return key + REASON_SUFFIX


def numbered(key: str, number: int) -> str:
    """The key with a number before the format's ending, for a name that is taken: `a.csv`, 2 → `a~2.csv`."""
    if number == 1:
        return key
    ending = _ENDING.search(key)
    cut = ending.start() if ending else len(key)
    return f"{key[:cut]}~{number}{key[cut:]}"


def name_complaint(key: str) -> str | None:
    """Why a file under this key cannot be read or kept; None when it can. A `:` is no hindrance, see `kept_key`."""
    if _PATTERN.search(key):
        return "its path has a character that Spark takes for a pattern ({ } [ ] * ? \\) or that does not print"
    if len(key.rpartition("/")[2].encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        return f"its name has more than {MAX_NAME_BYTES} bytes"
    return None
