"""How far the reading of a file is: what a state machine hands from one call to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from forceglue.profiles.reading import Position

Status = Literal["more", "rows", "done", "refused"]


@dataclass
class Progress:
    """Counts and places; a few hundred bytes beside the profile.

    Attributes:
        status: `more`: read on; `rows`: all is read, and rows wait for their state machine; `done`: all is read, and
            nothing waits; `refused`: the file is set aside, `code` and `message` say why.
        profile: the profile's text, as it was when the file was begun: a file is read by one profile.
        started_at: when the file's run began.
        row_machine, landing: where rows go; one of the two.
        row_executions: what the ARNs of the rows' executions begin with.
        forget_at: seconds since 1970; when what is noted of failed rows may go.
        batches_at_a_time: so many batches of ten rows run at a time.
        rows, failed, dropped: rows that were read; of these, set aside and left out.
        warned: rule → rows.
        parts, rejects: objects below the run's work folder: rows that go on, and rows that were set aside.
    """

    status: Status = "more"
    profile: str = ""
    started_at: str = ""
    row_machine: str | None = None
    row_executions: str | None = None
    forget_at: int = 0
    landing: str | None = None
    batches_at_a_time: int = 1
    offset: int = 0
    line: int = 0
    names: list[str] = field(default_factory=list)
    rows: int = 0
    failed: int = 0
    dropped: int = 0
    warned: dict[str, int] = field(default_factory=dict)
    parts: int = 0
    rejects: int = 0
    failure_share: float = 0.0
    code: str | None = None
    message: str | None = None

    @classmethod
    def of(cls, plain: Mapping[str, Any] | None) -> Progress:
        return cls(**(plain or {}))

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def position(self) -> Position:
        return Position(self.offset, self.line, tuple(self.names))

    def at(self, position: Position) -> None:
        """Reading goes on from here."""
        self.offset, self.line, self.names = position.offset, position.line, list(position.names)
