"""What a comparison came to, object by object, as values and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from forceglue.reconcile.explain import Line, Reason
from forceglue.reconcile.ids import IdsFound
from forceglue.reconcile.sides import EXACT, NOTHING

Status = Literal["equal", "explained", "unexplained", "skipped", "stopped", "failed"]
GOOD: frozenset[Status] = frozenset({"equal", "explained", "skipped"})


@dataclass(frozen=True)
class Total:
    """One measure over all days; `org - table` is the sum of `explained` and `unexplained`.

    Attributes:
        days: that differ.
        open: of these, with a difference that is not explained.
    """

    measure: str
    org: Decimal
    table: Decimal
    explained: Mapping[Reason, Decimal]
    unexplained: Decimal
    days: int
    open: int

    @property
    def told(self) -> bool:
        """Whether a person is shown it: the records always, a sum where it differs on some day."""
        return self.measure == "records" or self.days > 0


@dataclass(frozen=True)
class Compared:
    """An object and its table.

    Attributes:
        status: equal; explained (it differs, and all of it is accounted for); unexplained; skipped (nothing to compare,
            by what the mapping says); stopped (the day's API calls); failed (could not be compared, see `error`).
        by_day: False where the whole object is one line.
        days: how many were compared.
        lines: days and measures that differ.
        not_compared: field → why its sum is not compared.
        deleted: records in the org's recycle bin; None where that is not known.
        version: of the table's Delta log.
        notes: what a person should know.
        ids: what a comparison of all Ids found.
    """

    object: str
    table: str
    status: Status
    by_day: bool = False
    days: int = 0
    totals: tuple[Total, ...] = ()
    lines: tuple[Line, ...] = ()
    not_compared: Mapping[str, str] = field(default_factory=dict)
    deleted: int | None = None
    version: int | None = None
    calls: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    error: str | None = None
    ids: IdsFound | None = None


@dataclass(frozen=True)
class ReconcileReport:
    """All objects.

    Attributes:
        since: the first day that was compared; None: all.
        calls: API calls of this comparison; `used`, `allowed`: the org's of 24 hours, as Salesforce said last.
    """

    run_id: str
    started: datetime
    seconds: float
    project: str
    instance_url: str
    api_version: str
    since: date | None
    calls: int
    used: int | None
    allowed: int | None
    objects: tuple[Compared, ...]

    @property
    def status(self) -> Literal["succeeded", "failed"]:
        return "succeeded" if all(one.status in GOOD for one in self.objects) else "failed"

    def count(self, *statuses: Status) -> int:
        return sum(one.status in statuses for one in self.objects)

    def to_json(self) -> str:
        """Amounts as texts, so that no digit is lost; times as ISO 8601."""
        told = {"status": self.status, **asdict(self)}
        return json.dumps(told, indent=2, ensure_ascii=False, default=_plain)


def totals(lines: tuple[Line, ...], measures: tuple[str, ...]) -> tuple[Total, ...]:
    """The lines of each measure, added up."""
    found = []
    for measure in measures:
        mine = [line for line in lines if line.measure == measure]
        explained: dict[Reason, Decimal] = {}
        for line in mine:
            for reason, amount in line.explained.items():
                explained[reason] = EXACT.add(explained.get(reason, NOTHING), amount)
        org, table, rest = (_sum(line, mine) for line in ("org", "table", "unexplained"))
        differ, still_open = sum(line.differs for line in mine), sum(line.open for line in mine)
        found.append(Total(measure, org, table, explained, rest, differ, still_open))
    return tuple(found)


def _sum(name: str, lines: list[Line]) -> Decimal:
    total = NOTHING
    for line in lines:
        total = EXACT.add(total, getattr(line, name))
    return total


def plain_number(value: Decimal) -> str:
    """Without an exponent and without zeros at the end."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _plain(value: Any) -> Any:
    return plain_number(value) if isinstance(value, Decimal) else value.isoformat()
