"""Up to when an object has landed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from forceglue.extract.state import FOLDER, kept, moment, write_state
from forceglue.landing.store import Store


@dataclass(frozen=True)
class Bookmark:
    """Up to when an object has landed.

    Attributes:
        until: every change before it has landed; None for an object that is read whole each time.
        cursor: the field that this is about.
        extracted_at: when the extract ended.
        rows: that it landed.
        whole_rows: of the last whole read.
        whole_at: Salesforce's clock when that began.
        kinds: `{field: type}` as it landed.
        instance_url: the org it is about.
    """

    object: str
    until: datetime | None
    cursor: str | None
    extracted_at: datetime
    execution: str
    rows: int
    whole_rows: int
    kinds: dict[str, str] = field(default_factory=dict)
    instance_url: str = ""
    whole_at: datetime | None = None


def bookmark_of(store: Store, name: str) -> Bookmark | None:
    """The object's bookmark; None before its first extract.

    Raises:
        ExtractError: it is damaged.
    """
    return kept(store, f"{FOLDER}/{name}.json", _bookmark)


def bookmarks(store: Store) -> tuple[Bookmark, ...]:
    """All bookmarks, by object."""
    files = [entry.path for entry in store.list(FOLDER, recursive=False)]
    names = [path.rpartition("/")[2].removesuffix(".json") for path in files if path.endswith(".json")]
    return tuple(found for name in sorted(names) if (found := bookmark_of(store, name)))


def write_bookmark(store: Store, bookmark: Bookmark) -> None:
    write_state(store, f"{FOLDER}/{bookmark.object}.json", asdict(bookmark))


def _bookmark(raw: Any) -> Bookmark:
    known = {key: raw[key] for key in Bookmark.__dataclass_fields__ if key in raw}
    known |= {"until": moment(raw["until"]), "extracted_at": datetime.fromisoformat(raw["extracted_at"])}
    return Bookmark(**(known | {"whole_at": moment(raw.get("whole_at"))}))
