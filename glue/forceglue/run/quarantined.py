"""What the quarantine holds, read without a JVM: counts per mapping and rule, and the rows of one mapping.

Only the columns that are asked for are read, file by file; the numbers of rows are those of the log.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forceglue.landing.position import Position, announced, read
from forceglue.landing.store import Store
from forceglue.mapping.project import Project
from forceglue.quality.quarantine import FOLDER, counted_files, counted_rows, quarantine_table
from forceglue.transform.prepared import RAW, REASONS, RECORD_KEY, ROW_NUMBER, SET_ASIDE_AT
from forceglue.transform.trace import FILENAME, RUN
from forceglue.write.delta_table import Table

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_BATCH_ROWS = 10_000


@dataclass(frozen=True)
class RuleRows:
    """How many set-aside rows break a rule; a row may break several."""

    rule: str
    severity: str
    rows: int


@dataclass(frozen=True)
class Held:
    """The quarantine of one mapping in numbers."""

    mapping: str
    rows: int
    rules: tuple[RuleRows, ...]


@dataclass(frozen=True)
class Reason:
    """Why a row was set aside. `value` is the offending value; None unless the raw row was asked for."""

    rule: str
    severity: str
    value: str | None = None


@dataclass(frozen=True)
class AsideRow:
    """One set-aside row. `raw` is the landed row, None unless it was asked for: it is personal data."""

    record: str | None
    file: str | None
    row: int | None
    run_id: str | None
    at: datetime | None
    reasons: tuple[Reason, ...]
    raw: dict[str, Any] | None = None


def position_of(warehouse: Store, project: Project, name: str) -> Position:
    """The position in force of a mapping: a dataset's is announced, a table's is in its log."""
    if name in project.datasets:
        return read(warehouse, name, announced(warehouse, name))
    state = Table(warehouse, name, name).state()
    return read(warehouse, name, state.position if state else None)


def quarantined_names(warehouse: Store) -> tuple[str, ...]:
    """Mappings that have, or had, a quarantine."""
    return tuple(dict.fromkeys(e.path.split("/")[1] for e in warehouse.list(FOLDER) if "/_delta_log/" in e.path))


def held(warehouse: Store, project: Project, names: Iterable[str]) -> tuple[Held, ...]:
    """The quarantines of these mappings in numbers; mappings with nothing set aside are left out."""
    found = []
    for name in names:
        position = position_of(warehouse, project, name)
        rows = counted_rows(warehouse, name, position)
        if rows:
            counts = Counter(
                (reason["rule"], reason["severity"])
                for parquet in _opened(warehouse, name, position)
                for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=_REASON_NAMES)
                for reasons in batch.column(0).to_pylist()
                for reason in reasons or ()
            )
            rules = tuple(RuleRows(rule, severity, n) for (rule, severity), n in counts.most_common())
            found.append(Held(name, rows, rules))
    return tuple(found)


_REASON_NAMES = [f"{REASONS}.list.element.{part}" for part in ("rule", "severity")]


def rows(
    warehouse: Store, project: Project, name: str, *, rule: str | None = None, limit: int = 20, raw: bool = False
) -> tuple[AsideRow, ...]:
    """Set-aside rows of a mapping, those of the last run first.

    Args:
        rule: only rows that break this rule.
        limit: at most so many.
        raw: with the landed row and the offending values: personal data.
    """
    position = position_of(warehouse, project, name)
    columns = [RECORD_KEY, FILENAME, ROW_NUMBER, RUN, SET_ASIDE_AT, *([REASONS, RAW] if raw else _REASON_NAMES)]
    found: list[AsideRow] = []
    for parquet in _opened(warehouse, name, position):
        for batch in parquet.iter_batches(batch_size=min(_BATCH_ROWS, max(limit, 100)), columns=columns):
            for row in batch.to_pylist():
                if len(found) == limit:
                    return tuple(found)
                if rule is None or any(reason["rule"] == rule for reason in row[REASONS] or ()):
                    found.append(_row(row))
    return tuple(found)


def _row(row: dict[str, Any]) -> AsideRow:
    return AsideRow(
        row[RECORD_KEY],
        row.get(FILENAME),  # a dataset's rows come from no file
        row[ROW_NUMBER],
        row.get(RUN),
        row[SET_ASIDE_AT],
        tuple(Reason(r["rule"], r["severity"], r.get("value")) for r in row[REASONS] or ()),
        json.loads(row[RAW]) if row.get(RAW) else None,
    )


def _opened(warehouse: Store, name: str, position: Position) -> Iterator[pq.ParquetFile]:
    """The counted files, newest first; each is closed when the next one is asked for."""
    import pyarrow.parquet as pq

    home = quarantine_table(warehouse, name).path
    for path in reversed(counted_files(warehouse, name, position)):
        with warehouse.open_input(f"{home}/{path}") as stream:
            yield pq.ParquetFile(stream)
