from __future__ import annotations

from forceglue.mapping.problems import Problem, dotted, in_order, shown


def test_a_problem_is_one_readable_block() -> None:
    problem = Problem(
        "FG-MAP-004",
        "objects/a.yaml",
        7,
        "target.write",
        "`write` does not take this value",
        "sdc2",
        "upsert, scd2",
        "scd2",
    )
    assert str(problem) == (
        "objects/a.yaml:7  FG-MAP-004  target.write\n"
        "    `write` does not take this value\n"
        "    found: sdc2\n"
        "    allowed: upsert, scd2\n"
        "    did you mean: scd2\n"
        "    mend: Use one of the allowed words."
    )


def test_paths_as_people_write_them() -> None:
    assert dotted(("expectations", 0, "on_failure")) == "expectations[0].on_failure"
    assert dotted(("columns", "(acc) name", "type")) == "columns['(acc) name'].type"
    assert dotted(()) == ""


def test_found_values_are_short() -> None:
    assert shown(None) == "null"
    assert shown(True) == "true"
    assert shown({"a": 1}) == "a mapping with a"
    assert shown([1, 2]) == "a list of 2"
    assert shown("a\n b") == "a b"
    assert len(shown("x" * 200)) == 80


def test_order_and_repeats() -> None:
    a, b, c = (Problem("FG-MAP-001", file, line, "x", "m") for file, line in (("b", 1), ("a", 9), ("a", 2)))
    assert in_order([a, b, c, a]) == (c, b, a)
