"""Gates that stop, mappings that fail, and what stands on them; the report as the issue describes it."""

from __future__ import annotations

import json

import pytest

from e2e.org import ACCOUNT, Org, only, record
from forceglue.run.dry_run import dry_run

COUNTS = ("landed", "written", "inserted", "updated", "deleted", "superseded", "filtered", "dropped", "quarantined")
CONTACT = ACCOUNT.replace("account", "contact").replace("Account", "Contact")
ALL = "mapping: {0}\nfrom: {1}\ncolumns: {{id: id, name: name}}\nkey: id\ndeliver: [csv: {{file: {0}.csv}}]\n"


@pytest.mark.parametrize(
    "gate",
    [
        "quality: {fail: {named: name is not null}}",
        "expectations: [expect_table_row_count_to_be_between: {min_value: 3}]",
        "expectations: [expect_column_values_to_not_be_null: {column: name}]",
        "expectations: [{expect_column_values_to_be_unique: {column: name}, on_failure: fail}]",
    ],
)
def test_a_gate_stops_before_anything_is_written_and_loads_once_mended(org: Org, gate: str) -> None:
    org.say("account", ACCOUNT + gate + "\n")
    org.say("contact", CONTACT)
    org.say("all", ALL.format("All", "account"))
    org.say("people", ALL.format("People", "contact"))
    org.land(
        "e1",
        [record("A", 1, Name="a"), record("B", 1)]
        if "unique" not in gate
        else [record("A", 1, Name="a"), record("B", 1, Name="a")],
    )
    org.land("e1", [record("C", 1, Name="c")], token="Contact")
    told = org.command("run", "--quick", "--json")
    assert told.code == 1
    report = json.loads(told.out)
    found = {m["name"]: m for m in report["mappings"]}
    assert {n: m["status"] for n, m in found.items()} == {
        "account": "stopped",
        "contact": "written",
        "All": "skipped",
        "People": "written",
    }
    assert [found["account"][c] for c in COUNTS] == [0] * 9
    assert (found["account"]["held"], found["account"]["balance"]) == (2, True)
    assert "account" in found["All"]["error"]
    assert not org.there("account") and not (org.root / "warehouse" / "_quarantine" / "account").exists()
    assert sorted(p.name for p in (org.root / "delivery").iterdir()) == ["People.csv"]
    assert org.leftovers() == []
    # the mapping mended: the same files load, once
    org.say("account", ACCOUNT)
    report = org.run()
    assert {m.name: (m.status, m.landed) for m in report.mappings} == {
        "account": ("written", 2), "contact": ("unchanged", 0), "All": ("written", 2), "People": ("unchanged", 0),
    }  # fmt: skip
    assert [row[0] for row in org.table("account", "id")] == ["A", "B"]


def test_a_stop_in_an_increment_leaves_the_table_as_it_was(org: Org) -> None:
    gate = "quality: {fail: {named: name is not null}, quarantine: {short: length(name) < 5}}\n"
    org.say("account", ACCOUNT + gate)
    org.land("e1", [record("A", 1, Name="a"), record("Q", 1, Name="much too long")])
    org.run()
    before, version = org.table(), org.version()
    org.land("e2", [record("A", 2, Name="a2"), record("B", 2), record("R", 2, Name="much too long")])
    done = only(org.run())
    assert (done.status, done.held) == ("stopped", 3)
    assert {r.name: (r.passed, r.failed) for r in done.rules} == {"named": (2, 1), "short": (2, 1)} or done.rules
    assert (org.table(), org.version(), org.plain_aside()) == (before, version, ["Q"])
    # mended by the data: a newer version of the bad record does not help, the batch is judged by what stands
    org.land("e3", [record("B", 3, Name="b3")])
    done = only(org.run())
    assert (done.status, done.landed, done.written, done.superseded, done.quarantined) == ("written", 4, 2, 1, 1)
    assert org.table("account", "id", "name") == [("A", "a2"), ("B", "b3")]
    assert org.plain_aside() == ["Q", "R"]


def test_a_dataset_whose_key_is_not_unique_is_not_delivered(org: Org) -> None:
    org.say("account", ACCOUNT)
    org.say(
        "all",
        "mapping: All\nfrom: account\ngrain: one row an account\ncolumns: {name: name}\nkey: name\ndeliver: [csv: {file: all.csv}]\n",
    )
    org.land("e1", [record("A", 1, Name="same"), record("B", 1, Name="same"), record("C", 1, Name="c")])
    done = only(org.run(), "All")
    assert (done.status, done.held) == ("stopped", 3)
    assert "key_is_unique" in (done.error or "")
    assert not (org.root / "delivery" / "all.csv").exists()
    org.land("e2", [record("B", 2, Name="other")])
    assert only(org.run(), "All").written == 3


def test_a_join_that_would_multiply_rows_stops_the_dataset_unless_it_is_meant(org: Org) -> None:
    org.say("account", ACCOUNT + "  city: City\n")
    org.say("contact", CONTACT + "  city: City\n")
    joined = "mapping: All\nfrom: account\njoins: [{table: contact, by: {city: city}%s}]\ncolumns: {id: id, who: contact.name}\n"
    org.say("all", joined % "")
    org.land("e1", [record("A", 1, City="x"), record("B", 1, City="y"), record("C", 1), record("D", 1)])
    org.land(
        "e1", [record("P", 1, Name="p", City="x"), record("Q", 1, Name="q", City="z"), record("R", 1)], token="Contact"
    )
    done = only(org.run(), "All")
    assert (done.status, done.written) == ("written", 4)
    assert [(r.name, r.passed, r.failed) for r in done.rules] == [("one_match_in_contact", 2, 0)]
    org.land("e2", [record("S", 1, Name="s", City="x")], token="Contact")
    for seen in (only(dry_run(org.request()).report, "All"), only(org.run(), "All")):
        assert (seen.status, seen.written) == ("stopped", 0)
        assert "one_match_in_contact" in (seen.error or "")
    org.say("all", joined % ", one: false")
    done = only(org.run(), "All")
    assert (done.status, done.written, done.rules) == ("written", 5, ())
    # by its key a table has one row at most: nothing needs to be asked
    org.say("all", "mapping: All\nfrom: account\njoins: [{table: contact, by: {id: id}}]\ncolumns: {id: id}\n")
    assert only(org.run(), "All").rules == ()


def test_one_failing_mapping_does_not_stop_the_others(org: Org) -> None:
    """Its SQL fails on a row, as Spark's ANSI functions can; what stands on it is skipped."""
    org.say("account", ACCOUNT + "  n: {sql: \"CASE WHEN Name = 'boom' THEN raise_error('told') ELSE 'ok' END\"}\n")
    if org.command("check").code:  # an expression that may raise is refused; one that divides is not
        org.say("account", ACCOUNT + "  n: {sql: \"assert_true(Name <> 'boom')\"}\n")
    if org.command("check").code:
        org.say("account", ACCOUNT + "  n: {sql: \"to_date(Name, 'Q q Q')\"}\n")
    assert org.command("check").code == 0
    org.say("contact", CONTACT)
    org.say("all", ALL.format("All", "account"))
    org.say("more", ALL.format("More", "All"))
    org.say("people", ALL.format("People", "contact"))
    org.land("e1", [record("A", 1, Name="boom")])
    org.land("e1", [record("C", 1, Name="c")], token="Contact")
    told = org.command("run", "--quick", "--json")
    assert told.code == 1
    found = {m["name"]: m for m in json.loads(told.out)["mappings"]}
    assert {n: m["status"] for n, m in found.items()} == {
        "account": "failed",
        "contact": "written",
        "All": "skipped",
        "More": "skipped",
        "People": "written",
    }
    assert found["account"]["error"]
    assert org.table("contact", "id") == [("C",)]
    assert sorted(p.name for p in (org.root / "delivery").iterdir()) == ["People.csv"]
    # mended, the same landing loads
    org.say("account", ACCOUNT + "  n: Name\n")
    assert {m.name: m.status for m in org.run().mappings} == {
        "account": "written",
        "contact": "unchanged",
        "All": "written",
        "More": "written",
        "People": "unchanged",
    }


def test_named_mappings_run_with_what_they_need(org: Org) -> None:
    org.say("account", ACCOUNT)
    org.say("contact", CONTACT)
    org.say("all", ALL.format("All", "account"))
    org.land("e1", [record("A", 1, Name="a")])
    org.land("e1", [record("C", 1, Name="c")], token="Contact")
    assert [m.name for m in org.run("All").mappings] == ["account", "All"]
    assert [m.status for m in org.run("contact").mappings] == ["written"]


def test_the_report_has_the_shape_that_the_issue_names(org: Org) -> None:
    org.say(
        "account",
        ACCOUNT + "where: name <> 'out' or name is null\nquality:\n  quarantine: {named: name is not null}\n"
        "  drop: {no_test: \"name not like 'TEST%' or name is null\"}\n  warn: {short: length(name) < 5}\n",
    )  # fmt: skip
    org.land("e1", [
        record("A", 1, Name="a1"), record("A", 0, Name="a0"), record("B", 1, Name="longer"), record("C", 1, Name="out"),
        record("D", 1, Name="TEST 1"), record("E", 1), record("", 1, Name="f"),
    ])  # fmt: skip
    run = org.run()
    report = org.report(run)
    assert {"run_id", "status", "started", "finished", "mappings"} <= report.keys()
    assert (report["run_id"], report["status"]) == (run.run_id, "succeeded")
    assert report["started"] <= report["finished"] and report["started"].endswith("Z")
    (mapping,) = report["mappings"]
    assert {"name", "status", "seconds", "rules", *COUNTS} <= mapping.keys()
    assert {c: mapping[c] for c in COUNTS} == {
        "landed": 7, "written": 2, "inserted": 2, "updated": 0, "deleted": 0, "superseded": 1, "filtered": 1, "dropped": 1, "quarantined": 2,
    }  # fmt: skip
    assert mapping["balance"] is True and mapping["seconds"] > 0
    rules = {r["name"]: r for r in mapping["rules"]}
    assert all({"name", "severity", "passed", "failed"} <= r.keys() for r in rules.values())
    told = {n: (r["severity"], r["passed"], r["failed"]) for n, r in rules.items()}
    assert told["no_test"] == ("drop", 4, 1)
    assert told["named"] == ("quarantine", 3, 1)
    assert told["key_is_set"] == ("quarantine", 3, 1)
    assert told["short"] == ("warn", 2, 2)
    assert (org.root / "warehouse" / "_runs" / run.run_id / "report.html").stat().st_size > 1000
    assert (org.root / "warehouse" / "_runs" / run.run_id / "data_docs").is_dir()


def test_rules_of_a_whole_file(org: Org) -> None:
    org.say("account", ACCOUNT + "quality: {reject_file: {named: name is not null}}\n")
    org.land("e1", [record("A", 1, Name="a"), record("B", 1)])
    org.land("e2", [record("C", 1, Name="c"), record("A", 0, Name="older")])
    done = only(org.run())
    assert (done.landed, done.written, done.quarantined) == (4, 2, 2)
    assert org.table("account", "id", "name") == [("A", "older"), ("C", "c")]
    assert [key for key, _ in org.why()] == ["A", "B"]
