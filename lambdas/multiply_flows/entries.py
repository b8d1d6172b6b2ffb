"""The objects that a resource is multiplied by: `Display Name|ObjectApiName`, as text with commas or as a list."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from forceglue.landing.objects import flow_token

_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_MOST_ID = 255


@dataclass(frozen=True)
class Entry:
    """One object.

    Attributes:
        display: what people call it.
        object: its API name.
    """

    display: str
    object: str

    @property
    def token(self) -> str:
        """What a flow's name, and so the folder of its files, says of it: `Order Product` → `Order-Product`."""
        return flow_token(self.display)

    @property
    def words(self) -> Mapping[str, str]:
        """What stands for it in a template, by name."""
        return {"DisplayName": self.display, "FlowToken": self.token, "ObjectName": self.object}


def entries(told: Any, problems: list[str]) -> tuple[Entry, ...]:
    """The entries; what is wrong with them is added to `problems`."""
    if isinstance(told, str):
        told = told.split(",")
    if not isinstance(told, list) or not all(isinstance(one, str) for one in told):
        problems.append("the list is a text with commas, a list of texts, or a Ref of a parameter that is one")
        return ()
    found = [_entry(one.strip(), problems) for one in told if one.strip()]
    if not found:
        problems.append("the list is empty")
    made = tuple(one for one in found if one)
    seen: dict[str, Entry] = {}  # folders are found in any case
    problems += (
        f"{first.display!r} and {one.display!r} give flows of one name: their files would mix"
        for one in made
        if (first := seen.setdefault(one.token.casefold(), one)) is not one
    )
    return made


def _entry(text: str, problems: list[str]) -> Entry | None:
    display, bar, name = (part.strip() for part in text.partition("|"))
    name = name if bar else display
    if not display or "${" in display or not display.isprintable():
        problems.append(f"{text!r} has no display name that can stand in a template")
    elif not _API_NAME.fullmatch(name):
        problems.append(f"{name!r} is no API name of an object: write {display}|ObjectApiName")
    else:
        return Entry(display, name)
    return None


def logical_ids(base: str, found: Iterable[Entry], taken: Iterable[str], problems: list[str]) -> dict[Entry, str]:
    """Entry → logical id: the marked resource's with the letters and digits of the display name.

    It does not depend on the order of the list. Where two would be one, or one is taken, each gets a mark of its own.
    """
    plain = {one: base + re.sub(r"[^A-Za-z0-9]", "", one.display) for one in found}
    counts: dict[str, int] = {}
    for name in plain.values():
        counts[name] = counts.get(name, 0) + 1
    others = {*taken} - {base}
    made = {
        one: name if counts[name] == 1 and name != base and name not in others else name + _mark(one)
        for one, name in plain.items()
    }
    for one, name in made.items():
        if name in others or len(name) > _MOST_ID:
            problems.append(f"the logical id {name} of {one.display!r} is taken or too long: rename {base}")
    return made


def _mark(one: Entry) -> str:
    return hashlib.sha256(one.display.encode()).hexdigest()[:8]
