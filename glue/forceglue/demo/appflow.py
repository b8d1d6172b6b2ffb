"""The demo's records as AppFlow lands them: a full load of all 36 objects, then an hour's changes, with all the mess.

The comparisons of `tests/benchmarks` load these. Everything follows from the seed and the scale: not from the clock,
nor from Python's hash seed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forceglue.demo.files import Columns, Style, encode, execution_id, land, landing_path
from forceglue.demo.objects import OBJECTS, ObjectPlan, Relations
from forceglue.demo.table import Table, build_table, field_values, landed_columns, without_files
from forceglue.demo.truth import BadFile, ObjectTruth, OrgTruth
from forceglue.demo.values import dice
from forceglue.demo.versions import Change, Row, count_rows, full_rows, hour_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from forceglue.mapping.catalog import Catalog

TEXT, _BULK = Style(), Style(stamps="bulk", extension=".parquet")
_TYPED = Style("typed", extension=".snappy.parquet")
_LINES = Style("json", extension=".json")
STYLES: dict[str, Style] = {
    "Account": _BULK,
    "Opportunity": _TYPED,
    "OpportunityLineItem": _TYPED,
    "blng__InvoiceLine__c": _TYPED,
    "vlocity_cmt__PriceList__c": _TYPED,
    "blng__Invoice__c": _LINES,
    "vlocity_cmt__QuoteDiscount__c": replace(_LINES, extension=".jsonl"),
    "Contact": Style("csv", "bulk", newline="\r\n", mark=True, extension=".csv"),
    "Targeting__c": Style("csv", "bulk", booleans="digits", extension=".csv"),
    "OpportunityTeamMember": replace(_BULK, nulls="empty"),
    "vlocity_cmt__AccountAdServer__c": replace(TEXT, names="lower"),
}
"""How the files of the full load look; every other object is Parquet with everything as text."""

HOUR: dict[str, tuple[Change, Style]] = {
    "Account": (Change(new=True, newer=0.05, deleted=0.01), TEXT),
    "Contact": (Change(new=True, newer=0.03, deleted=0.02), STYLES["Contact"]),
    "Opportunity": (Change(newer=0.06), _BULK),
    "Order": (Change(new=True, newer=0.05, deleted=0.005, added=("SWM_Campaign_Label__c",)), TEXT),
    "OrderItem": (Change(new=True, newer=0.02), _BULK),
    "vlocity_cmt__OrderItemAdPlacement__c": (Change(new=True, newer=0.02, deleted=0.01), TEXT),
    "Product2": (Change(newer=0.1, removed=("vlocity_cmt__HelpText__c",)), TEXT),
    "Quote": (Change(newer=0.04), replace(_BULK, nulls="empty")),
    "QuoteLineItem": (Change(newer=0.01, late=0.02), TEXT),
    "vlocity_cmt__AdServer__c": (Change(newer=0.1), _BULK),
    "vlocity_cmt__AccountAdServer__c": (Change(new=True, newer=0.05), TEXT),
    "blng__Invoice__c": (Change(newer=0.04, deleted=0.02), _LINES),
}
"""What the hour brings, and in which form: some flows have switched to the other API since the full load."""

REPEATED, NO_ROWS = "Contract", "User"
"""The object whose first file lands again, and the one whose flow wrote a file without rows."""

_ROWS_A_FILE = 900


def full_load(landing: Path, catalog: Catalog, *, scale: int = 1, seed: int = 7) -> OrgTruth:
    """Writes the first load of every object under `landing/in`, and some files that are no data.

    Raises:
        UsageError: the catalog lacks an object.
    """
    relations = Relations(seed, scale)
    objects = {}
    for plan in OBJECTS.values():
        table, rows = _full(plan, catalog, relations)
        style, rng = STYLES.get(plan.name, TEXT), dice(seed, plan.name, "files")
        tokens = (token_of(plan, catalog), plan.name) if plan.name == "OrderItem" else (token_of(plan, catalog),)
        paths = Flow(landing, tokens, style, rng).land(table, rows)
        objects[plan.name] = _truth(table, (), rows, style, paths)
    return OrgTruth("full load", seed, scale, objects, land_bad_files(landing, catalog, seed))


def hour(landing: Path, catalog: Catalog, before: OrgTruth) -> OrgTruth:
    """Writes what lands in the hour after the full load that `before` tells of.

    Some objects change; one file is late, one is repeated, one has no rows.

    Raises:
        UsageError: the catalog lacks an object.
    """
    relations = Relations(before.seed, before.scale)
    objects = {}
    for name, (change, style) in HOUR.items():
        table, old = _full(OBJECTS[name], catalog, relations)
        rng = dice(before.seed, name, "hour")
        born = range(table.plan.count(before.scale), len(table.stamps))
        rows = hour_rows(change, old, born, rng)
        added = {field: field_values(table.plan, field, len(table.stamps), relations) for field in change.added}
        fields = tuple(field for field in table.fields if field not in change.removed) + change.added
        table = replace(table, fields=fields, columns=table.columns | added)
        paths = Flow(landing, [token_of(table.plan, catalog)], style, rng).land(table, rows)
        truth = _truth(table, old, rows, style, paths)
        objects[name] = replace(truth, new_fields=change.added, lost_fields=change.removed)
    objects[REPEATED] = _as_before(landing, catalog, relations, REPEATED, rows=True)
    objects[NO_ROWS] = _as_before(landing, catalog, relations, NO_ROWS, rows=False)
    return OrgTruth("hour", before.seed, before.scale, objects)


def _full(plan: ObjectPlan, catalog: Catalog, relations: Relations) -> tuple[Table, list[Row]]:
    table = build_table(plan, catalog, relations)
    stamps = table.stamps[: plan.count(relations.scale)]
    spoilt = STYLES.get(plan.name, TEXT).format != "typed"
    return table, full_rows(plan, stamps, dice(relations.seed, plan.name, "rows"), spoilt=spoilt)


def token_of(plan: ObjectPlan, catalog: Catalog) -> str:
    """The folder's name of an object: its label as a flow's name has it, or its API name."""
    known = catalog.get(plan.name)
    label = known.label if known else None
    return plan.name if plan.by_api_name or not label else re.sub(r"[^a-zA-Z0-9!@#._]", "-", label)


def _parts(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """The rows in files, one at least; versions of one record fall into one file or into several."""
    return [rows[at : at + _ROWS_A_FILE] for at in range(0, max(1, len(rows)), _ROWS_A_FILE)]


@dataclass(frozen=True)
class Flow:
    """How one object's files reach the landing area in one step."""

    landing: Path
    tokens: Sequence[str]
    style: Style
    rng: Random

    def land(self, table: Table, rows: Sequence[Row], fields: Sequence[str] | None = None) -> tuple[str, ...]:
        """Lands the rows in as many files as they need; the last of several comes from another run of the flow.

        Args:
            fields: those that land; all of the table unless given.
        """
        parts, paths = _parts(rows), []
        first, second = execution_id(self.rng), execution_id(self.rng)
        for number, part in enumerate(parts):
            last = number == len(parts) - 1 and number > 0
            token, execution = (self.tokens[-1], second) if last else (self.tokens[0], first)
            path = landing_path(token, execution, number, self.style)
            land(self.landing, path, encode(landed_columns(table, part, fields or table.fields), self.style))
            paths.append(path)
        return tuple(paths)


def _truth(table: Table, before: Sequence[Row], rows: Sequence[Row], style: Style, paths: Sequence[str]) -> ObjectTruth:
    counts = count_rows(before, rows)
    folders = tuple(dict.fromkeys(path.split("/")[1] for path in paths))
    truth = ObjectTruth(table.plan.name, folders, style.format, tuple(paths), **vars(counts))
    if not table.plan.event:
        return truth
    ruled_out = sum(without_files(row.record) for row in rows)
    kept = truth.written - ruled_out
    return replace(truth, written=kept, records_after=kept, ruled_out=ruled_out)


def _as_before(landing: Path, catalog: Catalog, relations: Relations, name: str, *, rows: bool) -> ObjectTruth:
    """Another run of a flow that brings nothing new: the first file of the full load once more, or no rows at all."""
    table, before = _full(OBJECTS[name], catalog, relations)
    style, again = STYLES.get(name, TEXT), _parts(before)[0] if rows else ()
    flow = Flow(landing, [token_of(table.plan, catalog)], style, dice(relations.seed, name, "hour"))
    return _truth(table, before, again, style, flow.land(table, again))


def land_bad_files(landing: Path, catalog: Catalog, seed: int) -> tuple[BadFile, ...]:
    """Lands four files that the file checks must reject."""
    whole: Columns = {"Id": ["801Fg0000000001"] * 50, "Status": ["Draft"] * 50}
    shapeless: Mapping[str, Sequence[str | None]] = {"colour": ["red", "blue"], "weight": ["1", "2"]}
    parquet = Style(extension=".parquet")
    truncated = encode(whole, parquet)
    contents = {
        "Account": ("empty file", b"", TEXT),
        "Order": ("truncated Parquet", truncated[: len(truncated) // 2], parquet),
        "Quote": ("text named .parquet", b"These are notes, and no Parquet at all.\n" * 20, parquet),
        "Product2": ("no Id", encode(shapeless, parquet), parquet),
    }
    found = []
    for name, (wrong, content, style) in contents.items():
        path = landing_path(token_of(OBJECTS[name], catalog), execution_id(dice(seed, name, "bad")), 0, style)
        land(landing, path, content)
        found.append(BadFile(path, name, wrong))
    return tuple(found)
