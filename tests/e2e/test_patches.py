"""Refreshed formula fields, Salesforce's list of deletions and vanished records over a table, in whole runs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from e2e.killing import killed
from e2e.org import ACCOUNT, Org, only, record
from e2e.patches import deleted, hour, refresh, vanished
from forceglue.landing.patch import Patch
from forceglue.mapping.load import load_project
from forceglue.run import committing, context, object_run
from forceglue.run.dry_run import dry_run
from forceglue.run.preview import preview
from forceglue.run.replay import replay
from forceglue.run.rewind import points, rewind
from forceglue.run.status import status
from forceglue.write.delta_table import Table

SCORED = ACCOUNT + '  score: {from: Score__c, type: "decimal(10,2)"}\n'
DOUBLE = {"Score__c": pa.float64()}


def at(hour: int) -> datetime:
    return datetime(2024, 5, 6, hour)


def scored(org: Org, *lines: str, keys: str = "ABCD") -> None:
    """Records with a formula field, loaded."""
    org.say("account", SCORED + "".join(f"{line}\n" for line in lines))
    org.land("e1", [record(k, 1, Name=k.lower(), Score__c="1") for k in keys])
    org.run()


def score(key: str, value: Any, stamp: int = 1) -> dict[str, Any]:
    return {"Id": key, "SystemModstamp": stamp, "Score__c": value}


ROWS = [score("A", 1.0), score("B", 2.5), score("C", 9.0, 0), score("D", 4.0, 2), score("E", None), score("X", 1.0)]


def scores(org: Org) -> dict[str, float | None]:
    return {key: found if found is None else float(found) for key, found in org.table("account", "id", "score")}


def alive(org: Org) -> dict[str, bool]:
    return {key: not gone for key, gone in org.table("account", "id", "is_deleted")}


def each_kind(org: Org, execution: str) -> None:
    refresh(org, execution, 2, *ROWS, **DOUBLE)
    deleted(org, execution, 2, F=3, G=0)
    vanished(org, execution, 2, "H", "Z")


def changed_by_each_kind(org: Org) -> None:
    """A run that has each kind before it, and what it is to make of the table."""
    done = only(org.run())
    assert (done.landed, done.written, done.updated, done.superseded) == (10, 5, 5, 5)
    assert done.patched == {"refresh": 3, "deleted": 1, "vanished": 1}
    assert org.table("account", "id", "name", "system_modstamp", "is_deleted", "score") == [
        ("A", "a", at(1), False, Decimal("1.00")),
        ("B", "b", at(1), False, Decimal("2.50")),
        ("C", "c", at(1), False, Decimal("1.00")),  # changed since it was read
        ("D", "d", at(1), False, Decimal("4.00")),  # its new version is on its way; no refresh moves a stamp
        ("E", "e", at(1), False, None),
        ("F", "f", at(3), True, Decimal("1.00")),
        ("G", "g", at(1), False, Decimal("1.00")),  # came back since
        ("H", "h", at(1), True, Decimal("1.00")),
    ]


def test_a_merge_changes_what_each_kind_brings_and_nothing_else(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """As large tables are written, and many rows."""
    monkeypatch.setattr(committing, "suits", lambda *_: False)
    monkeypatch.setattr(context, "FEW_ROWS", 0)
    scored(org, keys="ABCDEFGH")
    each_kind(org, "e2")
    changed_by_each_kind(org)


def test_each_kind_changes_what_it_brings_and_nothing_else(org: Org) -> None:
    scored(org, keys="ABCDEFGH")
    each_kind(org, "e2")
    seen = only(dry_run(org.request()).report)
    changed_by_each_kind(org)
    patched = {"refresh": 3, "deleted": 1, "vanished": 1}
    assert (seen.landed, seen.written, seen.updated, seen.superseded, seen.patched) == (10, 5, 5, 5, patched)
    assert only(org.run()).status == "unchanged"
    each_kind(org, "e3")  # the same again, from another landing
    again = only(org.run())
    assert (again.landed, again.written, again.superseded) == (10, 0, 10)
    assert org.leftovers() == []


def test_a_refresh_that_changes_nothing_writes_no_file_and_builds_no_dataset(org: Org) -> None:
    org.say("all", "mapping: All\nfrom: account\ncolumns: {id: id, score: score}\ndeliver: [csv: {file: all.csv}]\n")
    scored(org)
    files = sorted(p.name for p in (org.root / "warehouse" / "account").rglob("*.parquet"))
    refresh(org, "e2", 2, *(score(k, 1.0) for k in "ABCD"), **DOUBLE)
    report = org.run()
    assert (only(report, "account").landed, only(report, "account").superseded) == (4, 4)
    assert only(report, "All").status == "unchanged"
    assert sorted(p.name for p in (org.root / "warehouse" / "account").rglob("*.parquet")) == files
    refresh(org, "e3", 3, score("B", 2.0), **DOUBLE)
    assert only(org.run(), "All").status == "written"
    assert "B,2.00" in (org.root / "delivery" / "all.csv").read_text().splitlines()


def test_of_several_refreshes_the_newest_stands_in_whatever_order_they_land(org: Org) -> None:
    scored(org)
    refresh(org, "e2", 3, score("A", 3.0), **DOUBLE)
    refresh(org, "e3", 2, score("A", 2.0), score("B", 2.0), **DOUBLE)
    done = only(org.run())
    assert (done.landed, done.written, done.superseded) == (3, 1, 2)
    assert scores(org) == {"A": 3, "B": 1, "C": 1, "D": 1}
    refresh(org, "e4", 2, score("A", 2.0), **DOUBLE)  # an old one that was turned away and lands again
    assert only(org.run()).written == 0
    assert scores(org)["A"] == 3
    assert only(org.run(full_refresh=True)).patched == {"refresh": 1}
    assert scores(org) == {"A": 3, "B": 1, "C": 1, "D": 1}


def test_patches_wait_for_their_table_and_what_lands_after_them_stands(org: Org) -> None:
    org.say("account", SCORED)
    refresh(org, "e1", 0, score("A", 9.0), score("B", 9.0, 2), **DOUBLE)
    vanished(org, "e1", 2, "A")
    assert only(org.run()).status == "unchanged"
    assert not org.there("account")
    assert status(org.request()).mappings[0].files_waiting == 2
    org.land("e2", [record("A", 1, Name="a", Score__c="1"), record("B", 1, Name="b", Score__c="1")])
    done = only(org.run())
    # with one stamp what was ingested later is the later word; B's next version was seen by the refresh
    assert (done.inserted, done.updated, done.superseded) == (2, 1, 2)
    assert scores(org) == {"A": 1, "B": 9}
    assert alive(org) == {"A": True, "B": True}


def test_a_table_that_is_no_picture_of_today_passes_patches_over(org: Org) -> None:
    ways = ("append", "replace", "snapshot")
    for write in ways:
        org.say(write, f"{SCORED}target: {{write: {write}}}\n".replace("mapping: account", f"mapping: {write}"))
    org.land("e1", [record(k, 1, Name=k.lower(), Score__c="1") for k in "AB"])
    org.run()
    before = [Table(org.warehouse, write, write).live_files() for write in ways]
    refresh(org, "e2", 2, score("A", 2.0), **DOUBLE)
    deleted(org, "e2", 2, A=3)
    vanished(org, "e2", 2, "B")
    for report in (dry_run(org.request()).report, org.run()):
        assert [(m.landed, m.superseded, m.written) for m in report.mappings] == [(3, 3, 0)] * 3
    assert [Table(org.warehouse, write, write).live_files() for write in ways] == before
    assert {m.status for m in org.run().mappings} == {"unchanged"}


@pytest.mark.parametrize("deletes", ["mark", "delete", "keep"])
def test_deletions_are_treated_as_the_mapping_says_and_older_versions_stay_away(org: Org, deletes: str) -> None:
    scored(org, f"target: {{deletes: {deletes}}}")
    deleted(org, "e2", 3, A=3)
    vanished(org, "e2", 3, "B")
    done = only(org.run())
    gone = {"mark": {"A": False, "B": False, "C": True, "D": True}, "delete": {"C": True, "D": True}}
    assert alive(org) == gone.get(deletes, dict.fromkeys("ABCD", True))
    assert (done.updated, done.deleted, done.superseded) == {"mark": (2, 0, 0), "delete": (0, 2, 0)}.get(
        deletes, (0, 0, 2)
    )
    # the versions that the table had land once more: B was out of sight for a while, A is deleted
    org.land("e3", [record("A", 1, Name="a", Score__c="1"), record("B", 1, Name="b", Score__c="1")])
    org.run()
    back = {"mark": {"A": False, "B": True, "C": True, "D": True}, "delete": {"B": True, "C": True, "D": True}}
    assert alive(org) == back.get(deletes, dict.fromkeys("ABCD", True))
    # everything anew: what has landed since it vanished has not vanished again
    assert only(org.run(full_refresh=True)).status == "written"
    assert alive(org) == back.get(deletes, dict.fromkeys("ABCD", True))
    # and a record that Salesforce gave back
    org.land("e4", [record("A", 4, Name="again", Score__c="1")])
    org.run()
    assert alive(org)["A"]
    assert only(org.run()).status == "unchanged"


@pytest.mark.parametrize("deletes", ["close", "mark"])
def test_versions_opened_by_a_refresh_and_ended_by_deletions(org: Org, deletes: str) -> None:
    scored(org, f"target: {{write: scd2, deletes: {deletes}, track: [score, is_deleted]}}")
    refresh(org, "e2", 2, score("A", 2.0), score("B", 1.0), score("C", 3.0), **DOUBLE)
    deleted(org, "e2", 5, B=4)
    vanished(org, "e2", 5, "C")
    seen = dry_run(org.request()).report if deletes == "close" else None
    done = only(org.run())
    assert (done.superseded, done.patched) == (1, {"refresh": 2, "deleted": 1, "vanished": 1})
    if seen:
        told = only(seen)
        assert (told.updated, told.deleted, told.superseded) == (done.updated, done.deleted, done.superseded)
        assert told.patched == done.patched
    found = org.table("account", "id", "name", "score", "valid_from", "valid_to", "is_current", "is_deleted")
    one, two, three = Decimal("1.00"), Decimal("2.00"), Decimal("3.00")
    ended = [
        ("A", "a", one, at(1), at(2), False, False),
        ("A", "a", two, at(2), None, True, False),
        ("B", "b", one, at(1), at(4), False, False),
        ("C", "c", one, at(1), at(2), False, False),
        ("C", "c", three, at(2), at(5), False, False),
        ("D", "d", one, at(1), None, True, False),
    ]
    marks = [("B", "b", one, at(4), None, True, True), ("C", "c", three, at(5), None, True, True)]
    assert found == sorted([*ended, *(marks if deletes == "mark" else [])], key=repr)
    if deletes == "mark":
        return
    # the record's own change, from before the refresh that already saw it: no version ends before it began
    org.land(
        "e4", [{"Id": "A", "Name": "new", "SystemModstamp": "2024-05-06T01:30:00Z", "Score__c": "5", "IsDeleted": ""}]
    )
    org.run()
    assert org.table("account", "name", "valid_from", "valid_to", where="id = 'A' AND score = 5") == [
        ("new", at(2), None)
    ]
    assert org.table("account", where="valid_to < valid_from") == []


def test_rules_judge_the_whole_row_and_a_row_set_aside_keeps_its_old_value(org: Org) -> None:
    scored(
        org,
        "on_drift: freeze",
        "quality:",
        "  quarantine: {low: \"score < 5 or name = 'd'\"}",
        "  drop: {not_c: \"score = 1 or name <> 'c'\"}",
        "  warn: {not_negative: score >= 0}",
    )
    refresh(
        org,
        "e2",
        2,
        score("A", "-2"),
        score("B", "9"),
        score("C", "3"),
        score("D", "9"),
        score("Q", "99"),
        score("E", "1"),
    )
    org.land("e2", [record("Q", 1, Name="q", Score__c="50"), record("E", 1, Name="e", Score__c="soon")])
    seen, done = only(dry_run(org.request()).report), only(org.run())
    assert (done.quarantined, done.dropped, done.updated, done.superseded) == (3, 1, 2, 2)
    assert (seen.quarantined, seen.dropped, seen.updated, seen.superseded) == (3, 1, 2, 2)
    assert {r.name: (r.passed, r.failed) for r in done.rules if r.name != "cast_score"} == {
        "low": (2, 3), "not_c": (5, 1), "not_negative": (3, 2),
    }  # fmt: skip
    assert scores(org) == {"A": -2, "B": 1, "C": 1, "D": 9}
    assert org.why() == [("B", ("low",)), ("E", ("cast_score", "low", "not_negative")), ("Q", ("low",))]
    assert org.aside()[0].raw == {"Id": "B", "SystemModstamp": "2024-05-06T01:00:00.000Z", "Score__c": "9"}
    # a value that does not fit, beside one that is null as it was
    refresh(org, "e3", 3, score("A", "much"), score("B", "1"))
    assert only(org.run()).quarantined == 1
    assert scores(org)["A"] == -2
    # a part of a record is no record: the rule that set B aside is gone, and B's name must not be lost
    org.say("account", SCORED)
    done = only(replay(org.request()))
    assert (done.landed, done.written, done.quarantined) == (2, 1, 1)
    assert "1 refreshed row left out" in done.warnings[0]
    assert [row[:2] for row in org.table("account", "id", "name")] == [
        ("A", "a"),
        ("B", "b"),
        ("C", "c"),
        ("D", "d"),
        ("Q", "q"),
    ]
    assert org.why() == [("E", ("cast_score",))]


def test_a_replay_with_nothing_but_refreshed_rows(org: Org) -> None:
    scored(org, "quality: {quarantine: {low: score < 5}}")
    refresh(org, "e2", 2, score("A", 9.0), **DOUBLE)
    assert only(org.run()).quarantined == 1
    done = only(replay(org.request()))
    assert (done.landed, done.status, len(done.warnings)) == (0, "written", 1)
    assert (org.why(), org.plain_aside()) == ([], [])
    assert scores(org)["A"] == 1


def test_a_refresh_leaves_the_rows_that_the_one_before_set_aside_behind(org: Org) -> None:
    scored(org, "quality: {quarantine: {low: score < 5}}")
    org.land("e2", [record("Q", 1, Name="q", Score__c="50")])
    refresh(org, "e2", 2, score("A", 9.0), score("B", 9.0), **DOUBLE)
    org.run()
    assert org.why() == [(key, ("low",)) for key in "ABQ"]
    refresh(org, "e3", 3, score("A", 8.0), score("B", 2.0), **DOUBLE)
    assert only(org.run()).quarantined == 1
    assert [(row.record, (row.raw or {})["Score__c"]) for row in org.aside()] == [("A", "8.0"), ("Q", "50")]
    assert org.plain_aside() == ["A", "Q"]
    refresh(org, "e4", 4, score("A", 1.0), score("B", 1.0), **DOUBLE)
    with killed(object_run, "settle", "before"):  # the table has it, and the quarantine has not heard
        org.run()
    assert (org.why(), scores(org)["B"]) == ([("Q", ("low",))], 1)
    assert only(org.run()).status == "unchanged"
    assert org.plain_aside() == ["Q"]
    project = load_project(org.root / "mappings")
    rewind(org.warehouse, project, "account", str(points(org.warehouse, project, "account")[1].version))
    assert (org.why(), scores(org)["B"]) == ([("A", ("low",)), ("Q", ("low",))], 2)
    assert only(org.run()).patched == {"refresh": 1}
    assert org.plain_aside() == ["Q"]


def test_a_gate_that_stops_a_refresh_leaves_the_rest_in_place(org: Org) -> None:
    scored(org, "quality: {fail: {low: score < 5}}")
    org.land("e2", [record("N", 1, Name="n", Score__c="1")])
    refresh(org, "e2", 2, score("A", 9.0), score("B", 2.0), **DOUBLE)
    deleted(org, "e2", 2, C=2)
    seen, done = dry_run(org.request()).report, org.run()
    for report in (seen, done):
        one = only(report)
        assert (report.status, one.status, one.written, one.landed, one.held) == ("failed", "stopped", 2, 2, 2)
    assert scores(org) == dict.fromkeys("ABCDN", 1)
    assert not alive(org)["C"]
    org.say("account", SCORED)
    assert only(org.run()).patched == {"refresh": 2}


def test_columns_made_of_refreshed_fields(org: Org) -> None:
    """Through SQL, through a lookup, and only where all that they are made of has been read again."""
    org.say("user", "mapping: user\nsource: User\ncolumns: {id: Id, name: Name}\n")
    org.say(
        "account",
        f"""{ACCOUNT}  owner: owner.Name
  doubled: {{sql: "Score__c * 2", type: int}}
  both: {{sql: "concat(Score__c, Name)"}}
  origin: {{value: salesforce}}
lookups: {{owner: {{object: User, by: Owner__c}}, other: {{object: User, by: Other__c}}}}
where: Score__c > 0
""",
    )
    org.land("e1", [record("U1", Name="Ann"), record("U2", Name="Bob")], token="User")
    org.land("e1", [record(k, 1, Name="n", Score__c="1", Owner__c="U1") for k in "ABC"])
    org.run()
    refresh(
        org, "e2", 2,
        {"Id": "A", "SystemModstamp": 1, "Score__c": "3", "Owner__c": "U2"},
        {"Id": "B", "SystemModstamp": 1, "Score__c": "0", "Owner__c": "U2"},
        {"Id": "C", "SystemModstamp": 1, "Score__c": "1", "Owner__c": "U1"},
    )  # fmt: skip
    done = only(org.run(), "account")
    assert (done.updated, done.filtered, done.superseded) == (1, 1, 1)
    assert org.table("account", "id", "owner", "doubled", "both", "origin") == [
        ("A", "Bob", 6, "1n", "salesforce"), ("B", "Ann", 2, "1n", "salesforce"), ("C", "Ann", 2, "1n", "salesforce"),
    ]  # fmt: skip


def test_a_table_of_typed_fields_with_another_key_and_no_mapping_file(org: Org) -> None:
    org.project("objects: {key: [Code__c], order_by: Version__c, deleted: Gone__c, naming: source}\n")
    typed = {"Code__c": pa.int64(), "Version__c": pa.int64(), "Score__c": pa.float64(), "Gone__c": pa.bool_()}

    def rows(execution: str, kind: str | None, *found: dict[str, Any]) -> None:
        names = list(found[0])
        table = pa.table({n: pa.array([row[n] for row in found], typed.get(n, pa.string())) for n in names})
        if kind:
            table = table.replace_schema_metadata(Patch(kind, hour(2)).footer())  # type: ignore[arg-type]
        org.land(execution, table, token="Thing__c", file=f"{kind}.parquet")

    whole = {"Name": "n", "Score__c": 1.0, "Gone__c": False, "Version__c": 7}
    rows("e1", None, *({"Code__c": n, **whole} for n in (1, 2, 3)))
    org.run()
    rows(
        "e2",
        "refresh",
        {"Code__c": 1, "Version__c": 7, "Score__c": 2.5},
        {"Code__c": 2, "Version__c": 6, "Score__c": 3.0},
    )
    rows(
        "e2",
        "deleted",
        {"Code__c": 2, "Gone__c": True, "Version__c": 8},
        {"Code__c": 1, "Gone__c": True, "Version__c": 6},
    )
    rows("e2", "vanished", {"Code__c": 3, "Gone__c": True})
    done = only(org.run())
    assert done.patched == {"refresh": 1, "deleted": 1, "vanished": 1}
    assert org.table("thing__c", "Code__c", "Name", "Score__c", "Gone__c", "Version__c") == [
        (1, "n", 2.5, False, 7), (2, "n", 1.0, True, 8), (3, "n", 1.0, True, 7),
    ]  # fmt: skip


def test_another_run_between_the_commits_of_one(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planned anew from the table that the other one left; what was committed before stays told."""
    scored(org)
    org.land("e2", [record("N", 1, Name="n", Score__c="1")])
    refresh(org, "e2", 2, score("A", 2.0), **DOUBLE)
    real, inner = object_run.set_aside, []

    def meanwhile(*args: Any, **named: Any) -> Any:
        if len(inner) == 1:  # this is the refresh; the records are in
            inner.append(None)
            refresh(org, "e3", 3, score("A", 3.0), score("B", 3.0), **DOUBLE)
            inner[1] = only(org.run())
        elif not inner:
            inner.append(None)
        return real(*args, **named)

    monkeypatch.setattr(object_run, "set_aside", meanwhile)
    outer = only(org.run())
    assert (outer.status, outer.landed, outer.inserted) == ("written", 1, 1)
    assert (inner[1].landed, inner[1].superseded, inner[1].patched) == (3, 1, {"refresh": 2})
    assert scores(org) == {"A": 3, "B": 3, "C": 1, "D": 1, "N": 1}
    assert only(org.run()).status == "unchanged"


def test_files_of_other_types_than_the_table_wait_and_the_rest_goes_on(org: Org) -> None:
    scored(org)
    org.say("account", SCORED.replace("decimal(10,2)", "double"))
    refresh(org, "e2", 2, score("A", 2.0), **DOUBLE)
    deleted(org, "e2", 2, B=2)
    done = only(org.run())
    assert (done.status, done.held, done.patched) == ("stopped", 1, {"deleted": 1})
    assert "score is decimal(10,2) there and double in the mapping" in (done.error or "")
    org.say("account", SCORED)
    assert only(org.run()).patched == {"refresh": 1}


def test_freeze_refuses_no_patch_and_a_patch_tells_no_drift(org: Org) -> None:
    scored(org, "on_drift: freeze", "rest: keep")
    refresh(org, "e2", 2, {**score("A", 2.0), "New__c": "x"}, **DOUBLE)
    vanished(org, "e2", 2, "B")
    done = only(org.run())
    assert (done.status, done.drift, done.patched) == ("written", (), {"refresh": 1, "vanished": 1})
    assert "new__c" not in " ".join(org.columns())
    # what is told against is still the last whole record
    org.land("e3", [record("C", 2, Name="c", Score__c="7")])
    assert (only(org.run()).status, scores(org)["C"]) == ("written", 7)
    # and while records wait, patches do not
    org.land("e4", [{"Id": "C", "SystemModstamp": "2024-05-06T09:00:00Z"}])
    refresh(org, "e4", 3, score("D", 2.0), **DOUBLE)
    done = only(org.run())
    assert (done.status, done.held, done.patched) == ("stopped", 1, {"refresh": 1})


def test_a_refresh_brings_a_column_that_the_mapping_has_just_been_given(org: Org) -> None:
    org.say("account", ACCOUNT)
    org.land("e1", [record(k, 1, Name=k.lower(), Score__c="1") for k in "AB"])
    org.run()
    org.say("account", SCORED)
    refresh(org, "e2", 2, score("A", 2.0), score("B", None), **DOUBLE)
    assert only(org.run()).updated == 1
    assert scores(org) == {"A": 2, "B": None}


def test_a_look_at_what_waits_and_the_way_back(org: Org) -> None:
    scored(org, "target: {deletes: delete}")
    refresh(org, "e2", 2, score("A", 2.0), **DOUBLE)
    vanished(org, "e2", 2, "B")
    assert status(org.request()).mappings[0].files_waiting == 2
    seen = preview(org.request(), "account")
    assert seen.origin == "new files"
    assert [(row["id"], row["name"], row["score"], row["is_deleted"]) for row in seen.rows] == [
        ("A", "a", 2.0, False),
        ("B", "b", 1.0, True),
    ]
    told = dry_run(org.request())
    assert ("account", "1 updated, 1 deleted (of them 1 refreshed, 1 vanished)") in told.told()
    org.run()
    assert scores(org) == {"A": 2, "C": 1, "D": 1}
    assert status(org.request()).mappings[0].files_waiting == 0
    project = load_project(org.root / "mappings")
    first = points(org.warehouse, project, "account")[-1]
    back = rewind(org.warehouse, project, "account", str(first.version))
    assert [path.rpartition("/")[2] for path in back.again] == ["refresh.parquet", "vanished.parquet"]
    assert scores(org) == {"A": 1, "B": 1, "C": 1, "D": 1}
    # B was taken out by the vanished file alone: once that is gone, its version is as any other
    for path in (org.root / "landing" / "processed").rglob("vanished.parquet*"):
        path.unlink()
    org.land("e3", [record("B", 1, Name="b", Score__c="1")])
    assert only(org.run()).patched == {"refresh": 1}
    assert scores(org) == {"A": 2, "B": 1, "C": 1, "D": 1}
