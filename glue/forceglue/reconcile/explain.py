"""What explains a difference, record by record: what is not in the table yet, was set aside, or is gone.

For each record that an explanation names, it is known what Salesforce has (or will have been loaded) and what the table
has: their difference is what it explains of its day, no more. Two records that cancel each other out explain nothing
together, and a record that is the same on both sides explains nothing at all, however many of them there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, get_args

from forceglue.reconcile.sides import EXACT, NOTHING, Amounts, Day, Side, Version, minus, plus

Reason = Literal["in_flight", "waiting", "quarantined", "purged", "left_out"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""`in_flight`: changed in Salesforce since the last extract; `waiting`: landed, not loaded; `quarantined`: set aside;
`purged`: deleted in Salesforce for good; `left_out`: by `where` or a `drop` rule of the mapping."""


@dataclass(frozen=True)
class Line:
    """One day and one measure.

    Attributes:
        measure: `records`, or the field whose sum it is.
        explained: `{reason: amount}`; `org - table` is their sum and `unexplained`.
        tolerated: what is unexplained is no more than the digits that a JSON number or a double holds.
        compared: False where nothing can be said: records of the day are left out, and nobody knows which.
    """

    day: Day
    measure: str
    org: Decimal
    table: Decimal
    explained: Mapping[Reason, Decimal] = field(default_factory=dict)
    unexplained: Decimal = NOTHING
    tolerated: bool = False
    compared: bool = True

    @property
    def open(self) -> bool:
        """A difference that is not explained."""
        return self.compared and bool(self.unexplained) and not self.tolerated

    @property
    def differs(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.explained) or (bool(self.unexplained) and not self.tolerated)


@dataclass(frozen=True)
class Explaining:
    """The versions of records that explain something, by their short Ids.

    Attributes:
        in_flight: as Salesforce has them now.
        landed: the newest version of each record that has landed and is not in the table, with its reason: `waiting` or
            `quarantined`.
        purged: records that Salesforce lists as deleted and no longer has.
        table: what the table holds of all of these; a record that it does not hold is not there.
        waits: files that a run has yet to load bring records whole, or may.
    """

    in_flight: Mapping[str, Version] = field(default_factory=dict)
    landed: Mapping[str, tuple[Reason, Version]] = field(default_factory=dict)
    purged: frozenset[str] = frozenset()
    table: Mapping[str, Version] = field(default_factory=dict)
    waits: bool = False

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self.in_flight) | frozenset(self.landed) | self.purged

    def pairs(self) -> Iterator[tuple[Reason, Version | None, Version | None]]:
        """Each record once: why, what Salesforce has of it, what the table has."""
        for key, now in self.in_flight.items():
            yield "in_flight", now, self.table.get(key)
        for key, (reason, version) in self.landed.items():
            if key not in self.in_flight and supersedes(version, self.table.get(key)):
                yield reason, version, self.table.get(key)
        for key in self.purged:
            if key not in self.in_flight and key not in self.landed:
                yield "purged", None, self.table.get(key)


def supersedes(landed: Version, held: Version | None) -> bool:
    """Whether what landed is not in the table: an older version than the one that is there has been overtaken."""
    if held is None:
        return True
    return landed.stamp is not None and held.stamp is not None and landed.stamp > held.stamp


def explained(explaining: Explaining, fields: int) -> dict[Day, dict[Reason, Amounts]]:
    """What each reason explains of each day, as `org - table`."""
    found: dict[Day, dict[Reason, Amounts]] = {}

    def add(reason: Reason, day: Day, amounts: Amounts) -> None:
        if any(amounts):
            reasons = found.setdefault(day, {})
            reasons[reason] = plus(reasons[reason], amounts) if reason in reasons else amounts

    none = (NOTHING,) * (fields + 1)
    for reason, org, table in explaining.pairs():
        if org is not None:
            add(reason, org.day, org.amounts(fields))
        if table is not None:
            add(reason, table.day, minus(none, table.amounts(fields)))
    return found


def lines(
    org: Side,
    table: Side,
    measures: Sequence[str],
    tolerances: Sequence[Decimal],
    explaining: Explaining | None = None,
    left_out: int = 0,
) -> tuple[Line, ...]:
    """Every day and measure, day by day.

    Args:
        measures: `records`, then the fields.
        tolerances: of each measure: the share of the greater side by which both may differ and be equal.
        left_out: how many records the mapping may have left out, as far as its runs told: they cover as many records
            that the table lacks. Which records they are is not known, so that the sums of their days say nothing.
    """
    fields = len(measures) - 1
    because = explained(explaining or Explaining(), fields)
    none = (NOTHING,) * (fields + 1)
    found = []
    for day in sorted({*org, *table, *because}, key=lambda day: (day is not None, day)):
        ours, theirs, reasons = org.get(day, none), table.get(day, none), because.get(day, {})
        rest = minus(ours, theirs)
        for amounts in reasons.values():
            rest = minus(rest, amounts)
        short = min(left_out, max(int(rest[0]), 0))
        left_out -= short
        for at, measure in enumerate(measures):
            told = {reason: amounts[at] for reason, amounts in reasons.items() if amounts[at]}
            remains = rest[at]
            if short and at == 0:
                told, remains = {**told, "left_out": Decimal(short)}, EXACT.subtract(remains, Decimal(short))
            small = abs(remains) <= tolerances[at] * max(abs(ours[at]), abs(theirs[at]))
            found.append(Line(day, measure, ours[at], theirs[at], told, remains, small, compared=not (short and at)))
    return tuple(found)
