from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from forceglue.mapping.yaml import read


@pytest.mark.parametrize(
    "text",
    ["on", "off", "yes", "no", "NO", "y", "True", "NULL", "~", "12:30", "2024-01-01", "0010e5", "1e5", "0010", "0x10", "0o7",
     "1_000", ".5", "5.", "+1", ".inf", ".nan", "=", "<<", "2024-01-01T10:00:00Z", "006A"],
)  # fmt: skip
def test_what_only_looks_like_another_type_stays_text(text: str) -> None:
    assert read(f"a: {text} \n", "f").value == {"a": text}
    assert read(f"{text} : a\n", "f").value == {text: "a"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("false", False), ("null", None), ("", None), ("0", 0), ("-12", -12), ("1.50", 1.5), ('"1"', "1"), ("'true'", "true"), ('""', "")],
)  # fmt: skip
def test_json_scalars(text: str, value: object) -> None:
    found = read(f"a: {text}\n", "f").value["a"]
    assert found == value
    assert type(found) is type(value)


WORD = st.from_regex(r"[A-Za-z0-9_.:+~-]{1,12}", fullmatch=True).filter(
    lambda w: not w.endswith(":") and w not in ("-", "---", "...", "--- ")
)


@given(WORD)
def test_a_plain_word_is_text_unless_it_is_a_json_scalar(word: str) -> None:
    document = read(f"a: {word}\n", "f")
    if document.problems:
        with pytest.raises(pyyaml.YAMLError):
            pyyaml.compose(f"a: {word}\n")
        return
    value = document.value["a"]
    if isinstance(value, str):
        assert value == word
    elif isinstance(value, bool) or value is None:
        assert word in ("true", "false", "null")
    else:
        assert float(word) == value
        assert document.written["a",] == word


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs", "S"]), max_size=30))
def test_a_quoted_value_is_text_to_the_blank(text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    assert read(f"a: {quoted}\n", "f").value == {"a": text}


@given(st.dictionaries(WORD, WORD, min_size=1, max_size=5))
def test_under_examples_every_scalar_stays_as_written(row: dict[str, str]) -> None:
    flow = "\n".join(f"      {key}: {value}" for key, value in row.items())
    document = read(f"examples:\n  - given:\n    - x: 1\n{flow}\n", "f")
    if document.problems:
        return
    got = document.value["examples"][0]["given"][0]
    assert got == {"x": "1"} | {key: None if value == "null" else value for key, value in row.items()}


def test_numbers_outside_examples_only() -> None:
    document = read("examples: [{dropped: 1, a: null, b: true}]\nother: [1, true]\n", "f")
    assert document.value == {"examples": [{"dropped": "1", "a": None, "b": "true"}], "other": [1, True]}


def test_every_place_has_its_line() -> None:
    document = read("a: 1\nb:\n  - x\n  - y:\n      z: 2\n", "f")
    assert document.line(("a",)) == 1
    assert document.line(("b", 1, "y", "z")) == 5
    assert document.line(("b", 0)) == 3
    assert document.line(("b", 1, "y", "unknown", "deeper")) == 4
    assert document.line(("unknown",)) == 1


def test_duplicate_keys_are_all_told_and_the_first_stays() -> None:
    document = read("a: 1\nb: {c: 1, c: 2}\na: 3\n", "f")
    assert [(p.code, p.line, p.path) for p in document.problems] == [("FG-YML-003", 2, "b.c"), ("FG-YML-003", 3, "a")]
    assert document.value == {"a": 1, "b": {"c": 1}}


@pytest.mark.parametrize(
    ("text", "value", "allowed"),
    [
        ("a: {type: decimal(18,2)}", {"type": "decimal(18,2)"}, '"decimal(18,2)"'),
        (
            "a: {from: x, type: decimal(18, 2), b: 1}",
            {"from": "x", "type": "decimal(18, 2)", "b": 1},
            '"decimal(18, 2)"',
        ),
        ("a: {sql: if(a, b, c)}", {"sql": "if(a, b, c)"}, '"if(a, b, c)"'),
        ("a: [f(x,y), z]", ["f(x,y)", "z"], '"f(x,y)"'),
    ],
)
def test_a_value_split_by_its_comma_is_told_to_be_quoted(text: str, value: object, allowed: str) -> None:
    document = read(text, "f")
    assert document.value == {"a": value}
    assert [(p.code, p.allowed) for p in document.problems] == [("FG-YML-007", allowed)]
    assert "quote it" in document.problems[0].message


def test_block_form_needs_no_quotes() -> None:
    document = read("a:\n  type: decimal(18,2)\n  sql: coalesce(a, b)\n", "f")
    assert document.problems == ()
    assert document.value == {"a": {"type": "decimal(18,2)", "sql": "coalesce(a, b)"}}


def test_anchors_are_fine() -> None:
    document = read("a: &x [1, 2]\nb: *x\n", "f")
    assert document.problems == ()
    assert document.value == {"a": [1, 2], "b": [1, 2]}
    assert document.line(("b",)) == 2


def test_laughs_without_end_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    document = read("\n".join(lines), "f")
    assert [p.code for p in document.problems] == ["FG-YML-005"]


@pytest.mark.parametrize(
    ("text", "code", "line", "said"),
    [
        ("a: 1\nb: c: d\n", "FG-YML-001", 2, "must be quoted"),
        ("a: 1\nb: @x\n", "FG-YML-001", 2, "cannot start"),
        ("a: [1\n", "FG-YML-001", 2, "flow sequence"),
        ("a: 1\n---\nb: 2\n", "FG-YML-001", 2, "second document"),
        (b"a: 1\nb: \xff\n", "FG-YML-001", 2, "no text"),
        ("", "FG-YML-002", 1, "empty"),
        ("# only this\n", "FG-YML-002", 1, "empty"),
        ("a: !!python/object:os.system x\n", "FG-YML-004", 1, "tags"),
        ("a: &a\n  b: *a\n", "FG-YML-005", 2, "inside its own anchor"),
        ("? [a, b]\n: c\n", "FG-YML-006", 1, "plain words"),
    ],
)
def test_broken_files(text: str | bytes, code: str, line: int, said: str) -> None:
    problems = read(text, "f.yaml").problems
    assert [(p.code, p.file, p.line) for p in problems] == [(code, "f.yaml", line)]
    assert said in problems[0].message
