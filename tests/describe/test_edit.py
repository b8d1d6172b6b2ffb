from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.describe.edit import Edits
from forceglue.mapping import yaml

FILE = """\
# ä comment of mine 😀
mapping:   account
source: Account
columns:
  id:      Id      # the key
  amount:  {from: Amount,   type: "decimal(18,2)"}   # money

  stage:
    from: StageName
    description: >
      How far
      it is
# between
quality:
  warn: {a: b > 1}
"""


def edited(text: str, *steps: tuple[Any, ...]) -> str:
    edits = Edits(text)
    for name, *given_to in steps:
        getattr(edits, name)(*given_to)
    return edits.result()


def test_a_value_is_replaced_in_its_place() -> None:
    got = edited(FILE, ("replace", ("columns", "amount", "type"), "date"), ("replace", ("columns", "id"), "{from: Id}"))
    assert got == FILE.replace('"decimal(18,2)"', "date").replace("  Id  ", "  {from: Id}  ")


def test_a_block_value_is_replaced() -> None:
    got = edited(FILE, ("replace", ("columns", "stage"), "{from: X}"))
    assert yaml.read(got, "").value["columns"]["stage"] == {"from": "X"}
    assert got.splitlines()[-3:] == FILE.splitlines()[-3:]


def test_entries_are_added_at_the_end_of_their_block() -> None:
    got = edited(
        FILE,
        ("add", (), "refresh", "never", "a hint"),
        ("add", ("columns",), "b", "B__c", "reference"),
        ("add", ("columns",), "c", "{from: C__c}"),
        ("add", ("columns", "amount"), "description", '"x"'),
        ("add", ("columns", "stage"), "type", "date"),
    )
    assert (
        got
        == FILE.replace('"decimal(18,2)"}', '"decimal(18,2)", description: "x"}').replace(
            "      it is\n", "      it is\n    type: date\n  b: B__c  # reference\n  c: {from: C__c}\n"
        )
        + "refresh: never  # a hint\n"
    )


def test_a_file_whose_last_line_does_not_end_and_whose_last_block_is_the_columns() -> None:
    text = "mapping: a\nsource: A\ncolumns:\n  id: Id  # key"
    got = edited(text, ("add", (), "refresh", "daily"), ("add", ("columns",), "b", "B"))
    assert yaml.read(got, "").value == {
        "mapping": "a", "source": "A", "columns": {"id": "Id", "b": "B"}, "refresh": "daily",
    }  # fmt: skip
    assert got.startswith(f"{text}\n  b: B\n")


@pytest.mark.parametrize(
    ("columns", "place"),
    [
        ("{}", ("columns",)), ("{a: A}", ("columns",)), ("{a: A, }", ("columns",)), ("{\n  a: A,\n  b: B\n}", ("columns",)),
        ("\n  - a: A\n    b: {from: B}\n  - empty: [c]", ("columns", 0)), ("\n- a: A\n  # mine", ("columns", 0)),
        ("[{a: A}]", ("columns", 0)),
    ],
)  # fmt: skip
def test_all_forms_of_columns(columns: str, place: tuple[str | int, ...]) -> None:
    text = f"mapping: x\ncolumns: {columns}\nsource: X\n"
    before, after = (yaml.read(t, "").value for t in (text, edited(text, ("add", place, "new", "N", "said"))))
    block = before["columns"] if len(place) == 1 else before["columns"][0]
    block["new"] = "N"
    assert after == before


@pytest.mark.parametrize("columns", ["\n  - all: X\n    only: [A]\nrest: ignore", "[{all: X, only: [A]}]"])
def test_a_block_is_appended_to_a_list(columns: str) -> None:
    text = f"columns: {columns}\nsource: X\n"
    after = yaml.read(edited(text, ("append", ("columns",), [("b", "B", "c"), ("d", "{from: D}", None)])), "")
    assert after.problems == ()
    assert after.value["columns"] == [{"all": "X", "only": ["A"]}, {"b": "B", "d": {"from": "D"}}]


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + dedent(FILE).replace("\n", "\r\n")
    got = edited(text, ("add", ("columns",), "b", "B"), ("replace", ("columns", "id"), "Key"))
    assert got.startswith("\ufeff# ä") and "\n" not in got.replace("\r\n", "")
    assert got.replace("  id:      Key ", "  id:      Id ").replace("  b: B\r\n", "") == text


def test_an_entry_is_taken_out_with_its_lines() -> None:
    assert edited(FILE, ("remove", ("columns", "stage"))) == FILE.replace(
        FILE[FILE.index("  stage:") : FILE.index("# between")], ""
    )
    assert edited(FILE, ("remove", ("columns", "id"))) == FILE.replace("  id:      Id      # the key\n", "")
    for text in ("columns: {a: A, b: B}\n", "columns:\n  - a: A\n    b: B\n"):
        place = ("columns", 0, "a") if "-" in text else ("columns", "a")
        edits = Edits(text)
        assert not edits.remove(place) and edits.result() == text


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
COLUMNS = st.dictionaries(
    NAMES, st.sampled_from(["Id", "{from: Amount, type: date}", '"ü\\u2028"', "null"]), min_size=1
)


@given(
    COLUMNS,
    st.dictionaries(NAMES, st.just("Neu"), max_size=3),
    st.integers(0, 6),
    st.sampled_from(["\n", "\r\n"]),
    st.text("äé😀# ", max_size=9),
)
def test_nothing_but_what_is_added_differs(
    columns: dict[str, str], new: dict[str, str], gap: int, newline: str, remark: str
) -> None:
    lines = [f"  {name}:{' ' * (gap + 1)}{value}  # {remark}" for name, value in columns.items()]
    text = newline.join([f"# {remark}", "columns:", *lines, "", "# end", "x: 1", ""])
    added = {name: value for name, value in new.items() if name not in columns}
    got = edited(text, *(("add", ("columns",), name, value) for name, value in added.items()))
    before, after = yaml.read(text, "").value, yaml.read(got, "").value
    assert after == {**before, "columns": {**before["columns"], **added}}
    there = text.split(newline)
    assert [line for line in got.split(newline) if line in there] == there
