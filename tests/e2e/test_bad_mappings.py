"""Mappings that are wrong: exit code 2, everything told at once, and nothing started."""

from __future__ import annotations

import pytest

from e2e.org import ACCOUNT, Org, record


def refused(org: Org, *words: str) -> str:
    """What `check` and `run` say alike; nothing is moved or written."""
    org.land("e1", [record("A")])
    for command in (("check",), ("run", "--quick"), ("plan",)):
        told = org.command(*command, *words)
        assert told.code == 2, (command, told)
    assert org.landed("in") == ["part.csv"]
    assert not (org.root / "warehouse").exists()
    checked = org.command("check")
    return checked.out + checked.err


def test_twenty_errors_in_three_files_are_all_told(org: Org) -> None:
    org.say(
        "account",
        "mapping: account\nsource: Account\ncolumns:\n"
        + "".join(f"  c{i}: {{from: F{i}, typ: int}}\n" for i in range(10)),
    )
    org.say(
        "contact",
        "mapping: contact\nsource: Contact\ncolumns:\n"
        + "".join(f"  c{i}: {{from: F{i}, type: inte{i}}}\n" for i in range(8)),
    )
    org.say("all", "mapping: All\nfrom: nowhere\ncolumns: {a: x}\ndeliver: [jdbc: {connection: none, table: t}]\n")
    told = refused(org)
    for number in range(10):
        assert f"c{number}" in told
    assert told.count("typ") >= 10
    assert all(f"inte{i}" in told for i in range(8))
    assert "nowhere" in told and "none" in told
    assert all(f"{name}.yaml" in told for name in ("account", "contact", "all"))
    assert "20 problems" in told or "21 problems" in told


def test_a_cycle(org: Org) -> None:
    org.say("one", "mapping: One\nfrom: Two\ncolumns: {a: a}\n")
    org.say("two", "mapping: Two\nfrom: Three\ncolumns: {a: a}\n")
    org.say("three", "mapping: Three\nfrom: One\ncolumns: {a: a}\n")
    told = refused(org)
    assert all(name in told for name in ("One", "Two", "Three"))
    assert "cycle" in told.lower() or "circle" in told.lower()


@pytest.mark.parametrize(
    "text",
    [
        "(select max(Name) from account)",
        "exists(select 1)",
        "Name in (select x from t)",
        "sum(Amount)",
        "row_number() over (order by Name)",
        "lag(Name) over (partition by Name order by Id)",
        "explode(split(Name, ','))",
        "reflect('java.lang.System', 'getenv', 'HOME')",
        "java_method('java.lang.Runtime', 'getRuntime')",
        "input_file_name()",
        "current_user()",
        "Name; drop table account",
        "from_json(Name, 'a int') union select 1",
        "monotonically_increasing_id()",
    ],
)
def test_sql_that_reaches_beyond_its_row(org: Org, text: str) -> None:
    """As a column, as a predicate, as a rule."""
    quoted = "'" + text.replace("'", "''") + "'"
    org.say("account", ACCOUNT + f"  c: {{sql: {quoted}}}\nwhere: {quoted}\nquality: {{warn: {{w: {quoted}}}}}\n")
    told = org.command("check")
    assert told.code == 2
    said = told.out + told.err
    assert [word for word in ("columns.c", "where", "quality.warn.w") if word not in said] == []


@pytest.mark.parametrize(
    "text",
    [
        "mapping: ../evil\nfrom: account\ncolumns: {a: id}\n",
        "mapping: All\nfrom: account\ncolumns: {a: id}\ndeliver: [csv: {file: ../../evil.csv}]\n",
        "mapping: All\nfrom: account\ncolumns: {a: id}\ndeliver: [csv: {file: /tmp/evil.csv}]\n",
        "mapping: All\nfrom: account\ncolumns: {a: id}\ndeliver: [parquet: {folder: a/../../evil}]\n",
        "mapping: All\nfrom: account\ncolumns: {a: id}\ndeliver: [delta: {folder: '..'}]\n",
    ],
)
def test_paths_that_leave_their_root(org: Org, text: str) -> None:
    org.say("account", ACCOUNT)
    org.say("all", text)
    told = refused(org)
    assert "all.yaml" in told
    assert list(org.root.parent.rglob("evil*")) == []


def test_an_unknown_mapping_and_a_root_that_is_not_there(org: Org) -> None:
    org.say("account", ACCOUNT)
    org.land("e1", [record("A")])
    told = org.command("run", "acount", "--quick")
    assert (told.code, "account" in told.err) == (2, True)
    (org.root / "landing").rename(org.root / "elsewhere")
    told = org.command("run", "--quick")
    assert told.code in (1, 2)
    assert str(org.root / "landing") in told.err and "Traceback" not in told.err


def test_a_path_parameter_cannot_leave_its_root(org: Org) -> None:
    org.project("params: {Name: fine}\n")
    org.say("account", ACCOUNT)
    org.say("all", "mapping: All\nfrom: account\ncolumns: {a: id}\ndeliver: [csv: {file: '${Name}.csv'}]\n")
    told = org.command("run", "--quick", "--param", "Name=../../evil")
    assert told.code == 2
    assert list(org.root.parent.rglob("evil*")) == []
