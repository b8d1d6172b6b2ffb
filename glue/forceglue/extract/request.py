"""What an extract is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from forceglue.extract.records import PIECE
from forceglue.extract.window import LAG, OVERLAP
from forceglue.mapping.project import Project

Since = datetime | Literal["bookmark", "start"]


@dataclass(frozen=True)
class ExtractRequest:
    """One call of `extract`.

    Attributes:
        landing: a folder or `s3://` URI.
        names: objects by API name, mapping or table; none: the sources of all mappings.
        everything: all that describe global lists, mapping or not.
        since: from the bookmark; from the start (a whole read); or from a time.
        overlap, lag: see `window`.
        refresh: formula fields of all records: where that is due, now, or never.
        deleted: ask for what was deleted.
        allow_empty: a whole read without rows is right.
        label: the `<env>` of the landing folders.
        objects_at_once, pages_at_once: threads; the second bounds the memory.
        page_rows: of a Bulk page at most.
        piece: bytes that are parsed at once.
        progress: told of each object: name, and what it does or its report.
    """

    landing: str
    project: Project
    names: tuple[str, ...] = ()
    everything: bool = False
    since: Since = "bookmark"
    overlap: timedelta = OVERLAP
    lag: timedelta = LAG
    refresh: Literal["due", "now", "never"] = "due"
    deleted: bool = True
    allow_empty: bool = False
    label: str = "org"
    objects_at_once: int = 4
    pages_at_once: int = max(2, min(4, os.cpu_count() or 2))
    page_rows: int = 100_000
    piece: int = PIECE
    progress: Callable[[str, object], None] = lambda *_: None
