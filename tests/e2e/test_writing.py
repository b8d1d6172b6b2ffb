"""Every way to write and every way to treat deletes, two loads each; full refresh; objects without a mapping."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from e2e.org import ACCOUNT, Org, only, record
from forceglue.mapping.load import load_project
from forceglue.run.dry_run import dry_run
from forceglue.run.rewind import points, rewind

ONE = datetime(2024, 5, 6, 1)
TWO = datetime(2024, 5, 6, 2)


def loads(org: Org, write: str, more: str = "") -> tuple[Any, Any]:
    """A full load with an older version in it, then an hour: new, changed, unchanged, late and deleted records."""
    org.say("account", f"{ACCOUNT}target: {{write: {write}{more}}}\n")
    org.land(
        "e1",
        [
            record("A", 1, Name="a1"),
            record("A", 0, Name="a0"),
            record("B", 1, Name="b1"),
            record("C", 1, Name="c1"),
            record("X", 1, Name="x1", IsDeleted="true"),
        ],
    )
    first = only(org.run())
    org.land(
        "e2",
        [
            record("A", 2, Name="a2"),
            record("B", 2, Name="b2", IsDeleted="true"),
            record("C", 0, Name="late"),
            record("D", 2, Name="d2"),
            record("Y", 2, Name="y2", IsDeleted="true"),
        ],
    )
    second = only(org.run())
    assert (first.status, second.status, first.landed, second.landed) == ("written", "written", 5, 5)
    assert only(org.run()).status == "unchanged"
    return first, second


def test_upsert(org: Org) -> None:
    first, second = loads(org, "upsert")
    assert (first.inserted, first.superseded) == (4, 1)
    assert (second.inserted, second.updated, second.superseded) == (2, 2, 1)
    assert org.table("account", "id", "name", "is_deleted") == [
        ("A", "a2", False), ("B", "b2", True), ("C", "c1", False), ("D", "d2", False), ("X", "x1", True), ("Y", "y2", True),
    ]  # fmt: skip


def test_append(org: Org) -> None:
    first, second = loads(org, "append")
    assert (first.written, second.written) == (5, 5)
    assert len(org.table()) == 10


def test_replace(org: Org) -> None:
    _, second = loads(org, "replace")
    assert (second.written, second.superseded) == (5, 0)
    assert [row[0] for row in org.table("account", "id")] == ["A", "B", "C", "D", "Y"]
    # two loads at once: the later one is all that stands, the earlier is superseded
    org.land("e3", [record("E", 3, Name="e")])
    org.land("e4", [record("F", 3, Name="f")])
    done = only(org.run())
    assert (done.landed, done.written, done.superseded) == (2, 1, 1)
    assert org.table("account", "id") == [("F",)]


def test_snapshot(org: Org) -> None:
    loads(org, "snapshot")
    found = org.table("account", "snapshot_at", "id")
    stamps = sorted({row[0] for row in found})
    assert len(stamps) == 2
    assert [[key for at, key in found if at == stamp] for stamp in stamps] == [
        ["A", "B", "C", "X"],
        ["A", "B", "C", "D", "Y"],
    ]


def test_scd2(org: Org) -> None:
    _, second = loads(org, "scd2")
    assert (second.inserted, second.updated, second.deleted, second.superseded, second.filtered) == (1, 1, 1, 2, 0)
    assert org.table("account", "id", "name", "valid_from", "valid_to", "is_current") == [
        ("A", "a1", ONE, TWO, False), ("A", "a2", TWO, None, True), ("B", "b1", ONE, TWO, False),
        ("C", "c1", ONE, None, True), ("D", "d2", TWO, None, True),
    ]  # fmt: skip
    # a record that comes back after its delete
    org.land("e3", [record("B", 3, Name="b3")])
    assert only(org.run()).inserted == 1
    assert [row[1:] for row in org.table("account", "id", "name", "is_current", where="id = 'B'")] == [
        ("b1", False),
        ("b3", True),
    ]


def test_scd2_tracks_only_what_it_is_told(org: Org) -> None:
    org.say("account", f"{ACCOUNT}  note: Note\ntarget: {{write: scd2, track: [name]}}\n")
    org.land("e1", [record("A", 1, Name="a", Note="n1")])
    org.run()
    org.land("e2", [record("A", 2, Name="a", Note="n2")])
    done = only(org.run())
    assert (done.updated, done.inserted) == (1, 0)
    assert org.table("account", "id", "name", "note", "is_current") == [("A", "a", "n2", True)]


@pytest.mark.parametrize("deletes", ["mark", "delete", "keep"])
def test_deletes(org: Org, deletes: str) -> None:
    first, second = loads(org, "upsert", f", deletes: {deletes}")
    found = {row[0]: row[1:] for row in org.table("account", "id", "name", "is_deleted")}
    if deletes == "mark":
        assert found["B"] == ("b2", True) and found["Y"] == ("y2", True)
    elif deletes == "delete":
        assert sorted(found) == ["A", "C", "D"]
        assert (first.filtered, second.deleted) == (1, 1)
    else:
        assert sorted(found) == ["A", "B", "C", "D"] and found["B"] == ("b1", False)
        assert (first.filtered, second.filtered) == (1, 2)


def test_a_late_version_does_not_bring_a_deleted_record_back(org: Org) -> None:
    org.say("account", f"{ACCOUNT}target: {{deletes: delete}}\n")
    org.land("e1", [record("A", 1, Name="a1"), record("B", 5, Name="b5", IsDeleted="true"), record("C", 1, Name="c1")])
    org.run()
    assert [row[0] for row in org.table("account", "id")] == ["A", "C"]
    org.land("e2", [record("A", 5, Name="a5", IsDeleted="true")])
    assert only(org.run()).deleted == 1
    org.land("e3", [record("A", 3, Name="a3"), record("B", 3, Name="b3"), record("C", 3, Name="c3")])
    seen = only(dry_run(org.request()).report)
    done = only(org.run())
    assert (done.written, done.superseded) == (1, 2) == (seen.written, seen.superseded)
    assert org.table("account", "id", "name") == [("C", "c3")]
    # a record that Salesforce gave back is newer than its deletion
    org.land("e4", [record("A", 6, Name="a6"), record("B", 4, Name="b4")])
    assert only(org.run()).written == 1
    assert org.table("account", "id", "name") == [("A", "a6"), ("C", "c3")]
    assert only(org.run(full_refresh=True)).status == "written"
    assert org.table("account", "id", "name") == [("A", "a6"), ("C", "c3")]
    org.land("e5", [record("B", 4, Name="b4")])
    org.run()
    assert org.table("account", "id", "name") == [("A", "a6"), ("C", "c3")]


def test_going_back_behind_a_deletion_forgets_it(org: Org) -> None:
    org.say("account", f"{ACCOUNT}target: {{deletes: delete}}\n")
    org.land("e1", [record("A", 1, Name="a1")])
    org.run()
    org.land("e2", [record("A", 5, Name="wrongly", IsDeleted="true")])
    org.run()
    assert org.table("account", "id") == []
    project = load_project(org.root / "mappings")
    before = points(org.warehouse, project, "account")[1]
    rewind(org.warehouse, project, "account", str(before.version))
    (bad,) = (
        path for path in (org.root / "landing" / "processed").rglob("e2/*") if not path.name.endswith(".facts.json")
    )
    for path in bad.parent.iterdir():
        path.unlink()
    org.land("e3", [record("A", 3, Name="a3")])
    assert only(org.run()).written == 1
    assert org.table("account", "id", "name") == [("A", "a3")]


@pytest.mark.parametrize("write", ["append", "replace", "snapshot"])
def test_only_an_upsert_holds_late_versions_back(org: Org, write: str) -> None:
    org.say("account", f"{ACCOUNT}target: {{write: {write}, deletes: delete}}\n")
    org.land("e1", [record("A", 5, Name="a5", IsDeleted="true"), record("B", 1, Name="b1")])
    org.run()
    org.land("e2", [record("A", 3, Name="a3")])
    assert only(org.run()).written == 1
    assert ("A", "a3") in org.table("account", "id", "name")


@pytest.mark.parametrize("write", ["upsert", "append", "replace", "snapshot", "scd2"])
def test_a_full_refresh_is_a_first_load_again(org: Org, write: str) -> None:
    org.say("account", f"{ACCOUNT}target: {{write: {write}}}\nquality: {{quarantine: {{named: name is not null}}}}\n")
    org.land("e1", [record("A", 1, Name="a1"), record("B", 1, Name="b1"), record("Q", 1)])
    org.land("e2", [record("A", 2, Name="a2"), record("C", 2, Name="c2"), record("R", 2)])
    org.run()
    stable = [c for c in org.columns() if c != "snapshot_at"]
    fresh, aside = org.table("account", *stable), org.why()
    org.land("e3", [record("D", 3, Name="d3")])
    org.run()
    done = only(org.run(full_refresh=True))
    assert (done.status, done.landed) == ("written", 7)
    wanted = [("D", "d3", datetime(2024, 5, 6, 3), False)] if write == "replace" else None
    if wanted is None:
        new = [row for row in org.table("account", *stable) if row[0] != "D"]
        assert new == fresh
        assert org.why() == aside
    else:
        assert org.table("account", *stable) == wanted
        assert org.why() == []
    assert only(org.run()).status == "unchanged"
    assert [key for key, _ in org.why()] == org.plain_aside()


@pytest.mark.parametrize("unmapped", ["load", "ignore", "error"])
def test_objects_without_a_mapping(org: Org, unmapped: str) -> None:
    org.project(f"unmapped: {unmapped}\n")
    org.say("account", ACCOUNT)
    org.land("e1", [record("A", 1, Name="a")])
    org.land("e1", [record("S", 1, BillingCity="x")], token="AccountContactRelation")
    report = org.run()
    assert only(report, "account").written == 1
    if unmapped == "load":
        assert only(report, "account_contact_relation").written == 1
        assert org.columns("account_contact_relation") == ["id", "billing_city", "system_modstamp", "is_deleted"]
    elif unmapped == "ignore":
        assert (org.landed("in"), report.ingest.rejected) == (["part.csv"], ())
    else:
        assert org.landed("error") == ["part.csv"]
        assert [r.code for r in report.ingest.rejected] == ["unknown_object"]
    assert org.there("account_contact_relation") is (unmapped == "load")
