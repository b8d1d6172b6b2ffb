"""The mappings say what the facts say: every object, every dataset, every column in its place, every join."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from forceglue.mapping.expand import TRACEABILITY, OutputColumn, dataset_columns, object_columns
from forceglue.mapping.load import Project, load_project
from forceglue.mapping.model import DatasetMapping
from mappings.reference import PUBLISHER_MAP, DatasetFacts, dataset_facts, object_facts

ROOT = Path(__file__).resolve().parents[2]
MAPPINGS = ROOT / "mappings"
TABLES = {"sales_order": "order", "sf_user": "user"}
"""Aliases of the facts that are not the table's name: both words were reserved in the old jobs' SQL."""

FACTS = {facts.name: facts for facts in dataset_facts()}


@cache
def project() -> Project:
    return load_project(MAPPINGS)


@cache
def table_columns(name: str) -> tuple[OutputColumn, ...]:
    """The columns of a table, with the traceability columns of an object."""
    loaded = project()
    if name in loaded.datasets:
        return expanded(loaded.datasets[name])
    mapping = loaded.with_defaults(loaded.objects[name])
    known = loaded.catalog.get(mapping.source)
    assert known is not None, f"{mapping.source} is not in the catalog"
    return (*object_columns(mapping, known.field_names), *map(OutputColumn, TRACEABILITY))


def expanded(mapping: DatasetMapping) -> tuple[OutputColumn, ...]:
    inputs = {mapping.name: mapping.source, **{join.name: join.table for join in mapping.joins}}
    return dataset_columns(mapping, {a: [c.name for c in table_columns(table)] for a, table in inputs.items()})


def fact(expression: str) -> str | None:
    """An expression of the facts in today's words: `table.column` in lower case, a constant as it is, None for null."""
    if expression in ("NULL", "CAST(NULL AS STRING)"):
        return None
    alias, dot, field = expression.partition(".")
    return f"{TABLES.get(alias, alias)}.{field.lower()}" if dot else expression


def said(column: OutputColumn, base: str) -> str | None:
    """The same of a column of a mapping; what comes from product_space is followed to its origin."""
    if column.value is not None:
        return f"'{column.value}'"
    if column.sql is not None:
        return f"{column.name.lower()}()"
    if column.field is None:
        return None
    alias, _, field = column.field.partition(".")
    if base == alias == "product_space":
        return said(next(c for c in table_columns(base) if c.name == field), "product")
    return column.field


# --- objects ------------------------------------------------------------------------------------------------------


def test_every_object_has_a_mapping() -> None:
    have = {(m.source, m.mapping) for m in project().objects.values()}
    assert have == {(entry["source"], entry["table"]) for entry in object_facts()}
    assert len(have) == 36


@pytest.mark.parametrize("entry", object_facts(), ids=lambda entry: entry["source"])
def test_an_object_lands_under_every_name_of_the_facts(entry: dict[str, object]) -> None:
    mapping = project().objects[str(entry["table"])]
    known = project().catalog.get(mapping.source)
    assert known is not None
    assert entry["label"] in (None, known.label)
    assert set(entry["alternatives"]) <= set(mapping.folders)  # type: ignore[call-overload]  # JSON
    assert mapping.description


@pytest.mark.parametrize("entry", object_facts(), ids=lambda entry: entry["source"])
def test_the_catalog_has_every_known_field(entry: dict[str, object]) -> None:
    known = project().catalog.get(str(entry["source"]))
    assert known is not None
    names = [name.lower() for name in known.field_names]
    assert len(names) == len(set(names)) >= int(str(entry["known_fields"]))
    assert not set(names) & {*TRACEABILITY, "partition_0"}, "columns of the old ingest are no fields of Salesforce"


def test_the_catalog_has_every_field_that_a_dataset_needs() -> None:
    missing = set()
    for facts in FACTS.values():
        for _, group, expression in facts.columns:
            table, _, field = (fact(expression) or "").partition(".")
            if field and group != "technical" and field not in {c.name for c in table_columns(table)}:
                missing.add(f"{table}.{field}")
    assert not missing


# --- datasets -----------------------------------------------------------------------------------------------------


def test_every_dataset_has_a_mapping() -> None:
    assert set(project().datasets) == {*FACTS, "product_space"}


@pytest.mark.parametrize("facts", FACTS.values(), ids=lambda facts: facts.name)
def test_names_and_order_of_the_columns(facts: DatasetFacts) -> None:
    columns = expanded(project().datasets[facts.name])
    assert [column.name for column in columns] == [name for name, _, _ in facts.delivered]


@pytest.mark.parametrize("facts", FACTS.values(), ids=lambda facts: facts.name)
def test_where_each_column_comes_from(facts: DatasetFacts) -> None:
    mapping = project().datasets[facts.name]
    found = {column.name: said(column, mapping.source) for column in expanded(mapping)}
    want = {name: fact(expression) for name, _, expression in facts.delivered}
    if facts.name == PUBLISHER_MAP:  # never written; every column has a source of its own
        assert len(set(found.values()) - {None}) == 3
    else:
        assert found == want


@pytest.mark.parametrize("facts", FACTS.values(), ids=lambda facts: facts.name)
def test_joins(facts: DatasetFacts) -> None:
    mapping = project().datasets[facts.name]
    have = {
        (join.type, frozenset((left if "." in left else f"{mapping.name}.{left}", f"{join.name}.{right}")))
        for join in mapping.joins
        for left, right in join.by.items()
    }
    want = {(kind, frozenset((str(fact(left)), str(fact(right))))) for kind, left, right in facts.joins}
    assert have == want
    assert all(not join.alias for join in mapping.joins), "the tables' own names read best"


def test_the_joins_of_the_products_keep_every_product() -> None:
    mapping = project().datasets["product_space"]
    assert mapping.source == "product"
    assert [(j.type, j.table, j.one, j.by) for j in mapping.joins] == [
        ("left", "ad_space_specification", False, {"id": "vlocity_cmt__product2id__c"}),
        (
            "left",
            "ad_space_creative_size_type",
            False,
            {"ad_space_specification.id": "vlocity_cmt__adspacespecificationid__c"},
        ),
        (
            "left",
            "ad_creative_size_type",
            True,
            {"ad_space_creative_size_type.vlocity_cmt__adcreativesizetypeid__c": "id"},
        ),
    ]


@pytest.mark.parametrize("facts", FACTS.values(), ids=lambda facts: facts.name)
def test_the_name_of_the_delivered_file(facts: DatasetFacts) -> None:
    files = [entry.csv.file for entry in project().datasets[facts.name].deliver if entry.csv]
    assert files == [re.sub(r"<(.*)>", r"{now:\1}", facts.file)]


@pytest.mark.parametrize("name", [*FACTS, "product_space"])
def test_a_dataset_says_its_grain_and_loses_no_row(name: str) -> None:
    mapping = project().datasets[name]
    assert mapping.grain
    assert set(mapping.key) <= {column.name for column in expanded(mapping)}
    assert mapping.deleted == "leave_out"
    assert {severity for _, severity, _ in mapping.rules()} <= {"warn"}, "the rulings decide which rows are delivered"
    assert {expectation.on_failure for expectation in mapping.expectations} <= {"warn"}


def test_a_join_on_anything_but_an_id_may_multiply_rows_and_says_so() -> None:
    for mapping in project().datasets.values():
        for join in mapping.joins:
            assert join.one == (set(join.by.values()) == {"id"}), f"{mapping.mapping}: {join.table}"


# --- the whole ----------------------------------------------------------------------------------------------------


def test_the_whole_project_is_without_a_problem() -> None:
    for env in (None, *project().settings.environments):
        assert load_project(MAPPINGS, env=env).order()


def test_credentials_are_named_once_to_be_kept_out() -> None:
    hidden = [name.lower() for name in project().settings.objects.never_read]
    assert len(hidden) == 2
    places = [
        path.relative_to(ROOT).as_posix()
        for folder in (MAPPINGS, Path(__file__).parent)
        for path in folder.rglob("*")
        if path.suffix in {".yaml", ".json", ".py", ".md"} and any(n in path.read_text().lower() for n in hidden)
    ]
    assert places == ["mappings/project.yaml"]
    for name in (*project().objects, *project().datasets):
        assert not {c.name.lower() for c in table_columns(name)} & set(hidden)


def test_the_mappings_stay_small() -> None:
    lines = {path: path.read_text().splitlines() for path in MAPPINGS.rglob("*.yaml")}
    assert sum(map(len, lines.values())) <= 2000
    assert [f"{path.name}:{n}" for path, ls in lines.items() for n, line in enumerate(ls, 1) if len(line) > 120] == []


def test_examples_stand_where_a_reader_looks_for_them() -> None:
    mappings = [*project().objects.values(), *project().datasets.values()]
    shown = [m for m in mappings if m.examples]
    assert len([m for m in shown if isinstance(m, DatasetMapping)]) >= 2
    assert any(example.quarantined for m in shown for example in m.examples)
    assert sum(bool(m.expectations) for m in mappings) <= 6, "each costs a Spark job"
