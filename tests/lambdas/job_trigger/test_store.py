"""The item as DynamoDB keeps it."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from job_trigger.decision import noted
from job_trigger.record import Record, files
from job_trigger.store import Contended, Store
from lambdas.kit import Aws
from lambdas.trigger_kit import RECORDS


@pytest.fixture
def store(aws: Aws) -> Store:
    return Store(aws.dynamodb, aws.table, "dev-forceglue")


def test_an_item_that_is_not_there_is_an_empty_record(store: Store) -> None:
    assert store.read() == Record()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS)
def test_what_is_written_is_read_again(store: Store, record: Record) -> None:
    seen = store.read()
    record = replace(record, at=round(record.at, 3), not_before=round(record.not_before, 3))
    waiting, going = (replace(one, since=round(one.since, 3)) for one in (record.waiting, record.going))
    record = replace(record, waiting=waiting, going=going)
    assert store.write(seen, record)
    assert store.read() == replace(record, version=seen.version + 1)


def test_nothing_is_written_onto_what_was_not_seen(store: Store) -> None:
    first = store.read()
    assert store.write(first, Record(gathering="one"))
    assert not store.write(first, Record(gathering="two"))
    second = store.read()
    assert store.write(second, replace(second, gathering="three")) and not store.write(second, second)
    assert store.read().gathering == "three"


def test_no_file_is_lost_where_many_write_at_once(store: Store) -> None:
    def note() -> None:
        for _ in range(10):
            store.change(lambda record: noted(record, files(["a"], 1.0)))

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read().waiting.count == 40 and store.read().version == 40


def test_who_never_comes_first_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("job_trigger.store.time.sleep", lambda _: None)
    monkeypatch.setattr(Store, "write", lambda *_: False)
    with pytest.raises(Contended, match="dev-forceglue"):
        store.change(lambda record: record)
