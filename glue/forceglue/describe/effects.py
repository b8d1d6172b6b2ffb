"""What a run would make of a change, under the mapping's policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from forceglue.describe.changes import Change
from forceglue.describe.columns import NOT_READ
from forceglue.describe.uses import Uses
from forceglue.mapping.catalog import CatalogField
from forceglue.mapping.checks.types import misfit
from forceglue.mapping.expand import OutputColumn
from forceglue.mapping.model.refresh import interval
from forceglue.mapping.names import column_name

Severity = Literal["stops", "loses", "changes", "told"]
"""`stops`: nothing is loaded; `loses`: a column gets no values, or not all; `changes`: the table gets a column."""
Told = tuple[Severity, str]

STAYS = "the column stays; records that are there keep the value they have, new ones get null"


@dataclass(frozen=True)
class Effects:
    """The effects on one object's table.

    Attributes:
        uses: what the mapping reads.
        table: columns of the table that there is, with their types.
    """

    uses: Uses
    table: Mapping[str, str]

    @property
    def policy(self) -> str:
        return self.uses.mapping.on_drift or "evolve"

    def of(self, change: Change, now: CatalogField | None) -> Told:
        """What becomes of a difference between two describes; `now` is the field as it is, None where it is gone."""
        if change.kind == "field_new" and now is not None:
            return self._new(now)
        if now is None:
            return self.missing(change.field)
        columns, words = self.uses.of(change.field), self.uses.words(change.field)
        if not columns and not words:
            return "told", "no column reads it"
        if why := NOT_READ.get(now.type or ""):
            severity, told = self.missing(change.field)
            return severity, f"it is not read any more ({why}): {told}"
        if change.kind in ("type_changed", "precision_changed"):
            return self._retyped(change, now, columns)
        if change.kind == "formula_changed":
            return self._formula(columns)
        if change.kind == "reference_changed":
            return self._reference(now, words)
        return "told", {
            "length_changed": "text holds any length",
            "picklist_value_new": "it comes through as text; see that rules and readers know it",
            "picklist_value_gone": "records may still hold it; no new one gets it",
        }.get(change.kind, "nothing follows")

    def missing(self, field: str) -> Told:
        """A field that is not there, or not to be seen."""
        columns, words = self.uses.of(field), self.uses.words(field)
        if "key" in words:
            return "stops", "it is the key: records cannot be told apart, and the mapping fails"
        if not columns and not words:
            return "told", "no column reads it"
        if self.policy == "freeze":
            return "stops", "on_drift is freeze: nothing is loaded"
        effects = {
            "order_by": "the latest version of a record is not known: which of two stands is left to chance",
            "deleted": "deleted records are not told from others",
            "where": "the condition sees null there: rows may be left out",
        }
        told = [effects.get(word, f"{word} finds nothing: its columns become null") for word in words]
        return "loses", "; ".join([*told, *([f"{_listed(columns)}: {STAYS}"] if columns else [])])

    def _new(self, field: CatalogField) -> Told:
        if self.uses.never_reads(field.name):
            return "told", "never_read: nothing reads it"
        if why := NOT_READ.get(field.type or ""):
            return "told", f"it is not read ({why})"
        if not self.uses.lets_pass:
            source = self.uses.mapping.source
            return "told", f"the mapping names its columns; `forceglue scaffold {source}` adds those that it made"
        if self.policy == "freeze":
            return "stops", "on_drift is freeze: nothing is loaded until `forceglue catalog pull` makes it known"
        if self.policy == "ignore":
            return "told", "on_drift is ignore: it is left out until `forceglue catalog pull` makes it known"
        return "changes", f"column {column_name(field.name, self.uses.mapping.naming or 'snake')} is added"

    def _retyped(self, change: Change, now: CatalogField, columns: tuple[OutputColumn, ...]) -> Told:
        found: list[str] = []
        typed = False
        if now.calculated and self.uses.mapping.refresh is None and change.kind == "type_changed":
            found.append("it is a formula now: the mapping must say `refresh:`")
        for column in columns:
            kind = column.type or self.table.get(column.name, "string")
            typed = typed or kind != "string"
            wrong = misfit(now, kind) if column.sql is None else None
            if wrong is not None:
                found.append(f"column {column.name} is {kind}: {wrong.why}")
        if typed and self.policy == "freeze":
            return "stops", "on_drift is freeze: nothing is loaded"
        if found:
            return "loses", "; ".join(found)
        return "told", f"{_listed(columns)} {'hold' if len(columns) > 1 else 'holds'} it as before"

    def _formula(self, columns: tuple[OutputColumn, ...]) -> Told:
        if interval(self.uses.mapping.refresh) is None:
            told = "records keep the value of the old formula until they change themselves (refresh: never)"
            return "loses", f"{_listed(columns)}: {told}; read all again with `forceglue extract --since start`"
        return "told", "the next refresh brings the values of the new formula"

    def _reference(self, now: CatalogField, words: tuple[str, ...]) -> Told:
        targets = {name.lower() for name in now.references}
        lost = [
            alias
            for alias, lookup in self.uses.mapping.lookups.items()
            if f"lookup {alias}" in words and lookup.key is None and lookup.object.lower() not in targets
        ]
        if lost and targets:
            return "loses", f"lookup {', '.join(lost)} looks into an object that it points to no more"
        return "told", "Ids come through as before"


def _listed(columns: tuple[OutputColumn, ...]) -> str:
    names = ", ".join(column.name for column in columns[:5]) + (" and more" if len(columns) > 5 else "")
    return f"column{'s' if len(columns) > 1 else ''} {names}"
