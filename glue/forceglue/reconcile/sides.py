"""What is counted and added up, on either side of a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Context, Decimal

Day = date | None
"""A record's day of creation, in UTC; None where the whole object is one line."""
EXACT = Context(prec=76)
"""Adds sums of 38 digits without losing one; the default of Python's decimals has 28."""
NOTHING = Decimal(0)

Amounts = tuple[Decimal, ...]
"""How many records, then the sum of each field that is compared; an empty field is worth nothing."""
Side = Mapping[Day, Amounts]
"""The amounts of each day that has records."""


@dataclass(frozen=True)
class Version:
    """One record as one of the sides, or a file between them, has it.

    Attributes:
        key: its Id in the form that both forms share (`short_id`).
        counts: it is one of those that are counted: not deleted, unless deleted ones count too.
        values: of the fields that are compared.
        stamp: of the version; None where that is not known.
    """

    key: str
    counts: bool
    day: Day
    values: tuple[Decimal | None, ...] = ()
    stamp: datetime | None = None

    def amounts(self, fields: int) -> Amounts:
        """What it adds to its day."""
        if not self.counts:
            return (NOTHING,) * (fields + 1)
        return (Decimal(1), *(value or NOTHING for value in (*self.values, *(None,) * fields)[:fields]))


def short_id(key: str) -> str:
    """The 15 characters that tell a record; the three behind them only repeat their case. Another key is as it is."""
    return key[:15] if len(key) == 18 and key.isascii() and key.isalnum() else key


def plus(one: Amounts, other: Amounts) -> Amounts:
    return tuple(EXACT.add(a, b) for a, b in zip(one, other, strict=True))


def minus(one: Amounts, other: Amounts) -> Amounts:
    return tuple(EXACT.subtract(a, b) for a, b in zip(one, other, strict=True))


def total(side: Side, fields: int) -> Amounts:
    """Of all days."""
    found = (NOTHING,) * (fields + 1)
    for amounts in side.values():
        found = plus(found, amounts)
    return found


def as_one_line(side: Side, fields: int) -> Side:
    """The side without days."""
    return {None: total(side, fields)}


def side_of(versions: Iterable[Version], fields: int) -> Side:
    """The side that these records make."""
    found: dict[Day, Amounts] = {}
    for version in versions:
        if version.counts:
            amounts = version.amounts(fields)
            found[version.day] = plus(found[version.day], amounts) if version.day in found else amounts
    return found
