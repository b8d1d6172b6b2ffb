"""A window of changes with few rows is one call of REST; with many, or where REST does not do, Bulk reads it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from extract.kit import ACCOUNT, HARD, Dying, Killed, accounts, expected, files, landed, latest, one, run
from forceglue.extract import extractor, few_read
from forceglue.extract.plan import plan_of
from forceglue.landing.store import Store
from forceglue.salesforce.client import RestPage, Salesforce
from forceglue.simulated.salesforce import routes_query

PAGE = 20
MINUTES = timedelta(minutes=1)


@pytest.fixture
def changed(org: Any, server: Any, landing: Path, clock: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reads everything, then an hour passes and so many records come."""
    monkeypatch.setattr(routes_query, "PAGE", PAGE)
    org.load("Account", accounts(3))
    run(server, landing, "Account")
    clock.advance(timedelta(hours=1))

    def some(count: int) -> None:
        org.load("Account", accounts(count, start=100, at=clock.at - 20 * MINUTES))
        server.usage.forget()

    return some


def hour(server: Any, landing: Path, **more: Any) -> Any:
    """The changes of the last hour."""
    return one(run(server, landing, "Account", **{"deleted": False, "refresh": "never", **more}))


@pytest.mark.parametrize("rows", [0, PAGE])
def test_an_hour_of_few_changes_costs_two_calls(rows: int, org: Any, server: Any, landing: Path, changed: Any) -> None:
    changed(rows)
    done = one(run(server, landing, "Account"))
    assert (done.rows, done.calls, done.calls_by_step) == (rows, 2, {"changes": 1, "deleted": 1, "refresh": 0})


@pytest.mark.parametrize(("rows", "rest", "bulk"), [(0, 1, 0), (1, 1, 0), (3 * PAGE, 3, 0), (3 * PAGE + 1, 1, 4)])
def test_rest_reads_few_rows_and_bulk_many(
    rows: int, rest: int, bulk: int, org: Any, server: Any, landing: Path, changed: Any
) -> None:
    changed(rows)
    done = hour(server, landing)
    assert done.error is None and (done.rows, done.api, done.notes) == (rows, "bulk" if bulk else "rest", ())
    asked = server.usage.calls("/queryAll") + server.usage.calls(r"/query/01g")
    assert (asked, server.usage.calls("/jobs/query"), done.calls) == (rest, bulk, rest + bulk)
    assert latest(landing) == expected(org, ACCOUNT) and len(landed(landing)) == rows + 3


def test_a_reading_of_everything_and_a_refresh_do_not_ask_rest(
    org: Any, server: Any, landing: Path, changed: Any
) -> None:
    changed(5)
    done = hour(server, landing, since="start", refresh="now")
    assert (done.rows, done.refreshed, done.api, server.usage.calls("/queryAll")) == (8, 8, "bulk", 0)


def test_a_query_that_makes_a_long_url_goes_to_bulk_at_once(
    org: Any, server: Any, landing: Path, changed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(5)
    monkeypatch.setattr(few_read, "LONGEST_URL", 300)
    done = hour(server, landing)
    assert (done.rows, done.api, server.usage.calls("/queryAll")) == (5, "bulk", 0)


@pytest.mark.parametrize(("status", "code"), [(414, "URI_TOO_LONG"), (431, ""), (400, "MALFORMED_QUERY"), (404, "X")])
@pytest.mark.parametrize("path", ["/queryAll", "/query/01g"])
def test_what_rest_refuses_is_read_by_bulk_and_told(
    status: int, code: str, path: str, org: Any, server: Any, landing: Path, changed: Any
) -> None:
    changed(PAGE + 1)
    server.faults.refuse(status, path=path, code=code, message="not this way.", times=None)
    done = hour(server, landing)
    assert (done.rows, done.api) == (PAGE + 1, "bulk") and latest(landing) == expected(org, ACCOUNT)
    assert len(done.notes) == 1 and "REST did not read its changes" in done.notes[0] and "not this way" in done.notes[0]


def test_a_query_that_takes_rest_too_long_is_read_by_bulk(org: Any, server: Any, landing: Path, changed: Any) -> None:
    changed(5)
    server.faults.refuse(400, path="/queryAll", code="QUERY_TIMEOUT", message="too long", times=None)
    done = hour(server, landing)
    assert (done.rows, done.api) == (5, "bulk")


def test_what_bulk_refuses_too_is_read_by_rest_whatever_it_has(
    org: Any, server: Any, landing: Path, changed: Any
) -> None:
    changed(5 * PAGE)
    server.desk.bulk_query.refused.add("Account")
    done = hour(server, landing)
    assert (done.rows, done.api) == (5 * PAGE, "rest") and "Bulk does not query it" in done.notes[0]
    assert latest(landing) == expected(org, ACCOUNT)


def test_a_field_that_goes_away_between_two_pages(org: Any, server: Any, landing: Path, changed: Any) -> None:
    changed(PAGE + 5)
    server.faults.then(lambda: org.hide_field("Account", "Industry"), path="/queryAll")
    done = hour(server, landing)
    assert (done.rows, done.api) == (PAGE + 5, "rest") and any("Industry" in note for note in done.notes)
    assert server.usage.calls("/jobs/query") == 0
    assert [row["Name"] for row in landed(landing) if "Industry" in row] == ["Account 0", "Account 1", "Account 2"]


@pytest.mark.parametrize("after", [0, 10, 2000])
def test_cut_connections(after: int, org: Any, server: Any, landing: Path, changed: Any) -> None:
    changed(PAGE + 5)
    server.faults.cut(after, times=2, path="/queryAll")
    server.faults.cut(after, times=2, path="/query/01g")
    done = hour(server, landing)
    assert (done.rows, done.api) == (PAGE + 5, "rest") and latest(landing) == expected(org, ACCOUNT)


def test_an_answer_that_never_comes_whole_is_read_by_bulk(org: Any, server: Any, landing: Path, changed: Any) -> None:
    changed(5)
    server.faults.cut(100, times=None, path="/queryAll")
    done = hour(server, landing)
    assert (done.rows, done.api) == (5, "bulk") and "no answer came whole" in done.notes[0]


def test_a_busy_org_is_busy_for_bulk_too(org: Any, server: Any, landing: Path, changed: Any) -> None:
    changed(5)
    server.faults.refuse(503, times=None, path="/queryAll")
    assert hour(server, landing).status == "failed" and server.usage.calls("/jobs/query") == 0


def test_tokens_that_expire_in_the_middle(org: Any, server: Any, landing: Path, changed: Any) -> None:
    changed(3 * PAGE)
    org.access.calls_per_token = 2
    done = hour(server, landing)
    assert (done.rows, done.api) == (3 * PAGE, "rest") and latest(landing) == expected(org, ACCOUNT)
    assert server.usage.statuses()[401] > 0


@pytest.mark.parametrize("status", [429, 503])
def test_what_passes_is_waited_for(status: int, org: Any, server: Any, landing: Path, changed: Any) -> None:
    changed(PAGE + 5)
    server.faults.refuse(status, path="/query(All|/)", times=3)
    assert hour(server, landing).api == "rest" and latest(landing) == expected(org, ACCOUNT)


def test_used_up_calls_stop_it_and_another_start_goes_on(org: Any, server: Any, landing: Path, changed: Any) -> None:
    changed(PAGE + 5)
    server.faults.refuse(403, path="/query/01g", code="REQUEST_LIMIT_EXCEEDED", message="TotalRequests Limit exceeded.")
    assert hour(server, landing).status == "stopped" and server.usage.calls("/jobs/query") == 0
    done = hour(server, landing)
    assert (done.rows, done.api, done.resumed) == (PAGE + 5, "rest", True)
    assert latest(landing) == expected(org, ACCOUNT)


def test_records_that_change_between_two_pages_are_not_lost(
    org: Any, server: Any, landing: Path, clock: Any, changed: Any
) -> None:
    changed(3 * PAGE)
    late = org.begin()  # under a stamp of the window, though it is committed later
    late.insert("Account", {"Name": "late"})
    clock.advance(6 * MINUTES)
    ids = list(expected(org, ACCOUNT))[3:]

    def meanwhile() -> None:
        org.update("Account", ids[0], {"Name": "of a page that came"})
        org.update("Account", ids[-1], {"Name": "of a page to come"})
        org.delete("Account", ids[-2])
        org.merge("Account", ids[1], [ids[-3]])
        late.commit()

    server.faults.then(meanwhile, path="/queryAll")
    done = hour(server, landing)
    assert (done.rows, done.api) == (3 * PAGE, "rest")
    assert {row["Id"] for row in landed(landing)} >= set(ids)
    clock.advance(6 * MINUTES)
    hour(server, landing)
    assert latest(landing) == expected(org, ACCOUNT)


def test_a_record_that_is_purged_between_two_pages_makes_bulk_read_the_window(
    org: Any, server: Any, landing: Path, changed: Any
) -> None:
    changed(PAGE + 5)
    last = [row["Id"] for row in expected(org, ACCOUNT).values()][-1]
    server.faults.then(lambda: org.purge("Account", last), path="/queryAll")
    done = hour(server, landing)
    assert (done.rows, done.api) == (PAGE + 4, "bulk")
    assert done.notes == ("REST did not read its changes (24 rows came and Salesforce counted 25), Bulk did",)
    assert latest(landing) == expected(org, ACCOUNT)


def test_a_server_that_looks_anew_at_each_page_is_found_out(
    org: Any, server: Any, landing: Path, changed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(PAGE + 5)
    plain = Salesforce.query_page

    def anew(self: Salesforce, **asked: Any) -> RestPage:
        page = plain(self, **asked)
        return page if asked.get("at") is None else replace(page, records=page.records[1:], total=page.total - 1)

    monkeypatch.setattr(Salesforce, "query_page", anew)
    done = hour(server, landing)
    assert (done.rows, done.api) == (PAGE + 5, "bulk") and latest(landing) == expected(org, ACCOUNT)


def test_a_cursor_that_is_gone_makes_bulk_read_the_window(org: Any, server: Any, landing: Path, changed: Any) -> None:
    changed(PAGE + 5)
    server.faults.then(server.desk.queries._cursors.clear, path="/queryAll")
    done = hour(server, landing)
    assert (done.rows, done.api) == (PAGE + 5, "bulk") and "INVALID_QUERY_LOCATOR" in done.notes[0]
    assert latest(landing) == expected(org, ACCOUNT)


def test_killed_at_each_step(
    org: Any, server: Any, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of a window that was read half are read anew, and none lands twice."""
    monkeypatch.setattr(routes_query, "PAGE", PAGE)
    made, step, resumed = Store.made, 0, 0
    window = {"since": clock.at - timedelta(days=2)}
    org.load("Account", accounts(PAGE + 5))
    while True:
        step += 1
        landing = tmp_path / f"l{step}"
        store = made(landing)
        store._backend = dying = Dying(store._backend, step, after=True, copies=True)  # type: ignore[assignment]
        with monkeypatch.context() as patched:
            patched.setattr(extractor.Store, "made", lambda _, store=store: store)
            with suppress(Killed):
                hour(server, landing, **window)
        left = plan_of(made(landing), "Account", "changes")
        server.desk.queries._cursors.clear()
        done = hour(server, landing, **({} if files(landing) and left is None else window))
        assert done.error is None
        resumed += done.resumed
        assert latest(landing) == expected(org, ACCOUNT)
        if left is not None:
            assert done.api == "rest" and len(landed(landing)) == PAGE + 5
        assert not list((landing / "_extract/Account/changes").iterdir())
        if dying.lived:
            break
    assert step > 8 and resumed > 5 and server.usage.calls("/jobs/query") == 0


def test_killed_between_two_pages_the_window_is_read_anew(
    org: Any, server: Any, landing: Path, changed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(PAGE + 5)

    def killed(self: Salesforce, **asked: Any) -> RestPage:
        if asked.get("at"):
            raise Killed
        return plain(self, **asked)

    plain = Salesforce.query_page
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Salesforce, "query_page", killed)
        hour(server, landing)
    server.desk.queries._cursors.clear()
    server.usage.forget()
    done = hour(server, landing)
    assert done.resumed and (done.rows, done.api, server.usage.calls("/queryAll")) == (PAGE + 5, "rest", 1)
    assert len(landed(landing)) == PAGE + 8 and latest(landing) == expected(org, ACCOUNT)


def test_both_land_the_same_columns_types_and_values(
    org: Any, server: Any, landing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    org.load("Account", accounts(2 * len(HARD)))
    org.load("Account", accounts(1, AnnualRevenue="1234567890123456.78"))  # no float has it
    window = {"since": clock.at - timedelta(days=2)}
    assert hour(server, landing, **window).api == "rest"
    monkeypatch.setattr(few_read, "LONGEST_URL", 0)
    assert hour(server, tmp_path / "other", page_rows=1000, **window).api == "bulk"
    (by_rest,), (by_bulk,) = files(landing), files(tmp_path / "other")
    assert pq.read_table(by_rest, partitioning=None).equals(pq.read_table(by_bulk, partitioning=None))
    assert {row["Description"] for row in landed(landing)} == set(HARD)
    assert Decimal("1234567890123456.78") in {row["AnnualRevenue"] for row in landed(landing)}
