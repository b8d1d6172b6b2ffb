from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from forceglue.run.matching import Difference, Row, differences, same

CELLS = st.sampled_from([None, "a", "b"])
ROWS = st.lists(st.fixed_dictionaries({"x": CELLS, "y": CELLS}), max_size=4)


@given(ROWS, st.data())
def test_rows_match_themselves_in_any_order_and_by_fewer_columns(got: list[Row], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(got))
    expected = [{k: v for k, v in row.items() if k == "x" or data.draw(st.booleans())} for row in shuffled]
    assert differences("expect", expected, got) == ()


@given(ROWS, ROWS)
def test_no_difference_means_that_some_order_fits(expected: list[Row], got: list[Row]) -> None:
    fits = len(expected) == len(got) and any(list(order) == expected for order in permutations(got))
    assert (differences("expect", expected, got) == ()) == fits


def test_a_difference_shows_the_nearest_row() -> None:
    got: list[Row] = [{"id": "1", "n": "5"}, {"id": "2", "n": "6"}]
    found = differences("expect", [{"id": "2", "n": "7"}], got)
    assert found == (
        Difference("expect", {"id": "2", "n": "7"}, got[1], ("n",)),
        Difference("expect", None, got[0]),
    )
    assert differences("expect", [{"id": "9", "n": "9"}], []) == (
        Difference("expect", {"id": "9", "n": "9"}, None, ("id", "n")),
    )


def test_both_forms_of_an_id_are_the_same_and_null_is_only_null() -> None:
    assert same("801000000000001", "801000000000001AAA")
    assert not same("801000000000001", "801000000000001AAB")
    assert not same(None, "")
    assert same(None, None)
