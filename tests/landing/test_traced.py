"""A file that is no longer where it landed is found by its sidecar."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from forceglue.landing.ingest import IngestReport
from forceglue.landing.retry import retry
from forceglue.landing.sidecar import ProcessedNote, RejectedNote
from forceglue.landing.store import Store
from forceglue.landing.traced import Traced, traced
from landing.kit import ACCOUNTS, NOON, ONE

Run = Callable[..., IngestReport]
GOOD = "in/dev-Salesforce-Account/e1/a.csv"
BAD = "in/dev-Salesforce-Account/e1/12:30.parquet"
HOUR = timedelta(hours=1)


def find(store: Store, key: str, version: str | None = None, at: datetime = NOON, until: datetime = ONE) -> Traced:
    found = traced(store, key, version=version, at=at, until=until)
    assert found is not None
    return found


def test_a_processed_and_a_rejected_file_are_found_with_their_notes(store: Store, run: Run) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    store.write_bytes(BAD, b"Id,Name\n1,x\n")
    report = run(store)
    good, bad = find(store, GOOD), find(store, BAD)
    assert [good.moved_to] == [file.moved_to for file in report.passed]
    assert [bad.moved_to] == [file.moved_to for file in report.rejected]
    assert isinstance(good.note, ProcessedNote) and good.note.facts.rows == 2 and good.note.at == NOON
    assert isinstance(bad.note, RejectedNote) and bad.note.code == "wrong_format"


def test_of_a_key_landed_again_each_content_is_found_by_its_version_or_its_time(store: Store, run: Run) -> None:
    landed = []
    for number, content in enumerate((ACCOUNTS, b"Id\n1\n", b"Id\n1\n2\n3\n")):
        store.write_bytes(GOOD, content)
        time = (NOON + number * timedelta(minutes=5)).timestamp()
        os.utime(f"{store.root}/{GOOD}", (time, time))
        entry = store.stat(GOOD)
        assert entry
        landed.append(entry)
        run(store)
    by_version = [find(store, GOOD, entry.version).note for entry in landed]
    by_time = [find(store, GOOD, at=entry.mtime + timedelta(seconds=9)).note for entry in landed]
    assert by_version == by_time
    assert [note.facts.rows for note in by_version if isinstance(note, ProcessedNote)] == [2, 1, 3]
    assert traced(store, GOOD, version="another", at=NOON, until=ONE) is None


def test_it_is_not_looked_for_without_end(store: Store) -> None:
    reads: list[str] = []
    store.read_bytes = lambda path: reads.append(path) or Store.read_bytes(store, path)  # type: ignore[method-assign, func-returns-value]
    assert traced(store, GOOD, version=None, at=NOON, until=NOON + 3650 * 24 * HOUR) is None
    assert 2 * 24 * 14 < len(reads) < 2 * 24 * 16


@pytest.mark.parametrize("late", [0, 1, 30])
def test_it_is_found_however_late_it_was_ingested(store: Store, run: Run, late: int) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    run(store, NOON + late * HOUR)
    assert find(store, GOOD, until=NOON + 31 * HOUR).note.at == NOON + late * HOUR
    assert traced(store, GOOD, version=None, at=NOON + 33 * HOUR, until=NOON + 40 * HOUR) is None


def test_what_is_not_there_is_not_found(store: Store, run: Run) -> None:
    assert traced(store, GOOD, version=None, at=NOON, until=ONE) is None
    assert traced(store, "in/no", version=None, at=NOON, until=ONE) is None
    store.write_bytes(BAD, b"Id,Name\n1,x\n")
    run(store)
    retry(store)  # it landed again, and will be ingested again
    assert traced(store, BAD, version=None, at=NOON, until=ONE) is None


def test_facts_of_a_move_that_never_came_are_no_file(store: Store, run: Run) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    run(store)
    store.delete(find(store, GOOD).moved_to)
    assert traced(store, GOOD, version=None, at=NOON, until=ONE) is None
