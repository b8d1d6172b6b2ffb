"""Up to when an object's deletions are known, and the notices that are on their way under `in/`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from forceglue.extract.state import FOLDER, kept, moment, write_state
from forceglue.landing.store import Store


@dataclass(frozen=True)
class OnTheWay:
    """A file of notices that is on disk: what is left is to move it from `path` to `key`."""

    path: str
    key: str
    rows: int


@dataclass(frozen=True)
class Known:
    """What is known of an object's deletions.

    Attributes:
        until: every deletion before it has been asked for; the next question starts here.
        unknown_since, unknown_until: Salesforce does not know any more what was deleted in between, and a comparison of
            all Ids (`forceglue reconcile --ids`) is still to find it; `unknown_until` None: nothing is unknown;
            `unknown_since` alone None: from the start.
    """

    until: datetime
    unknown_since: datetime | None = None
    unknown_until: datetime | None = None
    on_the_way: OnTheWay | None = None


def known_of(store: Store, name: str) -> Known | None:
    """What is known; None where nobody asked yet.

    Raises:
        ExtractError: what is kept of it is damaged.
    """
    return kept(store, _path(name), _known, "the last 15 days are then asked for again")


def write_known(store: Store, name: str, known: Known) -> None:
    write_state(store, _path(name), asdict(known))


def all_ids_compared(store: Store, name: str, at: datetime) -> None:
    """A comparison of all Ids has found what was deleted before `at`: nothing before it is unknown any more."""
    known = known_of(store, name)
    if known is not None and known.unknown_until is not None and known.unknown_until <= at:
        write_known(store, name, Known(known.until, on_the_way=known.on_the_way))


def file_of(name: str) -> str:
    """Where notices are before they land."""
    return f"{FOLDER}/{name}/deleted.parquet"


def _path(name: str) -> str:
    return f"{FOLDER}/{name}/deleted.json"


def _known(raw: Any) -> Known:
    until, waiting = datetime.fromisoformat(raw["until"]), raw["on_the_way"]
    on_the_way = None if waiting is None else OnTheWay(**waiting)
    return Known(until, moment(raw["unknown_since"]), moment(raw["unknown_until"]), on_the_way)
