"""Which versions of which records land: the mess of real data as a list of rows, and its counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from forceglue.demo.objects import ObjectPlan

STAMP_FIELD = "SystemModstamp"
IMPOSSIBLE_STAMP = "2026-02-30T08:00:00.000+0000"
ENOUGH_FOR_MESS = 40
"""An object with fewer records has older versions and no other mess."""
_MINUTE, _DAY = 60_000, 86_400_000
HOUR = 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class Row:
    """One landed row.

    Attributes:
        record: the record's number.
        stamp: SystemModstamp in milliseconds after the base time.
        version: 0 has the record's own values; any other number has some of them changed.
        key: how the Id looks: 18 characters, 15, or not there.
        bad: (field, a text that does not cast).
    """

    record: int
    stamp: int
    version: int = 0
    deleted: bool = False
    key: Literal["full", "short", "none"] = "full"
    bad: tuple[str, str] | None = None

    @property
    def usable(self) -> bool:
        """Whether a table can hold the row: it has a key, and a point in time."""
        return self.key != "none" and (self.bad is None or self.bad[0] != STAMP_FIELD)


@dataclass(frozen=True)
class Change:
    """What an hour brings for one object; shares are of the records of the full load.

    Attributes:
        new: records that come into being.
        newer, deleted: the shares with a newer version, and with a newer version that is deleted.
        late: the share whose old version arrives only now.
        added, removed: fields that appear and vanish.
    """

    new: bool = False
    newer: float = 0.0
    deleted: float = 0.0
    late: float = 0.0
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def full_rows(plan: ObjectPlan, stamps: Sequence[int], rng: Random, *, spoilt: bool) -> list[Row]:
    """The rows of the full load, in the order in which they land.

    Args:
        plan: the object.
        stamps: each record's latest SystemModstamp.
        rng: where chance comes from.
        spoilt: whether values that do not cast are among them; a file with types has no place for such.
    """
    rows = [Row(record, moment) for record, moment in enumerate(stamps)]
    if plan.event:
        return rows
    rng.shuffle(rows)
    deck = _Deck(rows, rng)
    landed = [*(deck.deletions() if plan.deletable else []), *deck.versions(), *deck.short_ids()]
    if spoilt:
        landed += deck.spoilt(plan.bad)
    landed += [*deck.without_key(), *deck.rest]
    rng.shuffle(landed)
    return landed


@dataclass
class _Deck:
    """The latest version of each record, drawn from once a record: no two kinds of mess meet in one."""

    rest: list[Row]
    rng: Random

    def __post_init__(self) -> None:
        self.count = len(self.rest)

    def _draw(self, share: float) -> list[Row]:
        number = max(1, round(self.count * share))
        drawn, self.rest = self.rest[:number], self.rest[number:]
        return drawn

    def _draw_if_many(self, share: float) -> list[Row]:
        return self._draw(share) if self.count >= ENOUGH_FOR_MESS else []

    def _older(self, row: Row, version: int = 1) -> Row:
        return replace(row, stamp=row.stamp - self.rng.randrange(_MINUTE, 20 * _DAY), version=version)

    def deletions(self) -> list[Row]:
        """Deleted records, half of them with a version before it; and records that were deleted and came back."""
        rows = []
        for at, row in enumerate(self._draw_if_many(0.03)):
            rows += [replace(row, deleted=True), *([self._older(row)] if at % 2 else [])]
        for row in self._draw_if_many(0.01):
            rows += [replace(self._older(row), deleted=True), row]
        return rows

    def versions(self) -> list[Row]:
        """Records with one or two older versions, and records with two versions at the same moment."""
        rows = []
        for row in self._draw(0.08):
            rows += [self._older(row, version) for version in range(1, self.rng.choice((2, 2, 3)))] + [row]
        for row in self._draw_if_many(0.005):
            rows += [row, replace(row, version=1)]
        return rows

    def short_ids(self) -> list[Row]:
        """Records whose older version has the 15-character id, and records that have no other."""
        rows = []
        for row in self._draw_if_many(0.01):
            rows += [replace(self._older(row), key="short"), row]
        return rows + [replace(row, key="short") for row in self._draw_if_many(0.005)]

    def spoilt(self, bad: Sequence[tuple[str, str]]) -> list[Row]:
        """Records with a value that does not cast, and older versions at an impossible moment."""
        rows = [replace(row, bad=spoiler) for spoiler in bad for row in self._draw_if_many(0.003)]
        for row in self._draw_if_many(0.002):
            rows += [replace(self._older(row), bad=(STAMP_FIELD, IMPOSSIBLE_STAMP)), row]
        return rows

    def without_key(self) -> list[Row]:
        """Rows without an Id, otherwise like some record's."""
        return [replace(row, key="none", version=1) for row in self.rest[: self.count // 200]]


def hour_rows(change: Change, before: Sequence[Row], born: Sequence[int], rng: Random) -> list[Row]:
    """The rows of the hour after the full load; `born` has the numbers of the records that are new."""
    standing = sorted(record for record, row in _latest(before).items() if not row.deleted and row.bad is None)
    count = len(standing)
    picked = rng.sample(
        standing, k=min(count, sum(_number(count, s) for s in (change.newer, change.deleted, change.late)))
    )
    newer, rest = picked[: _number(count, change.newer)], picked[_number(count, change.newer) :]
    deleted, late = rest[: _number(count, change.deleted)], rest[_number(count, change.deleted) :]
    oldest = {row.record: row.stamp for row in sorted(before, key=lambda r: -r.stamp) if row.usable}
    rows = [Row(record, rng.randrange(HOUR), version=100) for record in newer]
    rows += [Row(record, rng.randrange(HOUR), version=101, deleted=True) for record in deleted]
    rows += [Row(record, oldest[record] - rng.randrange(_MINUTE, _DAY), version=102) for record in late]
    rows += [Row(record, rng.randrange(HOUR)) for record in born] if change.new else []
    rng.shuffle(rows)
    return rows


def _number(count: int, share: float) -> int:
    return max(1, round(count * share)) if share else 0


@dataclass(frozen=True)
class Counts:
    """The rows of one step, told apart (the words are those of `ObjectTruth`)."""

    rows: int
    written: int
    superseded: int
    null_keys: int
    bad_stamps: int
    bad_casts: dict[str, int]
    short_ids: int
    ties: int
    records_after: int
    deleted_after: int


def count_rows(before: Sequence[Row], now: Sequence[Row]) -> Counts:
    """The counts of `now`, when `before` has landed already. A row is newer only when its stamp is greater."""
    was = _latest(before)
    after = _latest([*before, *now])
    written = sum(record not in was or row.stamp > was[record].stamp for record, row in after.items())
    usable = [row for row in now if row.usable]
    pairs = Counter((row.record, row.stamp) for row in usable)
    return Counts(
        rows=len(now),
        written=written,
        superseded=len(usable) - written,
        null_keys=sum(row.key == "none" for row in now),
        bad_stamps=sum(not row.usable and row.key != "none" for row in now),
        bad_casts=dict(sorted(Counter(row.bad[0] for row in usable if row.bad).items())),
        short_ids=sum(row.key == "short" for row in now),
        ties=sum(number > 1 for number in pairs.values()),
        records_after=len(after),
        deleted_after=sum(row.deleted for row in after.values()),
    )


def _latest(rows: Sequence[Row]) -> dict[int, Row]:
    found: dict[int, Row] = {}
    for row in rows:
        if row.usable and (row.record not in found or row.stamp > found[row.record].stamp):
            found[row.record] = row
    return found
