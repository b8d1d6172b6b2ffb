"""Every code has a file that triggers it, and a sound project triggers none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from forceglue.errors import MappingErrors, UsageError
from forceglue.mapping.check import check_folder
from forceglue.mapping.codes import CODES
from forceglue.mapping.problems import Problem
from mapping.samples import CATALOG, SOUND, describe

Check = Callable[[Mapping[str, Any]], tuple[Problem, ...]]


def opp(body: str) -> dict[str, Any]:
    """The sound project with another opportunity mapping."""
    head = "mapping: opportunity\nsource: Opportunity\n"
    return {**{k: v for k, v in SOUND.items() if not k.startswith("datasets")}, "objects/opportunity.yaml": head + body}


def account(body: str) -> dict[str, Any]:
    return {**CATALOG, "project.yaml": SOUND["project.yaml"], "a.yaml": "mapping: account\nsource: Account\n" + body}


def deals(body: str) -> dict[str, Any]:
    return {**SOUND, "datasets/deals.yaml": "mapping: Deals\nfrom: opportunity\n" + body}


TYPED = describe(
    "Lead", {"name": "Id", "type": "id"}, {"name": "Score__c", "type": "double", "precision": 18, "scale": 4},
    {"name": "Seats__c", "type": "int"}, {"name": "Text__c", "type": "string"}, {"name": "Day__c", "type": "date"},
    {"name": "At__c", "type": "datetime"}, {"name": "Hot__c", "type": "boolean"},
    {"name": "SystemModstamp", "type": "datetime"},
    {"name": "OwnerId", "type": "reference", "referenceTo": ["User"]},
    {"name": "Ref__c", "type": "string"},
)  # fmt: skip


def lead(body: str) -> dict[str, Any]:
    """A mapping of an object whose types are known."""
    return {**CATALOG, "catalog/Lead.json": TYPED, "lead.yaml": "mapping: lead\nsource: Lead\n" + body}


def typed(field: str, kind: str) -> dict[str, Any]:
    return lead(f'columns: {{a: {{from: {field}, type: "{kind}"}}}}\n')


LOOKUP = "lookups: {account: {object: Account, by: AccountId}}\n"

CASES: list[tuple[str, dict[str, Any], str, str | None]] = [
    # code, files, document path, nearest name
    ("FG-YML-001", opp("columns: {a: b: c}\n"), "", None),
    ("FG-YML-002", {**SOUND, "objects/x.yaml": "# nothing\n"}, "", None),
    ("FG-YML-003", opp("columns:\n  a: Id\n  a: Name\n"), "columns.a", None),
    ("FG-YML-004", opp("columns: {a: !!str Id}\n"), "columns.a", None),
    ("FG-YML-005", opp("columns: &a {x: *a}\n"), "columns.x", None),
    ("FG-YML-006", opp("columns: {[a]: Id}\n"), "columns", None),
    ("FG-YML-007", opp("columns: {a: {from: Amount, type: decimal(18,2)}}\n"), "columns.a.type", None),
    ("FG-FIL-002", {**SOUND, "thing.yaml": "mapping: thing\n"}, "", None),
    ("FG-FIL-002", {**SOUND, "objects/both.yaml": "mapping: both\nsource: A\nfrom: b\n"}, "from", None),
    ("FG-CAT-001", {**SOUND, "catalog/Bad.json": "{"}, "", None),
    ("FG-CAT-001", {**SOUND, "catalog/Bad.json": {"name": "Bad"}}, "", None),
    ("FG-PRM-001", opp("description: ${WHO}\n"), "description", None),
    ("FG-PRJ-001", {**SOUND, "project.yaml": "connections: {warehouse: {url: 'postgresql://me:pw@db/x'}}\n"}, "connections.warehouse.url", None),
    ("FG-MAP-001", opp("colums: {a: Id}\n"), "colums", "columns"),
    ("FG-MAP-001", opp("columns: {a: {form: Id}}\n"), "columns.a.form", "from"),
    ("FG-MAP-001", opp("columns: {a: {source: Id}}\n"), "columns.a.source", None),
    ("FG-MAP-001", deals("columns:\n  - {all: opportunity, exept: [a]}\n"), "columns[0].exept", "except"),
    ("FG-MAP-002", {**SOUND, "objects/x.yaml": "source: Lead\n"}, "mapping", None),
    ("FG-MAP-002", opp("lookups: {account: {object: Account}}\n"), "lookups.account.by", None),
    ("FG-MAP-003", opp("columns: [Id, Name]\n"), "columns[0]", None),
    ("FG-MAP-003", {**SOUND, "objects/x.yaml": "- a\n"}, "", None),
    ("FG-MAP-004", opp("target: {write: sdc2}\n"), "target.write", "scd2"),
    ("FG-MAP-004", opp("version: 2\n"), "version", None),
    ("FG-MAP-005", {**SOUND, "project.yaml": "files: {min_bytes: -1}\nconnections: {warehouse: {url: x}}\n"}, "files.min_bytes", None),
    ("FG-MAP-006", opp("columns: {a: {from: Id, sql: upper(Id)}}\n"), "columns.a", None),
    ("FG-MAP-006", opp("columns: {a: 5}\n"), "columns.a", None),
    ("FG-MAP-006", opp("target: {deletes: close}\n"), "target", None),
    ("FG-MAP-006", deals("columns: {a: id}\ndeliver: [{csv: {file: a}, delta: {}}]\n"), "deliver[0]", None),
    ("FG-MAP-010", {**SOUND, "objects/b.yaml": "mapping: Account\nsource: Lead\n"}, "mapping", None),
    ("FG-MAP-011", opp("columns: {a: Id, A: Name}\n"), "columns.A", None),
    ("FG-MAP-011", deals("columns: [{a: opportunity_id}, {empty: [b, A]}]\n"), "columns[1].empty[1]", None),
    ("FG-MAP-011", deals("joins: [{table: account, as: acc, by: {account_id: id}}]\ncolumns: [{all: opportunity}, {all: acc}]\n"), "columns", None),
    ("FG-MAP-012", opp("columns: {'': Id}\n"), "columns['']", None),
    ("FG-MAP-013", deals("columns: [{all: opportunity, named: x}]\n"), "columns[0].named", None),
    ("FG-MAP-014", deals("joins: [{table: opportunity, by: {account_id: account_id}}]\ncolumns: {a: opportunity_id}\n"), "joins[0]", None),
    ("FG-MAP-015", {**SOUND, "objects/x.yaml": "mapping: ../x\nsource: Lead\n"}, "mapping", None),
    ("FG-MAP-015", {**SOUND, "objects/x.yaml": "mapping: _quarantine\nsource: Lead\n"}, "mapping", None),
    ("FG-MAP-016", {**SOUND, "datasets/a.yaml": "mapping: a\nfrom: b\ncolumns: {x: x}\n", "datasets/b.yaml": "mapping: b\nfrom: a\ncolumns: {x: x}\n"}, "from", None),
    ("FG-REF-001", opp("columns: {a: AcountId}\n"), "columns.a", "AccountId"),
    ("FG-REF-001", opp("columns: {a: {sql: year(ClosDate)}}\n"), "columns.a.sql", "CloseDate"),
    ("FG-REF-001", opp("where: Stage = 'x'\n"), "where", "StageName"),
    ("FG-REF-001", opp("lookups: {account: {object: Account, by: AcountId}}\n"), "lookups.account.by", "AccountId"),
    ("FG-REF-002", opp(LOOKUP + "columns: {a: acount.Name}\n"), "columns.a", "account"),
    ("FG-REF-003", opp(LOOKUP + "columns: {a: account.Nam}\n"), "columns.a", "account.Name"),
    ("FG-REF-003", deals("columns: {a: opportunity_i}\n"), "columns.a", "opportunity_id"),
    ("FG-REF-003", deals("where: stag = 'x'\ncolumns: {a: opportunity_id}\n"), "where", "stage"),
    ("FG-REF-003", deals("columns: [{all: opportunity, only: [stag]}]\n"), "columns[0].only[0]", "stage"),
    ("FG-REF-003", deals("joins: [{table: account, by: {account_id: idd}}]\ncolumns: {a: opportunity_id}\n"), "joins[0].by.account_id", "id"),
    ("FG-REF-004", deals("joins:\n- {table: account, as: x, by: {account_id: id}}\n- {table: account, as: y, by: {account_id: id}}\ncolumns: {a: industry}\n"), "columns.a", None),
    ("FG-REF-005", opp("lookups: {account: {object: Acount, by: AccountId}}\n"), "lookups.account.object", "account"),
    ("FG-REF-005", {**SOUND, "datasets/deals.yaml": "mapping: Deals\nfrom: oportunity\ncolumns: {a: b}\n"}, "from", "opportunity"),
    ("FG-REF-005", deals("joins: [{table: nothing, by: {account_id: id}}]\ncolumns: {a: opportunity_id}\n"), "joins[0].table", None),
    ("FG-REF-006", opp("columns: [{all: Account}]\n"), "columns[0].all", None),
    ("FG-REF-006", deals("columns: [{all: oportunity}]\n"), "columns[0].all", "opportunity"),
    ("FG-REF-007", opp("key: Idd\n"), "key", "Id"),
    ("FG-REF-007", opp("order_by: LastModified\n"), "order_by", None),
    ("FG-REF-007", opp("deleted: Deleted\n"), "deleted", "IsDeleted"),
    ("FG-REF-007", {**SOUND, "catalog/Odd.json": describe("Odd", "Name"), "objects/odd.yaml": "mapping: odd\nsource: Odd\n"}, "source", None),
    ("FG-REF-007", deals("columns: {a: opportunity_id}\nkey: [a, b]\n"), "key[1]", None),
    ("FG-REF-007", deals("columns: {a: opportunity_id}\ndeliver: [{jdbc: {connection: warehouse, table: t, key: [b]}}]\n"), "deliver[0].jdbc.key[0]", None),
    ("FG-REF-008", opp("refresh: never\ntarget: {write: scd2, track: [amont]}\n"), "target.track[0]", "amount"),
    ("FG-REF-008", opp("refresh: never\ntarget: {partition_by: [year]}\n"), "target.partition_by[0]", None),
    (
        "FG-REF-008",
        opp("refresh: never\ntarget: {maintain: {cluster_by: [amont]}}\n"),
        "target.maintain.cluster_by[0]",
        "amount",
    ),
    ("FG-MAP-006", opp("refresh: never\ntarget: {maintain: {keep: 2 hours}}\n"), "target.maintain.keep", None),
    ("FG-MAP-005", opp("refresh: never\ntarget: {maintain: {keep: a week}}\n"), "target.maintain.keep", None),
    ("FG-REF-010", account("columns: {a: Secret__c}\n"), "columns.a", None),
    ("FG-REF-011", deals("joins:\n- {table: account, as: x, by: {y.id: id}}\n- {table: account, as: y, by: {account_id: id}}\ncolumns: {a: opportunity_id}\n"), "joins[0].by['y.id']", None),
    ("FG-REF-011", deals("joins: [{table: account, by: {}}]\ncolumns: {a: opportunity_id}\n"), "joins[0].by", None),
    ("FG-FLD-001", account("columns: {a: BillingAddress}\n"), "columns.a", None),
    ("FG-FLD-002", opp("columns: {a: ExpectedRevenue}\n"), "columns.a", None),
    ("FG-FLD-002", opp(""), "source", None),
    ("FG-FLD-003", opp("refresh: {every: daily, also: [ExpectedRevenue]}\n"), "refresh.also[0]", None),
    ("FG-TYP-001", opp("columns: {a: {from: Amount, type: number}}\n"), "columns.a.type", "decimal(18,2)"),
    ("FG-TYP-001", opp("columns: {a: {from: Amount, type: strng}}\n"), "columns.a.type", "string"),
    ("FG-TYP-002", opp('columns: {a: {from: Amount, type: "decimal(39,2)"}}\n'), "columns.a.type", None),
    ("FG-TYP-002", opp('columns: {a: {from: Amount, type: "decimal(5,6)"}}\n'), "columns.a.type", None),
    ("FG-TYP-002", opp("columns: {a: {from: Amount, type: decimal}}\n"), "columns.a.type", None),
    ("FG-SQL-001", opp("columns: {a: {sql: year(CloseDate}}\n"), "columns.a.sql", None),
    ("FG-SQL-002", opp("columns: {a: {sql: max(Amount)}}\n"), "columns.a.sql", None),
    ("FG-SQL-002", opp("columns: {a: Id}\nquality: {warn: {x: 'a in (select 1)'}}\n"), "quality.warn.x", None),
    ("FG-SQL-003", opp("columns: {a: Id}\nquality: {warn: {x: a + 1}}\n"), "quality.warn.x", None),
    ("FG-SQL-004", opp("columns: {a: {sql: uper(Name)}}\n"), "columns.a.sql", "upper"),
    ("FG-SQL-004", opp("columns: {a: Id}\nquality: {warn: {x: \"coalesc(a, '') <> ''\"}}\n"), "quality.warn.x", "coalesce"),
    ("FG-RUL-001", opp("columns: {a: Id}\nquality: {warn: {x: a is not null}, fail: {x: a > 1}}\n"), "quality.warn.x", None),
    ("FG-RUL-001", opp("columns: {a: Id}\nquality: {warn: {key_is_set: a is not null}}\n"), "quality.warn.key_is_set", None),
    ("FG-RUL-002", opp("columns: {account: AccountId}\nquality: {warn: {x: AccountId is not null}}\n"), "quality.warn.x", "account"),
    ("FG-RUL-003", deals("columns: {a: opportunity_id}\nquality: {reject_file: {x: a > 1}}\n"), "quality.reject_file.x", None),
    ("FG-REF-005", {**SOUND, "a.yaml": "mapping: a\nsource: Campain\n"}, "source", "Campaign"),
    ("FG-EXP-001", opp("columns: {a: Id}\nexpectations: [{expect_table_row_cont_to_equal: {value: 1}}]\n"), "expectations[0]", "expect_table_row_count_to_equal"),
    ("FG-EXP-002", opp("columns: {a: Id}\nexpectations: [{expect_table_row_count_to_equal: {value: 1, vlue: 2}}]\n"), "expectations[0].expect_table_row_count_to_equal.vlue", "value"),
    ("FG-EXP-003", opp("columns: {a: Id}\nexpectations: [expect_table_row_count_to_equal]\n"), "expectations[0]", None),
    ("FG-EXP-004", opp("columns: {a: Id}\nexpectations: [{expect_column_values_to_not_be_null: {column: b}}]\n"), "expectations[0].expect_column_values_to_not_be_null.column", None),
    ("FG-DLV-001", deals("columns: {a: opportunity_id}\ndeliver: [{csv: {file: ../x.csv}}]\n"), "deliver[0].csv.file", None),
    ("FG-DLV-001", deals("columns: {a: opportunity_id}\ndeliver: [{csv: {file: '{today}.csv'}}]\n"), "deliver[0].csv.file", None),
    ("FG-DLV-001", deals("columns: {a: opportunity_id}\ndeliver: [{parquet: {folder: /x}}]\n"), "deliver[0].parquet.folder", None),
    ("FG-DLV-001", deals("columns: {a: opportunity_id}\ndeliver: [{delta: {folder: s3://x/y}}]\n"), "deliver[0].delta.folder", None),
    ("FG-DLV-002", deals("columns: {a: opportunity_id}\nkey: a\ndeliver: [{jdbc: {connection: wharehouse, table: t}}]\n"), "deliver[0].jdbc.connection", "warehouse"),
    ("FG-DLV-003", deals("columns: {a: opportunity_id}\ndeliver: [{jdbc: {connection: warehouse, table: t}}]\n"), "deliver[0].jdbc", None),
    ("FG-DLV-004", deals("columns: {a: opportunity_id}\ndeliver: [{jdbc: {connection: warehouse, table: 't; drop', write: append}}]\n"), "deliver[0].jdbc.table", None),
    ("FG-DLV-005", {**SOUND, "datasets/more.yaml": "mapping: More\nfrom: opportunity\ncolumns: {a: opportunity_id}\ndeliver: [{csv: {file: 'deals_{now:%Y-%m-%d %H%M%S}.csv'}}]\n"}, "deliver[0].csv.file", None),
    ("FG-TGT-001", deals("columns: {a: opportunity_id}\ntarget: {write: scd2}\n"), "target.write", None),
    ("FG-EXA-001", opp("columns: {a: Id}\nexamples: [{name: x, given: {Oportunity: []}}]\n"), "examples[0].given.Oportunity", "Opportunity"),
    ("FG-EXA-002", opp("columns: {a: Id}\nexamples: [{name: x, given: {Opportunity: [{Idd: 1}]}}]\n"), "examples[0].given.Opportunity[0].Idd", "Id"),
    ("FG-EXA-003", opp("columns: {a: Id}\nexamples: [{name: x, given: {}, expect: [{b: 1}]}]\n"), "examples[0].expect[0].b", None),
    ("FG-EXA-004", opp("columns: {a: Id}\nexamples: [{name: x, given: {}}, {name: x, given: {}}]\n"), "examples[1].name", None),
    ("FG-TYP-003", typed("Id", "bigint"), "columns.a.type", None),
    ("FG-TYP-003", typed("Day__c", "decimal(18,2)"), "columns.a.type", None),
    ("FG-TYP-003", typed("Hot__c", "date"), "columns.a.type", None),
    ("FG-TYP-003", typed("Score__c", "timestamp"), "columns.a.type", None),
    ("FG-TYP-004", typed("Text__c", "decimal(18,2)"), "columns.a.type", None),
    ("FG-TYP-004", typed("Score__c", "decimal(18,2)"), "columns.a.type", None),
    ("FG-TYP-004", typed("Score__c", "DECIMAL(17, 4)"), "columns.a.type", None),
    ("FG-TYP-004", typed("Score__c", "int"), "columns.a.type", None),
    ("FG-TYP-004", typed("Seats__c", "smallint"), "columns.a.type", None),
    ("FG-TYP-004", typed("At__c", "bigint"), "columns.a.type", None),
    ("FG-REF-012", lead("lookups: {owner: {object: User, by: Ref__c}}\n"), "lookups.owner.by", None),
    ("FG-REF-013", lead("lookups: {account: {object: Account, by: OwnerId}}\n"), "lookups.account.by", None),
    ("FG-EXA-005", opp("columns: {a: Id}\nquality: {quarantine: {is_known: a is not null}}\nexamples: [{name: x, given: {}, quarantined: [{rules: [is_knwn]}]}]\n"), "examples[0].quarantined[0].rules", "is_known"),
]  # fmt: skip

ELSEWHERE = {"FG-FIL-001", "FG-PRM-002"}


def test_a_sound_project_has_no_problem(check: Check) -> None:
    assert [str(problem) for problem in check(SOUND)] == []


@pytest.mark.parametrize(("code", "files", "path", "near"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_the_code_is_told_at_its_place(
    check: Check, code: str, files: dict[str, Any], path: str, near: str | None
) -> None:
    problems = check(files)
    found = [p for p in problems if p.code == code and p.path == path]
    assert found, "\n".join(map(str, problems)) or "no problem at all"
    if near is not None:
        assert found[0].nearest == near


@pytest.mark.parametrize(("code", "files", "path", "near"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_nothing_else_is_told(check: Check, code: str, files: dict[str, Any], path: str, near: str | None) -> None:
    follow_ons = {("FG-MAP-001", "FG-MAP-002"), ("FG-MAP-002", "FG-MAP-001")}
    others = {p.code for p in check(files) if p.code != code and (code, p.code) not in follow_ons}
    # Whatever else stands in these small files has its own code, on purpose: name it here.
    allowed = {
        "FG-REF-007": {"FG-REF-003", "FG-FLD-002", "FG-REF-001"},
        "FG-MAP-015": set(),
        "FG-REF-008": set(),
    }.get(code, set())
    formulas = {"FG-FLD-002"} if any("ExpectedRevenue" in str(v) for v in files.values()) else set()
    assert others - allowed - formulas == set()


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("Score__c", "decimal(18,4)"), ("Score__c", "decimal(38,10)"), ("Score__c", "double"), ("Score__c", "string"),
        ("Seats__c", "int"), ("Seats__c", "decimal(10,1)"), ("Day__c", "timestamp"), ("At__c", "date"),
        ("At__c", "timestamp_ntz"), ("Hot__c", "boolean"), ("Text__c", "binary"), ("Id", "string"),
    ],
)  # fmt: skip
def test_a_type_that_holds_every_value(check: Check, field: str, kind: str) -> None:
    assert check(typed(field, kind)) == ()


@pytest.mark.parametrize(
    "lookup",
    [
        "{object: User, by: OwnerId}", "{object: user, by: OwnerId}", "{object: User, by: Ref__c, key: Name}",
        "{object: Lead, by: Id}",
    ],
)  # fmt: skip
def test_a_lookup_that_finds_something(check: Check, lookup: str) -> None:
    assert check({**lead(f"lookups: {{other: {lookup}}}\n"), "u.yaml": "mapping: user\nsource: User\n"}) == ()


def test_a_lookup_into_a_table_whose_key_is_no_id(check: Check) -> None:
    files = lead("lookups: {other: {object: User, by: Ref__c}}\n")
    assert check({**files, "u.yaml": "mapping: user\nsource: User\nkey: Name\n"}) == ()


def test_a_warning_stops_nothing(load: Callable[..., object], check: Check) -> None:
    (problem,) = check(typed("Text__c", "decimal(18,2)"))
    assert problem.warning and problem.to_dict()["level"] == "warning"
    assert load(typed("Text__c", "decimal(18,2)"))
    with pytest.raises(MappingErrors) as told:
        load(lead("columns: {a: {from: Text__c, type: date}, b: {from: Id, type: date}}\n"))
    assert [problem.code for problem in told.value.problems] == ["FG-TYP-003"]  # type: ignore[attr-defined]


def test_every_code_has_a_case() -> None:
    # those of profiles have theirs in tests/profiles
    assert {case[0] for case in CASES} | ELSEWHERE == {code for code in CODES if not code.startswith("FG-PRO-")}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(check: Check, write: Callable[[Mapping[str, Any]], Path]) -> None:
    folder = write(SOUND)
    (folder / "objects/account.yaml").chmod(0)
    assert "FG-FIL-001" in {p.code for p in check_folder(folder).problems}


def test_a_file_that_cannot_be_read(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self.name == "account.yaml":
            raise PermissionError(13, "Permission denied")
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert [(p.code, p.file) for p in check(SOUND)] == [("FG-FIL-001", "objects/account.yaml")]


def test_a_file_with_twenty_errors_tells_all_of_them(check: Check) -> None:
    problems = check(
        opp("""\
descripton: x
naming: camel
columns:
  a: Idd
  b: {from: Amount, type: decimal(18,2)}
  c: {from: Amount, type: money}
  d: {sql: "sum(Amount)"}
  e: {sql: "year(CloseDate"}
  f: {form: Id}
  g: 7
  a: Name
  B: Name
  h: {from: Id, value: 1}
  i: acount.Name
lookups:
  account: {object: Account, by: AcountId}
quality:
  warn: {r: a is not nul l, s: zz > 1}
  fial: {}
target: {write: scd3, partition_by: [zz]}
deliver:
  - csv: {file: /abs.csv}
  - jdbc: {connection: none, table: x, write: append}
expectations:
  - {expect_x: {}, expect_y: {}}
  - expect_nothing: {}
examples:
  - {name: x, given: {Foo: []}}
""")
    )
    told = {(p.code, p.path) for p in problems}
    assert len(told) >= 20
    assert told >= {
        ("FG-MAP-001", "descripton"), ("FG-MAP-004", "naming"), ("FG-REF-001", "columns.a"), ("FG-YML-007", "columns.b.type"),
        ("FG-TYP-001", "columns.c.type"), ("FG-SQL-002", "columns.d.sql"), ("FG-SQL-001", "columns.e.sql"), ("FG-MAP-001", "columns.f.form"),
        ("FG-MAP-006", "columns.g"), ("FG-YML-003", "columns.a"), ("FG-MAP-011", "columns.B"), ("FG-MAP-006", "columns.h"),
        ("FG-REF-002", "columns.i"), ("FG-REF-001", "lookups.account.by"), ("FG-SQL-001", "quality.warn.r"), ("FG-RUL-002", "quality.warn.s"),
        ("FG-MAP-001", "quality.fial"), ("FG-MAP-004", "target.write"), ("FG-REF-008", "target.partition_by[0]"), ("FG-MAP-001", "deliver"),
        ("FG-MAP-006", "expectations[0]"), ("FG-EXP-001", "expectations[1]"),
        ("FG-EXA-001", "examples[0].given.Foo"),
    }  # fmt: skip
    assert [p.line for p in problems] == sorted(p.line for p in problems)
    assert {p.file for p in problems} == {"objects/opportunity.yaml"}


def test_problems_of_all_files_come_together(check: Check) -> None:
    problems = check(
        {
            **opp("colums: {}\nrefresh: never\n"),
            "objects/account.yaml": "mapping: account\nsource: Account\nnaming: x\n",
        }
    )
    assert [(p.file, p.code) for p in problems] == [
        ("objects/account.yaml", "FG-MAP-004"),
        ("objects/opportunity.yaml", "FG-MAP-001"),
    ]


def test_a_column_that_was_wrong_is_still_a_column_for_the_rules(check: Check) -> None:
    problems = check(opp("columns: {a: {from: Id, sql: b}}\nquality: {warn: {x: a is not null}}\n"))
    assert [p.code for p in problems] == ["FG-MAP-006"]


def test_a_file_that_is_no_yaml_makes_no_unknown_table(check: Check) -> None:
    problems = check({**SOUND, "objects/account.yaml": "mapping: account\nsource: [\n"})
    assert [p.code for p in problems] == ["FG-YML-001"]


def test_lines_of_the_list_entries_behind_a_wrong_one(check: Check) -> None:
    body = (
        "columns: {a: opportunity_id}\ndeliver:\n  - nothing: {}\n  - csv: {file: ok.csv}\n  - csv: {file: /abs.csv}\n"
    )
    assert [(p.line, p.path) for p in check(deals(body))] == [(5, "deliver[0].nothing"), (7, "deliver[2].csv.file")]


def test_fields_are_only_judged_where_the_catalog_knows_the_object(check: Check) -> None:
    files = {"objects/lead.yaml": "mapping: lead\nsource: Lead\ncolumns: {a: Whatever__c}\n"}
    assert check(files) == ()


def test_columns_of_an_object_without_catalog_that_keeps_the_rest_are_not_judged(check: Check) -> None:
    lead = "mapping: lead\nsource: Lead\n"
    dataset = "mapping: d\nfrom: lead\ncolumns: {x: whatever}\n"
    assert check({"objects/lead.yaml": lead, "datasets/d.yaml": dataset}) == ()
    named = check({"objects/lead.yaml": lead + "columns: {a: A}\n", "datasets/d.yaml": dataset})
    assert [(p.code, p.path) for p in named] == [("FG-REF-003", "columns.x")]


@pytest.mark.parametrize("column", ["a", "id", "system_modstamp", "is_deleted", "filename", "run_id", "processed_ts"])
def test_what_every_object_table_has_can_be_read(check: Check, column: str) -> None:
    files = {
        "objects/lead.yaml": "mapping: lead\nsource: Lead\ncolumns: {a: A}\n",
        "datasets/d.yaml": f"mapping: d\nfrom: lead\ncolumns: {{x: {column}}}\n",
    }
    assert check(files) == ()


def test_history_columns_can_be_read(check: Check) -> None:
    assert check(deals("where: is_current\ncolumns: {a: opportunity_id, since: valid_from}\n")) == ()


def test_unmapped_objects_can_be_looked_into_and_read(check: Check) -> None:
    mapping = "mapping: opportunity\nsource: Opportunity\ncolumns: {n: account.Name, x: thing.Y__c}\nlookups:\n  account: {object: Account, by: AccountId}\n  thing: {object: Thing__c, by: Thing__c}\n"
    dataset = "mapping: d\nfrom: order_item\njoins: [{table: branch__c, by: {x: y}}]\ncolumns: {x: whatever}\n"
    files = {"objects/opportunity.yaml": mapping, "datasets/d.yaml": dataset}
    assert check(files) == ()
    refused = check({**files, "project.yaml": "unmapped: ignore\n"})
    assert [(p.file, p.path, p.code) for p in refused] == [
        ("datasets/d.yaml", "from", "FG-REF-005"),
        ("datasets/d.yaml", "joins[0].table", "FG-REF-005"),
        ("objects/opportunity.yaml", "lookups.account.object", "FG-REF-005"),
        ("objects/opportunity.yaml", "lookups.thing.object", "FG-REF-005"),
    ]


def test_a_lookup_names_the_file_that_lacks_the_column(check: Check) -> None:
    files = {
        **opp(LOOKUP + "columns: {a: account.Industry}\n"),
        "objects/account.yaml": "mapping: account\nsource: Account\ncolumns: {a: Name}\n",
    }
    (problem,) = check(files)
    assert "add it to objects/account.yaml" in problem.message


def test_an_object_may_look_into_itself(check: Check) -> None:
    account = "mapping: account\nsource: Account\ncolumns: {n: Name, parent: up.Name}\nlookups: {up: {object: Account, by: ParentId}}\n"
    assert (
        check(
            {
                **SOUND,
                "objects/account.yaml": account,
                "datasets/deals.yaml": "mapping: d\nfrom: account\ncolumns: {n: parent}\n",
            }
        )
        == ()
    )


def test_lookups_of_two_objects_into_each_other_are_a_cycle(check: Check) -> None:
    account = "mapping: account\nsource: Account\ncolumns: {n: Name, deal: o.Name}\nlookups: {o: {object: Opportunity, by: Id}}\n"
    files = {**opp("columns: {n: Name, a: account.Name}\n" + LOOKUP), "objects/account.yaml": account}
    (problem,) = check(files)
    assert (problem.code, problem.path) == ("FG-MAP-016", "lookups.o.object")
    assert problem.found == "account → opportunity → account"


@pytest.mark.parametrize(
    "refresh",
    [
        "never",
        "every_run",
        "daily",
        "weekly",
        "{every: 7 days}",
        "{every: daily, also: StageName}",
        "{every: 3 hours, also: [StageName, Amount]}",
    ],
)
def test_a_formula_field_with_a_refresh_policy(check: Check, refresh: str) -> None:
    assert check(opp(f"columns: {{a: ExpectedRevenue}}\nrefresh: {refresh}\n")) == ()


@pytest.mark.parametrize(
    "refresh",
    ["sometimes", "{every: 7}", "{evry: 1 days}", "{every: sometimes}", "{every: never}", "{also: StageName}"],
)
def test_a_refresh_policy_that_is_none(check: Check, refresh: str) -> None:
    assert [p.path.split(".")[0] for p in check(opp(f"columns: {{a: ExpectedRevenue}}\nrefresh: {refresh}\n"))] == [
        "refresh"
    ]


@pytest.mark.parametrize(
    ("former", "now"), [("ignore", "never"), ("full", "every_run"), ("{every: full}", "every_run")]
)
def test_a_former_word_says_what_to_write_now(check: Check, former: str, now: str) -> None:
    (problem,) = check(opp(f"columns: {{a: ExpectedRevenue}}\nrefresh: {former}\n"))
    assert problem.path.startswith("refresh") and f"write `{now}`" in problem.message


def test_what_is_said_for_the_whole_project_counts(check: Check) -> None:
    files = opp("columns: {a: ExpectedRevenue}\n")
    assert [p.code for p in check(files)] == ["FG-FLD-002"]
    assert check({**files, "project.yaml": "objects: {refresh: weekly}\n"}) == ()


def test_a_field_that_acts_like_a_formula_must_be_there_and_be_none(check: Check) -> None:
    problems = check(opp("columns: {a: ExpectedRevenue}\nrefresh: {every: daily, also: [ExpectedRevenue, Stagee]}\n"))
    assert [(p.code, p.path) for p in problems] == [
        ("FG-FLD-003", "refresh.also[0]"), ("FG-REF-001", "refresh.also[1]"),
    ]  # fmt: skip


def test_params_come_from_the_environment(write: Callable[[Mapping[str, Any]], Path]) -> None:
    project = "params: {A: '1'}\nenvironments:\n  dev: {params: {B: '2'}}\n  prod: {params: {B: '3', C: '4'}}\nroots: {landing: 's3://${B}/x'}\n"
    files = {
        "project.yaml": project,
        "objects/lead.yaml": "mapping: lead\nsource: Lead\ndescription: ${A} ${B} ${C}\ngrain: $${Z}\n",
    }
    folder = write(files)
    assert [(p.code, p.found) for p in check_folder(folder, env="prod").problems] == []
    assert [(p.code, p.found) for p in check_folder(folder, env="dev").problems] == [("FG-PRM-001", "C")]
    assert [(p.code, p.found) for p in check_folder(folder, env="dev", params={"C": "x"}).problems] == []
    # without an environment, each is tried
    assert [(p.code, p.found) for p in check_folder(folder).problems] == [("FG-PRM-001", "C")]
    with pytest.raises(UsageError, match='did you mean "prod"'):
        check_folder(folder, env="prd")


def test_names_limit_what_is_told(write: Callable[[Mapping[str, Any]], Path]) -> None:
    folder = write(
        {
            **opp("colums: {}\nrefresh: never\n"),
            "objects/account.yaml": "mapping: account\nsource: Account\nnaming: x\n",
        }
    )
    assert [p.file for p in check_folder(folder, names=["Opportunity"]).problems] == ["objects/opportunity.yaml"]
    with pytest.raises(UsageError, match='did you mean "opportunity"'):
        check_folder(folder, names=["oportunity"])


def test_the_check_needs_no_spark_and_no_great_expectations(write: Callable[[Mapping[str, Any]], Path]) -> None:
    folder = write(SOUND)
    told = (
        "import sys; from pathlib import Path; from forceglue.mapping.check import check_folder;"
        "assert not check_folder(Path(sys.argv[1])).problems;"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'pyspark', 'great_expectations', 'pyarrow', 'pandas', 'numpy', 'boto3', 'py4j'}))"
    )
    done = subprocess.run([sys.executable, "-c", told, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
