"""How tables are looked after: when small files are joined, and how long what is no longer needed is kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from forceglue.mapping.model.base import Model

SPAN = r"^[1-9]\d* (hours|days|weeks)$"
SPAN_OR_FOREVER = r"^(forever|[1-9]\d* (hours|days|weeks))$"
SHORTEST, LONGEST = timedelta(days=1), timedelta(days=30)
"""Files of a load that runs are told from abandoned ones by their age; Delta itself keeps a table's log for 30 days."""
_MEGABYTES = {"MB": 1, "GB": 1024}

Columns = Annotated[tuple[str, ...], BeforeValidator(lambda raw: (raw,) if isinstance(raw, str) else raw)]


def span(text: str) -> timedelta:
    """`7 days` as a duration."""
    count, unit = text.split(" ")
    return timedelta(**{unit: int(count)})


def before(kept: str, now: datetime) -> datetime:
    """From what time on things are kept; with `forever` from the first there is."""
    return datetime.min.replace(tzinfo=UTC) if kept == "forever" else now - span(kept)


def size(text: str) -> int:
    """`128 MB` in bytes."""
    found = re.fullmatch(r"(\d+) ?(MB|GB)", text)
    if found is None:
        raise ValueError(f"{text} is no size; write for example 128 MB")
    return int(found[1]) * _MEGABYTES[found[2]] << 20


class Maintain(Model):
    """How one table is looked after by `forceglue maintain`; a word that is not said is as project.yaml says it."""

    compact: Literal["auto", "never"] | None = Field(
        None, description="auto (default): small files are joined when that is worth it; never: files stay as they are."
    )
    file_size: str | None = Field(
        None, pattern=r"^[1-9]\d* ?(MB|GB)$", description="How large a joined file may be; default: 128 MB."
    )
    small_files: int | None = Field(
        None, ge=1, description="So many files fewer must come of it before files are joined; default: 20."
    )
    cluster_by: Columns | None = Field(
        None, description="Rows that are near in these columns come into the same file when files are joined."
    )
    keep: str | None = Field(
        None,
        pattern=SPAN,
        description="How long files that the table has replaced are kept: as far back `rewind` can go. "
        "From 1 day to 30 days; default: 7 days.",
    )
    keep_quarantine: str | None = Field(
        None, pattern=SPAN_OR_FOREVER, description="How long rows stay set aside; default: forever."
    )
    keep_deleted: str | None = Field(
        None,
        pattern=SPAN_OR_FOREVER,
        description="How long is remembered which records `deletes: delete` took out; default: forever. "
        "An older version that lands later than that brings its record back.",
    )

    @field_validator("keep")
    @classmethod
    def _bounded(cls, said: str | None) -> str | None:
        kept = span(said) if said else None
        if kept is not None and not SHORTEST <= kept <= LONGEST:
            raise ValueError("keep is 1 day at least (a load may run as long) and 30 days at most (as Delta's log)")
        return said


class ProjectMaintain(Maintain):
    """How all tables are looked after; a mapping's `target: maintain` says what differs for its table."""

    compact: Literal["auto", "never"] = Field(
        "auto", description="auto: small files are joined when that is worth it; never: files stay as they are."
    )
    file_size: str = Field("128 MB", pattern=r"^[1-9]\d* ?(MB|GB)$", description="How large a joined file may be.")
    small_files: int = Field(20, ge=1, description="So many files fewer must come of it before files are joined.")
    cluster_by: Columns = Field(
        (), description="Rows that are near in these columns come into the same file when files are joined."
    )
    keep: str = Field(
        "7 days",
        pattern=SPAN,
        description="How long files that a table has replaced are kept: as far back `rewind` can go.",
    )
    keep_quarantine: str = Field("forever", pattern=SPAN_OR_FOREVER, description="How long rows stay set aside.")
    keep_deleted: str = Field(
        "forever",
        pattern=SPAN_OR_FOREVER,
        description="How long is remembered which records `deletes: delete` took out.",
    )
    keep_runs: str = Field("forever", pattern=SPAN_OR_FOREVER, description="How long the reports of runs are kept.")

    def of(self, own: Maintain | None) -> ProjectMaintain:
        """What is in force for a table that says `own`."""
        return self.model_copy(update=own.model_dump(exclude_none=True)) if own else self
