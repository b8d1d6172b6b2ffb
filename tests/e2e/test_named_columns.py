"""Columns whose names hold blanks, quotes and brackets: Delta keeps them under names of its own."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.org import Org, only, record

NAMES = {
    "Account Id": "Id",
    "Naïve (full) name": "Name",
    "it's [b]": "Kind",
    'say "x"': "Said",
    "a`b": "Tick",
    "a.b": "Dot",
    "=,;{}": "Odd",
}
MAPPING = "mapping: account\nsource: Account\ncolumns:\n" + "".join(
    f"  {name!r}: {field}\n" for name, field in NAMES.items() if "'" not in name
)
MAPPING += '  "it\'s [b]": Kind\n  stamp at: {from: SystemModstamp, type: timestamp}\n  is deleted: {from: IsDeleted, type: boolean}\n'


def full(key: str, hour: int, **more: Any) -> dict[str, Any]:
    return record(
        key, hour, **{"Name": f"n {key}", "Kind": "k", "Said": '"', "Tick": "`", "Dot": ".", "Odd": "=", **more}
    )


def few(org: Org, name: str = "account") -> list[tuple[Any, ...]]:
    frame = org.spark.read.format("delta").load(str(org.root / "warehouse" / name))
    return sorted(
        tuple(r) for r in frame.selectExpr("`Account Id`", "`Naïve (full) name`", "`it's [b]`", "`a``b`").collect()
    )


@pytest.mark.parametrize("write", ["upsert", "append", "replace", "snapshot", "scd2"])
def test_every_way_to_write(org: Org, write: str) -> None:
    org.say(
        "account",
        f"{MAPPING}target: {{write: {write}}}\nquality: {{quarantine: {{named: '`Naïve (full) name` is not null'}}}}\n",
    )
    org.land("e1", [full("A", 1), full("B", 1), full("Q", 1, Name=None)])
    done = only(org.run())
    assert (done.status, done.written, done.quarantined, done.error) == ("written", 2, 1, None)
    assert set(NAMES) <= set(org.columns())
    assert few(org) == [("A", "n A", "k", "`"), ("B", "n B", "k", "`")]
    org.land("e2", [full("A", 2, Name="new"), full("C", 2), full("R", 2, Name=None)])
    done = only(org.run())
    assert (done.status, done.written, done.quarantined, done.error) == ("written", 2, 1, None)
    new, old = ("A", "new", "k", "`"), ("A", "n A", "k", "`")
    rest = [("B", "n B", "k", "`"), ("C", "n C", "k", "`")]
    wanted = {"upsert": [new, *rest], "replace": [new, rest[1]]}.get(write, [old, new, *rest])
    assert few(org) == sorted(wanted)
    assert [key for key, _ in org.why()] == (["R"] if write == "replace" else ["Q", "R"])
    assert only(org.run()).status == "unchanged"
    # full refresh: the same table as a first load
    only(org.run(full_refresh=True))
    assert only(org.run()).status == "unchanged"
    if write == "upsert":
        assert few(org) == sorted(wanted)
    assert org.leftovers() == []


def test_a_new_field_with_blanks_joins_a_table_without_any(org: Org) -> None:
    for name, write in (("one", "upsert"), ("two", "append"), ("three", "replace")):
        org.say(name, f"mapping: {name}\nsource: {name.title()}__c\nnaming: source\ntarget: {{write: {write}}}\n")
        org.land("e1", [record("A", 1, Name="a")], token=f"{name.title()}__c")
    org.run()
    for name in ("one", "two", "three"):
        org.land("e2", [{**record("B", 2, Name="b"), "My (own) Field": "x y"}], token=f"{name.title()}__c")
    done = {m.name: m for m in org.run().mappings}
    assert {n: (m.status, m.written, m.error) for n, m in done.items()} == dict.fromkeys(
        ("one", "two", "three"), ("written", 1, None)
    )
    for name in ("one", "two"):
        assert org.table(name, "Id", "Name", "My (own) Field") == [("A", "a", None), ("B", "b", "x y")]
    assert org.table("three", "Id", "My (own) Field") == [("B", "x y")]
    # and a load without it
    for name in ("one", "two", "three"):
        org.land("e3", [record("C", 3, Name="c")], token=f"{name.title()}__c")
    done = {m.name: m for m in org.run().mappings}
    assert {n: (m.status, m.written, m.error) for n, m in done.items()} == dict.fromkeys(
        ("one", "two", "three"), ("written", 1, None)
    )
    for name in ("one", "two"):
        assert org.table(name, "Id", "Name", "My (own) Field") == [
            ("A", "a", None),
            ("B", "b", "x y"),
            ("C", "c", None),
        ]


def test_a_named_column_that_the_mapping_gives_up(org: Org) -> None:
    for write in ("append", "upsert"):
        org.say(
            write,
            f"mapping: {write}\nsource: {write.title()}__c\ncolumns: {{id: Id, 'my name': Name, t: {{from: SystemModstamp, type: timestamp}}}}\ntarget: {{write: {write}}}\n",
        )
        org.land("e1", [record("A", 1, Name="a")], token=f"{write.title()}__c")
    org.run()
    for write in ("append", "upsert"):
        org.say(
            write,
            f"mapping: {write}\nsource: {write.title()}__c\ncolumns: {{id: Id, name: Name, t: {{from: SystemModstamp, type: timestamp}}}}\ntarget: {{write: {write}}}\n",
        )
        org.land("e2", [record("B", 2, Name="b")], token=f"{write.title()}__c")
    assert {m.name: (m.status, m.error) for m in org.run().mappings} == dict.fromkeys(
        ("append", "upsert"), ("written", None)
    )
    for write in ("append", "upsert"):
        assert org.table(write, "id", "my name", "name") == [("A", "a", None), ("B", None, "b")]


def test_a_dataset_that_another_one_reads_and_that_is_delivered_as_delta(org: Org) -> None:
    org.say("account", f"{MAPPING}")
    org.say(
        "wide",
        "mapping: Wide Set\nfrom: account\ncolumns: {'(acc) Id': '`Account Id`', 'Full Name': Naïve (full) name}\nkey: (acc) Id\ndeliver: [delta: {folder: wide}, csv: {file: wide.csv}]\n".replace(
            "'`Account Id`'", "Account Id"
        ),
    )
    org.say(
        "narrow",
        "mapping: Narrow\nfrom: Wide Set\ncolumns: {'The Id': (acc) Id, n: {sql: 'upper(`Full Name`)'}}\nkey: The Id\ndeliver: [csv: {file: narrow.csv}]\n",
    )
    for hour in (1, 2):
        org.land(f"e{hour}", [full("A", hour, Name=f"a{hour}"), full("B", hour)])
        assert {m.name: (m.status, m.error) for m in org.run().mappings} == dict.fromkeys(
            ("account", "Wide Set", "Narrow"), ("written", None)
        )
        delivered = org.spark.read.format("delta").load(str(org.root / "delivery" / "wide"))
        assert sorted(tuple(r) for r in delivered.collect()) == [("A", f"a{hour}"), ("B", "n B")]
        assert delivered.columns == ["(acc) Id", "Full Name"]
        lines = (org.root / "delivery" / "narrow.csv").read_text().splitlines()
        assert (lines[0], sorted(lines[1:])) == ("The Id,n", [f"A,A{hour}", "B,N B"])
    assert {m.status for m in org.run().mappings} == {"unchanged"}
