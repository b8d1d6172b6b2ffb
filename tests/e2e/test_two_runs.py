"""Two runs at the same time on one warehouse: both end, and what they leave is what one run would have left."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from e2e.org import ACCOUNT, Org, only, record
from forceglue.run import dataset_run, object_run, runner
from forceglue.run.report import RunReport

if TYPE_CHECKING:
    from collections.abc import Callable

ALL = "mapping: All\nfrom: account\ncolumns: {id: id, name: name}\nquality: {quarantine: {short: length(name) < 9}}\ndeliver: [csv: {file: all.csv}]\n"
LONG = "a long name"


def mapped(org: Org, write: str, *, named: bool = False) -> None:
    text = ACCOUNT.replace("  name: Name", "  full (name): Name") if named else ACCOUNT
    name = "`full (name)`" if named else "name"
    org.say("account", f"{text}target: {{write: {write}}}\nquality: {{quarantine: {{named: '{name} is not null'}}}}\n")


def load(org: Org, number: int) -> None:
    org.land(
        f"e{number}",
        [record("A", number, Name=f"a{number}"), record(f"N{number}", number, Name=LONG), record(f"Q{number}", number)],
    )


def rows(org: Org, *, named: bool = False) -> list[tuple[Any, ...]]:
    return org.table(
        "account",
        "id",
        "full (name)" if named else "name",
        where="is_current" if "is_current" in org.columns() else "true",
    )


def meanwhile(patch: pytest.MonkeyPatch, owner: Any, step: str, other: Callable[[], None], *, after: bool) -> None:
    """Once, at the step, something else happens from beginning to end."""
    real, todo = getattr(owner, step), [other]

    def call(*args: Any, **named: Any) -> Any:
        if after:
            done = real(*args, **named)
        if todo:
            todo.pop()()
        return done if after else real(*args, **named)

    patch.setattr(owner, step, call)


STEPS = [
    (object_run, "propose", False),
    (object_run, "stage", True),
    (object_run, "set_aside", False),
    (object_run, "set_aside", True),
]
NAMES = ["before its manifest", "after its staging", "before its quarantine", "before its commit"]


@pytest.mark.parametrize("step", STEPS, ids=NAMES)
@pytest.mark.parametrize("write", ["create", "append", "upsert"])
def test_a_whole_run_within_another(org: Org, write: str, step: tuple[Any, str, bool]) -> None:
    mapped(org, "upsert" if write == "create" else write)
    first = 1 if write == "create" else 2
    if first == 2:
        load(org, 1)
        org.run()
    load(org, first)
    inner: list[RunReport] = []

    def other() -> None:
        # something more has landed that only the other run has seen
        load(org, first + 1)
        inner.append(org.run())

    with pytest.MonkeyPatch.context() as patch:
        meanwhile(patch, step[0], step[1], other, after=step[2])
        outer = org.run()
    assert (outer.status, [r.status for r in inner]) == ("succeeded", ["succeeded"])
    assert {m.status for m in org.run().mappings} == {"unchanged"}
    loads = range(1, first + 2)
    new = [(f"N{n}", LONG) for n in loads]
    assert rows(org) == sorted(
        [*new, *((("A", f"a{n}") for n in loads) if write == "append" else [("A", f"a{first + 1}")])]
    )
    assert [key for key, _ in org.why()] == [f"Q{n}" for n in loads] == org.plain_aside()
    assert org.leftovers() == []
    # each landed row is counted by one of the two
    assert only(outer).landed + only(inner[0]).landed == 6


@pytest.mark.parametrize("write", ["create", "append", "upsert", "replace"])
def test_tables_that_spark_writes(org: Org, write: str) -> None:
    """Names with blanks: the same promise where Delta's own writer commits."""
    mapped(org, "append" if write == "create" else write, named=True)
    first = 1 if write == "create" else 2
    if first == 2:
        load(org, 1)
        org.run()
    load(org, first)
    with pytest.MonkeyPatch.context() as patch:
        meanwhile(patch, object_run, "set_aside", lambda: only(org.run()), after=True)
        assert org.run().status == "succeeded"
    loads = [2] if write == "replace" else range(1, first + 1)
    new = [(f"N{n}", LONG) for n in loads]
    assert rows(org, named=True) == sorted(
        [*new, *((("A", f"a{n}") for n in loads) if write != "upsert" else [("A", f"a{first}")])]
    )
    assert [key for key, _ in org.why()] == [f"Q{n}" for n in loads] == org.plain_aside()


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("step", ["stage", "expect", "deliver"])
def test_a_dataset_that_two_runs_build(org: Org, step: str, kept: bool) -> None:
    if kept:  # as a table, since another dataset reads it
        org.say("more", "mapping: More\nfrom: All\ncolumns: {n: name}\ndeliver: [csv: {file: more.csv}]\n")
    mapped(org, "upsert")
    org.say("all", ALL)
    load(org, 1)

    def other() -> None:
        load(org, 2)
        assert org.run().status == "succeeded"

    with pytest.MonkeyPatch.context() as patch:
        meanwhile(patch, dataset_run, "deliver" if step == "expect" else step, other, after=step != "expect")
        assert org.run().status == "succeeded"
    assert {m.status for m in org.run().mappings} == {"unchanged"}
    assert (org.root / "delivery" / "all.csv").read_text().splitlines() == ["id,name", "A,a2"]
    if kept:
        assert org.table("All") == [("A", "a2")]
        assert (org.root / "delivery" / "more.csv").read_text().splitlines() == ["n", "a2"]
    assert sorted(row.raw["id"] for row in org.aside("All") if row.raw) == ["N1", "N2"]
    assert len(org.plain_aside("All")) == 2


def test_two_threads_on_the_same_landing(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order of their steps; both plan before either commits."""
    mapped(org, "upsert")
    org.say(
        "contact",
        "mapping: contact\nsource: Contact\ncolumns: {id: Id, name: Name}\ntarget: {write: append}\nquality: {quarantine: {named: name is not null}}\n",
    )
    both = threading.Barrier(2)
    real = runner.Scheduler.run_all

    def together(self: runner.Scheduler) -> Any:
        both.wait(60)
        return real(self)

    monkeypatch.setattr(runner.Scheduler, "run_all", together)
    found: list[RunReport] = []
    for number in (1, 2):
        load(org, number)
        org.land(f"e{number}", [record(f"C{number}", 1, Name="c"), record(f"D{number}", 1)], token="Contact")
        threads = [threading.Thread(target=lambda: found.append(org.run())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
        assert [r.status for r in found[-2:]] == ["succeeded", "succeeded"]
    monkeypatch.undo()
    org.run()
    assert rows(org) == [("A", "a2"), ("N1", LONG), ("N2", LONG)]
    assert org.table("contact", "id") == [("C1",), ("C2",)]
    assert ([key for key, _ in org.why()], org.plain_aside()) == (["Q1", "Q2"], ["Q1", "Q2"])
    assert ([key for key, _ in org.why("contact")], org.plain_aside("contact")) == (["D1", "D2"], ["D1", "D2"])
    # every landed row is in exactly one of the reports
    assert sum(only(r, "contact").landed for r in found) == 4
