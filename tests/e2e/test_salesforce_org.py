"""The whole demo org, extracted, loaded, worked in for an hour, extracted and loaded again: its tables are the org.

What the org holds comes from plain REST calls (`played.read_org`), what the tables hold from any reader of Delta.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forceglue.demo.hour import WORK
from forceglue.demo.org import FORMULAS
from played import NAMES, plain

if TYPE_CHECKING:
    from played import Held, Played

OBJECTS = sorted(name for name in NAMES if not name.endswith("__e"))
UNREAD = {"xfiles__amazon_iam_key__c", "xfiles__amazon_iam_secret__c"}


def table_of(played: Played, name: str) -> list[dict[str, Any]]:
    """Rows by lower-case field names, as the shipped mappings name columns."""
    return played.table(NAMES[name]).to_pyarrow_table().to_pylist()


def as_row(held: Held, record: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): plain(kind, record[name]) for name, kind in held.kinds.items() if name not in UNREAD}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_table_is_its_object_row_by_row_and_field_by_field(played: Played, name: str) -> None:
    held, rows = played.org[name], table_of(played, name)
    kinds = {field.lower(): kind for field, kind in held.kinds.items() if field not in UNREAD}
    found = {row["id"]: {field: plain(kind, row[field]) for field, kind in kinds.items()} for row in rows}
    assert len(found) == len(rows)  # nothing twice
    wanted = {key: as_row(held, record) for key, record in held.records.items()}
    gone = found.keys() - wanted.keys()
    assert wanted.keys() <= found.keys()
    assert [key for key in gone if not found[key]["isdeleted"]] == []
    wrong = {(key, field) for key, row in wanted.items() for field in row if row[field] != found[key][field]}
    assert sorted(wrong)[:5] == []


def test_every_object_that_can_be_queried_was_compared(played: Played) -> None:
    assert sorted(played.org) == OBJECTS
    assert sum(len(held.records) for held in played.org.values()) > 20_000


def test_the_hour_had_everything_that_can_happen(played: Played) -> None:
    happened = {"born", "changed", "deleted", "undeleted", "purged", "merged", "recomputed", "late"}
    assert {what for what, count in played.worked.counts.items() if count} == happened
    assert played.worked.added and played.worked.removed
    changed = {name for name, work in WORK.items() if work.changed}
    assert changed == {name for name in OBJECTS if played.mapping(1, NAMES[name]).written} - {"Contract"}


def test_what_was_committed_late_is_not_missed(played: Played) -> None:
    """Its stamp lies before the end of the first extract's window, in which it was not yet to be seen."""
    (row,) = [row for row in table_of(played, "Opportunity") if row["id"] == played.late]
    assert row["nextstep"] == "committed late"
    assert plain("datetime", row["systemmodstamp"]) < first_window_end(played)


def first_window_end(played: Played) -> Any:
    (told,) = [o for o in json.loads(played.extracts[0].read_bytes())["objects"] if o["name"] == "Opportunity"]
    return plain("datetime", told["until"])


def test_what_was_purged_is_deleted_in_its_table(played: Played) -> None:
    gone = 0
    for name, held in played.org.items():
        lost = [row for row in table_of(played, name) if row["id"] not in held.records]
        assert all(row["isdeleted"] for row in lost)
        gone += len(lost)
    assert gone == played.worked.counts["purged"]


def test_merged_records_are_deleted_and_name_their_master(played: Played) -> None:
    merged = 0
    for name in ("Account", "Contact"):
        rows = {row["id"]: row for row in table_of(played, name)}
        losers = [row for row in rows.values() if row["masterrecordid"]]
        assert all(row["isdeleted"] and row["masterrecordid"] in rows for row in losers)
        merged += len(losers)
    assert merged == played.worked.counts["merged"]


def test_formula_values_that_moved_no_stamp_are_those_of_the_org(played: Played) -> None:
    """Some quotes have values that no extract of changed records can have brought."""
    held = played.org["Quote"]
    rows = {row["id"]: row for row in table_of(played, "Quote")}
    for field in FORMULAS["Quote"]:
        assert {key: plain("currency", rows[key][field.lower()]) for key in held.records} == {
            key: plain("currency", record[field]) for key, record in held.records.items()
        }
