from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import deltalake
import pytest

from forceglue.errors import ConcurrentRunError, LandingError, UsageError
from forceglue.run import rewind as module
from forceglue.run.rewind import START, plan_rewind, points, rewind
from run.desk import NAMED, NO_RULES, Desk, Killed, only

pytestmark = pytest.mark.usefixtures("spark")


def loaded(desk: Desk, *lines: str, run: bool = True) -> str:
    """One more load of these lines; gives the position's version after it."""
    desk.land(f"e{len(list((desk.root / 'landing').rglob('part.csv'))) + 1}", *lines)
    if run:
        desk.run()
    return str(points(desk.warehouse, desk.project, "account")[0].version) if run else ""


def back(desk: Desk, to: str) -> module.Rewinding:
    return rewind(desk.warehouse, desk.project, "account", to)


@pytest.fixture
def thrice(desk: Desk) -> tuple[Desk, str, str, str]:
    """Three loads, each with a good row and one that is set aside; B is overwritten by the second."""
    first = loaded(desk, "A,Anna,1,1", "B,Ben,1,1", "X1,,1,1")
    second = loaded(desk, "B,Benno,1,2", "X2,,1,1")
    third = loaded(desk, "C,Carl,1,1", "X3,,1,1")
    return desk, first, second, third


def test_back_and_forth_by_version_time_and_start(thrice: tuple[Desk, str, str, str]) -> None:
    desk, first, second, third = thrice
    after, full = desk.table(), desk.names()
    done = back(desk, first)
    assert desk.names() == {"A": "Anna", "B": "Ben"}
    assert desk.keys() == ["X1"] == desk.plain_aside()
    assert [path.split("/")[-2] for path in done.again] == ["e2", "e3"]
    # the next run loads the later files again, once
    assert only(desk.run()).landed == 4
    assert desk.names() == full
    assert desk.keys() == ["X1", "X2", "X3"] == desk.plain_aside()
    assert only(desk.run()).status == "unchanged"
    # by time, to just before the second load
    moment = next(p.at for p in points(desk.warehouse, desk.project, "account") if str(p.version) == second)
    back(desk, (moment - timedelta(milliseconds=1)).isoformat())
    assert desk.names() == {"A": "Anna", "B": "Ben"}
    # to the start, and from there to where it once was: nothing to load again
    assert len(back(desk, START).again) == 1
    assert (desk.table(), desk.keys(), desk.plain_aside()) == ([], [], [])
    assert back(desk, third).again == ()
    assert desk.table() == after
    assert desk.keys() == ["X1", "X2", "X3"] == desk.plain_aside()
    assert only(desk.run()).status == "unchanged"


def test_from_the_start_all_is_loaded_again(thrice: tuple[Desk, str, str, str]) -> None:
    desk, *_ = thrice
    full = desk.names()
    back(desk, START)
    assert only(desk.run()).landed == 7
    assert desk.names() == full
    assert desk.keys() == ["X1", "X2", "X3"]


def test_nothing_to_go_back_from_changes_nothing(thrice: tuple[Desk, str, str, str]) -> None:
    desk, _, _, third = thrice
    version = deltalake.DeltaTable(str(desk.root / "warehouse" / "account")).version()
    assert back(desk, third).nothing
    assert back(desk, datetime.now(UTC).isoformat()).nothing
    assert deltalake.DeltaTable(str(desk.root / "warehouse" / "account")).version() == version
    back(desk, START)
    assert back(desk, START).nothing


def test_a_plan_tells_and_changes_nothing(thrice: tuple[Desk, str, str, str]) -> None:
    desk, first, *_ = thrice
    before = desk.table()
    plan = plan_rewind(desk.warehouse, desk.project, "account", first)
    assert (len(plan.again), plan.quarantined, plan.nothing, plan.committed) == (2, 3, False, None)
    assert desk.table() == before
    assert len(desk.keys()) == 3


def test_rows_that_a_replay_took_out_are_back_in_the_quarantine(desk: Desk) -> None:
    first = loaded(desk, "A,Anna,1,1", "X1,,1,1", "X2,,many,1")
    loaded(desk, "X3,,1,1")
    raw = {row.record: row.raw for row in desk.aside()}
    desk.say(NO_RULES)
    desk.replay("account")
    assert (set(desk.names()), desk.keys()) == ({"A", "X1", "X3"}, ["X2"])
    replayed = str(points(desk.warehouse, desk.project, "account")[0].version)
    desk.say(NAMED)
    back(desk, first)
    assert desk.names() == {"A": "Anna"}
    assert desk.keys() == ["X1", "X2"] == desk.plain_aside()
    assert {row.record: row.raw for row in desk.aside()} == {key: raw[key] for key in ("X1", "X2")}
    desk.run()
    assert desk.keys() == ["X1", "X2", "X3"]
    back(desk, replayed)
    assert (set(desk.names()), desk.keys()) == ({"A", "X1", "X3"}, ["X2"])


@pytest.mark.parametrize("write", ["append", "scd2"])
def test_other_ways_to_write_go_back_and_load_again_without_doubles(desk: Desk, write: str) -> None:
    desk.say(NAMED, f"target: {{write: {write}}}")
    first = loaded(desk, "A,Anna,1,1")
    before = desk.table()
    loaded(desk, "A,Ann,1,2")
    after = [(row["id"], row["name"]) for row in desk.table()]
    back(desk, first)
    assert desk.table() == before
    desk.run()
    assert [(row["id"], row["name"]) for row in desk.table()] == after


@pytest.mark.parametrize(
    ("step", "run_between"), [("propose", False), ("_bring_back", True), ("restore", False), ("restore", True)]
)
def test_killed_after_any_step(desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str, run_between: bool) -> None:
    first = loaded(desk, "A,Anna,1,1", "X1,,1,1")
    loaded(desk, "B,Ben,1,1", "X2,,1,1")
    desk.say(NO_RULES)
    desk.replay("account")  # takes X1 out, so that going back has to bring it back
    desk.say(NAMED)
    real = getattr(module, step)

    def dies(*args: Any, **named: Any) -> None:
        real(*args, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, step, dies)
        with pytest.raises(Killed):
            back(desk, first)
    gone_back = step == "restore"
    assert (set(desk.names()), desk.keys()) == (({"A"}, ["X1"]) if gone_back else ({"A", "B", "X1", "X2"}, []))
    if run_between:
        loaded(desk, "C,Carl,1,1", "X3,,1,1")
        names = {"A", "B", "C"} if gone_back else {"A", "B", "C", "X1", "X2"}
        keys = ["X1", "X2", "X3"] if gone_back else ["X3"]
        assert (set(desk.names()), desk.keys(), desk.plain_aside()) == (names, keys, keys)
    back(desk, first)
    assert (desk.names(), desk.keys(), desk.plain_aside()) == ({"A": "Anna"}, ["X1"], ["X1"])
    desk.run()
    everything = ["X1", "X2", "X3"] if run_between else ["X1", "X2"]
    assert (desk.keys(), desk.plain_aside()) == (everything, everything)


def test_a_run_meanwhile_is_noticed(thrice: tuple[Desk, str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    desk, first, *_ = thrice
    real = module.propose

    def meanwhile(*args: Any, **named: Any) -> Any:
        made = real(*args, **named)
        loaded(desk, "D,Dora,1,1")
        return made

    with monkeypatch.context() as patch:
        patch.setattr(module, "propose", meanwhile)
        with pytest.raises(ConcurrentRunError, match="nothing was changed"):
            back(desk, first)
    assert set(desk.names()) == {"A", "B", "C", "D"}


def test_files_that_a_vacuum_removed_are_told(thrice: tuple[Desk, str, str, str]) -> None:
    desk, first, *_ = thrice
    table = deltalake.DeltaTable(str(desk.root / "warehouse" / "account"))
    before = desk.table()
    removed = table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert removed
    with pytest.raises(LandingError, match="vacuum"):
        back(desk, first)
    assert desk.table() == before


@pytest.mark.parametrize(
    ("name", "to", "said"),
    [
        ("account", "2001-01-01", "--to start"),
        ("account", "yesterday", "no time, position or `start`"),
        ("account", "12345678901234", "never held"),
        ("acount", START, "did you mean"),
        ("Named", START, "is a dataset.*account"),
    ],
)
def test_what_cannot_be(desk: Desk, name: str, to: str, said: str) -> None:
    desk.say_dataset()
    loaded(desk, "A,Anna,1,1")
    with pytest.raises(UsageError, match=said):
        rewind(desk.warehouse, desk.project, name, to)


def test_a_table_that_was_never_loaded(desk: Desk) -> None:
    with pytest.raises(UsageError, match="nothing has been loaded"):
        points(desk.warehouse, desk.project, "account")
