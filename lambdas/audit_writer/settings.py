"""Settings of the writer, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.environment import Settings


@dataclass(frozen=True)
class WriterSettings:
    """What the writer is told.

    Attributes:
        table: where entries are kept.
        queue: where they come from, whose messages are put off when the table is busy.
    """

    table: str
    queue: str


def writer_settings(environ: Mapping[str, str]) -> WriterSettings:
    """Raises `UsageError` with every problem."""
    given = Settings(environ)
    made = WriterSettings(
        given.text("AUDIT_TABLE", "the table of the audit"), given.text("AUDIT_QUEUE_URL", "the queue of the audit")
    )
    given.done()
    return made
