from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from forceglue.errors import UsageError
from forceglue.mapping.lineage import all_lineage, trace
from forceglue.mapping.project import Project
from mapping.samples import SOUND

Load = Callable[..., Project]


def test_a_dataset_column_down_to_the_field(load: Load) -> None:
    tree = trace(load(SOUND), "deals", "deal_id")
    assert list(tree.lines()) == ["Deals.Deal_ID", "  opportunity.opportunity_id", "    Salesforce Opportunity.Id"]
    assert tree.fields() == ("Opportunity.Id",)


def test_through_sql_and_join(load: Load) -> None:
    project = load(SOUND)
    assert list(trace(project, "Deals", "Deal_Year").lines()) == [
        "Deals.Deal_Year  (sql: fiscal_year + 1)",
        "  opportunity.fiscal_year  (sql: year(CloseDate); as int)",
        "    Salesforce Opportunity.CloseDate",
    ]
    assert list(trace(project, "Deals", "Created_By").lines()) == [
        "Deals.Created_By",
        "  account.created_by_id  (inner join acc on account_id = acc.id)",
        "    Salesforce Account.CreatedById",
    ]


def test_through_a_lookup(load: Load) -> None:
    assert list(trace(load(SOUND), "opportunity", "account_name").lines()) == [
        "opportunity.account_name",
        "  account.account_name  (lookup account by AccountId)",
        "    Salesforce Account.Name",
    ]


def test_a_dataset_of_a_dataset_with_several_sources(load: Load) -> None:
    more = "mapping: More\nfrom: Deals\ncolumns: {x: {sql: 'concat(Deal_ID, Created_By)'}}\n"
    tree = trace(load({**SOUND, "datasets/more.yaml": more}), "More", "x")
    assert tree.fields() == ("Opportunity.Id", "Account.CreatedById")


def test_leaves_that_are_no_field(load: Load) -> None:
    project = load(SOUND)
    assert [leaf.kind for leaf in trace(project, "Deals", "Default").leaves()] == ["empty"]
    assert [(leaf.kind, leaf.title) for leaf in trace(project, "Deals", "Source").leaves()] == [
        ("constant", "salesforce")
    ]
    assert trace(project, "account", "filename").kind == "technical"


def test_objects_that_no_file_speaks_of(load: Load) -> None:
    tree = trace(load({"d.yaml": "mapping: d\nfrom: branch__c\ncolumns: {x: city__c}\n"}), "d", "x")
    assert tree.fields() == ("branch__c.city__c",)


def test_unknown_columns(load: Load) -> None:
    with pytest.raises(UsageError, match='did you mean "Deal_ID"'):
        trace(load(SOUND), "Deals", "DealI")


def test_all_of_it_covers_every_column_and_serialises(load: Load) -> None:
    project = load(SOUND)
    every = all_lineage(project)
    assert {name: len(trees) for name, trees in every.items()} == {
        name: len(project.columns(name)) for name in project.mappings
    }
    assert json.loads(json.dumps([tree.to_dict() for tree in every["Deals"]]))[0] == {
        "kind": "column",
        "name": "Deals.Deal_ID",
        "inputs": [
            {
                "kind": "column",
                "name": "opportunity.opportunity_id",
                "inputs": [{"kind": "field", "name": "Opportunity.Id"}],
            }
        ],
    }


def test_a_cycle_ends(load: Load) -> None:
    files = {"a.yaml": "mapping: a\nfrom: b\ncolumns: {x: x}\n", "b.yaml": "mapping: b\nfrom: a\ncolumns: {x: x}\n"}
    tree = trace(load(files, checked=False), "a", "x")
    assert [leaf.kind for leaf in tree.leaves()] == ["unknown"]
