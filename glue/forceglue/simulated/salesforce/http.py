"""A call and its answer, apart from sockets: composite calls hold calls, so they must be things of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from forceglue.simulated.salesforce.access import Session
from forceglue.simulated.salesforce.errors import ApiError

VERSIONS = tuple(f"{number}.0" for number in range(58, 68))
"""The API versions that the org speaks."""
LABELS = ("Summer", "Winter", "Spring")


def version_label(version: str) -> str:
    """What Salesforce calls a release: `58.0` is Summer '23."""
    number = int(version.partition(".")[0]) - 58
    season, year = number % 3, 23 + number // 3
    return f"{LABELS[season]} '{year + (1 if season else 0)}"


@dataclass
class Call:
    """One call of the API.

    Attributes:
        path: without the query string, as it was sent, without a slash at the end.
        headers: by lower-case name.
        version: of the address, such as `60.0`; empty outside `/services/data/vXX.0`.
        at: named parts of the path, decoded.
        data: the body of a call inside another one.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    version: str = ""
    at: Mapping[str, str] = field(default_factory=dict)
    session: Session | None = None
    base: str = ""
    data: Any = field(default=None, repr=False)

    @classmethod
    def to(cls, method: str, url: str, body: Any, like: Call) -> Call:
        """A call inside another one."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        path = parts.path.rstrip("/")
        return cls(method, path, query, like.headers, session=like.session, base=like.base, data=body)

    @property
    def user_id(self) -> str:
        """Who calls."""
        return self.session.user.id if self.session else ""

    def json(self) -> Any:
        """The body. Raises ApiError (JSON_PARSER_ERROR) when it is no JSON."""
        if self.data is not None:
            return self.data
        try:
            return json.loads(self.body, parse_float=Decimal)
        except json.JSONDecodeError as error:
            what = f"Unexpected character or end of input: {error.msg} at [line:{error.lineno}, column:{error.colno}]"
            raise ApiError("JSON_PARSER_ERROR", what) from None
        except UnicodeDecodeError:
            raise ApiError("JSON_PARSER_ERROR", "Invalid UTF-8 in the request body") from None

    def json_object(self) -> dict[str, Any]:
        """The body, which must be one object."""
        found = self.json()
        if not isinstance(found, dict):
            raise ApiError(
                "JSON_PARSER_ERROR", "The HTTP entity body is required to be a JSON object. at [line:1, column:1]"
            )
        return found

    def number(self, name: str) -> int | None:
        """A whole number of the query string. Raises ApiError for anything else."""
        text = self.query.get(name)
        if text is None or text == "":
            return None
        if not text.isdigit():
            raise ApiError("INVALIDQUERYPARAMETER", f"{name}: {text} is not a whole number")
        return int(text)


@dataclass(frozen=True)
class Slice:
    """Some bytes of a file, after `head`."""

    path: Path
    start: int
    end: int
    head: bytes = b""

    @property
    def size(self) -> int:
        return len(self.head) + self.end - self.start


@dataclass
class Answer:
    """What is sent back: `data` as JSON, or `body` as it is, or a part of a file."""

    status: int = 200
    data: Any = None
    body: bytes | None = None
    file: Slice | None = None
    type: str = "application/json;charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body of an answer that is no file."""
        if self.body is not None:
            return self.body
        if self.data is None:
            return b""
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":")).encode()

    def parsed(self) -> Any:
        """The body as data, for an answer inside another one."""
        if self.body is not None and self.type.startswith("application/json"):
            return json.loads(self.body) if self.body else None
        return self.data


def refused(error: ApiError) -> Answer:
    """The answer that tells an error."""
    return Answer(error.status, error.shown())
