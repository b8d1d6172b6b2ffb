"""What has landed and is not in the table: rows of files that wait, and rows that were set aside. No JVM."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from forceglue.landing.inventory import LandedFile
from forceglue.landing.patch import Patch, patch_of
from forceglue.landing.store import Store
from forceglue.landing.textfiles import MAX_RECORD
from forceglue.mapping.names import NameIndex
from forceglue.mapping.project import Project
from forceglue.reconcile.explain import Reason
from forceglue.reconcile.measures import DAY, DELETED, ID, Measures
from forceglue.reconcile.sides import Version, short_id
from forceglue.reconcile.table_side import moment
from forceglue.run.quarantined import rows

MOST = 200_000
"""Records that are looked into one by one, for each reason; more are told and explain nothing."""
_ROWS = 10_000
_TRUE = frozenset({"true", "1", "t", "yes", "y"})


@dataclass
class Newest:
    """Of each record the newest version that landed, and why it is not in the table.

    Attributes:
        notes: what could not be looked into.
        waits: files that a run has yet to load bring records whole, or may.
    """

    versions: dict[str, tuple[Reason, Version]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    waits: bool = False

    def take(self, reason: Reason, version: Version) -> None:
        """A later one of the same stamp wins: files come in the order of landing."""
        known = self.versions.get(version.key)
        if known is None or _stamp(known[1]) <= _stamp(version):
            self.versions[version.key] = (reason, version)


def _stamp(version: Version) -> datetime:
    return version.stamp or datetime.min.replace(tzinfo=UTC)


def waiting(store: Store, files: Iterable[LandedFile], measures: Measures, found: Newest) -> None:
    """Takes the rows of files that a run has yet to load."""
    files = tuple(files)
    count = sum(file.rows for file in files)
    if count > MOST:
        found.waits = True
        found.notes.append(
            f"{len(files):,} files with {count:,} rows wait to be loaded, too many to look into: run first"
        )
        return
    for file in files:
        for record, patch in _records(store, file):
            version = _version(record, measures, patch)
            if version is not None:
                found.take("waiting", version)
                found.waits |= patch is None


def quarantined(warehouse: Store, project: Project, table: str, measures: Measures, found: Newest) -> None:
    """Takes the rows of the quarantine, as they landed."""
    aside = rows(warehouse, project, table, limit=MOST + 1, raw=True)
    if len(aside) > MOST:
        found.notes.append(f"more than {MOST:,} rows are set aside, too many to look into")
        return
    for row in reversed(aside):  # the last run's come first
        version = _version(row.raw, measures) if row.raw else None
        if version is not None:
            found.take("quarantined", version)


def _records(store: Store, file: LandedFile) -> Iterator[tuple[Mapping[str, Any], Patch | None]]:
    """The rows of a file as `{field: value}`, and the patch that they are part of."""
    with store.open_input(file.path) as stream:
        if file.format == "parquet":
            import pyarrow.parquet as pq

            parquet = pq.ParquetFile(stream)
            patch = patch_of(parquet.schema_arrow.metadata)
            for batch in parquet.iter_batches(batch_size=_ROWS):
                yield from ((record, patch) for record in batch.to_pylist())
            return
        unzipped = gzip.GzipFile(fileobj=stream) if file.path.endswith(".gz") else stream
        text = io.TextIOWrapper(io.BufferedReader(unzipped), encoding="utf-8-sig", newline="")  # type: ignore[type-var]
        if file.format == "csv":
            csv.field_size_limit(MAX_RECORD)
            yield from ((record, None) for record in csv.DictReader(text))
        else:
            yield from ((json.loads(line), None) for line in text if line.strip())


def _version(record: Mapping[str, Any], m: Measures, patch: Patch | None = None) -> Version | None:
    """None for a row that is no record, or that brings none and takes none away: a refresh of formulas."""
    if patch is not None and (patch.kind == "refresh" or m.keeps):
        return None
    names = NameIndex(record)

    def value(name: str | None) -> Any:
        found = names.match(name) if name else None
        return record[found] if found is not None and record[found] != "" else None

    key = value(ID)
    if not isinstance(key, str):
        return None
    deleted = str(value(DELETED)).lower() in _TRUE
    values = tuple(_number(value(one.field)) for one in m.sums)
    stamp = _moment(value(m.order_field)) or (patch.at if patch else None)
    return Version(short_id(key), m.keeps or not deleted, _day(value(DAY)) if m.day else None, values, stamp)


def _number(value: Any) -> Decimal | None:
    try:
        return None if value is None or isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        return None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return moment(value) if isinstance(value, str) else None


def _day(value: Any) -> date | None:
    found = _moment(value)
    return found.astimezone(UTC).date() if found else None
