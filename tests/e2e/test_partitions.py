"""`partition_by`: every way to write, values of every kind, and a table whose partitions are not what the mapping says."""

from __future__ import annotations

from typing import Any

import deltalake
import pytest

from e2e.org import ACCOUNT, Org, only, record

VALUES = [
    None, "a b", " lead", "a:b", "a/b", "100%", "%41", "é ü", "日本", "x=y", "a#b", "q?", "it's", 'say "hi"', "a+b", "[z]", "{y}",
    "back\\slash", "dot.", "..", "__HIVE_DEFAULT_PARTITION_", "ab\tc", "&amp;", "~", "^", "|", "`", "<>", "*",
]  # fmt: skip
MAPPING = ACCOUNT + "  region: Region\n"


def regions(org: Org) -> list[tuple[Any, ...]]:
    return org.table("account", "id", "name", "region")


def as_delta_rs(org: Org) -> list[tuple[Any, ...]]:
    """The same rows by a reader that is not Spark."""
    found = deltalake.DeltaTable(str(org.root / "warehouse" / "account")).to_pyarrow_table(
        columns=["id", "name", "region"]
    )
    return sorted(((r["id"], r["name"], r["region"]) for r in found.to_pylist()), key=repr)


@pytest.mark.parametrize("write", ["upsert", "append", "replace", "snapshot", "scd2"])
def test_values_of_every_kind_come_back(org: Org, write: str) -> None:
    org.say(
        "account",
        f"{MAPPING}target: {{write: {write}, partition_by: [region]}}\nquality: {{quarantine: {{named: name is not null}}}}\n",
    )
    first = [record(f"R{i:02d}", 1, Name=f"n{i}", Region=value) for i, value in enumerate(VALUES)]
    aside = [record(f"Q{i}", 1, Name=None, Region=value) for i, value in enumerate(("north", "south", None))]
    org.land("e1", [*first, *aside], file="part.parquet")
    done = only(org.run())
    wanted = sorted(((f"R{i:02d}", f"n{i}", value) for i, value in enumerate(VALUES)), key=repr)
    assert (done.status, done.written, done.quarantined, done.error) == ("written", len(VALUES), 3, None)
    assert regions(org) == wanted == as_delta_rs(org)
    assert [key for key, _ in org.why()] == ["Q0", "Q1", "Q2"] == org.plain_aside()
    # a second load: some change their partition, one is new
    again = [record(f"R{i:02d}", 2, Name=f"m{i}", Region=value) for i, value in enumerate(reversed(VALUES))][:5]
    org.land(
        "e2", [*again, record("NEW", 2, Name="new", Region="a:b"), record("Q9", 2, Region="a/b")], file="part.parquet"
    )
    done = only(org.run())
    assert (done.status, done.quarantined, done.written) == ("written", 1, 6)
    latest = {key: (name, region) for key, name, region in wanted} if write in ("upsert", "scd2") else {}
    later = [(row["Id"], row["Name"], row["Region"]) for row in again] + [("NEW", "new", "a:b")]
    if write in ("append", "snapshot", "scd2"):
        assert regions(org) == sorted([*wanted, *later], key=repr) == as_delta_rs(org)
    else:
        latest |= {key: (name, region) for key, name, region in later}
        assert regions(org) == sorted(((k, *v) for k, v in latest.items()), key=repr) == as_delta_rs(org)
    # what had been replaced took its quarantine with it
    assert [key for key, _ in org.why()] == (["Q9"] if write == "replace" else ["Q0", "Q1", "Q2", "Q9"])
    assert org.leftovers() == []
    assert only(org.run()).status == "unchanged"


@pytest.mark.parametrize("write", ["append", "replace", "upsert"])
def test_a_mapping_whose_partitions_change_after_the_first_load(org: Org, write: str) -> None:
    def say(*names: str) -> None:
        org.say("account", f"{MAPPING}target: {{write: {write}, partition_by: [{', '.join(names)}]}}\n")

    def load(number: int) -> list[tuple[str, str, str]]:
        org.land(f"e{number}", [record(f"A{number}", number, Name=f"n{number}", Region=f"r/{number}")])
        done = only(org.run())
        assert (done.status, done.written, done.error) == ("written", 1, None)
        return [(f"A{number}", f"n{number}", f"r/{number}")]

    kept: list[tuple[str, str, str]] = []
    for number, names in enumerate([("region",), (), ("name",), ("name", "region")], 1):
        say(*names)
        kept = load(number) if write == "replace" else [*kept, *load(number)]
        assert regions(org) == kept == as_delta_rs(org)
    # a full refresh makes the table anew, partitions and all
    only(org.run(full_refresh=True))
    assert [row[0] for row in regions(org)] == ([row[0] for row in kept] if write != "replace" else ["A4"])
    assert deltalake.DeltaTable(str(org.root / "warehouse" / "account")).metadata().partition_columns == [
        "name",
        "region",
    ]


def test_partitions_of_other_types(org: Org) -> None:
    org.say(
        "account",
        ACCOUNT + '  n: {from: N, type: int}\n  d: {from: D, type: date}\n  m: {from: M, type: "decimal(6,2)"}\n'
        "target: {partition_by: [is_deleted, n, d, m, system_modstamp]}\n",
    )  # fmt: skip
    org.land("e1", [record("A", 1, Name="a", N="1", D="2024-01-02", M="1.5"), record("B", 2, Name="b")])
    only(org.run())
    before = org.table()
    assert [(row[0], str(row[4]), str(row[5]), str(row[6])) for row in before] == [
        ("A", "1", "2024-01-02", "1.50"),
        ("B", "None", "None", "None"),
    ]
    org.land("e2", [record("A", 3, Name="z", N="2", D="2024-01-02", M="1.5"), record("C", 3, Name="c")])
    done = only(org.run())
    assert (done.updated, done.inserted) == (1, 1)
    assert [(row[0], row[1], row[4]) for row in org.table()] == [("A", "z", 2), ("B", "b", None), ("C", "c", None)]
