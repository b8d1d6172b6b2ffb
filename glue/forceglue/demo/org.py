"""The demo's Salesforce org: 36 objects with made-up records in a simulated org, on the evening of the first load."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from forceglue.demo.objects import OBJECTS, Relations
from forceglue.demo.table import Table, build_table
from forceglue.demo.values import BASE, record_id, stamp
from forceglue.demo.versions import STAMP_FIELD
from forceglue.simulated.salesforce.clock import SetClock
from forceglue.simulated.salesforce.ids import full_id
from forceglue.simulated.salesforce.org import Org

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forceglue.mapping.catalog import Catalog
    from forceglue.simulated.salesforce.changes import Transaction

FORMULAS: dict[str, tuple[str, ...]] = {"Quote": ("LineItemCount", "Subtotal", "TotalPrice", "GrandTotal")}
"""Fields that Salesforce computes: what they show can change without the record's SystemModstamp."""

_TYPES: dict[str, dict[str, Any]] = {"vlocity_cmt__RunTime__c": {"type": "double", "precision": 18, "scale": 2}}
"""Fields whose type their name does not tell."""

CLIENT_ID, CLIENT_SECRET = "forceglue-demo", "made-up-and-of-no-use"
LATE = timedelta(minutes=7)
"""So long before the first extract a change was made that is committed only after it."""

_FRESH = timedelta(days=14)  # what is deleted stays in the recycle bin for 15 days
_DELETED_EVERY = 2
_BEFORE = timedelta(hours=3)


@dataclass(frozen=True)
class DemoOrg:
    """The org and what it is made of.

    Attributes:
        tables: every record by object, those that come into being only in the next hour included.
        late, late_record: a transaction that is open, and the opportunity that it changes; see `LATE`.
    """

    org: Org
    clock: SetClock
    relations: Relations
    tables: dict[str, Table]
    late: Transaction
    late_record: str

    @property
    def records(self) -> int:
        """How many there are, those in the recycle bin included."""
        return sum(self.org.count(schema.name, deleted=True) for schema in self.org.objects)


def demo_org(catalog: Catalog, *, scale: int = 1, seed: int = 7) -> DemoOrg:
    """The org as the first extract finds it; the same for the same seed and scale. The caller closes `org`.

    Raises:
        UsageError: the catalog lacks an object.
    """
    relations = Relations(seed, scale)
    tables = {plan.name: build_table(plan, catalog, relations) for plan in OBJECTS.values()}
    clock = SetClock(BASE)
    org = Org(clock=clock)
    try:
        org.define(*(_described(table, catalog) for table in tables.values()))
        org.remove_field("User", "IsDeleted")  # users are switched off, never deleted
        for name, table in tables.items():
            if not table.plan.event:
                org.load(name, records(org, table, range(table.plan.count(scale)), deleted=True))
        _integration_user(org)
        clock.at = BASE - LATE
        late = org.begin()
        late_record = org.store.ids(org.object("Opportunity"), "\"IsDeleted\" = 'false'", limit=1)[0]
        late.update("Opportunity", late_record, {"NextStep": "committed late"})
    except BaseException:
        org.close()
        raise
    clock.at = BASE
    return DemoOrg(org, clock, relations, tables, late, late_record)


def _described(table: Table, catalog: Catalog) -> dict[str, Any]:
    """What describe is to say: names, and what the names cannot tell; types follow from the names."""
    plan, known = table.plan, catalog.get(table.plan.name)
    computed = FORMULAS.get(plan.name, ())
    return {
        "name": plan.name,
        "label": (known.label if known else None) or plan.name,
        "keyPrefix": plan.prefix,
        "fields": [
            {"name": name, **_TYPES.get(name, {}), **({"calculated": True} if name in computed else {})}
            for name in table.fields
        ],
    }


def records(org: Org, table: Table, numbers: Sequence[int], *, deleted: bool = False) -> pa.Table:
    """Some of an object's records as the org keeps them.

    Args:
        deleted: every other one of those that changed last lies in the recycle bin.
    """
    schema, plan = org.object(table.plan.name), table.plan
    stamps = [stamp(BASE + timedelta(milliseconds=table.stamps[number])) for number in numbers]
    found: dict[str, Sequence[str | None]] = {"Id": [record_id(plan.prefix, number) for number in numbers]}
    for name, column in table.columns.items():
        values = [column[number] for number in numbers]
        if schema.known(name).type == "reference":
            values = [value if value and full_id(value) else None for value in values]
        found[name] = values
    found |= dict.fromkeys((STAMP_FIELD, "LastModifiedDate"), stamps)
    if schema.any_field("IsDeleted"):
        fresh = -_FRESH // timedelta(milliseconds=1)
        found["IsDeleted"] = [
            str(deleted and plan.deletable and table.stamps[n] > fresh and n % _DELETED_EVERY == 1).lower()
            for n in numbers
        ]
    return pa.table({name: pa.array(values, pa.string()) for name, values in found.items()})


def _integration_user(org: Org) -> None:
    """Who changes records through the API, and the app through which forceglue signs in."""
    who = org.access.administrator
    org.load(
        "User",
        [{"Id": who.id, "Name": "Integration User", "Username": who.username, STAMP_FIELD: stamp(BASE - _BEFORE)}],
    )
    org.access.add_app(CLIENT_ID, CLIENT_SECRET, run_as=who.username)
