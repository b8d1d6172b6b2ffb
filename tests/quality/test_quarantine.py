from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forceglue.landing.position import Manifest, Position, propose, read
from forceglue.landing.store import Store
from forceglue.quality.quarantine import (
    batch_of,
    counted_files,
    counted_rows,
    quarantine_table,
    set_aside,
    settle,
    withdraw,
)
from forceglue.quality.rules import QUARANTINED
from forceglue.run.staging import Staged
from forceglue.write.staged import staged_files

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
EMPTY = Position("account")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def staged(store: Store, *keys: str) -> Staged:
    folder = f"_staging/{'-'.join(keys)}"
    home = Path(store.uri(folder)) / f"forceglue_verdict={QUARANTINED}"
    home.mkdir(parents=True)
    pq.write_table(pa.table({"_record_key": list(keys)}), home / "part-0.parquet")
    return Staged(folder, staged_files(store, folder), len(keys), clean=False)


def batch(store: Store, position: Position, *keys: str, settling: bool = False, later: int = 0) -> Manifest:
    at = NOON + timedelta(seconds=later)
    manifest = propose(store, position, keys, at=at, settling=settling)
    assert set_aside(store, "account", staged(store, *keys), position=manifest.version, before=position) == len(keys)
    return manifest


def test_rows_count_once_the_table_has_the_position(store: Store) -> None:
    made = batch(store, EMPTY, "a", "b")
    assert counted_rows(store, "account", EMPTY) == 0
    now = read(store, "account", made.version)
    assert counted_rows(store, "account", now) == 2
    assert [batch_of(path) for path in counted_files(store, "account", now)] == [made.version]


def test_what_a_dead_run_left_goes_with_the_next_batch(store: Store) -> None:
    batch(store, EMPTY, "dead")
    made = batch(store, EMPTY, "b")
    now = read(store, "account", made.version)
    assert [batch_of(path) for path in counted_files(store, "account", now)] == [made.version]


def test_of_two_runs_at_once_each_keeps_its_own(store: Store) -> None:
    first = batch(store, EMPTY, "a")
    second = batch(store, EMPTY, "b", later=1)  # takes the first for dead, and then the first commits its table
    settle(store, "account", first)
    now = read(store, "account", first.version)
    assert counted_rows(store, "account", now) == 1
    withdraw(store, "account", second.version)
    third = batch(store, now, "b2", later=2)
    settle(store, "account", third)
    found = counted_files(store, "account", read(store, "account", third.version))
    assert [batch_of(path) for path in found] == [first.version, third.version]


def test_a_batch_that_settles_leaves_those_before_it_behind(store: Store) -> None:
    first = batch(store, EMPTY, "a")
    now = read(store, "account", first.version)
    second = batch(store, now, "b", settling=True)
    # until the table commits it, the first counts
    assert [batch_of(path) for path in counted_files(store, "account", now)] == [first.version]
    then = read(store, "account", second.version)
    assert [batch_of(path) for path in counted_files(store, "account", then)] == [second.version]
    settle(store, "account", second)
    assert counted_rows(store, "account", now) == 0


def test_a_newer_refresh_leaves_the_rows_of_the_one_before_behind(store: Store) -> None:
    now, made = EMPTY, []
    for hour, key in enumerate(("whole", "refreshed", "refreshed again"), 1):
        at, refreshed = NOON + timedelta(hours=hour), hour > 1
        made.append(propose(store, now, [key], at=at, refreshed=at if refreshed else None))
        set_aside(store, "account", staged(store, key), position=made[-1].version, before=now, refreshed=refreshed)
        now = read(store, "account", made[-1].version)
    whole, _, last = (manifest.version for manifest in made)
    assert counted_rows(store, "account", now) == 2
    assert [batch_of(path) for path in counted_files(store, "account", now)] == [whole, last]
    settle(store, "account", now)
    assert [batch_of(path) for path in sorted(quarantine_table(store, "account").live_files())] == [whole, last]


def test_a_file_that_somebody_compacted_is_older_than_any_batch() -> None:
    assert batch_of("part-00000-x.snappy.parquet") == 0
    assert batch_of("batch-12/part-0.parquet") == 12
