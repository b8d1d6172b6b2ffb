"""What AppFlow flows land beside the extract: what no query of an org gives, and files that are no data.

Platform events, versions of records that the org has forgotten, Ids of 15 characters, rows without an Id, impossible
stamps; later a file once more, one that is late, and one without rows. No row of these is newer than the org's record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forceglue.demo.appflow import STYLES, TEXT, Flow, land_bad_files, token_of
from forceglue.demo.objects import OBJECTS
from forceglue.demo.table import without_files
from forceglue.demo.values import dice
from forceglue.demo.versions import Row, full_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
        files: good files.
        rows_of: rows in them, by object.
        aside_of: those of the rows that no table can hold, or that a rule keeps out of it. Every other row is a
            platform event, or older than the org's record.
    """

    files: int
    rows_of: Mapping[str, int]
    aside_of: Mapping[str, int]
    bad_files: tuple[BadFile, ...] = ()

    @property
    def rows(self) -> int:
        return sum(self.rows_of.values())

    @property
    def set_aside(self) -> int:
        return sum(self.aside_of.values())


def first(landing: Path, catalog: Catalog, demo: DemoOrg) -> Landed:
    """Lands what has come by the first load.

    Raises:
        UsageError: the catalog lacks an object.
    """
    events = [Row(number, moment) for number, moment in enumerate(_stamps(demo, EVENTS))]
    landed = _land(landing, catalog, demo, "first", {name: _older(demo, name) for name in FLOWS} | {EVENTS: events})
    ruled_out = {EVENTS: sum(without_files(row.record) for row in events)}
    bad = land_bad_files(landing, catalog, demo.relations.seed)
    return replace(landed, aside_of={**landed.aside_of, **ruled_out}, bad_files=bad)


def later(landing: Path, catalog: Catalog, demo: DemoOrg) -> Landed:
    """Lands what comes in the hour after it: nothing that is new."""
    late = [row for row in _older(demo, LATE) if row.usable]
    return _land(landing, catalog, demo, "later", {REPEATED: _older(demo, REPEATED), LATE: late, NO_ROWS: []})


def _stamps(demo: DemoOrg, name: str) -> Sequence[int]:
    return demo.tables[name].stamps[: OBJECTS[name].count(demo.relations.scale)]


def _older(demo: DemoOrg, name: str) -> list[Row]:
    """The rows of a full load by AppFlow that are not their record's latest, and those that no table can hold."""
    stamps = _stamps(demo, name)
    rows = full_rows(OBJECTS[name], stamps, dice(demo.relations.seed, name, "beside"), spoilt=True)
    return [row for row in rows if not row.usable or row.stamp < stamps[row.record]]


def _land(landing: Path, catalog: Catalog, demo: DemoOrg, step: str, rows_of: Mapping[str, Sequence[Row]]) -> Landed:
    """As AppFlow reads through Bulk: compound fields come as their parts alone."""
    files = 0
    for name, rows in rows_of.items():
        table, schema = demo.tables[name], demo.org.object(name)
        fields = tuple(f for f in table.fields if (known := schema.any_field(f)) is None or not known.compound)
        rng = dice(demo.relations.seed, name, step)
        files += len(
            Flow(landing, [token_of(table.plan, catalog)], STYLES.get(name, TEXT), rng).land(table, rows, fields)
        )
    return Landed(
        files,
        {name: len(rows) for name, rows in rows_of.items()},
        {name: sum(not row.usable for row in rows) for name, rows in rows_of.items()},
    )
