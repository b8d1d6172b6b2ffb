"""Counts and sums by day, and what explains a difference: exactly as much as it does, and no more."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import deltalake
import pyarrow as pa
import pytest

from extract.kit import NOW, project
from forceglue.errors import UsageError
from forceglue.landing.ingest import ingest
from forceglue.landing.inventory import inventory
from forceglue.landing.patch import Patch
from forceglue.landing.position import Position, propose
from forceglue.landing.store import Store
from forceglue.reconcile import org_side
from forceglue.simulated.salesforce import SetClock
from reconcile.kit import Bench, mapping, total


def test_a_table_that_holds_what_the_org_holds_is_equal_day_by_day(bench: Bench) -> None:
    one = bench.compare()
    assert (one.status, one.by_day, one.days, one.lines, one.error) == ("equal", True, 20, (), None)
    assert [t.measure for t in one.totals] == ["records", "AnnualRevenue", "NumberOfEmployees"]
    assert total(one).org == total(one).table == 60
    assert total(one, "NumberOfEmployees").org == sum(range(60))
    unfit = ("BillingLatitude", "BillingLongitude", "Score__c")
    assert one.not_compared == dict.fromkeys(unfit, "the table has no such column yet")


def test_equal_tables_cost_three_calls(bench: Bench) -> None:
    one = bench.compare()
    assert one.calls == 3  # the clock, the first and last day, the amounts


def test_a_record_that_nobody_knows_of_is_unexplained_on_its_day(bench: Bench) -> None:
    gone = bench.rows()[10]
    bench.write(bench.rows(gone["id"]))
    one = bench.compare()
    assert one.status == "unexplained"
    line = next(line for line in one.lines if line.measure == "records")
    assert (line.day, line.org, line.table, line.unexplained, line.explained) == (
        gone["created_date"].date(), 3, 2, 1, {},
    )  # fmt: skip
    assert total(one, "AnnualRevenue").unexplained == gone["annual_revenue"]


def test_a_wrong_value_is_told_though_the_counts_agree(bench: Bench) -> None:
    rows = bench.rows()
    rows[5]["annual_revenue"] += Decimal("0.01")
    bench.write(rows)
    one = bench.compare()
    assert one.status == "unexplained" and [line.measure for line in one.lines] == ["AnnualRevenue"]
    assert one.lines[0].unexplained == Decimal("-0.01")


def test_two_wrong_values_of_one_day_that_cancel_each_other_are_not_seen_but_of_two_days_they_are(bench: Bench) -> None:
    rows = bench.rows()
    rows[0]["number_of_employees"] += 5
    rows[30]["number_of_employees"] -= 5
    bench.write(rows)
    one = bench.compare()
    assert total(one, "NumberOfEmployees").unexplained == 0
    assert one.status == "unexplained" and total(one, "NumberOfEmployees").open == 2


def test_what_changed_since_the_last_extract_explains_what_it_changes(bench: Bench, clock: SetClock) -> None:
    rows = bench.rows()
    clock.advance(timedelta(hours=1))
    made = bench.org.insert("Account", {"Name": "new", "AnnualRevenue": "7.50"})
    bench.org.update("Account", rows[1]["id"], {"AnnualRevenue": "1000"})
    bench.org.delete("Account", rows[2]["id"])
    one = bench.compare()
    assert one.status == "explained" and made
    assert total(one).explained == {"in_flight": Decimal(0)} and total(one).unexplained == 0  # one came, one went
    assert {line.day: line.explained for line in one.lines if line.measure == "records"} == {
        rows[2]["created_date"].date(): {"in_flight": -1}, NOW.date(): {"in_flight": 1},
    }  # fmt: skip
    wanted = Decimal("7.50") + 1000 - rows[1]["annual_revenue"] - rows[2]["annual_revenue"]
    assert total(one, "AnnualRevenue").explained["in_flight"] == wanted


def test_changes_do_not_explain_what_they_do_not_touch(bench: Bench, clock: SetClock) -> None:
    rows = bench.rows()
    bench.write(bench.rows(rows[40]["id"]))
    clock.advance(timedelta(hours=1))
    for row in rows[:30]:
        bench.org.update("Account", row["id"], {"Name": "changed"})
    one = bench.compare()
    assert one.status == "unexplained" and total(one).unexplained == 1 and not total(one).explained


def test_a_record_that_never_came_is_not_in_flight_because_it_changed_since(bench: Bench, clock: SetClock) -> None:
    """It is: the next extract brings it. What explains it is told with its number."""
    row = bench.rows()[40]
    bench.write(bench.rows(row["id"]))
    clock.advance(timedelta(hours=1))
    bench.org.update("Account", row["id"], {"Name": "changed"})
    one = bench.compare()
    assert one.status == "explained" and total(one).explained == {"in_flight": 1}


def test_without_a_bookmark_the_last_landed_file_tells_since_when(bench: Bench, clock: SetClock) -> None:
    (bench.root / "landing" / "_extract" / "Account.json").unlink()
    row = bench.rows()[0]
    bench.write(bench.rows(row["id"]))
    one = bench.compare()
    assert one.status == "unexplained" and any("nothing tells what has changed" in note for note in one.notes)


def test_rows_of_files_that_wait_explain_what_they_will_bring(bench: Bench) -> None:
    rows = bench.rows()
    new, old, changed = rows[3], rows[4], rows[5]
    bench.land([
        _landed(new), _landed(old, SystemModstamp=old["system_modstamp"] - timedelta(days=1), IsDeleted=True),
        _landed(changed, AnnualRevenue=Decimal("1.00"), SystemModstamp=changed["system_modstamp"] + timedelta(minutes=1)),
    ])  # fmt: skip
    bench.org.load("Account", [_stored(changed, AnnualRevenue="1.00")])
    bench.write(row for row in rows if row is not new)
    one = bench.compare()
    assert one.status == "explained", one
    assert total(one).explained == {"waiting": 1}
    assert total(one, "AnnualRevenue").explained == {
        "waiting": (new["annual_revenue"] or 0) + 1 - changed["annual_revenue"]
    }


def test_a_patch_that_waits_explains_the_records_that_it_will_delete(bench: Bench) -> None:
    row = bench.rows()[3]
    bench.org.delete("Account", row["id"])
    bench.org.purge("Account", row["id"])
    stamp = Patch("vanished", NOW + timedelta(minutes=1)).footer()
    bench.land([{"Id": row["id"][:15], "IsDeleted": True}], metadata=stamp)
    one = bench.compare()
    assert one.status == "explained" and total(one).explained == {"waiting": -1}


@pytest.mark.parametrize(("kind", "deletes"), [("refresh", "mark"), ("vanished", "keep")])
def test_a_patch_that_brings_and_takes_no_record_explains_nothing(bench: Bench, kind: Any, deletes: str) -> None:
    row = bench.rows()[3]
    bench.land(
        [{"Id": row["id"], "SystemModstamp": NOW + timedelta(minutes=1), "Score__c": 1.5}],
        metadata=Patch(kind, NOW + timedelta(minutes=1)).footer(),
    )
    bench.write(bench.rows(bench.rows()[40]["id"]))
    one = bench.compare(mapping(target={"deletes": deletes}))
    assert one.status == "unexplained"
    assert [(t.explained, t.open) for t in one.totals] == [({}, 1)] * 3


def test_a_record_that_is_lost_though_its_file_is_loaded_does_not_wait(bench: Bench) -> None:
    row = bench.rows()[3]
    bench.land([_landed(row)])
    known = project()
    ingest(bench.landing, known, now=NOW, function_name="test", function_version="1", request_id="1")
    bench.write(bench.rows(row["id"]))
    assert total(bench.compare()).explained == {"waiting": 1}
    (file,) = inventory(bench.landing, known).files
    loaded = propose(Store(str(bench.root / "warehouse")), Position("account"), [file.identity], at=NOW)
    bench.write(bench.rows(row["id"]), position=loaded.version)
    one = bench.compare()
    assert one.status == "unexplained" and total(one).unexplained == 1


def test_text_files_that_wait_are_read_too(bench: Bench) -> None:
    row = bench.rows()[3]
    folder = bench.root / "landing" / "in" / "dev-Salesforce-Account" / "e5"
    folder.mkdir(parents=True)
    head = "Id,AnnualRevenue,NumberOfEmployees,CreatedDate,SystemModstamp,IsDeleted\n"
    day = row["created_date"].strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    cells = f"{row['id']},{row['annual_revenue']},{row['number_of_employees']},{day},{day},false\n"
    (folder / "part.csv").write_text(head + cells)
    bench.write(bench.rows(row["id"]))
    one = bench.compare()
    assert one.status == "explained" and total(one).explained == {"waiting": 1}, one


def test_what_salesforce_lists_as_deleted_and_no_longer_has_is_purged(bench: Bench, clock: SetClock) -> None:
    one, two = bench.rows()[6:8]
    for row in (one, two):
        bench.org.delete("Account", row["id"])
        bench.org.purge("Account", row["id"])
    clock.advance(timedelta(minutes=1))
    found = bench.compare()
    assert found.status == "explained"
    assert total(found).explained == {"purged": -2}
    assert total(found, "NumberOfEmployees").explained == {"purged": -13}


def test_a_deletion_that_the_extract_missed_is_not_purged(bench: Bench, clock: SetClock) -> None:
    """Salesforce lists it, and has it in its recycle bin: the extract should have brought it."""
    bench.org.delete("Account", bench.rows()[6]["id"])
    clock.advance(timedelta(hours=1))
    bench.mark(NOW + timedelta(hours=1))
    found = bench.compare()
    assert found.status == "unexplained" and total(found).unexplained == -1


def test_what_went_longer_ago_than_salesforce_tells_is_unexplained(bench: Bench, clock: SetClock) -> None:
    row = bench.rows()[6]
    bench.org.delete("Account", row["id"])
    bench.org.purge("Account", row["id"])
    clock.advance(timedelta(days=20))
    bench.mark(NOW + timedelta(days=20))
    found = bench.compare()
    assert found.status == "unexplained" and total(found).unexplained == -1


def test_records_that_the_mapping_leaves_out_are_covered_as_far_as_its_runs_counted(bench: Bench) -> None:
    out = [row["id"] for row in bench.rows()[:4]]
    bench.write(bench.rows(*out))
    filtered = mapping(where="Industry = 'Foods'")
    assert bench.compare(filtered).status == "unexplained"
    bench.told_by_a_run(filtered=3, dropped=0)
    one = bench.compare(filtered)
    assert one.status == "unexplained" and total(one).explained == {"left_out": 3} and total(one).unexplained == 1
    (bench.root / "warehouse" / "_runs" / "r1" / "report.json").write_text(
        '{"mappings": [{"name": "account", "filtered": 3, "dropped": 1}]}'
    )
    one = bench.compare(filtered)
    assert one.status == "explained" and total(one).explained == {"left_out": 4}
    assert not any(line.compared for line in one.lines if line.measure != "records")


@pytest.mark.parametrize(
    ("kinds", "measures"),
    [
        (dict.fromkeys(("annual_revenue", "number_of_employees", "created_date", "system_modstamp"), pa.string()), 3),
        ({"annual_revenue": pa.float64()}, 3),
        ({"annual_revenue": pa.float32()}, 3),
        ({"is_deleted": pa.string()}, 3),
        ({"annual_revenue": pa.bool_()}, 2),
    ],
)
def test_columns_of_other_types_compare_as_well(bench: Bench, kinds: dict[str, Any], measures: int) -> None:
    rows = bench.rows()
    if kinds.get("annual_revenue") == pa.bool_():
        rows = [{**row, "annual_revenue": None} for row in rows]
    bench.org.delete("Account", rows[0]["id"])
    rows[0]["is_deleted"], rows[1]["is_deleted"] = True, None
    bench.write(rows, **kinds)
    one = bench.compare()
    assert (one.status, len(one.totals), one.by_day, total(one).org) == ("equal", measures, True, 59), one


def test_amounts_of_many_digits_are_compared_to_the_last_one(bench: Bench) -> None:
    rows = bench.rows()
    bench.org.load("Account", [_stored(row, AnnualRevenue="9999999999.01") for row in rows])
    for row in rows:
        row["annual_revenue"] = Decimal("9999999999.01")
    bench.write(rows)
    assert bench.compare().status == "equal"
    rows[7]["annual_revenue"] -= Decimal("0.01")
    bench.write(rows)
    assert bench.compare().status == "unexplained"


def test_deleted_records_count_where_the_mapping_keeps_them(bench: Bench) -> None:
    row = bench.rows()[0]
    bench.org.delete("Account", row["id"])
    kept = mapping(target={"deletes": "keep"})
    one = bench.compare(kept)
    assert one.status == "equal" and total(one).org == 60


def test_only_days_since_a_day(bench: Bench) -> None:
    rows = bench.rows()
    first = rows[30]["created_date"].date()
    bench.write(row for row in rows[1:] if row is not rows[45])
    one = bench.compare(since=first)
    assert total(one).org == sum(row["created_date"].date() >= first for row in rows)
    assert total(one).unexplained == 1


@pytest.mark.parametrize("since", [None, (NOW - timedelta(days=15)).date()])
def test_rows_without_a_day_make_the_whole_table_one_line(bench: Bench, since: date | None) -> None:
    rows = bench.rows()
    rows[3]["created_date"] = None
    bench.write(rows)
    one = bench.compare(since=since)
    assert (one.status, one.by_day, total(one).org) == ("equal", False, 60)
    assert "rows of the table have no day in created_date" in one.notes[0]
    bench.write(rows[1:])
    one = bench.compare(since=since)
    assert (one.status, total(one).unexplained) == ("unexplained", 1)


def test_a_column_that_is_computed_is_not_compared(bench: Bench) -> None:
    columns = {"id": "Id", "created_date": "CreatedDate", "annual_revenue": {"sql": "AnnualRevenue * 2"}}
    one = bench.compare(mapping(columns=columns))
    assert one.status == "equal" and [t.measure for t in one.totals] == ["records"]
    assert one.not_compared["AnnualRevenue"] == "only computed columns use it"


def test_a_field_that_the_user_may_not_read_is_told(bench: Bench) -> None:
    bench.org.hide_field("Account", "AnnualRevenue")
    columns = {"id": "Id", "created_date": "CreatedDate", "annual_revenue": "AnnualRevenue"}
    one = bench.compare(mapping(columns=columns))
    assert one.status == "equal"
    assert one.not_compared["AnnualRevenue"].startswith("the org does not show it: deleted, or hidden")


def test_formulas_are_not_added_up_since_their_values_change_and_the_records_do_not(bench: Bench) -> None:
    uri = str(bench.root / "warehouse" / "account")
    score = deltalake.Schema.from_arrow(pa.schema([("score__c", pa.float64())]))
    deltalake.DeltaTable(uri).alter.add_columns(score.fields)
    one = bench.compare()
    assert one.status == "equal" and "a formula" in one.not_compared["Score__c"]


def test_amounts_of_several_currencies_are_not_added_up(bench: Bench) -> None:
    bench.org.add_field("Account", {"name": "CurrencyIsoCode", "type": "picklist"})
    one = bench.compare()
    assert one.status == "equal" and "several currencies" in one.not_compared["AnnualRevenue"]


@pytest.mark.parametrize("write", ["append", "snapshot", "replace"])
def test_tables_that_hold_no_record_once_are_left_out_and_an_error_where_they_are_asked_for(
    bench: Bench, write: str
) -> None:
    copies = mapping(target={"write": write})
    assert bench.compare(copies, names=()).status == "skipped"
    assert bench.compare(copies).status == "failed"


def test_a_table_that_is_not_there_and_an_object_that_is_not_there(bench: Bench) -> None:
    report = bench.report(mapping("other", "Contact"), mapping("gone", "Gone__c"), names=())
    found = {one.table: one for one in report.objects}
    assert {name: one.status for name, one in found.items()} == {
        "other": "failed", "gone": "failed", "account": "equal",
    }  # fmt: skip
    assert "no table yet" in str(found["other"].error) and "no such object" in str(found["gone"].error)
    assert report.status == "failed"


def test_an_event_among_the_mappings_is_no_failure_unless_it_is_asked_for(bench: Bench) -> None:
    bench.org.define({"name": "Ready__e", "fields": [{"name": "ReplayId", "type": "string", "length": 80}]})
    event = mapping("ready", "Ready__e")
    assert bench.report(mapping(), event, names=()).objects[1].status == "skipped"
    assert bench.compare(event, names=("Ready__e",)).status == "failed"


def test_an_object_that_was_extracted_and_is_gone_from_the_org_does_not_stop_the_others(bench: Bench) -> None:
    bench.mark(NOW, "Gone__c")
    report = bench.report(mapping(), names=())
    assert report.status == "succeeded" and [one.object for one in report.objects] == ["Account"]


def test_a_project_without_anything_to_compare(bench: Bench) -> None:
    (bench.root / "landing" / "_extract" / "Account.json").unlink()
    with pytest.raises(UsageError, match="nothing to compare"):
        bench.report(names=())


def test_a_query_that_takes_salesforce_too_long_is_asked_in_halves(bench: Bench, monkeypatch: Any) -> None:
    asked = []
    real = org_side.OrgSide._grouped

    def slow(self: Any, start: date, end: date) -> Any:
        asked.append((start, end))
        if (end - start).days > 3:
            raise org_side.SalesforceError("too long", code="QUERY_TIMEOUT", status=400)
        return real(self, start, end)

    monkeypatch.setattr(org_side.OrgSide, "_grouped", slow)
    assert bench.compare().status == "equal" and len(asked) > 6
    monkeypatch.setattr(org_side.OrgSide, "_grouped", _never)
    one = bench.compare()
    assert one.status == "failed" and "alone takes Salesforce too long" in str(one.error)


def _never(*_: Any) -> Any:
    raise org_side.SalesforceError("too long", code="QUERY_TIMEOUT", status=400)


def test_more_days_than_an_aggregate_query_has_rows(bench: Bench, monkeypatch: Any) -> None:
    monkeypatch.setattr(org_side, "GROUPS", 7)
    assert bench.compare().status == "equal"


def test_the_days_of_twenty_years_go_in_spans_that_the_org_answers(bench: Bench) -> None:
    """The simulated org refuses more than 2,000 rows, as Salesforce does."""
    made = [{"Name": str(n), "CreatedDate": NOW - timedelta(days=n)} for n in range(40, 5040)]
    bench.org.load("Account", made)
    bench.write(bench.rows())
    one = bench.compare()
    assert (one.status, one.days) == ("equal", 5020)


def test_more_fields_than_one_query_adds_up(bench: Bench, monkeypatch: Any) -> None:
    monkeypatch.setattr(org_side, "FIELDS", 1)
    one = bench.compare()
    assert one.status == "equal" and total(one, "NumberOfEmployees").org == sum(range(60))


def test_an_object_without_a_day_of_creation_is_one_line(bench: Bench) -> None:
    bench.org.load("Log__c", [{"Text__c": str(n)} for n in range(5)])
    rows = [{"id": row["Id"], "text__c": row["Text__c"]} for row in bench.org.rows("Log__c", ["Id", "Text__c"])]
    from deltalake import write_deltalake

    write_deltalake(str(bench.root / "warehouse" / "log__c"), pa.Table.from_pylist(rows))
    one = bench.compare(names=("Log__c",))
    assert (one.status, one.by_day, total(one).org) == ("equal", False, 5), one
    write_deltalake(str(bench.root / "warehouse" / "log__c"), pa.Table.from_pylist(rows[1:]), mode="overwrite")
    one = bench.compare(names=("Log__c",))
    assert (one.status, total(one).unexplained) == ("unexplained", 1)


def test_what_salesforce_does_not_group_is_compared_as_a_whole_and_what_it_does_not_add_up_is_counted(
    bench: Bench, monkeypatch: Any
) -> None:
    real = org_side.OrgSide._ask

    def refused(self: Any, text: str) -> Any:
        if "DAY_ONLY" in text or "SUM" in text:
            raise org_side.SalesforceError("no", code="MALFORMED_QUERY", status=400, reason="not for this object")
        return real(self, text)

    monkeypatch.setattr(org_side.OrgSide, "_ask", refused)
    one = bench.compare()
    assert (one.status, one.by_day, [t.measure for t in one.totals]) == ("equal", False, ["records"])
    assert [note.partition(":")[0] for note in one.notes] == ["not by day", "counted only"]


def test_an_org_that_moves_while_it_is_looked_at_is_looked_at_again(
    bench: Bench, clock: SetClock, monkeypatch: Any
) -> None:
    real = org_side.OrgSide.amounts
    calls = []

    def moving(self: Any, since: Any = None) -> Any:
        found = real(self, since)
        if not calls:
            calls.append(clock.advance(timedelta(minutes=1)))
            bench.org.insert("Account", {"Name": "meanwhile"})
        return found

    row = bench.rows()[0]
    clock.advance(timedelta(minutes=30))
    bench.org.update("Account", row["id"], {"AnnualRevenue": "1"})
    monkeypatch.setattr(org_side.OrgSide, "amounts", moving)
    one = bench.compare()
    assert one.status == "explained" and total(one).explained == {"in_flight": 1}


def test_the_days_calls_stop_it(bench: Bench) -> None:
    bench.server.usage.limit, bench.server.usage.used = 100, 77
    assert bench.compare().status == "stopped"


def _stored(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A record of the org with another value, and the stamps that it had."""
    return {"Id": row["id"], "CreatedDate": row["created_date"], "SystemModstamp": row["system_modstamp"], **more}


def _landed(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    from reconcile.kit import COLUMNS

    return {field: row[column] for column, (field, _) in COLUMNS.items()} | more
