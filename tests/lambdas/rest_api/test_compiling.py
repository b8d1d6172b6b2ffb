"""Mapping files become what the API knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.api.problems import Problem
from forceglue.mapping.load import load_project
from rest_api.compiling import compiled
from rest_api.objects import load
from tests.house.lock import ROOT

PROJECT = """
name: p
objects: {key: Id, order_by: SystemModstamp, deleted: IsDeleted, never_read: [Secret__c], refresh: never}
"""
DEAL = """
mapping: deal
source: Opportunity
columns:
  deal_id: Id
  name: Name
  half: {sql: "Amount / 2", type: double}
  account: acc.Name
lookups:
  acc: {object: Account, by: AccountId}
"""
THING = "mapping: thing\nsource: Thing__c\n"
EVERYTHING = "mapping: person\nsource: Contact\n"
CONTACT = {
    "name": "Contact",
    "fields": [
        {"name": "Id", "type": "id"}, {"name": "LastName", "type": "string"}, {"name": "Work__c", "type": "email"},
        {"name": "Secret__c", "type": "string"}, {"name": "MailingAddress", "type": "address"},
        {"name": "AccountId", "type": "reference", "referenceTo": ["Account"]},
        {"name": "Boss__c", "type": "reference", "referenceTo": ["Contact"]},
    ],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "project.yaml": PROJECT, "objects/deal.yaml": DEAL, "objects/thing.yaml": THING, "objects/person.yaml": EVERYTHING,
        "catalog/Contact.json": json.dumps(CONTACT),
    }.items():  # fmt: skip
        path = tmp_path / "mappings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "mappings"


def test_the_fields_of_a_mapping_are_those_it_reads(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "objects.json"
    out.write_text(json.dumps(compiled(load_project(folder, checked=False))), "utf-8")
    objects = load(out)
    deal = objects.object("deal")
    assert deal.name == "Opportunity" and deal is objects.object("OPPORTUNITY")
    assert deal.must_know(["id", "AMOUNT", "AccountId", "StageName"]) == ["Id", "Amount", "AccountId", "StageName"]
    assert deal.parents == {"account": ("Account",)}
    with pytest.raises(Problem, match="Opportunity has no field Secret__c, Description"):
        deal.must_know(["Secret__c", "Name", "Description"])


def test_a_mapping_of_every_field_has_those_that_describe_tells(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "objects.json"
    out.write_text(json.dumps(compiled(load_project(folder, checked=False))), "utf-8")
    person = load(out).object("Contact")
    assert person.field("work__C") == "Work__c" and person.field("Secret__c") is None
    assert person.field("MailingAddress") is None  # its parts are fields of their own
    assert {"work__c", "lastname"} <= person.personal
    assert person.parents == {"account": ("Account",), "boss__r": ("Contact",)}


def test_where_nobody_knows_the_fields_all_may_pass_but_never_those(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "objects.json"
    out.write_text(json.dumps(compiled(load_project(folder, checked=False))), "utf-8")
    thing = load(out).object("Thing__c")
    assert thing.field("Anything__c") == "Anything__c" and thing.field("SECRET__c") is None
    assert thing.field("a b") is None and thing.field("x'--") is None


def test_the_mappings_of_this_repository_compile() -> None:
    told = compiled(load_project(ROOT / "mappings"))["objects"]
    assert len(told) == 36 and all(entry["fields"] for entry in told.values())
    assert "xfiles__amazon_iam_key__c" in told["User"]["never"]


def test_without_mappings_the_three_objects_of_the_endpoints_are_known(tmp_path: Path) -> None:
    objects = load(tmp_path / "none.json")
    assert {one.name for one in objects} == {"Account", "Contact", "Opportunity"}
    with pytest.raises(Problem) as refused:
        objects.object("Order")
    assert refused.value.status == 404
