from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from describe.kit import AMOUNT, DOUBLE, OWNER, STAGE, describe, field, keep, put
from describe.test_columns import KINDS
from forceglue.describe import snapshot
from forceglue.describe.scaffold import Scaffolded, scaffold
from forceglue.errors import UsageError
from forceglue.mapping.catalog import object_from_describe
from forceglue.mapping.check import check_folder
from forceglue.mapping.load import load_project, read_project
from forceglue.simulated.salesforce.describe import full_field

NOT_COLUMNS = ("address", "location", "base64", "json", "complexvalue")


def made(folder: Path, *names: str, everything: bool = False, force: bool = False) -> dict[str, Scaffolded]:
    return {one.object: one for one in scaffold(read_project(folder), names, everything=everything, force=force)}


def wide(count: int = 500) -> dict[str, Any]:
    """An object of so many fields: every type of a describe, digits of every size, formulas, references."""
    kinds = [*(kind for kind in KINDS if kind != "id"), *NOT_COLUMNS]
    fields = []
    for n in range(count - 3):
        kind = kinds[n % len(kinds)]
        digits = n % 39
        said = field(f"Field{n}__c", kind, label=f"Field: {n}", custom=True, precision=digits, scale=n % (digits + 1))
        said |= {"calculated": True, "calculatedFormula": f'F{n} & "x" # {{{n}}}'} if n % 7 == 3 else {}
        said |= {"inlineHelpText": f'It\'s "{n}": a ${{PARAM}}, [{n}]\n100 %'} if n % 5 == 2 else {}
        said |= {"referenceTo": ["User", "Account"][: 1 + n % 2]} if kind == "reference" else {}
        fields.append(full_field(said))
    return describe(*fields, name="Wide__c", label="Wide")


def expected(said: dict[str, Any]) -> str:
    """The type of a field, worked out apart from the code under test."""
    digits, scale = said.get("precision") or 0, said.get("scale") or 0
    if said["type"] not in ("double", "currency", "percent"):
        return KINDS[said["type"]] or "string"
    if not digits:
        return "double"
    whole = digits - scale
    return f"decimal(38,{max(scale, min(18, 38 - whole))})" if said.get("calculated") else f"decimal({digits},{scale})"


def test_an_object_of_500_fields_is_right_in_every_type(folder: Path) -> None:
    described = wide()
    keep(folder, describe(), describe(name="User"), described)
    found = made(folder, "Wide__c")["Wide__c"]
    assert (found.outcome, found.file) == ("new", "objects/wide__c.yaml")
    assert check_folder(folder).problems == ()
    project = load_project(folder)
    columns = {c.field: c for c in project.columns("wide__c")}
    read = [f for f in described["fields"] if f["type"] not in NOT_COLUMNS]
    assert len(described["fields"]) == 500 and set(columns) == {f["name"] for f in read}
    wrong = {f["name"]: columns[f["name"]].type for f in read if (columns[f["name"]].type or "string") != expected(f)}
    assert wrong == {}
    assert found.columns == len(read)
    assert made(folder, "wide__c")["Wide__c"].outcome == "same"


def test_every_object_of_the_demo_passes_check(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "mappings" / "catalog"
    put(tmp_path, "project.yaml", "objects: {naming: lower}\n")
    (tmp_path / "catalog").mkdir()
    for path in source.glob("*.json"):
        (tmp_path / "catalog" / path.name).write_bytes(path.read_bytes())
    found = made(tmp_path, everything=True)
    assert [name for name, one in found.items() if one.outcome != "new"] == ["BillingExtractReady__e"]  # no key
    assert check_folder(tmp_path).problems == ()
    assert all(one.untyped for one in found.values() if one.outcome == "new")  # only names are known there


def test_scaffold_edit_scaffold_keeps_the_edit_and_brings_the_news(folder: Path) -> None:
    keep(folder, describe(AMOUNT, STAGE))
    made(folder, "Account")
    path = folder / "objects" / "account.yaml"
    edited = (
        path.read_text().replace("amount__c:", "worth:    ") + "\nquality:\n  warn: {positive: worth > 0}  # mine\n"
    )
    path.write_text(edited)
    keep(folder, describe({**AMOUNT, "scale": 4}, STAGE, OWNER, DOUBLE))
    found = made(folder, "account")["Account"]
    assert [(note.field, note.did) for note in found.notes] == [
        ("Amount__c", "changed"),
        ("refresh", "added"),
        ("OwnerId", "added"),
        ("Double__c", "added"),
    ]
    text = path.read_text()
    assert "quality:\n  warn: {positive: worth > 0}  # mine\n" in text
    assert '  worth:     {from: Amount__c, type: "decimal(18,4)"}\n' in text
    assert check_folder(folder).problems == ()
    assert made(folder, "Account")["Account"].outcome == "same"


def test_pulls_in_between_do_not_lose_what_was_made_last(folder: Path) -> None:
    keep(folder, describe(AMOUNT))
    made(folder, "Account")
    keep(folder, describe({**AMOUNT, "scale": 3}))
    keep(folder, describe({**AMOUNT, "scale": 4}))
    assert [n.told for n in made(folder, "Account")["Account"].notes] == ["type decimal(18,2) → decimal(18,4)"]


def test_a_mapping_of_a_person_is_left_unless_forced(folder: Path) -> None:
    keep(folder, describe(AMOUNT))
    mine = "mapping: customer\nsource: Account\ncolumns:\n  key: Id   # mine\n"
    path = put(folder, "objects/customer.yaml", mine)
    assert made(folder, "Account")["Account"].outcome == "left"
    assert path.read_text() == mine and not (folder / "objects" / "account.yaml").exists()
    found = made(folder, "customer", force=True)["Account"]
    assert (found.outcome, found.file) == ("changed", "objects/customer.yaml")
    assert path.read_text().startswith(mine)
    assert check_folder(folder).problems == ()


def test_a_mapping_that_was_deleted_is_made_anew(folder: Path) -> None:
    keep(folder, describe(AMOUNT))
    made(folder, "Account")
    (folder / "objects" / "account.yaml").unlink()
    assert made(folder, "Account")["Account"].outcome == "new"


def test_a_table_name_that_is_taken(folder: Path) -> None:
    keep(folder, describe(AMOUNT))
    put(folder, "datasets/account.yaml", "mapping: Account\nfrom: lead\ncolumns: {a: id}\n")
    put(folder, "objects/lead.yaml", "mapping: lead\nsource: Lead\n")
    assert made(folder, "Account")["Account"].file == "objects/account_2.yaml"


def test_what_cannot_be_made_is_told_and_the_rest_is_made(folder: Path) -> None:
    keep(folder, describe(AMOUNT), describe(name="Contact"), describe(name="Order"))
    snapshot.write(folder, {"name": "Odd__e", "label": "Odd", "fields": [field("A__c")]})
    made(folder, "Contact", "Order")
    (folder / "objects" / "contact.yaml").write_text("mapping: contact\nsource: Contact\ncolums: {}\n")
    put(folder, "catalog/scaffold/Order.json", "{")
    found = made(folder, "Acount", "Odd__e", "Contact", "Order", "Account")
    assert {name: one.outcome for name, one in found.items()} == {
        "Acount": "failed", "Odd__e": "failed", "Contact": "failed", "Order": "failed", "Account": "new",
    }  # fmt: skip
    told = {name: one.error or "" for name, one in found.items()}
    assert "did you mean Account?" in told["Acount"] and "catalog pull Acount" in told["Acount"]
    assert "told apart by" in told["Odd__e"] and "mend it first" in told["Contact"]
    assert "catalog/scaffold/Order.json cannot be read" in told["Order"]


def test_a_file_that_cannot_be_parsed_gets_no_second_one(folder: Path) -> None:
    keep(folder, describe(AMOUNT))
    put(folder, "objects/account.yaml", "a: b: c\n")
    assert made(folder, "Account")["Account"].outcome == "failed"
    assert [path.name for path in (folder / "objects").iterdir()] == ["account.yaml"]


def test_what_a_mapping_never_reads_is_no_new_column(folder: Path) -> None:
    keep(folder, describe())
    made(folder, "Account")
    path = folder / "objects" / "account.yaml"
    path.write_text(path.read_text() + "never_read: [Secret__c]\n")
    keep(folder, describe(field("Secret__c"), AMOUNT))
    assert [note.field for note in made(folder, "Account")["Account"].notes] == ["Amount__c"]
    assert check_folder(folder).problems == ()


def test_of_two_mappings_of_an_object_its_own(folder: Path) -> None:
    keep(folder, describe(AMOUNT))
    made(folder, "Account")
    put(folder, "objects/zz.yaml", "mapping: zz\nsource: Account\n")
    assert (made(folder, "Account")["Account"].file, made(folder, "Account")["Account"].outcome) == (
        "objects/account.yaml",
        "same",
    )


def test_no_object(folder: Path) -> None:
    with pytest.raises(UsageError, match="say --all"):
        made(folder)


def test_the_schema_line_only_where_the_schema_is(folder: Path) -> None:
    keep(folder, describe(), describe(name="Contact"))
    made(folder, "Account")
    (folder / "mapping.schema.json").write_text("{}")
    made(folder, "Contact")
    heads = [(folder / "objects" / f"{n}.yaml").read_text().startswith("# yaml-lang") for n in ("account", "contact")]
    assert heads == [False, True]


def test_the_record_is_a_column_a_line(folder: Path) -> None:
    keep(folder, describe(AMOUNT))
    made(folder, "Account")
    text = (folder / "catalog" / "scaffold" / "Account.json").read_text()
    assert '    "Amount__c": {"name": "amount__c", "type": "decimal(18,2)"}' in text.splitlines()
    assert json.loads(text)["source"] == "Account"
    assert object_from_describe(describe()).name in read_project(folder).project.catalog.names
