"""All Ids of an org against those of a table: exact sets, each Id with its class, and what has vanished lands."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from extract.kit import NOW
from forceglue.landing.patch import Patch, patch_of
from forceglue.reconcile.vanished import VanishLimit
from forceglue.simulated.salesforce import SetClock
from reconcile.kit import COLUMNS, Bench, mapping


def gone(bench: Bench, *keys: str) -> None:
    for key in keys:
        bench.org.delete("Account", key)
        bench.org.purge("Account", key)


def test_the_same_ids_on_both_sides(bench: Bench) -> None:
    rows = bench.rows()
    bench.org.delete("Account", rows[0]["id"])
    rows[0]["is_deleted"] = True
    bench.write([{**row, "id": row["id"][: 15 if n % 2 else 18]} for n, row in enumerate(rows)])
    one = bench.compare(ids=True)
    assert one.status == "equal" and one.ids and (one.ids.org, one.ids.bin, one.ids.table) == (59, 1, 59)
    assert one.ids.found == {}


def test_each_id_that_differs_has_its_class(bench: Bench, clock: SetClock, tmp_path: Path) -> None:
    keys = [row["id"] for row in bench.rows()]
    rows = bench.rows(keys[0], keys[1])
    bench.land([{field: row[c] for c, (field, _) in COLUMNS.items()} for row in bench.rows() if row["id"] == keys[1]])
    gone(bench, keys[2])
    clock.advance(timedelta(days=20))  # longer than Salesforce tells of deletions
    bench.mark(NOW + timedelta(days=20))
    gone(bench, keys[3])
    bench.org.delete("Account", keys[5])
    clock.advance(timedelta(hours=1))
    made = bench.org.insert("Account", {"Name": "new"})
    bench.org.delete("Account", keys[4])
    bench.write(rows)
    out = tmp_path / "out" / "ids.csv"
    bench.mark(NOW + timedelta(days=20, hours=1))
    one = bench.compare(ids=True, out=out)
    assert one.ids and one.status == "unexplained"
    assert one.ids.found == {
        "missing": {"unexplained": 1, "waiting": 1, "in_flight": 1},
        "deleted": {"in_flight": 1, "unexplained": 1},
        "vanished": {"unexplained": 1, "gone": 1},
    }
    with out.open(newline="") as file:
        found = {(row["kind"], row["class"]): row["id"][:15] for row in csv.DictReader(file)}
    wanted = {
        ("missing", "unexplained"): keys[0], ("missing", "waiting"): keys[1], ("missing", "in_flight"): made,
        ("deleted", "in_flight"): keys[4], ("deleted", "unexplained"): keys[5],
        ("vanished", "unexplained"): keys[2], ("vanished", "gone"): keys[3],
    }  # fmt: skip
    assert found == {kind: key[:15] for kind, key in wanted.items()}


def test_a_file_that_waits_with_a_live_copy_does_not_explain_that_a_record_is_gone(bench: Bench) -> None:
    one, two = bench.rows()[:2]
    bench.land([{field: row[c] for c, (field, _) in COLUMNS.items()} for row in (one, two)])
    gone(bench, one["id"])
    bench.org.delete("Account", two["id"])
    bench.mark(NOW + timedelta(hours=1))
    found = bench.compare(ids=True).ids
    assert found and found.found == {"deleted": {"unexplained": 1}, "vanished": {"unexplained": 1}}


def test_what_has_vanished_lands_as_a_patch_of_the_time_before_the_ids_were_read(bench: Bench, clock: SetClock) -> None:
    keys = [row["id"] for row in bench.rows()]
    bench.write([{**row, "id": row["id"][:15]} for row in bench.rows()])
    gone(bench, keys[3], keys[40])
    clock.advance(timedelta(hours=1))
    one = bench.compare(ids=True, land_deleted=True)
    assert one.status == "explained" and one.ids and one.ids.landed and one.ids.refused is None
    (path,) = bench.root.glob("landing/in/org-Salesforce-Account/*/*.parquet")
    assert str(path) == one.ids.landed
    assert patch_of(pq.read_metadata(path).metadata) == Patch("vanished", NOW + timedelta(hours=1))
    landed = pq.read_table(path, partitioning=None).to_pylist()
    assert sorted(landed, key=str) == [{"Id": key, "IsDeleted": True} for key in sorted((keys[3], keys[40]))]
    again = bench.compare(ids=True, land_deleted=True)  # it waits: nothing is left to land
    assert again.status == "explained" and again.ids
    assert again.ids.found == {"vanished": {"waiting": 2}} and again.ids.landed is None


def test_a_record_that_came_since_the_ids_were_read_has_not_vanished(bench: Bench, clock: SetClock) -> None:
    rows = bench.rows()
    rows[7]["system_modstamp"] = NOW + timedelta(seconds=1)
    bench.write(rows)
    gone(bench, rows[7]["id"])
    one = bench.compare(ids=True, land_deleted=True)
    assert one.ids and one.ids.found == {"vanished": {"in_flight": 1}} and one.ids.landed is None


@pytest.mark.parametrize(
    ("most", "refused"),
    [(VanishLimit(), True), (VanishLimit(0.12), False), (VanishLimit(number=6), True), (VanishLimit(number=7), False)],
)
def test_more_than_may_vanish_is_refused(bench: Bench, most: VanishLimit, refused: bool) -> None:
    gone(bench, *(row["id"] for row in bench.rows()[:7]))
    one = bench.compare(ids=True, land_deleted=True, at_most=most)
    assert one.ids and bool(one.ids.refused) == refused
    assert one.status == ("unexplained" if refused else "explained")
    assert bool(list(bench.root.glob("landing/in/*/*/*"))) != refused
    if refused:
        assert "7 of the table's 60 live records" in str(one.ids.refused)
        assert "View All Data" in str(one.ids.refused) and "--at-most 7" in str(one.ids.refused)


def test_an_org_that_shows_nothing_is_refused_whatever_the_share(bench: Bench) -> None:
    gone(bench, *(row["id"] for row in bench.rows()))
    one = bench.compare(ids=True, land_deleted=True, at_most=VanishLimit(1.0))
    assert one.ids and "no record at all" in str(one.ids.refused) and "--allow-empty" in str(one.ids.refused)
    one = bench.compare(ids=True, land_deleted=True, at_most=VanishLimit(1.0, empty=True))
    assert one.ids and one.ids.landed


def test_another_label_and_another_name_of_the_deleted_field(bench: Bench) -> None:
    gone(bench, bench.rows()[0]["id"])
    bench.compare(ids=True, land_deleted=True, label="prod-eu")
    (path,) = bench.root.glob("landing/in/prod_eu-Salesforce-Account/*/*.parquet")
    assert path.is_file()


@pytest.mark.parametrize(
    ("said", "why"), [({"target": {"deletes": "keep"}}, None), ({"key": ["Name"]}, "its key is not Id")]
)
def test_tables_that_take_no_deletions(bench: Bench, said: dict[str, Any], why: str | None) -> None:
    gone(bench, bench.rows()[0]["id"])
    one = bench.compare(mapping(**said), ids=True, land_deleted=True)
    assert one.ids and one.ids.landed is None
    if why is None:
        assert one.status == "explained" and one.ids.found == {"vanished": {"kept": 1}}
    else:
        assert why in str(one.ids.refused)


def test_an_object_without_deleted_records_and_stamps(bench: Bench) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    bench.org.load("Log__c", [{"Text__c": str(n)} for n in range(5)])
    rows = [{"id": row["Id"]} for row in bench.org.rows("Log__c", ["Id"])]
    write_deltalake(str(bench.root / "warehouse" / "log__c"), pa.Table.from_pylist(rows[1:]))
    one = bench.compare(names=("Log__c",), ids=True)
    assert one.ids and one.ids.found == {"missing": {"unexplained": 1}} and one.status == "unexplained"
