"""What is kept between two extracts, beside what has landed; small JSON files, each written whole.

    _extract/<Object>.json                   the bookmark: up to when the object has landed (`bookmark`)
    _extract/<Object>/<way>/plan.json        a reading that is not over: its window, fields, jobs (`plan`)
    _extract/<Object>/<way>/s0-p00001.json   a page of it that is on disk, with its files beside it
    _extract/<Object>/refresh.json           when its formula fields were last read again (`refresh`)
    _extract/<Object>/deleted.json           up to when its deletions are known (`notices`)
    _extract/_leases/<Object>.json           who reads the object at this moment (`lease`)
    _extract/_runs/<run>.json                the report of an extract

Each way to read an object (`plan.Way`) has a folder of its own: one that was stopped goes on whatever the others do.
Nothing in `_extract` is read by a run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from forceglue.errors import ExtractError
from forceglue.landing.store import Store

FOLDER = "_extract"
T = TypeVar("T")


def kept(
    store: Store, path: str, parsed: Callable[[Any], T], otherwise: str = "the object is then read whole again"
) -> T | None:
    """What a file holds; None where there is none.

    Args:
        parsed: makes it of the file's JSON; its `KeyError`, `TypeError`, `ValueError` say that the file is damaged.
        otherwise: what follows when the file is removed.

    Raises:
        ExtractError: it is not what was written.
    """
    try:
        text = store.read_bytes(path)
    except FileNotFoundError:
        return None
    try:
        return parsed(json.loads(text))
    except (KeyError, TypeError, ValueError):
        told = f"{store.uri(path)} is damaged. Bring it back, or remove it: {otherwise}."
        raise ExtractError(told) from None


def write_state(store: Store, path: str, value: Any) -> None:
    """Writes a value whole; times become ISO texts."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=lambda moment: moment.isoformat())
    store.write_bytes(path, text.encode())


def moment(text: str | None) -> datetime | None:
    """A time that `write_state` wrote."""
    return None if text is None else datetime.fromisoformat(text)
