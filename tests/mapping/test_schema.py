"""The published schemas are fresh, and they accept and refuse what the loader does."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import jsonschema
import pytest

from forceglue.mapping.codes import CODES, as_markdown
from forceglue.mapping.schema import as_text, mapping_schema, project_schema
from forceglue.mapping.yaml import read
from mapping.samples import SOUND

MAPPINGS = Path(__file__).parents[2] / "mappings"


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


MAPPING, PROJECT = validator(mapping_schema()), validator(project_schema())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mapping.schema.json", as_text(mapping_schema())),
        ("project.schema.json", as_text(project_schema())),
        ("ERRORS.md", as_markdown()),
    ],
)
def test_the_generated_files_are_fresh(name: str, text: str) -> None:
    told = f"mappings/{name} is stale: run python -m forceglue.mapping.schema mappings, python -m forceglue.mapping.codes mappings/ERRORS.md"
    assert (MAPPINGS / name).read_text(encoding="utf-8") == text, told


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("[do]*/*.yaml")), ids=lambda path: path.name)
def test_our_own_mappings_fit(path: Path) -> None:
    assert [e.message for e in MAPPING.iter_errors(read(path.read_bytes(), path.name).value)] == []


def test_our_own_project_fits() -> None:
    assert [
        e.message for e in PROJECT.iter_errors(read((MAPPINGS / "project.yaml").read_bytes(), "project.yaml").value)
    ] == []


@pytest.mark.parametrize("name", [name for name in SOUND if name.endswith(".yaml")])
def test_every_short_form_fits(name: str) -> None:
    schema = PROJECT if name == "project.yaml" else MAPPING
    assert [e.message for e in schema.iter_errors(read(dedent(SOUND[name]), name).value)] == []


@pytest.mark.parametrize(
    "text",
    [
        "mapping: a\nsource: A\ncolums: {}",
        "mapping: a\n",
        "mapping: a\nsource: A\ncolumns: {a: {form: b}}",
        "mapping: a\nsource: A\ncolumns: {a: [b]}",
        "mapping: a\nsource: A\ntarget: {write: sdc2}",
        "mapping: a\nsource: A\nquality: {fial: {a: b}}",
        "mapping: a\nsource: A\ndeliver: [{csv: {file: a}, delta: {}}]",
        "mapping: a\nsource: A\nexpectations: [{expect_x: {}, on_failure: stop}]",
        "mapping: a\nfrom: b\ncolumns: [{all: b, exept: [c]}]",
        "mapping: a\nfrom: b\ncolumns: {a: b}\nlookups: {}",
        "mapping: a\nfrom: b",
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(text: str) -> None:
    assert list(MAPPING.iter_errors(read(text, "f").value))


def test_hover_text_is_there() -> None:
    properties = mapping_schema()["$defs"]["ObjectMapping"]["properties"]
    assert "Salesforce API name" in properties["source"]["description"]
    assert {name for name, word in properties.items() if "description" not in word and "$ref" not in word} <= {
        "description"
    }


def test_every_code_is_explained() -> None:
    for code, entry in CODES.items():
        assert entry.title, code
        assert len(entry.cause) > 20, code
        assert len(entry.mend) > 5, code
        assert f"### {code}: {entry.title}" in as_markdown()
