"""What the demo org put into the landing area, counted while it was made: the runner's counts must agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ObjectTruth:
    """One object in one step. Files and rows are those of this step; `after` counts are those of all steps so far.

    `rows = written + superseded + null_keys + bad_stamps + ruled_out`: every row is one of these.

    Attributes:
        files: good files, with any number of rows.
        rows: rows in the good files.
        written: records whose latest version is new in this step.
        superseded: rows older than, or as old as, another version of their record (a repeated file, a late one, a tie).
        null_keys: rows without an Id.
        bad_stamps: rows whose SystemModstamp is no point in time; none of them is its record's only row.
        bad_casts: field → rows with a value that does not cast to what the field should be; these are written as text.
        short_ids: rows whose own Id is in the 15-character form.
        ties: pairs of versions of one record with the same SystemModstamp.
        records_after: distinct records with a usable row.
        deleted_after: records whose latest version is deleted.
        ruled_out: rows that a rule of the project's own mapping sets aside (billing events without files).
        new_fields, lost_fields: fields that landed for the first time, or no more, against the step before.
    """

    name: str
    folders: tuple[str, ...]
    format: str
    paths: tuple[str, ...]
    rows: int
    written: int
    superseded: int
    null_keys: int
    bad_stamps: int
    bad_casts: Mapping[str, int]
    short_ids: int
    ties: int
    records_after: int
    deleted_after: int
    ruled_out: int = 0
    new_fields: tuple[str, ...] = ()
    lost_fields: tuple[str, ...] = ()

    @property
    def files(self) -> int:
        """Good files."""
        return len(self.paths)

    @property
    def live_after(self) -> int:
        """Records that the datasets see."""
        return self.records_after - self.deleted_after

    @property
    def set_aside(self) -> int:
        """Rows that no table can hold, or that a rule keeps out of it."""
        return self.null_keys + self.bad_stamps + self.ruled_out


@dataclass(frozen=True)
class BadFile:
    """A file that must be rejected: where it lies, and what is wrong with it in a few words."""

    path: str
    object: str
    wrong: str


@dataclass(frozen=True)
class OrgTruth:
    """One step of the demo org: the full load, or an hour's changes."""

    step: str
    seed: int
    scale: int
    objects: Mapping[str, ObjectTruth]
    bad_files: tuple[BadFile, ...] = ()

    @property
    def files(self) -> int:
        """Good files."""
        return sum(o.files for o in self.objects.values())

    @property
    def rows(self) -> int:
        """Rows in the good files."""
        return sum(o.rows for o in self.objects.values())

    @property
    def set_aside(self) -> int:
        """Rows that no table can hold, or that a rule keeps out of it."""
        return sum(o.set_aside for o in self.objects.values())
