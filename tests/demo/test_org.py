"""The demo's org: what is in it, what an hour of work does to it, and what AppFlow flows land beside its extract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.landed_org import id18, moment, read_rows
from forceglue.demo import beside
from forceglue.demo.beside import EVENTS, FLOWS, NO_ROWS, Landed
from forceglue.demo.hour import WORK, Worked, work
from forceglue.demo.objects import OBJECTS
from forceglue.demo.org import FORMULAS, LATE, DemoOrg, demo_org
from forceglue.demo.values import BASE
from forceglue.errors import UsageError
from forceglue.mapping.catalog import Catalog

Records = dict[str, dict[str, dict[str, str | None]]]


def everything(made: DemoOrg) -> Records:
    return {schema.name: {row["Id"] or "": row for row in made.org.rows(schema.name)} for schema in made.org.objects}


class Hour:
    """The org before and after, and what landed beside both."""

    def __init__(self, made: DemoOrg, catalog: Catalog, folder: Path) -> None:
        self.made, self.landing = made, folder
        self.first: Landed = beside.first(folder / "first", catalog, made)
        self.before = everything(made)
        self.worked: Worked = work(made)
        self.after = everything(made)
        self.later: Landed = beside.later(folder / "later", catalog, made)


@pytest.fixture(scope="module")
def hour(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hour]:
    made = demo_org(catalog)
    with made.org:
        yield Hour(made, catalog, tmp_path_factory.mktemp("beside"))


def at(text: Any) -> datetime:
    found = moment(text)
    assert found is not None
    return found


def test_every_object_has_its_records_and_events_are_not_kept(hour: Hour) -> None:
    assert set(hour.before) == set(OBJECTS)
    for name, plan in OBJECTS.items():
        expected = 0 if plan.event else plan.count(1) + (name == "User")
        assert len(hour.before[name]) == expected, name
    assert len(hour.before["User"]) == 41  # the one that the API's changes are made by is among them


def test_all_that_is_there_was_changed_long_before_and_some_of_it_is_in_the_recycle_bin(hour: Hour) -> None:
    rows = [row for records in hour.before.values() for row in records.values()]
    assert max(at(row["SystemModstamp"]) for row in rows) < BASE - timedelta(hours=1)
    deleted = [row for row in rows if row.get("IsDeleted") == "true"]
    assert 300 < len(deleted) < 1000
    assert min(at(row["SystemModstamp"]) for row in deleted) > BASE - timedelta(days=15)
    assert "IsDeleted" not in next(iter(hour.before["User"].values()))


def test_references_are_ids_or_nothing(hour: Hour) -> None:
    for schema in hour.made.org.objects:
        fields = [field.name for field in schema.stored if field.type == "reference"]
        for row in hour.after[schema.name].values():
            assert all(row[field] is None or len(row[field] or "") == 18 for field in fields if field in row)


def test_the_hour_is_the_same_each_time(hour: Hour, catalog: Catalog) -> None:
    again = demo_org(catalog)
    with again.org:
        assert everything(again) == hour.before
        assert work(again) == hour.worked
        assert everything(again) == hour.after


def test_another_seed_and_scale_are_another_org(hour: Hour, catalog: Catalog) -> None:
    made = demo_org(catalog, seed=8, scale=2)
    with made.org:
        assert made.org.count("Order", deleted=True) == 1600
        first = {str(row["Id"]): row for row in made.org.rows("Order")}
        assert [row for key, row in hour.before["Order"].items() if first[key] == row] == []


def test_the_hour_does_what_it_says(hour: Hour) -> None:
    changes: Counter[str] = Counter()
    for name, before in hour.before.items():
        after = hour.after[name]
        changes["born"] += len(after.keys() - before.keys())
        changes["purged"] += len(before.keys() - after.keys())
        for key in before.keys() & after.keys():
            was, now = before[key].get("IsDeleted"), after[key].get("IsDeleted")
            changes["deleted or merged"] += (was, now) == ("false", "true")
            changes["undeleted"] += (was, now) == ("true", "false")
            changes["merged"] += bool(after[key].get("MasterRecordId"))
    told = hour.worked.counts
    assert changes == Counter({
        "born": told["born"], "purged": told["purged"], "undeleted": told["undeleted"], "merged": told["merged"],
        "deleted or merged": told["deleted"] + told["merged"],
    })  # fmt: skip
    assert all(
        told[what] for what in ("born", "changed", "deleted", "purged", "merged", "undeleted", "recomputed", "late")
    )


def test_what_changes_moves_its_stamp_into_the_hour(hour: Hour) -> None:
    for name, before in hour.before.items():
        for key, now in hour.after[name].items():
            moved = at(now["SystemModstamp"]) >= BASE
            if moved:
                assert at(now["SystemModstamp"]) < BASE + timedelta(hours=1)
            elif key != hour.made.late_record:
                ignored = {*FORMULAS.get(name, ()), *(field for work in WORK.values() for field in work.added)}
                gone = before[key].keys() - now.keys()
                same = {f: v for f, v in now.items() if f not in ignored}
                assert same == {f: v for f, v in before[key].items() if f not in ignored | gone}


def test_formulas_change_and_no_stamp_tells(hour: Hour) -> None:
    before, after = hour.before["Quote"], hour.after["Quote"]
    silent = [
        key
        for key, row in after.items()
        if row["GrandTotal"] != before[key]["GrandTotal"] and row["SystemModstamp"] == before[key]["SystemModstamp"]
    ]
    assert len(silent) > 50
    described = {field.name: field["calculated"] for field in hour.made.org.object("Quote").fields}
    assert {name for name, computed in described.items() if computed} == {*FORMULAS["Quote"]}


def test_what_is_committed_late_has_a_stamp_from_before_the_first_extract(hour: Hour) -> None:
    before, after = (records["Opportunity"][hour.made.late_record] for records in (hour.before, hour.after))
    assert (before["NextStep"], after["NextStep"]) != ("committed late", before["NextStep"])
    assert after["NextStep"] == "committed late"
    assert at(after["SystemModstamp"]) == BASE - LATE


def test_fields_come_and_go(hour: Hour) -> None:
    assert (hour.worked.added, hour.worked.removed) == (
        ["Order.SWM_Campaign_Label__c"],
        ["Product2.vlocity_cmt__HelpText__c"],
    )
    assert "vlocity_cmt__HelpText__c" not in next(iter(hour.after["Product2"].values()))
    assert any(row["SWM_Campaign_Label__c"] for row in hour.after["Order"].values())


def test_an_object_without_a_describe_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="Account: not in the catalog"):
        demo_org(Catalog())


# --- beside the extract -------------------------------------------------------------------------------------------


def landed(hour: Hour, step: str, name: str) -> list[dict[str, str | None]]:
    bad = {path.path for path in hour.first.bad_files}
    token = {"Order": "Order", "Contact": "Contact", "blng__Invoice__c": "Invoice", EVENTS: EVENTS}.get(name, name)
    paths = sorted((hour.landing / step / "in" / f"dev-Salesforce-{token}").rglob("*"))
    files = [p for p in paths if p.is_file() and str(p.relative_to(hour.landing / step)) not in bad]
    return [row for file in files for row in read_rows(file)]


@pytest.mark.parametrize("step", ["first", "later"])
def test_no_row_beside_is_newer_than_the_record_of_the_org(hour: Hour, step: str) -> None:
    told = getattr(hour, step)
    seen = 0
    for name in FLOWS if step == "first" else ("Order", "Contact"):
        rows = landed(hour, step, name)
        assert len(rows) == told.rows_of[name] > 0
        usable = [row for row in rows if row["id"] and moment(row["systemmodstamp"])]
        assert len(rows) - len(usable) == told.aside_of[name]
        for row in usable:
            held = hour.before[name][id18(row["id"] or "")]
            assert at(row["systemmodstamp"]) < at(held["SystemModstamp"])
            seen += 1
    assert seen > 50


def test_the_mess_that_no_query_gives_is_there_and_small(hour: Hour) -> None:
    rows = [row for name in FLOWS for row in landed(hour, "first", name)]
    assert any(row["id"] is None for row in rows)
    assert any(row["id"] and moment(row["systemmodstamp"]) is None for row in rows)
    assert any(len(row["id"] or "") == 15 for row in rows)
    versions = Counter(id18(row["id"]) for row in rows if row["id"])
    assert any(count > 1 for count in versions.values())
    assert len(landed(hour, "first", EVENTS)) == hour.first.rows_of[EVENTS] == 30
    assert hour.first.rows < 0.02 * hour.made.records
    assert {bad.wrong for bad in hour.first.bad_files} == {
        "empty file", "truncated Parquet", "text named .parquet", "no Id",
    }  # fmt: skip


def test_later_a_file_comes_once_more_and_one_has_no_rows(hour: Hour) -> None:
    assert landed(hour, "later", "Order") == landed(hour, "first", "Order")
    assert hour.later.rows_of[NO_ROWS] == 0
    assert hour.later.files == 3
    assert hour.later.bad_files == ()
