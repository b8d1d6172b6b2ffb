"""Deletions that Salesforce lists: what no query shows any more is known all the same, each notice once."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.kit import ACCOUNT, NOW, Dying, Killed, accounts, expected, latest, one, patches, project, rows_of, run
from forceglue.errors import SalesforceError
from forceglue.extract import extractor
from forceglue.extract.deletions import Deletions
from forceglue.extract.notices import all_ids_compared, known_of
from forceglue.landing.ingest import ingest
from forceglue.landing.patch import Patch, patch_of
from forceglue.landing.store import Store
from forceglue.mapping.model import ObjectMapping
from forceglue.salesforce.client import Changed

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def told(landing: Path, name: str = "Account") -> dict[str, datetime]:
    rows = rows_of(patches(landing, "deleted", name))
    assert all(row["IsDeleted"] is True for row in rows) and max(Counter(row["Id"] for row in rows).values()) == 1
    return {row["Id"]: row["SystemModstamp"] for row in rows}


@pytest.fixture
def ids(org: Any, server: Any, landing: Path) -> list[str]:
    """Of records that have landed."""
    org.load("Account", accounts(20))
    assert one(run(server, landing, "Account")).deleted is None and not patches(landing, "deleted")
    return list(expected(org, ACCOUNT))


def test_what_is_gone_for_good_is_told_with_its_time(
    org: Any, server: Any, landing: Path, clock: Any, ids: list[str]
) -> None:
    clock.advance(HOUR)
    org.delete("Account", ids[1])
    org.purge("Account", ids[2])
    gone_at = clock.at
    clock.advance(HOUR)
    done = one(run(server, landing, "Account"))
    assert (done.status, done.rows, done.deleted, done.calls_by_step["deleted"]) == ("landed", 1, 2, 1)
    assert told(landing) == {ids[1]: gone_at, ids[2]: gone_at}
    (file,) = patches(landing, "deleted")
    assert patch_of(pq.read_metadata(file).metadata) == Patch("deleted", clock.at)
    assert pq.read_schema(file).field("SystemModstamp").type == pa.timestamp("ms", tz="UTC")
    (landed_file,) = (f for f in ingest(Store(str(landing)), project(), now=NOW, function_name="t", function_version="1",
                                        request_id="r").passed if "deleted" in str(f))  # fmt: skip
    assert landed_file.object == "Account"


def test_the_same_notice_does_not_land_again(org: Any, server: Any, landing: Path, clock: Any, ids: list[str]) -> None:
    org.purge("Account", ids[0])
    for _ in range(4):
        clock.advance(timedelta(minutes=7, seconds=13))
        run(server, landing, "Account")
    assert set(told(landing)) == {ids[0]} and len(patches(landing, "deleted")) == 1
    server.usage.forget()
    assert one(run(server, landing, "Account")).deleted is None and server.usage.calls("/deleted") == 0


def test_a_transaction_under_way_is_asked_for_again(
    org: Any, server: Any, landing: Path, clock: Any, ids: list[str]
) -> None:
    clock.advance(HOUR)
    org.records.unfinished_since = clock.at
    clock.advance(HOUR)
    org.purge("Account", ids[0])
    clock.advance(HOUR)
    assert one(run(server, landing, "Account")).deleted is None
    known = known_of(Store(str(landing)), "Account")
    assert known is not None and known.until == NOW + HOUR
    org.records.unfinished_since = None
    assert one(run(server, landing, "Account")).deleted == 1


def test_a_merge_lands_its_loser_with_its_master_and_a_purged_loser_is_told(
    org: Any, server: Any, landing: Path, clock: Any, ids: list[str]
) -> None:
    clock.advance(HOUR)
    org.merge("Account", ids[0], ids[1:3])
    org.purge("Account", ids[2])
    clock.advance(HOUR)
    run(server, landing, "Account")
    found = latest(landing)
    assert (found[ids[1]]["MasterRecordId"], found[ids[1]]["IsDeleted"]) == (ids[0], True)
    assert set(told(landing)) == {ids[1], ids[2]}


def test_a_mapping_that_names_its_columns_lands_the_master_all_the_same(
    org: Any, server: Any, landing: Path, clock: Any, ids: list[str]
) -> None:
    clock.advance(HOUR)
    org.merge("Account", ids[0], [ids[1]])
    clock.advance(HOUR)
    mapping = ObjectMapping(mapping="account", source="Account", columns={"name": "Name"})
    run(server, landing, project=project(mapping))
    assert latest(landing)[ids[1]]["MasterRecordId"] == ids[0]


@pytest.mark.parametrize("most", [1, 3])
def test_too_many_at_once_are_asked_for_in_parts(
    most: int, org: Any, server: Any, landing: Path, clock: Any, ids: list[str]
) -> None:
    for at in range(12):
        clock.advance(HOUR)
        org.purge("Account", ids[at])
    clock.advance(HOUR)
    org.records.ids_most = most
    assert one(run(server, landing, "Account")).deleted == 12 and set(told(landing)) == set(ids[:12])


def test_more_in_one_moment_than_salesforce_tells_is_loud_and_stops_nothing(
    org: Any, server: Any, landing: Path, clock: Any, ids: list[str]
) -> None:
    clock.advance(HOUR)
    for gone in ids[:5]:
        org.purge("Account", gone)
    clock.advance(HOUR)
    org.purge("Account", ids[5])
    clock.advance(HOUR)
    org.records.ids_most = 3
    done = one(run(server, landing, "Account"))
    assert done.deleted == 1 and "forceglue reconcile --ids Account" in done.notes[-1]


@pytest.mark.parametrize("refuses", [True, False])
def test_a_list_that_does_not_reach_back_is_loud_until_all_ids_are_compared(
    refuses: bool, org: Any, server: Any, landing: Path, clock: Any, ids: list[str]
) -> None:
    clock.advance(DAY)
    org.purge("Account", ids[0])
    clock.advance(DAY)
    org.purge("Account", ids[1])
    clock.advance(HOUR)
    org.records.log_since, org.records.log_refuses = clock.at - 2 * HOUR, refuses
    done = one(run(server, landing, "Account"))
    assert done.status == "landed" and set(told(landing)) == {ids[1]}
    note = "Salesforce does not know any more what was deleted between 2026-11-15 10:30Z and"
    assert note in done.notes[-1] and "forceglue reconcile --ids Account" in done.notes[-1]
    clock.advance(HOUR)
    assert note in one(run(server, landing, "Account")).notes[-1]
    all_ids_compared(Store(str(landing)), "Account", NOW)  # it began before
    assert note in one(run(server, landing, "Account")).notes[-1]
    all_ids_compared(Store(str(landing)), "Account", clock.at)
    assert not one(run(server, landing, "Account")).notes


def test_an_object_that_nobody_asked_about_for_longer_is_loud(
    org: Any, server: Any, landing: Path, clock: Any, ids: list[str]
) -> None:
    org.purge("Account", ids[0])
    clock.advance(16 * DAY)
    org.purge("Account", ids[1])
    clock.advance(HOUR)
    done = one(run(server, landing, "Account"))
    assert set(told(landing)) == {ids[1]} and "between 2026-11-15 10:30Z and 2026-11-16 11:40Z" in done.notes[-1]


def test_an_object_whose_whole_read_nobody_noted_is_asked_for_fifteen_days(
    org: Any, server: Any, landing: Path, clock: Any, ids: list[str]
) -> None:
    mark = landing / "_extract/Account.json"
    mark.write_text(mark.read_text().replace('"whole_at"', '"other"'))
    org.purge("Account", ids[0])
    clock.advance(HOUR)
    done = one(run(server, landing, "Account"))
    assert done.deleted == 1 and "before 2026-10-31 11:40Z" in done.notes[-1]


def test_a_refusal_is_told_and_the_changes_land(
    org: Any, server: Any, landing: Path, clock: Any, ids: list[str]
) -> None:
    clock.advance(HOUR)
    org.update("Account", ids[0], {"Name": "changed"})
    clock.advance(HOUR)
    server.faults.refuse(400, path="/deleted", code="INVALID_TYPE_FOR_OPERATION", message="not here")
    done = one(run(server, landing, "Account"))
    assert (done.status, done.rows) == ("landed", 1) and "INVALID_TYPE_FOR_OPERATION" in done.notes[-1]


def test_who_is_not_asked(org: Any, server: Any, landing: Path, clock: Any) -> None:
    stamped = [{"name": "Id", "type": "id"}, {"name": "SystemModstamp", "type": "datetime"}]
    org.define(
        {"name": "CurrencyType", "fields": stamped}, {"name": "Own__c", "replicateable": False, "fields": stamped}
    )
    org.load("Account", accounts(2))
    for name in ("Log__c", "CurrencyType", "Own__c"):
        org.insert(name, {})
    for _ in range(2):
        run(server, landing, "CurrencyType", "Log__c", "Own__c")
        run(server, landing, "Account", deleted=False)
        clock.advance(HOUR)
    appended = ObjectMapping(mapping="account", source="Account", target={"write": "append"})
    run(server, landing, project=project(appended))
    assert server.usage.calls("/deleted") == 0
    run(server, landing, "Account")
    assert server.usage.calls("/deleted") == 1


def test_killed_at_each_step_no_notice_is_lost_and_none_lands_twice(
    org: Any, server: Any, landing: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.load("Account", accounts(40))
    run(server, landing, "Account")
    ids = list(expected(org, ACCOUNT))
    step, lived = 2, False
    while not lived:
        step += 1
        clock.advance(HOUR)
        org.purge("Account", ids[step])
        clock.advance(HOUR)
        store = Store.made(landing)
        store._backend = dying = Dying(store._backend, step, after=True, copies=True)  # type: ignore[assignment]
        with monkeypatch.context() as patched, suppress(Killed):
            patched.setattr(extractor.Store, "made", lambda _, store=store: store)
            run(server, landing, "Account", refresh="never")
        lived = dying.lived
        clock.advance(timedelta(minutes=1))
        assert one(run(server, landing, "Account", refresh="never")).error is None
        assert set(told(landing)) == set(ids[3 : step + 1])
        assert not (landing / "_extract/Account/deleted.parquet").exists()
    assert step > 8


class Told:
    """A list of deletions, asked as Salesforce is."""

    def __init__(self, at: list[datetime], most: int, since: datetime | None) -> None:
        self.at, self.most, self.since, self.calls = at, most, since, 0

    def deleted(self, _: str, start: datetime, end: datetime) -> Changed:
        self.calls += 1
        assert end - start > timedelta(minutes=1)
        if self.since is not None and start < self.since:
            raise SalesforceError("no", code="INVALID_REPLICATION_DATE", status=400)
        first, last = (m.replace(second=0, microsecond=0) for m in (start, end))
        found = {str(n): at for n, at in enumerate(self.at) if first <= at < last}
        if len(found) > self.most:
            raise SalesforceError("no", code="EXCEEDED_ID_LIMIT", status=400)
        return Changed(dict(found), last)


@given(
    st.lists(st.integers(0, 3000), max_size=30), st.integers(1, 5), st.none() | st.integers(-10, 3500),
    st.integers(0, 3000), st.integers(0, 59),
)  # fmt: skip
def test_each_deletion_is_told_once_or_its_time_is_unknown(
    minutes: list[int], most: int, since: int | None, length: int, seconds: int
) -> None:
    log = Told(
        [NOW + timedelta(minutes=m, seconds=7) for m in minutes], most,
        None if since is None else NOW + timedelta(minutes=since),
    )  # fmt: skip
    work = SimpleNamespace(org=log, proceed=lambda: None)
    asking = Deletions(SimpleNamespace(work=work, name="Account"))  # type: ignore[arg-type]
    end = NOW + timedelta(minutes=length, seconds=seconds)
    told: list[str] = []
    reached, refused = NOW, False
    try:
        for answer, span in asking._answers((NOW, end)):
            assert span[0] == reached and span[1] <= end
            reached = span[1] if answer is None else answer.covered_to
            told += () if answer is None else answer.ids
            unknown = {str(n) for n, at in enumerate(log.at) if span[0] <= at < span[1]} if answer is None else set()
            told += unknown
    except SalesforceError as error:
        refused = error.code == "INVALID_REPLICATION_DATE"
    assert len(told) == len(set(told))
    assert set(told) == {str(n) for n, at in enumerate(log.at) if NOW <= at < reached.replace(second=0)}
    assert refused or end - reached < timedelta(minutes=3)
    assert log.calls < 4000
