"""Which files an event tells of.

| event | key |
|---|---|
| S3's through EventBridge, and `file-overdue` of the sweep, which has its form | as it is |
| S3's own notification (`Records`) | URL-encoded, `+` for a blank |

Powertools' class for the first kind decodes the key too, so that `a+b` would be looked for as `a b`: it is read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus


@dataclass(frozen=True)
class Landed:
    """A file that was landed.

    Attributes:
        key: as it is in the bucket.
        version: of its content (the ETag); None where the event does not say.
        at: when.
        event: the event's own id.
    """

    bucket: str
    key: str
    version: str | None
    at: datetime
    event: str


def landed(event: Mapping[str, Any]) -> list[Landed]:
    """The files that an event tells of; none where it is no event of a file that was made."""
    return list(_notified(event) if isinstance(event.get("Records"), list) else _announced(event))


def _announced(event: Mapping[str, Any]) -> Iterator[Landed]:
    detail = event.get("detail")
    if event.get("detail-type") not in ("Object Created", "file-overdue") or not isinstance(detail, Mapping):
        return
    bucket, made = detail.get("bucket"), detail.get("object")
    if not isinstance(bucket, Mapping) or not isinstance(made, Mapping):
        return
    name, key = bucket.get("name"), made.get("key")
    if isinstance(name, str) and isinstance(key, str) and name and key:
        yield Landed(name, key, _version(made.get("etag")), _time(event.get("time")), str(event.get("id") or ""))


def _notified(event: Mapping[str, Any]) -> Iterator[Landed]:
    for record in event["Records"]:
        if not str(record.get("eventName", "")).startswith("ObjectCreated:"):
            continue
        place, made = record["s3"], record["s3"]["object"]
        event_id = str(record.get("responseElements", {}).get("x-amz-request-id") or "")
        yield Landed(
            place["bucket"]["name"],
            unquote_plus(made["key"]),
            _version(made.get("eTag")),
            _time(record.get("eventTime")),
            event_id,
        )


def _version(etag: Any) -> str | None:
    return str(etag).strip('"') or None if etag else None


def _time(said: Any) -> datetime:
    """An event without a time that can be read is taken to be of now."""
    try:
        at = datetime.fromisoformat(str(said))
    except ValueError:
        return datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
