"""An hour of work in the demo's org: everything that can happen to records and fields, each at a moment of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from forceglue.demo.org import FORMULAS, records
from forceglue.demo.table import Table, other_value
from forceglue.demo.values import BASE, dice
from forceglue.demo.versions import HOUR

if TYPE_CHECKING:
    from forceglue.demo.org import DemoOrg

Happening = tuple[str, Callable[[], object]]
"""What it is called, and what does it."""

_NEXT_EXTRACT = timedelta(milliseconds=HOUR) + timedelta(minutes=6)
_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")  # the org's clock gives them
_VERSION, _AGAIN = 100, 101


@dataclass(frozen=True)
class Work:
    """What the hour does to one object's records; shares are of the living ones, and one at least is taken.

    Attributes:
        born: the reserve of later records comes into being.
        changed, deleted, purged: shares; what is purged leaves no trace but in Salesforce's list of deletions.
        undeleted, emptied: records in the recycle bin that come back, and that are purged from it.
        merged: records that become part of another.
        recomputed: the share whose formulas show something else, while no stamp moves.
        added, removed: fields; a new one is filled in the changed records.
    """

    born: bool = False
    changed: float = 0.0
    deleted: float = 0.0
    purged: float = 0.0
    undeleted: int = 0
    emptied: int = 0
    merged: int = 0
    recomputed: float = 0.0
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


WORK: dict[str, Work] = {
    "Account": Work(born=True, changed=0.05, deleted=0.01, merged=2, undeleted=1),
    "Contact": Work(born=True, changed=0.03, deleted=0.02, merged=1),
    "Opportunity": Work(changed=0.06, emptied=2),
    "Order": Work(born=True, changed=0.05, deleted=0.005, added=("SWM_Campaign_Label__c",)),
    "OrderItem": Work(born=True, changed=0.02, purged=0.002),
    "vlocity_cmt__OrderItemAdPlacement__c": Work(born=True, changed=0.02, deleted=0.01),
    "Product2": Work(changed=0.1, removed=("vlocity_cmt__HelpText__c",)),
    "Quote": Work(changed=0.04, recomputed=0.1),
    "QuoteLineItem": Work(changed=0.01, purged=0.003),
    "vlocity_cmt__AdServer__c": Work(changed=0.1),
    "vlocity_cmt__AccountAdServer__c": Work(born=True, changed=0.05),
    "blng__Invoice__c": Work(changed=0.04, deleted=0.02, undeleted=1),
}


@dataclass
class Worked:
    """How often each of the things of `Work` was done, and `late`; which fields (`Object.Field`) came and went."""

    counts: Counter[str] = field(default_factory=Counter)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def work(demo: DemoOrg) -> Worked:
    """Does the hour's work; afterwards it is the time of the next extract."""
    done = Worked()
    rng = dice(demo.relations.seed, "the hour")
    happenings: list[Happening] = []
    for name, said in WORK.items():
        _fields(demo, name, said)
        done.added += [f"{name}.{added}" for added in said.added]
        done.removed += [f"{name}.{removed}" for removed in said.removed]
        happenings += _Hour(demo, demo.tables[name], said, dice(demo.relations.seed, name, "work")).all()
    happenings.append(("late", demo.late.commit))
    rng.shuffle(happenings)
    for at, (what, do) in zip(sorted(rng.sample(range(HOUR), len(happenings))), happenings, strict=True):
        demo.clock.at = BASE + timedelta(milliseconds=at)
        do()
        done.counts[what] += 1
    demo.clock.at = BASE + _NEXT_EXTRACT
    return done


def _fields(demo: DemoOrg, name: str, said: Work) -> None:
    """An administrator's changes come first: nothing of a field moves a record's stamp."""
    for added in said.added:
        demo.org.add_field(name, {"name": added, "type": "string", "length": 255})
    for removed in said.removed:
        demo.org.remove_field(name, removed)


@dataclass(frozen=True)
class _Hour:
    """One object's hour; no record has two things happen to it."""

    demo: DemoOrg
    table: Table
    said: Work
    rng: Random

    def all(self) -> Iterator[Happening]:
        org, name, said = self.demo.org, self.table.plan.name, self.said
        living, binned = self._ids(deleted=False), self._ids(deleted=True)
        count = len(living)
        self.rng.shuffle(living)

        def some(share: float) -> list[str]:
            return [living.pop() for _ in range(max(1, round(count * share)) if share else 0)]

        for record in some(said.changed):
            yield "changed", self._change(record)
        for record in some(said.recomputed):
            yield "recomputed", self._recompute(record)
        for record in some(said.deleted):
            yield "deleted", partial(org.delete, name, record)
        for record in some(said.purged):
            yield "purged", partial(org.purge, name, record)
        for _ in range(said.merged):
            master, loser = living.pop(), living.pop()
            yield "merged", partial(org.merge, name, master, [loser])
        for record in binned[: said.undeleted]:
            yield "undeleted", partial(org.undelete, name, record)
        for record in binned[said.undeleted : said.undeleted + said.emptied]:
            yield "purged", partial(org.purge, name, record)
        if said.born:
            yield from self._births()

    def _ids(self, *, deleted: bool) -> list[str]:
        schema = self.demo.org.object(self.table.plan.name)
        found = self.demo.org.store.ids(schema, '"IsDeleted" = ?', [str(deleted).lower()])
        return [one for one in found if one != self.demo.late_record]

    def _change(self, record: str) -> Callable[[], object]:
        org, name = self.demo.org, self.table.plan.name
        there = org.get(name, record)
        values = {
            each: other_value(each, there[org.object(name).known(each).name], _VERSION) for each in self.table.changing
        }
        values |= dict.fromkeys(self.said.added, "Autumn")
        return partial(org.update, name, record, values)

    def _recompute(self, record: str) -> Callable[[], object]:
        org, name = self.demo.org, self.table.plan.name
        there = org.get(name, record)
        values = {each: other_value("amount", there[each], _AGAIN) for each in FORMULAS[name]}
        return partial(org.recalculate, name, record, values)

    def _births(self) -> Iterator[Happening]:
        org, plan = self.demo.org, self.table.plan
        born: Sequence[int] = range(plan.count(self.demo.relations.scale), len(self.table.stamps))
        rows: list[dict[str, str | None]] = records(org, self.table, born).to_pylist()
        for row in rows:
            now = {name: value for name, value in row.items() if name not in _STAMPS}
            yield "born", partial(org.load, plan.name, [now])
