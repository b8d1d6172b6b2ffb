"""Every problem of a profile at once, with its line, what is allowed, and the nearest name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from forceglue.mapping.codes import CODES
from forceglue.mapping.problems import Problem
from forceglue.mapping.schema import as_text, profile_schema
from forceglue.profiles.load import read_profile
from profiles.kit import ARN, SMALL, text

MAPPINGS = Path(__file__).parents[2] / "mappings"
SAMPLE = MAPPINGS / "profiles" / "flood_qns.json"
SCHEMA = jsonschema.Draft202012Validator(profile_schema())


def problems(written: str | bytes, file: str = "small.json") -> list[Problem]:
    return list(read_profile(written, file).problems)


def codes(written: str | bytes, file: str = "small.json") -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in problems(written, file)]


def test_the_schema_is_fresh() -> None:
    told = "stale: run python -m forceglue.mapping.schema mappings"
    assert (MAPPINGS / "profile_v2.schema.json").read_text("utf-8") == as_text(profile_schema()), told


def test_the_sample_is_sound_and_begins_as_the_first_ones_did() -> None:
    read = read_profile(SAMPLE.read_bytes(), str(SAMPLE))
    assert read.sound and read.problems == () and read.source == "flood_qns"
    assert (read.profile.parser, read.profile.max_bytes) == ("csv_pipe", 8_000_000)  # type: ignore[union-attr]
    assert [error.message for error in SCHEMA.iter_errors(json.loads(SAMPLE.read_text("utf-8")))] == []


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"key": ["id", "name"]},
        {"key": "id", "quote": None, "delimiter": ";"},
        {"header": False, "fields": ["ID", "Name", "Amount"]},
        {"rowStateMachineArn": None, "landing": {"object": "Small"}},
        {"parserId": "jsonl", "requiredColumns": []},
        {"quality": {"warn": {"r": {"sql": "amount > 0", "nulls": "pass", "description": "d"}}}},
    ],
)
def test_the_schema_takes_what_the_lint_takes(more: dict[str, Any]) -> None:
    written = text(**more)
    assert codes(written) == []
    assert [error.message for error in SCHEMA.iter_errors(json.loads(written))] == []


CASES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"parserId": "csv_pip"}, ("FG-MAP-004", "parserId")),
    ({"maxBytes": "8 MB"}, ("FG-MAP-003", "maxBytes")),
    ({"maxBytes": 0}, ("FG-MAP-005", "maxBytes")),
    ({"maxBytes": None}, ("FG-MAP-002", "maxBytes")),
    ({"maxByte": 1}, ("FG-MAP-001", "maxByte")),
    ({"version": 1}, ("FG-MAP-004", "version")),
    ({"limits": {"failureShare": 5}}, ("FG-MAP-005", "limits.failureShare")),
    ({"limits": {"concurrency": 15}}, ("FG-MAP-005", "limits.concurrency")),
    ({"limits": {"minRows": 9, "maxRows": 8}}, ("FG-MAP-006", "limits")),
    ({"landing": {"object": "Small"}}, ("FG-MAP-006", "landing")),
    ({"rowStateMachineArn": None}, ("FG-MAP-002", "")),
    ({"rowStateMachineArn": "dev-file-row"}, ("FG-PRO-004", "rowStateMachineArn")),
    ({"rowStateMachineArn": ARN + ":1"}, ("FG-PRO-004", "rowStateMachineArn")),
    ({"rowStateMachineArn": ARN.replace(":states:", ":lambda:")}, ("FG-PRO-004", "rowStateMachineArn")),
    ({"rowStateMachineArn": ARN.replace("dev-file-row", "mine")}, ("FG-PRO-005", "rowStateMachineArn")),
    ({"header": False}, ("FG-MAP-006", "header")),
    ({"fields": ["ID"]}, ("FG-MAP-006", "fields")),
    ({"parserId": "jsonl", "delimiter": "|"}, ("FG-MAP-006", "delimiter")),
    ({"quote": ","}, ("FG-MAP-006", "quote")),
    ({"header": False, "fields": ["ID", "Nam", "Amount"]}, ("FG-PRO-008", "mappings.name.from")),
    ({"header": False, "fields": ["ID", "Name", "Amount", "id"]}, ("FG-PRO-012", "fields[3]")),
    ({"key": "ident"}, ("FG-PRO-008", "key[0]")),
    ({"mappings": {}}, ("FG-MAP-005", "mappings")),
    ({"mappings": {"a": {"from": "A", "type": "number"}}}, ("FG-TYP-001", "mappings.a.type")),
    ({"mappings": {"a": {"from": "A", "type": "binary"}}}, ("FG-TYP-001", "mappings.a.type")),
    ({"mappings": {"a": {"from": "A", "type": "decimal(40,2)"}}}, ("FG-TYP-002", "mappings.a.type")),
    ({"mappings": {"a": {"from": "A", "type": "date", "format": "DD/MM"}}}, ("FG-PRO-010", "mappings.a.format")),
    ({"mappings": {"a": {"value": "x", "type": "int"}}}, ("FG-PRO-011", "mappings.a.value")),
    ({"mappings": {"a": {"sql": "upper(b)"}}}, ("FG-MAP-006", "mappings.a")),
    ({"mappings": {"a": 1}}, ("FG-MAP-006", "mappings.a")),
    ({"mappings": {"a": "A", "A": "B"}}, ("FG-PRO-012", "mappings.A")),
    ({"quality": {"warn": {"r": "amount >"}}}, ("FG-SQL-001", "quality.warn.r")),
    ({"quality": {"warn": {"r": "Nme = 'x'"}}}, ("FG-RUL-002", "quality.warn.r")),
    ({"quality": {"warn": {"r": "year(name) > 2"}}}, ("FG-PRO-009", "quality.warn.r")),
    ({"quality": {"warn": {"r": "amount > 'x'"}}}, ("FG-PRO-009", "quality.warn.r")),
    ({"quality": {"warn": {"r": "lenght(name) > 2"}}}, ("FG-SQL-004", "quality.warn.r")),
    ({"quality": {"warn": {"r": "id = '1'"}, "drop": {"R": "id = '1'"}}}, ("FG-RUL-001", "quality.warn.r")),
    ({"quality": {"ignore": {}}}, ("FG-MAP-001", "quality.ignore")),
    ({"encoding": "utf-16"}, ("FG-MAP-004", "encoding")),
]


@pytest.mark.parametrize(("more", "found"), CASES)
def test_each_problem_has_its_code_and_place(more: dict[str, Any], found: tuple[str, str]) -> None:
    assert codes(text(**more)) == [found]


def test_one_problem_hides_no_other() -> None:
    wrong = text(
        parserId="csv_pip", maxBytes=None, limits={"failureShare": 3}, key="c", rowStateMachineArn="x",
        mappings={"a": {"from": "A", "type": "integr"}, "b": {"from": "B", "sql": "x"}, "n": {"from": "N", "type": "int"}},
        quality={"warn": {"x": "zz = 1", "y": "n = 'x'", "z": "b = 'x'"}},
    )  # fmt: skip
    assert codes(wrong.replace(", ", ",\n")) == [
        ("FG-MAP-002", "maxBytes"),
        ("FG-MAP-004", "parserId"),
        ("FG-TYP-001", "mappings.a.type"),
        ("FG-MAP-006", "mappings.b"),
        ("FG-PRO-004", "rowStateMachineArn"),
        ("FG-MAP-005", "limits.failureShare"),
        ("FG-PRO-008", "key[0]"),
        ("FG-RUL-002", "quality.warn.x"),
        ("FG-PRO-009", "quality.warn.y"),
    ]


def test_a_problem_tells_line_allowed_nearest_and_what_to_do() -> None:
    (found,) = problems(json.dumps(SMALL | {"parserId": "csv_pip"}, indent=1))
    assert (found.line, found.found, found.nearest) == (2, "csv_pip", "csv_pipe")
    assert found.allowed == "csv_pipe, csv, jsonl" and found.mend


@pytest.mark.parametrize(("used", "meant"), [("Amnt > 0", "amount"), ("ident = 'x'", "id")])
def test_a_rule_that_says_the_files_name_is_told_the_columns(used: str, meant: str) -> None:
    mappings = {"id": "ident", "amount": {"from": "Amnt", "type": "int"}}
    (found,) = problems(text(mappings=mappings, quality={"warn": {"r": used}}))
    assert (found.code, found.nearest) == ("FG-RUL-002", meant)


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        ('{\n "a": 1,\n}', 3, "Expecting property name|Illegal trailing comma"),
        ("", 1, "Expecting value"),
        ("{'a': 1}", 1, "double quotes"),
        (b"\xff\xfe", 1, "UTF-8"),
        ("parserId: csv", 1, "Expecting value"),
        ("[" * 100_000, 1, "too deeply"),
    ],
)
def test_what_is_no_json_is_told_with_its_line(written: str | bytes, line: int, said: str) -> None:
    import re

    (found,) = problems(written)
    assert found.code == "FG-PRO-001" and re.search(said, found.message)
    assert found.line in (line, line - 1)  # Python 3.13 names the comma, earlier ones what follows it


def test_what_is_no_object_is_told() -> None:
    assert codes("[1]") == [("FG-MAP-003", "")]


def test_a_key_that_stands_twice_is_told() -> None:
    assert ("FG-YML-003", "maxBytes") in codes(text()[:-1] + ', "maxBytes": 2}')


@pytest.mark.parametrize(
    ("size", "code"), [(4096, None), (4097, "FG-PRO-003"), (8192, "FG-PRO-003"), (8193, "FG-PRO-002")]
)
def test_a_profile_fits_into_a_parameter(size: int, code: str | None) -> None:
    padded = text(description="x" * (size - len(text(description=""))))
    assert len(padded) == size and [found for found, _ in codes(padded)] == ([code] if code else [])


@pytest.mark.parametrize("name", ["Flood QNS.json", "a/_x.json", "x" * 49 + ".json"])
def test_a_source_has_a_name_that_folders_and_parameters_can_have(name: str) -> None:
    assert codes(text(), name) == [("FG-PRO-006", "")]


def test_characters_beyond_the_first_plane_are_read() -> None:
    assert codes(text(description="\U0001f30a", nullValues=["\U0001f30a"])) == []


def test_every_code_of_profiles_has_a_case() -> None:
    told = {found[0] for _, found in CASES} | {"FG-PRO-001", "FG-PRO-002", "FG-PRO-003", "FG-PRO-006"}
    # what differs from SSM is told by the command: tests/cli/test_profile_lint.py
    assert {code for code in CODES if code.startswith("FG-PRO-")} == {c for c in told if "PRO" in c} | {"FG-PRO-007"}
