"""Nothing of a cell is in what a run says: report, Data Docs, terminal, log, errors; the quarantine alone keeps it."""

from __future__ import annotations

import logging

import pytest

from e2e.org import ACCOUNT, Org, record

MARK = "Zx9-geheim"
KEY = "001Ec00000GGw3hIAD"


def told(org: Org) -> str:
    """Every text that a run leaves for people, sidecars and manifests included."""
    found = []
    for folder in ("warehouse/_runs", "warehouse/_positions", "landing"):
        for path in (org.root / folder).rglob("*"):
            readable = path.suffix in (".json", ".html", ".js", ".css") and path.is_file()
            if readable and (path.name.endswith((".facts.json", ".reason.json")) or folder != "landing"):
                found.append(path.read_text())
    return "\n".join(found)


def test_values_of_rows_are_in_no_report(
    org: Org, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    org.say(
        "account",
        ACCOUNT + "  n: {from: N, type: int}\n  t: {from: T, type: timestamp}\n  mail: Email\n"
        "quality:\n  quarantine: {mail_is_one: \"mail like '%@%'\"}\n  warn: {short: length(name) < 3}\n  drop: {kept: \"name <> 'x'\"}\n"
        "expectations:\n  - {expect_column_values_to_be_in_set: {column: name, value_set: [a, b]}, on_failure: warn}\n"
        "  - {expect_column_values_to_be_unique: {column: mail}, on_failure: warn}\n"
        "  - {expect_column_most_common_value_to_be_in_set: {column: name, value_set: [a]}, on_failure: warn}\n",
    )  # fmt: skip
    org.say(
        "all",
        "mapping: All\nfrom: account\ncolumns: {id: id, name: name, mail: mail}\nkey: name\ndeliver: [csv: {file: all.csv}]\n",
    )
    org.say(
        "contact",
        ACCOUNT.replace("account", "contact").replace("Account", "Contact")
        + "quality: {fail: {short: length(name) < 3}}\n",
    )
    rows = [
        record("A", 1, Name=MARK, N=MARK, T=MARK, Email=f"{MARK}@x.org"),
        record("B", 1, Name=MARK, Email=MARK),
        record("C", 1, Name=MARK, Email=f"{MARK}@x.org"),
        record("D", 1, Name=MARK, Email=f"{MARK}@x.org"),
    ]
    rows.append({**record("E", 1, Name=MARK), "SystemModstamp": MARK})
    org.land("e1", rows)
    org.land("e1", [record("C", 1, Name=MARK)], token="Contact")
    # files that are turned away: the first line of a headless CSV is data
    org.land("e2", f"{MARK},{MARK}@x.org\n{MARK},b\n", file="headless.csv")
    org.land("e3", f'Id,Name\nA,"{MARK}\n', file="open.csv")
    org.land("e4", f'{{"Id": "{MARK}"\n', file="broken.json")
    org.land("e5", f"Id,Name\nA,{MARK},{MARK}\n", file="cells.csv")
    done = org.command("run", "--quick")
    assert done.code == 1  # the fail rule, and the key that is not unique
    again = org.command("run", "--quick", "--json")
    out, err = capfd.readouterr()
    everything = "\n".join([told(org), done.out, done.err, again.out, again.err, out, err, caplog.text])
    assert "account" in everything and "cast_n" in everything
    assert MARK not in everything, everything[max(0, everything.index(MARK) - 300) : everything.index(MARK) + 100]
    # it is not lost: the quarantine has it
    assert sum(MARK in str(row.raw) for row in org.aside()) == 3


@pytest.mark.parametrize(
    "sql",
    [
        "date_format(to_timestamp(Name, 'yyyy-MM-dd'), 'yyyy')",
        "CAST(Name AS INT) + 1",
        "CAST(Name AS TIMESTAMP)",
        "to_date(Name, 'yyyy-MM-dd')",
        "Name + 1",
        "element_at(split(Name, '-'), 99)",
        "from_json(Name, 'a INT', map('mode', 'FAILFAST')).a",
        "make_date(2024, 13, length(Name))",
        "raise_error(Name)",
        "conv(Name, 99, 1)",
        "parse_url(Name, 'HOST')",
        "to_number(Name, '999')",
        "unhex(Name)",
    ],
)
def test_values_are_in_no_error_of_spark(org: Org, capfd: pytest.CaptureFixture[str], sql: str) -> None:
    """An expression that fails on a row fails its mapping, and Spark's message quotes the value."""
    quoted = sql.replace("'", "''")
    org.say("account", ACCOUNT + f"  x: {{sql: '{quoted}'}}\n")
    if org.command("check").code == 2:
        return
    org.land("e1", [record("A", 1, Name=MARK)])
    done = org.command("run", "--quick", "--json")
    out, err = capfd.readouterr()
    everything = "\n".join([told(org), done.out, done.err, out, err])
    assert MARK not in everything, everything[max(0, everything.index(MARK) - 400) : everything.index(MARK) + 100]


def test_the_password_of_a_connection_is_in_no_error(
    org: Org, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DW_PASSWORD", MARK)
    monkeypatch.setenv("DW_USER", "loader")
    org.project(
        "connections: {dw: {url: 'postgresql://localhost:1/none', user_env: DW_USER, password_env: DW_PASSWORD}}\n"
    )
    org.say("account", ACCOUNT)
    org.say(
        "all",
        "mapping: All\nfrom: account\ncolumns: {id: id}\nkey: id\ndeliver: [jdbc: {connection: dw, table: dw.all_of_it}]\n",
    )
    org.land("e1", [record("A", 1, Name="a")])
    done = org.command("run", "--quick", "--json")
    out, err = capfd.readouterr()
    assert done.code == 1
    assert MARK not in "\n".join([told(org), done.out, done.err, out, err])


def test_fields_that_nothing_may_read_are_nowhere(org: Org) -> None:
    org.project("objects: {never_read: [Secret__c]}\n")
    org.say(
        "account",
        "mapping: account\nsource: Account\nnaming: source\nquality: {quarantine: {named: Name is not null}}\n",
    )
    rows = [record("A", 1, Name="a", SECRET__c=MARK), record("B", 1, SECRET__c=MARK)]
    org.land("e1", rows, file="p.parquet")
    org.land("e1", rows, token="Region__c")
    org.run()
    assert "SECRET__c" not in org.columns()
    assert [row.raw for row in org.aside()] == [
        {"Id": "B", "Name": None, "SystemModstamp": "2024-05-06T01:00:00.000Z", "IsDeleted": "false"}
    ]
    for path in (org.root / "warehouse").rglob("*"):
        if path.is_file():
            assert MARK.encode() not in path.read_bytes(), path
    # a CSV is read by position: the fields beside it keep their values
    assert org.columns("region__c") == ["id", "name", "system_modstamp", "is_deleted"]
    assert org.table("region__c", "id", "name", "is_deleted") == [("A", "a", False), ("B", None, False)]
