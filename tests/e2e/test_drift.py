"""Fields that appear, vanish and change their type between two loads, under each policy; never a lost row."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from e2e.org import ACCOUNT, Org, only, record


def drift(org: Org, policy: str, more: str = "") -> None:
    org.say("account", f"mapping: account\nsource: Account\nnaming: source\non_drift: {policy}\n{more}")


@pytest.mark.parametrize("write", ["upsert", "append", "scd2"])
def test_evolve(org: Org, write: str) -> None:
    drift(org, "evolve", f"target: {{write: {write}}}\n")
    org.land("e1", [record("A", 1, Name="a", Old="o1"), record("B", 1, Name="b", Old="o2")])
    org.run()
    # in the middle of an increment: one file of the old form, one of the new
    org.land("e2", [record("C", 2, Name="c", Old="o3")], file="one.csv")
    org.land("e2", [record("A", 2, Name="a2", New="n1"), record("D", 2, Name="d", New="n2")], file="two.csv")
    done = only(org.run())
    assert (done.status, done.written, done.error) == ("written", 3, None)
    assert [(d.column, d.change, d.policy) for d in done.drift] == [("New", "appeared", "evolve")]
    # then the old field is gone altogether: rows keep what they have
    org.land("e3", [record("B", 3, Name="b3", New="n3")])
    done = only(org.run())
    assert [(d.column, d.change) for d in done.drift] == [("old", "vanished")]
    current = "is_current" if write == "scd2" else "true"
    found = org.table("account", "Id", "Name", "Old", "New", where=current)
    if write == "append":
        assert found == [
            ("A", "a", "o1", None),
            ("A", "a2", None, "n1"),
            ("B", "b", "o2", None),
            ("B", "b3", None, "n3"),
            ("C", "c", "o3", None),
            ("D", "d", None, "n2"),
        ]
    elif write == "upsert":
        assert found == [
            ("A", "a2", None, "n1"),
            ("B", "b3", "o2", "n3"),
            ("C", "c", "o3", None),
            ("D", "d", None, "n2"),
        ]
    else:
        assert [(row[0], row[1], row[3]) for row in found] == [
            ("A", "a2", "n1"),
            ("B", "b3", "n3"),
            ("C", "c", None),
            ("D", "d", "n2"),
        ]
    # and comes back
    org.land("e4", [record("A", 4, Name="a4", Old="back", New="n4")])
    done = only(org.run())
    assert (done.status, done.written) == ("written", 1)
    assert ("A", "a4", "back", "n4") in org.table("account", "Id", "Name", "Old", "New", where=current)


def test_freeze(org: Org) -> None:
    drift(org, "freeze")
    org.land("e1", [record("A", 1, Name="a")])
    org.run()
    org.land("e2", [record("B", 2, Name="b", New="n")])
    told = org.command("run", "--quick")
    assert told.code == 1
    assert "freeze" in told.out and "New appeared" in told.out
    done = only(org.run())
    assert (done.status, done.written, done.held, [d.change for d in done.drift]) == ("stopped", 0, 1, ["appeared"])
    assert org.table("account", "Id") == [("A",)]
    assert "New" not in org.columns()
    drift(org, "evolve")
    assert only(org.run()).written == 1
    assert org.table("account", "Id", "New") == [("A", None), ("B", "n")]


def test_freeze_on_a_vanished_field_and_ignore(org: Org) -> None:
    drift(org, "freeze")
    org.land("e1", [record("A", 1, Name="a", Old="o")])
    org.run()
    org.land("e2", [record("B", 2, Name="b")])
    assert only(org.run()).status == "stopped"
    drift(org, "ignore")
    assert only(org.run()).status == "written"
    org.land("e3", [record("A", 3, Name="a3", New="n")])
    done = only(org.run())
    assert (done.status, done.written) == ("written", 1)
    assert [(d.column, d.change, d.effect) for d in done.drift] == [("New", "appeared", "the column is left out")]
    assert "New" not in org.columns()
    assert org.table("account", "Id", "Name", "Old") == [("A", "a3", "o"), ("B", "b", None)]


def test_a_field_changes_its_type(org: Org) -> None:
    """Typed Parquet, then another type: values are cast to the column's type, what does not fit is set aside."""
    org.say(
        "account",
        ACCOUNT
        + "  n: {from: N__c, type: int}\n  on: {from: On__c, type: boolean}\n  d: {from: D__c, type: 'decimal(6,2)'}\n",
    )

    def typed(ids: list[str], hour: int, **columns: pa.Array) -> pa.Table:
        rows = [record(i, hour, Name=i) for i in ids]
        return pa.table({**{k: [r[k] for r in rows] for k in rows[0]}, **columns})

    org.land(
        "e1",
        typed(
            ["A", "B"],
            1,
            N__c=pa.array([1, 2], pa.int32()),
            On__c=[True, False],
            D__c=pa.array([Decimal("1.50"), None], pa.decimal128(6, 2)),
        ),
        file="p.parquet",
    )
    org.run()
    org.land("e2", typed(["C", "D"], 2, N__c=["3", "three"], On__c=["1", "yes"], D__c=["2.5", "7"]), file="p.parquet")
    org.land(
        "e2",
        typed(["E", "F"], 2, N__c=pa.array([4.0, 4.5]), On__c=["0", None], D__c=pa.array([2.25, 2.123])),
        file="q.parquet",
    )
    done = only(org.run())
    assert (done.landed, done.written, done.quarantined, done.error) == (4, 2, 2, None)
    assert {d.column for d in done.drift} == {"n__c", "on__c", "d__c"}
    assert all("changed its type" in d.change for d in done.drift)
    assert org.table("account", "id", "n", "on", "d") == [
        ("A", 1, True, Decimal("1.50")), ("B", 2, False, None), ("C", 3, True, Decimal("2.50")), ("E", 4, False, Decimal("2.25")),
    ]  # fmt: skip
    assert org.why() == [("D", ("cast_n",)), ("F", ("cast_n", "cast_d"))]


def test_typed_columns_of_an_object_without_a_mapping_keep_their_type(org: Org) -> None:
    def rows(ids: list[str], kind: pa.DataType, values: list[object]) -> pa.Table:
        return pa.table(
            {"Id": ids, "N__c": pa.array(values, kind), "SystemModstamp": ["2024-05-06T01:00:00Z"] * len(ids)}
        )

    org.land("e1", rows(["A"], pa.int32(), [1]), token="Region__c", file="p.parquet")
    org.run()
    org.land("e2", rows(["B", "C"], pa.string(), ["2", "x"]), token="Region__c", file="p.parquet")
    org.land("e3", rows(["D", "E"], pa.int64(), [3, 1 << 40]), token="Region__c", file="p.parquet")
    done = only(org.run())
    assert (done.landed, done.written, done.quarantined, done.error) == (4, 2, 2, None)
    assert org.table("region__c", "id", "n__c") == [("A", 1), ("B", 2), ("D", 3)]
    assert org.why("region__c") == [("C", ("cast_n__c",)), ("E", ("cast_n__c",))]


def test_field_names_in_any_case_are_one_column(org: Org) -> None:
    drift(org, "freeze")
    org.land("e1", [record("A", 1, Name="a")])
    org.run()
    org.land("e2", [{k.lower(): v for k, v in record("B", 2, Name="b").items()}])
    done = only(org.run())
    assert (done.status, done.drift) == ("written", ())
    assert org.columns() == ["Id", "Name", "SystemModstamp", "IsDeleted"]
    assert org.table("account", "Id", "Name") == [("A", "a"), ("B", "b")]


def test_history_keeps_the_values_of_a_field_that_vanished(org: Org) -> None:
    org.say("account", ACCOUNT + "  old: Old\n  note: Note\ntarget: {write: scd2, track: [name, old]}\n")
    org.land("e1", [record("A", 1, Name="a", Old="o1", Note="n"), record("B", 1, Name="b", Old="o2", Note="n")])
    org.run()
    org.land("e2", [record("A", 2, Name="a2", Note="n"), record("B", 2, Name="b", Note="n2")])
    done = only(org.run())
    assert (done.updated, done.inserted, done.superseded) == (2, 0, 0)
    assert org.table("account", "id", "name", "old", "note", "is_current") == [
        ("A", "a", "o1", "n", False), ("A", "a2", "o1", "n", True), ("B", "b", "o2", "n2", True),
    ]  # fmt: skip
