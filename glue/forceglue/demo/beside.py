"""What AppFlow flows land beside the extract: what no query of an org gives, and files that are no data.

Platform events, versions of records that the org has forgotten, Ids of 15 characters, rows without an Id, impossible
stamps; later a file once more, one that is late, and one without rows. No row of these is newer than the org's record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.demo.appflow import STYLES, TEXT, Flow, land_bad_files, token_of
from forceglue.demo.objects import OBJECTS
from forceglue.demo.table import without_files
from forceglue.demo.values import dice
from forceglue.demo.versions import Row, full_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forceglue.demo.org import DemoOrg
    from forceglue.demo.truth import BadFile
    from forceglue.mapping.catalog import Catalog

EVENTS, REPEATED, LATE, NO_ROWS = "BillingExtractReady__e", "Order", "Contact", "Opportunity"
FLOWS = (REPEATED, LATE, "blng__Invoice__c")
"""The objects of which older versions land."""


@dataclass(frozen=True)
class Landed:
    """What the flows landed in one step.

    Attributes:
        files, rows: of the good files.
        events: those of the rows that are platform events; every other row is set aside or older than the org's.
        set_aside: rows that no table can hold, or that a rule keeps out of it.
    """

    files: int
    rows: int
    events: int
    set_aside: int
    bad_files: tuple[BadFile, ...] = ()


def first(landing: Path, catalog: Catalog, demo: DemoOrg) -> Landed:
    """Lands what has come by the first load.

    Raises:
        UsageError: the catalog lacks an object.
    """
    files = 0
    rows: list[Row] = []
    for name in FLOWS:
        older = _older(demo, name)
        files += _land(landing, catalog, demo, name, "first", older)
        rows += older
    events = [Row(number, moment) for number, moment in enumerate(_stamps(demo, EVENTS))]
    files += _land(landing, catalog, demo, EVENTS, "first", events)
    ruled_out = sum(without_files(row.record) for row in events)
    aside = sum(not row.usable for row in rows) + ruled_out
    bad = land_bad_files(landing, catalog, demo.relations.seed)
    return Landed(files, len(rows) + len(events), len(events), aside, bad)


def later(landing: Path, catalog: Catalog, demo: DemoOrg) -> Landed:
    """Lands what comes in the hour after it: nothing that is new."""
    steps = {REPEATED: _older(demo, REPEATED), LATE: [r for r in _older(demo, LATE) if r.usable], NO_ROWS: []}
    files = sum(_land(landing, catalog, demo, name, "later", rows) for name, rows in steps.items())
    rows = [row for several in steps.values() for row in several]
    return Landed(files, len(rows), 0, sum(not row.usable for row in rows))


def _stamps(demo: DemoOrg, name: str) -> Sequence[int]:
    return demo.tables[name].stamps[: OBJECTS[name].count(demo.relations.scale)]


def _older(demo: DemoOrg, name: str) -> list[Row]:
    """The rows of a full load by AppFlow that are not their record's latest, and those that no table can hold."""
    stamps = _stamps(demo, name)
    rows = full_rows(OBJECTS[name], stamps, dice(demo.relations.seed, name, "beside"), spoilt=True)
    return [row for row in rows if not row.usable or row.stamp < stamps[row.record]]


def _land(landing: Path, catalog: Catalog, demo: DemoOrg, name: str, step: str, rows: Sequence[Row]) -> int:
    """As AppFlow reads through Bulk: compound fields come as their parts alone."""
    table, schema = demo.tables[name], demo.org.object(name)
    fields = tuple(f for f in table.fields if (known := schema.any_field(f)) is None or not known.compound)
    flow = Flow(landing, [token_of(table.plan, catalog)], STYLES.get(name, TEXT), dice(demo.relations.seed, name, step))
    return len(flow.land(table, rows, fields))
