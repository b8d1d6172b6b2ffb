"""Files that complete records which a table has already, instead of bringing records whole.

| kind | what it tells | fields |
|---|---|---|
| `refresh` | values of formula fields, whose change moves no stamp | key, order field, those fields |
| `deleted` | records that Salesforce lists as deleted | key, deleted field, order field: when it was deleted |
| `vanished` | records that are gone, nobody knows since when | key, deleted field |

Such a file is Parquet and says so in its footer, so that it stays what it is wherever it is moved to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

Kind = Literal["refresh", "deleted", "vanished"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FOOTER_KEY = b"forceglue.patch"
_DAMAGED = "the mark `forceglue.patch` in its footer is damaged"


@dataclass(frozen=True)
class Patch:
    """What a file completes.

    Attributes:
        at: Salesforce's clock when the reading began: what changed after it is not in the file.
    """

    kind: Kind
    at: datetime

    def footer(self) -> dict[bytes, bytes]:
        """The key-value metadata that marks the file."""
        return {FOOTER_KEY: json.dumps(self.plain()).encode()}

    def plain(self) -> dict[str, str]:
        """The mark in JSON's own types."""
        return {"kind": self.kind, "at": self.at.isoformat()}


def patch_of(footer: Mapping[bytes, bytes] | None) -> Patch | None:
    """Reads a Parquet footer's key-value metadata; None for a file that brings records whole.

    Raises:
        ValueError: the mark is damaged, or of a kind that this version does not know.
    """
    mark = (footer or {}).get(FOOTER_KEY)
    if mark is None:
        return None
    try:
        raw = json.loads(mark)
    except ValueError:
        raise ValueError(_DAMAGED) from None
    return plain_patch(raw)


def plain_patch(raw: Any) -> Patch:
    """The patch from what `Patch.plain` gave.

    Raises:
        ValueError: it is damaged, or of a kind that this version does not know.
    """
    try:
        kind, at = raw["kind"], datetime.fromisoformat(raw["at"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(_DAMAGED) from None
    if at.tzinfo is None:
        raise ValueError(_DAMAGED)
    if kind not in KINDS:
        raise ValueError(f"its footer says that it is a patch of the kind {kind!r}; known are {', '.join(KINDS)}")
    return Patch(kind, at)
