"""Scaffold made again: what a person wrote stays, what nobody touched follows Salesforce."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from describe.kit import AMOUNT, DOUBLE, STAGE, describe, field
from forceglue.describe.columns import MadeMapping, made
from forceglue.describe.merge import Merged, merge
from forceglue.describe.record import Record
from forceglue.describe.render import mapping_text
from forceglue.mapping import yaml
from forceglue.mapping.catalog import object_from_describe
from forceglue.mapping.model import ObjectDefaults

REGION = field("Region__c", "string", label="Area", custom=True)


def of(*fields: dict[str, Any], **facts: Any) -> MadeMapping:
    return made(object_from_describe(describe(*fields, **facts)), "account", ObjectDefaults())


def again(text: str, was: MadeMapping | None, now: MadeMapping) -> Merged:
    return merge(text, now, Record.of(was) if was else None)


def columns(text: str) -> dict[str, Any]:
    document = yaml.read(text, "")
    assert document.problems == ()
    found: dict[str, Any] = document.value["columns"]
    return found


def test_nothing_new_is_not_a_byte() -> None:
    was = of(AMOUNT, STAGE, DOUBLE)
    text = mapping_text(was, schema=False).replace("  id: Id", "  id:     Id   # mine")
    found = again(text, was, was)
    assert (found.text, found.notes) == (text, ())


def test_new_fields_come_behind_the_others() -> None:
    was, now = of(AMOUNT), of(REGION, AMOUNT, DOUBLE)
    found = again(mapping_text(was, schema=False) + "# the end\n", was, now)
    assert list(columns(found.text))[3:] == ["amount__c", "region__c", "double__c"]
    assert [str(note) for note in found.notes] == [
        "refresh: new: daily",
        "Region__c: new column region__c, string",
        "Double__c: new column double__c, decimal(38,18)",
    ]
    assert "# formula: Amount__c * 2" in found.text and "\nrefresh: daily" in found.text
    assert again(found.text, now, now).text == found.text


def test_a_column_that_nobody_touched_follows_salesforce() -> None:
    was, now = of(AMOUNT), of({**AMOUNT, "precision": 16, "scale": 4, "inlineHelpText": "net"})
    found = again(mapping_text(was, schema=False), was, now)
    assert columns(found.text)["amount__c"] == {"from": "Amount__c", "type": "decimal(16,4)", "description": "net"}
    assert [(note.did, note.told) for note in found.notes] == [
        ("changed", "type decimal(18,2) → decimal(16,4)"),
        ("changed", "description none → net"),
    ]


@pytest.mark.parametrize(
    ("mine", "after", "told"),
    [
        # the person's type stays, the description was nobody's
        ('{from: Amount__c, type: "decimal(30,5)"}', {"from": "Amount__c", "type": "decimal(30,5)", "description": "net"}, ["kept", "changed"]),
        ('{from: Amount__c, type: "decimal(18, 2)", description: mine}', {"from": "Amount__c", "type": "decimal(16,4)", "description": "mine"}, ["changed", "kept"]),
        ("Amount__c", {"from": "Amount__c", "description": "net"}, ["kept", "changed"]),
        ('{sql: "Amount__c * 2", type: double}', {"sql": "Amount__c * 2", "type": "double"}, []),
    ],
)  # fmt: skip
def test_an_edit_stays_and_the_rest_follows(mine: str, after: dict[str, str], told: list[str]) -> None:
    was, now = of(AMOUNT), of({**AMOUNT, "precision": 16, "scale": 4, "inlineHelpText": "net"})
    text = mapping_text(was, schema=False).replace('{from: Amount__c, type: "decimal(18,2)"}', mine)
    found = again(text, was, now)
    assert columns(found.text)["amount__c"] == after
    assert [note.did for note in found.notes] == told


def test_a_block_column_is_edited_where_it_stands() -> None:
    was, now = of(AMOUNT), of({**AMOUNT, "scale": 4})
    mine = (
        '\n    from: Amount__c\n    type: "decimal(18,2)"   # money\n    description: |\n      of mine\n      and more'
    )
    text = mapping_text(was, schema=False).replace(' {from: Amount__c, type: "decimal(18,2)"}', mine)
    assert text.count("of mine") == 1
    assert again(text, was, now).text == text.replace('"decimal(18,2)"   #', '"decimal(18,4)"   #')


def test_renamed_moved_and_deleted_columns_stay_so() -> None:
    was, now = of(AMOUNT, STAGE, REGION), of({**AMOUNT, "scale": 4}, STAGE, REGION)
    text = mapping_text(was, schema=False)
    lines = [line for line in text.splitlines() if "stage__c" not in line and "amount__c" not in line]
    lines.insert(lines.index("columns:") + 1, '  amount: {from: Amount__c, type: "decimal(18,2)"}')
    found = again("\n".join(lines) + "\n", was, now)
    got = columns(found.text)
    assert next(iter(got)) == "amount" and got["amount"]["type"] == "decimal(18,4)"
    assert "stage__c" not in got
    assert again(found.text, now, now).text == found.text


def test_a_field_that_is_gone_is_told_and_left_and_is_not_new_when_it_returns() -> None:
    was, now = of(AMOUNT, REGION), of(AMOUNT)
    text = mapping_text(was, schema=False)
    found = again(text, was, now)
    assert found.text == text
    assert [(n.field, n.did) for n in found.notes] == [("Region__c", "gone")]
    # taken out by the person: it stays out
    without = "\n".join(line for line in text.splitlines() if "region__c" not in line) + "\n"
    assert merge(without, was, found.record).text == without


def test_prune_takes_out_what_nobody_touched() -> None:
    was, now = of(AMOUNT, REGION, STAGE), of(AMOUNT)
    text = mapping_text(was, schema=False).replace("  stage__c: {", "  stage: {")
    found = merge(text, now, Record.of(was), prune=True)
    assert found.text == "".join(line for line in text.splitlines(True) if "region__c" not in line)
    assert [(n.field, n.did) for n in found.notes] == [("Region__c", "removed"), ("Stage__c", "gone")]
    back = merge(found.text, was, found.record)  # its return is news
    assert [(n.field, n.did) for n in back.notes] == [("Region__c", "added")]
    mine = text.replace('{from: Region__c, description: "Area"}', "Region__c")
    assert mine != text and merge(mine, now, Record.of(was), prune=True).text == mine


def test_a_field_that_nothing_may_read_any_more_is_told() -> None:
    known = object_from_describe(describe(REGION))
    was, now = of(REGION), made(known, "account", ObjectDefaults(never_read=("region__c",)))
    (note,) = again(mapping_text(was, schema=False), was, now).notes
    assert "never_read" in note.told


def test_words_follow_unless_somebody_wrote_them() -> None:
    was, now = of(label="Customer"), of(label="Client")
    text = mapping_text(was, schema=False)
    assert yaml.read(again(text, was, now).text, "").value["description"] == "Client"
    mine = text.replace("Customer", "Ours")
    assert again(mine, was, now).text == mine
    without = text.replace("description: Customer\n", "")
    assert again(without, was, now).text == without


def test_a_mapping_that_scaffold_did_not_make_keeps_all_of_it() -> None:
    text = "mapping: account\nsource: Account\ncolumns:\n  key:  Id\n  cash: {from: amount__c, type: double}\n"
    found = again(text, None, of(AMOUNT, STAGE))
    assert found.text.startswith(text)
    assert list(columns(found.text)) == ["key", "cash", "is_deleted", "system_modstamp", "stage__c"]


@pytest.mark.parametrize("words", ["", "rest: keep\ncolumns: {key: Id}\n", "columns:\n  - {all: Account}\n"])
def test_a_mapping_that_lets_every_field_pass_gets_no_columns(words: str) -> None:
    text = f"mapping: account\nsource: Account\n{words}"
    found = again(text, None, of(AMOUNT))
    assert found.text == text and {note.did for note in found.notes} == {"left"}


def test_a_name_that_is_taken() -> None:
    was, now = of(), of(REGION)
    text = mapping_text(was, schema=False) + "  region__c: {value: north}\n"
    assert columns(again(text, was, now).text)["region__c_2"]["from"] == "Region__c"


FIELDS = st.lists(
    st.builds(
        lambda n, kind, scale, help_text: field(
            f"F{n}__c", kind, precision=18, scale=scale, inlineHelpText=help_text, custom=True
        ),
        st.integers(0, 12), st.sampled_from(["string", "double", "date", "address"]), st.integers(0, 9),
        st.sampled_from([None, "help: {me}", "${X} # no 'comment'"]),
    ),
    unique_by=lambda f: f["name"],
)  # fmt: skip


@given(FIELDS, FIELDS, st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)))
def test_whatever_changes_edits_stay_and_untouched_columns_follow(
    first: list[dict[str, Any]], then: list[dict[str, Any]], edited: set[int], removed: set[int]
) -> None:
    was, now = of(*first), of(*then)
    lines = mapping_text(was, schema=False).splitlines()
    touched = [f"f{n}__c" for n in edited]
    lines = [line for line in lines if not any(line.startswith(f"  f{n}__c:") for n in removed - edited)]
    lines = [f"  {name}: {{from: {name.capitalize().replace('__c', '__c')}, type: binary, description: mine}}"
             if (name := line.split(":")[0].strip()) in touched and line.startswith("  f") else line for line in lines]  # fmt: skip
    text = "\n".join(lines) + "\n"
    before, found = columns(text), again(text, was, now)
    after = columns(found.text)
    fresh = columns(mapping_text(now, schema=False))
    for name, value in before.items():
        if name in touched or name not in fresh:
            assert after[name] == value  # a person's, or gone
        else:
            assert after[name] == fresh[name]
    assert set(after) - set(before) == {c.name for c in now.columns} - {c.name for c in was.columns}
    assert merge(found.text, now, found.record).text == found.text
