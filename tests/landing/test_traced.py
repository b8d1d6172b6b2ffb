"""A file that is no longer where it landed is found by its sidecar."""

from __future__ import annotations

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


def find(store: Store, key: str, version: str | None = None, since: datetime = NOON, until: datetime = ONE) -> Traced:
    found = traced(store, key, version=version, since=since, until=until)
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


def test_of_a_key_landed_again_each_content_is_found(store: Store, run: Run) -> None:
    versions = []
    for content in (ACCOUNTS, b"Id\n1\n", b"Id\n1\n2\n3\n"):
        store.write_bytes(GOOD, content)
        entry = store.stat(GOOD)
        assert entry
        versions.append(entry.version)
        run(store)
    rows = [
        note.facts.rows for note in (find(store, GOOD, v).note for v in versions) if isinstance(note, ProcessedNote)
    ]
    assert rows == [2, 1, 3]
    assert find(store, GOOD).moved_to.endswith(("/a.csv", "/a~2.csv", "/a~3.csv"))
    assert traced(store, GOOD, version="another", since=NOON, until=ONE) is None


@pytest.mark.parametrize("late", [0, 1, 30])
def test_it_is_found_however_late_it_was_ingested(store: Store, run: Run, late: int) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    run(store, NOON + late * HOUR)
    assert find(store, GOOD, until=NOON + 31 * HOUR).note.at == NOON + late * HOUR
    assert traced(store, GOOD, version=None, since=NOON + 33 * HOUR, until=NOON + 40 * HOUR) is None


def test_what_is_not_there_is_not_found(store: Store, run: Run) -> None:
    assert traced(store, GOOD, version=None, since=NOON, until=ONE) is None
    assert traced(store, "in/no", version=None, since=NOON, until=ONE) is None
    store.write_bytes(BAD, b"Id,Name\n1,x\n")
    run(store)
    retry(store)  # it landed again, and will be ingested again
    assert traced(store, BAD, version=None, since=NOON, until=ONE) is None


def test_facts_of_a_move_that_never_came_are_no_file(store: Store, run: Run) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    run(store)
    store.delete(find(store, GOOD).moved_to)
    assert traced(store, GOOD, version=None, since=NOON, until=ONE) is None
