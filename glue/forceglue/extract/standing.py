"""How far each object is: what has landed, when its formula fields were read last, which deletions are known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from forceglue.extract.bookmark import Bookmark, bookmarks
from forceglue.extract.notices import Known, known_of
from forceglue.extract.refresh import Refreshed, refreshed_of
from forceglue.landing.store import Store


@dataclass(frozen=True)
class Standing:
    """One object.

    Attributes:
        refreshed: the last refresh; None where there was none.
        known: its deletions; None where nobody has asked yet.
    """

    bookmark: Bookmark
    refreshed: Refreshed | None
    known: Known | None

    @property
    def refreshed_at(self) -> datetime | None:
        """When the formula fields of all records were read last: by a refresh, or with everything else."""
        moments = [self.bookmark.whole_at, self.refreshed.began if self.refreshed else None]
        return max((moment for moment in moments if moment), default=None)

    @property
    def deletions_until(self) -> datetime | None:
        return self.known.until if self.known else self.bookmark.whole_at if self.bookmark.until else None

    def to_dict(self) -> dict[str, Any]:
        known = self.known
        return asdict(self.bookmark) | {
            "refreshed_at": self.refreshed_at,
            "deletions_until": self.deletions_until,
            "deletions_unknown_since": known.unknown_since if known else None,
            "deletions_unknown_until": known.unknown_until if known else None,
        }


def standings(store: Store) -> tuple[Standing, ...]:
    """Of every object that has landed, by name.

    Raises:
        ExtractError: what is kept of one is damaged.
    """
    return tuple(Standing(b, refreshed_of(store, b.object), known_of(store, b.object)) for b in bookmarks(store))
