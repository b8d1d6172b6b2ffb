"""`If-Match` and `If-Unmodified-Since`: a change is made only of the record that its caller has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from common.api.problems import Problem
from rest_api.objects import STAMP


@dataclass(frozen=True)
class Precondition:
    """What must be true of a record.

    Attributes:
        tags: entity tags of `If-Match`; `*` is any record that is there.
        unmodified_since: a whole second.
    """

    tags: tuple[str, ...] = ()
    unmodified_since: datetime | None = None

    @classmethod
    def of(cls, if_match: str | None, if_unmodified_since: str | None) -> Precondition:
        """Reads the two headers. Raises `Problem` (400) for what is no date."""
        tags = tuple(one.strip().removeprefix("W/") for one in (if_match or "").split(",") if one.strip())
        since = None
        # RFC 9110: where both are given, the tag counts
        if if_unmodified_since and not tags:
            try:
                since = parsedate_to_datetime(if_unmodified_since)
            except ValueError:
                raise Problem(400, "VALIDATION_ERROR", "If-Unmodified-Since: not a date as HTTP writes it") from None
            since = since.replace(tzinfo=UTC) if since.tzinfo is None else since.astimezone(UTC)
        return cls(tags, since)

    @property
    def asked(self) -> bool:
        return bool(self.tags or self.unmodified_since)

    def must_hold(self, record: Mapping[str, Any], what: str) -> datetime:
        """The second up to which the record is known to be unchanged.

        Raises:
            Problem: 412 where the condition does not hold.
        """
        stamp = record.get(STAMP)
        changed = moment(stamp) if isinstance(stamp, str) else None
        fits = "*" in self.tags or (stamp is not None and etag(stamp) in self.tags) or not self.tags
        late = self.unmodified_since and changed and changed.replace(microsecond=0) > self.unmodified_since
        if not fits or late or changed is None:
            raise Problem(412, "PRECONDITION_FAILED", f"{what} was changed meanwhile; read it again")
        return changed.replace(microsecond=0)


def etag(stamp: str) -> str:
    """The entity tag of a record: when it was changed last, to the millisecond."""
    return f'"{int(moment(stamp).timestamp() * 1000):x}"'


def last_modified(stamp: str) -> str:
    """The same as HTTP writes it."""
    return format_datetime(moment(stamp), usegmt=True)


def moment(stamp: str) -> datetime:
    """A time as Salesforce writes it."""
    return datetime.fromisoformat(stamp).astimezone(UTC)
