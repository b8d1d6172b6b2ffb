"""Expected rows against the rows there are: in any order, by the columns that are expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from forceglue.transform.ids import long_id

Part = Literal["expect", "quarantined", "dropped"]


@dataclass(frozen=True)
class Broken:
    """The rules that a row breaks: those that set it aside, which must be named, and warnings, which may be."""

    rules: frozenset[str]
    warnings: frozenset[str] = frozenset()


Value = str | None | Broken
Row = dict[str, Value]


@dataclass(frozen=True)
class Difference:
    """One row (or count) that is not as expected.

    Attributes:
        part: of the example.
        expected: the row's named columns; None for a row that nobody expects.
        got: the row most like it; None where no row is left for it.
        columns: names in which the two differ.
    """

    part: Part
    expected: Row | None
    got: Row | None
    columns: tuple[str, ...] = ()


def same(expected: Value, got: Value) -> bool:
    """Whether what is there is as expected; the two forms of a Salesforce Id are the same."""
    if isinstance(expected, str) and isinstance(got, str):
        return long_id(expected) == long_id(got)
    if isinstance(expected, Broken) and isinstance(got, Broken):
        return got.rules <= expected.rules <= got.rules | got.warnings
    return expected == got


def differing(expected: Row, got: Row) -> tuple[str, ...]:
    """The expected columns in which `got` is otherwise."""
    return tuple(name for name, value in expected.items() if not same(value, got.get(name)))


def differences(part: Part, expected: Sequence[Row], got: Sequence[Row]) -> tuple[Difference, ...]:
    """What is not as expected; empty where every expected row has a row of its own and none is left over."""
    pairs = _matched(expected, got)
    free = [i for i in range(len(got)) if i not in pairs.values()]
    found = []
    for i, wanted in enumerate(expected):
        if i in pairs:
            continue
        nearest = min(free, key=lambda j: len(differing(wanted, got[j])), default=None)
        # a row that shares no value is another row, not a wrong one
        if nearest is None or (len(differing(wanted, got[nearest])) == len(wanted) and len(wanted) > 1):
            found.append(Difference(part, wanted, None, tuple(wanted)))
            continue
        free.remove(nearest)
        found.append(Difference(part, wanted, got[nearest], differing(wanted, got[nearest])))
    return (*found, *(Difference(part, None, got[j]) for j in free))


def _matched(expected: Sequence[Row], got: Sequence[Row]) -> dict[int, int]:
    """As many expected rows as possible, each with a row of its own (a row may fit several expected ones)."""
    fits = [[j for j, row in enumerate(got) if not differing(wanted, row)] for wanted in expected]
    taken: dict[int, int] = {}

    def place(i: int, tried: set[int]) -> bool:
        for j in fits[i]:
            if j not in tried:
                tried.add(j)
                if j not in taken or place(taken[j], tried):
                    taken[j] = i
                    return True
        return False

    for i in range(len(expected)):
        place(i, set())
    return {i: j for j, i in taken.items()}
