"""Objects of an org, over real sockets: whole, since the last time, and through everything that goes wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from extract.kit import (
    ACCOUNT,
    CONTACT,
    HARD,
    LOG,
    NOW,
    TASK_STATUS,
    accounts,
    expected,
    files,
    landed,
    latest,
    one,
    patches,
    project,
    rows_of,
    run,
)
from forceglue.errors import UsageError
from forceglue.extract.bookmark import bookmark_of
from forceglue.landing.ingest import ingest
from forceglue.landing.layout import landed as landed_at
from forceglue.landing.store import Store
from forceglue.mapping.model import ObjectMapping
from forceglue.salesforce.client import Salesforce

MINUTES = timedelta(minutes=1)


def test_an_object_lands_field_by_field(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(230))
    report = run(server, landing, "Account")
    done = one(report)
    assert (report.status, done.status, done.rows, done.pages, done.api) == ("succeeded", "landed", 230, 5, "bulk")
    assert latest(landing) == expected(org, ACCOUNT) and len(landed(landing)) == 230
    assert set(done.left_out) == {"BillingAddress", "Logo__c"} and "base64" in done.left_out["Logo__c"]
    assert {row["Description"] for row in landed(landing)} == set(HARD)
    assert server.usage.calls("/results") == 5 and done.calls >= 7


def test_what_landed_is_typed_and_passes_the_ingest(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(10))
    run(server, landing, "Account")
    types = {field.name: str(field.type) for field in pq.read_schema(files(landing)[0])}
    assert types["AnnualRevenue"] == "decimal128(22, 2)" and types["SystemModstamp"] == "timestamp[ms, tz=UTC]"
    assert (types["Active__c"], types["NumberOfEmployees"], types["Founded__c"], types["Opens__c"]) == (
        "bool",
        "int64",
        "date32[day]",
        "string",
    )
    report = ingest(Store(str(landing)), project(), now=NOW, function_name="t", function_version="1", request_id="r")
    (file,) = report.passed
    assert (file.object, file.facts.rows if file.facts else 0, report.rejected) == ("Account", 10, ())


def test_the_second_time_only_what_changed_comes(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(100))
    run(server, landing, "Account")
    clock.advance(timedelta(hours=1))
    ids = list(expected(org, ACCOUNT))
    org.update("Account", ids[0], {"Name": "changed"})
    org.delete("Account", ids[1])
    org.merge("Account", ids[2], [ids[3]])
    new = org.insert("Account", {"Name": "new"})
    clock.advance(timedelta(minutes=6))
    done = one(run(server, landing, "Account"))
    assert done.rows == 4 + (ids[2] in {r["Id"] for r in landed(landing) if r["SystemModstamp"] > NOW})
    assert done.since == NOW - 15 * MINUTES and done.until == NOW + timedelta(hours=1, minutes=1)
    found = latest(landing)
    assert found == expected(org, ACCOUNT)
    assert found[ids[1]]["IsDeleted"] and found[ids[3]]["MasterRecordId"] == ids[2] and found[new]["Name"] == "new"


def test_nothing_new_makes_no_file(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    run(server, landing, "Account")
    clock.advance(timedelta(hours=1))
    report = run(server, landing, "Account")
    assert (report.status, one(report).status, len(files(landing))) == ("succeeded", "nothing_new", 1)
    assert bookmark_of(Store(str(landing)), "Account").until == NOW + 55 * MINUTES  # type: ignore[union-attr]


def test_a_late_commit_is_not_missed(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    run(server, landing, "Account")
    clock.advance(timedelta(hours=1))
    late = org.begin()
    first = late.insert("Account", {"Name": "stamped before"})
    clock.advance(timedelta(seconds=30))
    second = org.insert("Account", {"Name": "stamped after"})
    clock.advance(timedelta(minutes=7))
    run(server, landing, "Account")  # its window reaches past both stamps
    assert second in latest(landing) and first not in latest(landing)
    late.commit()
    clock.advance(timedelta(minutes=1))
    run(server, landing, "Account")
    assert latest(landing) == expected(org, ACCOUNT) and first in latest(landing)


def test_ties_at_both_ends_of_the_window(org: Any, server: Any, landing: Path, clock: Any) -> None:
    until = NOW - 5 * MINUTES
    org.load(
        "Account",
        [
            {"Name": n, "SystemModstamp": until - timedelta(milliseconds=gap)}
            for n, gap in (("in", 1), ("at", 0), ("at too", 0))
        ],
    )
    assert one(run(server, landing, "Account")).rows == 1
    assert one(run(server, landing, "Account", overlap=timedelta(0), lag=timedelta(0))).rows == 2
    assert {row["Name"] for row in landed(landing)} == {"in", "at", "at too"}


def test_since_start_reads_everything_again(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(20))
    run(server, landing, "Account")
    clock.advance(timedelta(hours=1))
    done = one(run(server, landing, "Account", since="start"))
    assert (done.rows, done.since) == (20, None)


def test_since_a_time_after_the_bookmark_leaves_the_bookmark(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(5))
    run(server, landing, "Account")
    clock.advance(timedelta(hours=2))
    done = one(run(server, landing, "Account", since=NOW + timedelta(hours=1)))
    assert "the bookmark stays" in done.notes[0]
    assert bookmark_of(Store(str(landing)), "Account").until == NOW - 5 * MINUTES  # type: ignore[union-attr]
    one(run(server, landing, "Account", since=NOW - timedelta(days=2)))
    assert bookmark_of(Store(str(landing)), "Account").until == NOW + 115 * MINUTES  # type: ignore[union-attr]


@pytest.mark.parametrize("header", ["Sforce-NumberOfRecords", "Sforce-Locator"])
def test_headers_that_a_proxy_takes_away(header: str, org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(120))
    server.faults.strip(header, path="/results")
    report = run(server, landing, "Account")
    if header == "Sforce-NumberOfRecords":  # the sum of the job still proves it
        assert one(report).rows == 120
    else:
        assert report.status == "failed" and "50 rows came and Salesforce counted 120" in one(report).error
        assert not files(landing) and bookmark_of(Store(str(landing)), "Account") is None
    server.faults.clear()
    assert one(run(server, landing, "Account")).status in ("landed", "nothing_new") and len(latest(landing)) == 120


def test_a_page_that_is_miscounted_once_is_read_again(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(120))
    server.faults.miscount(1, times=1)
    assert one(run(server, landing, "Account")).rows == 120


def test_a_page_that_is_always_miscounted_fails_its_object_alone(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(60))
    org.load("Contact", [{"LastName": f"C{n}"} for n in range(7)])
    server.faults.miscount(1, times=None, skip=0)
    report = run(server, landing, "Account", lag=timedelta(minutes=-1))
    assert report.status == "failed" and "its header says" in one(report).error and not files(landing)
    server.faults.clear()
    assert one(run(server, landing, "Contact", lag=timedelta(minutes=-1))).rows == 7


def test_several_objects_one_of_which_fails(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(60))
    org.load("Contact", [{"LastName": f"C{n}", "SystemModstamp": NOW - timedelta(days=1)} for n in range(7)])
    server.faults.fail_job("UNKNOWN_EXCEPTION: it broke")
    report = run(server, landing, "Account", "Contact", objects_at_once=1)
    assert [(o.name, o.status) for o in report.objects] == [("Account", "failed"), ("Contact", "landed")]
    assert report.status == "failed" and "it broke" in (report.objects[0].error or "")
    again = run(server, landing, "Account", "Contact")
    assert again.status == "succeeded" and latest(landing) == expected(org, ACCOUNT)
    assert latest(landing, "Contact") == expected(org, CONTACT)


@pytest.mark.parametrize("after", [0, 10, 3000])
def test_cut_connections(after: int, org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(120))
    server.faults.cut(after, times=3, path="/results")
    server.faults.cut(20, times=2, path="/jobs/query/")
    done = one(run(server, landing, "Account"))
    assert done.rows == 120 and latest(landing) == expected(org, ACCOUNT)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_waited_for(status: int, org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(120))
    server.faults.refuse(status, chance=0.3, times=None)
    assert one(run(server, landing, "Account")).rows == 120


def test_tokens_that_expire_in_the_middle(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(500))
    org.access.calls_per_token = 3
    done = one(run(server, landing, "Account", page_rows=20))
    assert done.rows == 500 and len(landed(landing)) == 500 and latest(landing) == expected(org, ACCOUNT)
    assert server.usage.statuses()[401] > 0


def test_query_timeout_halves_the_window(org: Any, server: Any, landing: Path) -> None:
    org.load(
        "Account", [row for day in range(40) for row in accounts(5, start=day * 5, at=NOW - timedelta(days=day + 1))]
    )
    for _ in range(4):
        server.faults.fail_job()
    done = one(run(server, landing, "Account"))
    assert done.rows == 200 and len(landed(landing)) == 200 and latest(landing) == expected(org, ACCOUNT)


def test_query_timeout_that_does_not_end_is_told(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(5))
    for _ in range(100):
        server.faults.fail_job()
    report = run(server, landing, "Account")
    assert "cannot be narrowed" in one(report).error and not files(landing)


def test_values_that_do_not_fit_lose_no_row(org: Any, server: Any, landing: Path) -> None:
    rows = accounts(120)
    rows[70]["AnnualRevenue"] = "1.2345"
    org.load("Account", rows)
    done = one(run(server, landing, "Account", piece=2000))
    assert any("AnnualRevenue" in note and "text" in note for note in done.notes)
    found = {row["Name"]: row["AnnualRevenue"] for row in landed(landing)}
    assert found["Account 70"] == "1.2345" and len(found) == done.rows == 120
    kinds = {str(pq.read_schema(file).field("AnnualRevenue").type) for file in files(landing)}
    assert kinds == {"string", "decimal128(22, 2)"}
    texts = {r["Name"]: r["AnnualRevenue"] for r in org.rows("Account", ["Name", "AnnualRevenue"])}
    assert all(value is None or float(value) == float(texts[name]) for name, value in found.items())


def test_objects_that_bulk_refuses_are_read_by_rest(org: Any, server: Any, landing: Path) -> None:
    org.load(
        "TaskStatus",
        [
            {
                "MasterLabel": HARD[n % len(HARD)],
                "SortOrder": n,
                "IsClosed": n % 2 == 0,
                "Weight__c": f"{n}.125",
                "SystemModstamp": NOW - timedelta(days=1),
            }
            for n in range(4100)
        ],
    )
    org.load("Contact", [{"LastName": f"C{n}", "SystemModstamp": NOW - timedelta(days=1)} for n in range(9)])
    server.desk.bulk_query.refused.add("Contact")
    org.delete("Contact", next(iter(expected(org, CONTACT))))
    first = one(run(server, landing, "TaskStatus"))
    second = one(run(server, landing, "Contact", lag=timedelta(minutes=-1)))
    assert (first.api, first.rows, server.usage.calls("/jobs/query", "POST")) == ("rest", 4100, 1)
    assert (second.api, second.rows) == ("rest", 9) and "Bulk does not query it" in second.notes[0]
    assert latest(landing, "TaskStatus") == expected(org, TASK_STATUS)
    assert latest(landing, "Contact") == expected(org, CONTACT)
    assert [row["IsDeleted"] for row in landed(landing, "Contact")].count(True) == 1


def test_an_object_without_a_stamp_is_read_whole_each_time(org: Any, server: Any, landing: Path) -> None:
    org.load("Log__c", [{"Text__c": f"t{n}"} for n in range(5)])
    for _ in range(2):
        done = one(run(server, landing, "Log__c"))
        assert (done.rows, done.since, done.until) == (5, None, None)
    assert len(landed(landing, "Log__c")) == 10 and len(expected(org, LOG)) == 5


def test_no_row_where_there_were_rows_is_loud(org: Any, server: Any, landing: Path) -> None:
    org.load("Log__c", [{"Text__c": "t"}])
    run(server, landing, "Log__c")
    org.purge("Log__c", next(iter(expected(org, LOG))))
    report = run(server, landing, "Log__c")
    assert report.status == "failed" and "--allow-empty" in one(report).error
    assert one(run(server, landing, "Log__c", allow_empty=True)).status == "nothing_new"
    assert one(run(server, landing, "Log__c")).status == "nothing_new"


def test_a_first_read_without_rows(org: Any, server: Any, landing: Path, clock: Any) -> None:
    assert one(run(server, landing, "Contact")).status == "nothing_new"  # there is none
    org.insert("Account", {"Name": "too new for the window"})
    assert one(run(server, landing, "Account")).status == "nothing_new"
    clock.advance(timedelta(hours=1))
    assert one(run(server, landing, "Account")).rows == 1


def test_a_first_read_of_records_that_the_user_does_not_see(
    org: Any, server: Any, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Salesforce, "record_counts", lambda *_: {"Account": 7})
    done = one(run(server, landing, "Account"))
    assert done.status == "failed" and "Salesforce counts about 7" in (done.error or "") and "View All" in done.error


def test_a_field_that_goes_away_between_describe_and_query(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(9))
    server.faults.then(lambda: org.hide_field("Account", "Industry"), path="/Account/describe")
    done = one(run(server, landing, "Account"))
    assert done.rows == 9 and any("Industry" in note for note in done.notes)
    assert "Industry" not in landed(landing)[0]


def test_drift_is_told(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    run(server, landing, "Account")
    org.hide_field("Account", "Industry")
    org.add_field("Account", {"name": "New__c", "type": "string", "length": 10})
    org.change_field("Account", "AnnualRevenue", scale=4)
    clock.advance(timedelta(hours=1))
    notes = "\n".join(one(run(server, landing, "Account")).notes)
    assert "field-level security: Industry" in notes and "new: New__c" in notes
    assert "AnnualRevenue (decimal(22,2) → decimal(22,4))" in notes


def test_a_mapping_that_names_a_hidden_field_is_warned_and_goes_on(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(3))
    mapping = ObjectMapping(
        mapping="account", source="Account", columns={"a": "Name", "b": "Secret__c"}, exclude=("Industry",)
    )
    done = one(run(server, landing, project=project(mapping)))
    assert done.rows == 3 and "Secret__c" in done.notes[0] and "field-level security" in done.notes[0]
    assert set(landed(landing)[0]) == {"Id", "IsDeleted", "MasterRecordId", "Name", "SystemModstamp"}


def test_names_may_be_mappings_and_a_wrong_one_is_told_with_the_nearest(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(3))
    mapping = ObjectMapping(mapping="customers", source="Account")
    assert one(run(server, landing, "customers", project=project(mapping))).name == "Account"
    assert one(run(server, landing, "account")).name == "Account"
    with pytest.raises(UsageError, match="did you mean Account"):
        run(server, landing, "Acount")


def test_a_mapping_whose_object_the_org_lacks_fails(org: Any, server: Any, landing: Path) -> None:
    report = run(server, landing, project=project(ObjectMapping(mapping="x", source="Nowhere__c")))
    assert (report.status, one(report).status) == ("failed", "failed") and "no such object" in one(report).error


def test_everything_names_what_cannot_be_read(org: Any, server: Any, landing: Path) -> None:
    org.define({"name": "Moved__e", "queryable": False, "fields": [{"name": "ReplayId", "type": "string"}]})
    org.define({"name": "ContentDocumentLink", "fields": [{"name": "Id", "type": "id"}]})
    org.load("Account", accounts(3))
    report = run(server, landing, everything=True)
    found = {o.name: o for o in report.objects}
    assert report.status == "succeeded" and {"Account", "Contact", "Log__c", "TaskStatus"} <= found.keys()
    assert "platform event" in found["Moved__e"].error and found["Moved__e"].status == "skipped"
    assert "parent" in found["ContentDocumentLink"].error


@pytest.mark.parametrize(("names", "status"), [((), "skipped"), (("Log__c",), "failed")])
def test_an_object_that_both_refuse(names: tuple[str, ...], status: str, org: Any, server: Any, landing: Path) -> None:
    server.desk.bulk_query.refused.add("Log__c")
    server.faults.refuse(400, path="queryAll", code="MALFORMED_QUERY", message="filter by a single Id", times=None)
    report = run(server, landing, *names, everything=not names)
    found = {o.name: o for o in report.objects}["Log__c"]
    assert found.status == status and "neither Bulk nor REST" in found.error and "single Id" in found.error
    assert not list(landing.glob("_extract/Log__c/*/*"))


def test_the_budget_stops_and_another_start_goes_on(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(400))
    server.usage.limit, server.usage.used, server.usage.bursts = 100, 70, "1/750"
    report = run(server, landing, "Account", page_rows=20)
    assert (report.status, one(report).status) == ("failed", "stopped")
    assert "of the org's 100 API calls" in report.stopped and "goes on where it was" in report.stopped
    assert not files(landing) and server.usage.used == 80
    done_before = len(list(landing.glob("_extract/Account/changes/*.parquet")))
    assert done_before > 0
    server.usage.used = 0
    server.usage.forget()
    report = run(server, landing, "Account", page_rows=20)
    assert one(report).resumed and one(report).rows == 400 and latest(landing) == expected(org, ACCOUNT)
    assert server.usage.calls("/jobs/query", "POST") == 0 and server.usage.calls("/results") == 20 - done_before


def test_used_up_calls_are_no_storm(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(40))
    server.faults.refuse(
        403, path="/results", code="REQUEST_LIMIT_EXCEEDED", message="TotalRequests Limit exceeded.", times=None
    )
    report = run(server, landing, "Account")
    assert one(report).status == "stopped" and server.usage.calls("/results") == 1


def test_a_user_that_is_locked_out_in_the_middle_ends_all(org: Any, server: Any, landing: Path) -> None:
    for name in ("Account", "Contact"):
        org.load(name, [{"SystemModstamp": NOW - timedelta(days=1)} for _ in range(5)])
    server.faults.then(lambda: (org.access.end_sessions(), org.access.apps.clear()), path="/composite/batch")
    report = run(server, landing, "Account", "Contact", objects_at_once=1)
    assert [o.status for o in report.objects] == ["failed", "stopped"] and "SF_CLIENT_ID" in (
        report.objects[0].error or ""
    )
    assert server.usage.calls("/oauth2/token") == 2


def test_an_object_too_wide_for_rest_fails_alone(org: Any, server: Any, landing: Path) -> None:
    org.define(
        {
            "name": "CaseStatus",
            "fields": [
                {"name": "Id", "type": "id"},
                *({"name": f"A_Field_With_A_Long_Name_{n}__c", "type": "string"} for n in range(600)),
            ],
        }
    )
    org.load("Account", accounts(3))
    report = run(server, landing, "CaseStatus", "Account", objects_at_once=1)
    assert [o.status for o in report.objects] == ["failed", "landed"] and "name the fields" in (
        report.objects[0].error or ""
    )


def test_the_report_and_the_bookmark_are_readable(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(3))
    report = run(server, landing, "Account")
    (file,) = landing.glob("_extract/_runs/*.json")
    told = json.loads(file.read_text())
    assert (told["status"], told["rows"], told["objects"][0]["name"], told["run_id"]) == (
        "succeeded",
        3,
        "Account",
        report.run_id,
    )
    mark = json.loads((landing / "_extract/Account.json").read_text())
    assert mark["until"] == "2026-11-15T10:25:00+00:00" and mark["kinds"]["AnnualRevenue"] == "decimal(22,2)"
    assert sorted(p.name for p in (landing / "_extract/Account/changes").iterdir()) == []
    assert "!" not in file.read_text() + json.dumps(mark)  # as every token has


def test_all_that_an_extract_begins_has_one_execution(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(120))
    org.load("Contact", [{"LastName": f"Contact {n}", "SystemModstamp": NOW - timedelta(days=1)} for n in range(3)])
    first = run(server, landing, "Account", "Contact")
    ids = list(expected(org, ACCOUNT))
    for gone in ids[:4]:
        clock.advance(timedelta(hours=7))
        org.purge("Account", gone)
    org.update("Account", ids[9], {"Name": "changed"})
    clock.advance(timedelta(hours=7))
    org.records.ids_most = 2
    # changes, deletions in several files, formula fields in several files
    second = run(server, landing, "Account", "Contact", page_rows=5)
    found = [landed_at(key) for report in (first, second) for o in report.objects for key in o.files]
    assert all(where is not None for where in found)
    by_report = [{landed_at(key).execution for o in report.objects for key in o.files} for report in (first, second)]  # type: ignore[union-attr]
    assert by_report == [{first.run_id}, {second.run_id}] and first.run_id < second.run_id
    account = next(o for o in second.objects if o.name == "Account")
    assert account.rows and account.refreshed and account.deleted == 4 and len(account.files) > 6
    assert len(set(account.files)) == len(account.files) == len(files(landing)) - len(first.objects[0].files)
    assert len(rows_of(patches(landing, "deleted"))) == 4


def test_what_an_earlier_extract_had_begun_keeps_its_execution(
    org: Any, server: Any, landing: Path, clock: Any
) -> None:
    org.load("Account", accounts(100))
    server.faults.refuse(403, path="/results", skip=1, code="REQUEST_LIMIT_EXCEEDED", message="x", times=1)
    stopped = run(server, landing, "Account", page_rows=10)
    assert stopped.status == "failed"
    clock.advance(timedelta(hours=1))
    org.load("Account", accounts(1, start=100, at=clock.at - timedelta(minutes=30)))
    done = run(server, landing, "Account", page_rows=10)
    executions = [landed_at(key).execution for key in one(done).files]  # type: ignore[union-attr]
    assert one(done).resumed and executions == [stopped.run_id] * (len(executions) - 1) + [done.run_id]
