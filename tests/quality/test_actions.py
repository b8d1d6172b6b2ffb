from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import Event

import pytest

from forceglue.errors import UsageError
from forceglue.quality import actions
from forceglue.quality.actions import Dispatcher, FailedCheck, Failure, find_actions, load_action

FAILURE = Failure("p", "run-1", "orders", True, (FailedCheck("rule", "known", "fail", 2, 9),))


@pytest.fixture
def team_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = "team_actions_for_tests"
    (tmp_path / f"{name}.py").write_text("told = []\nnumber = 3\ndef notify(failure):\n    told.append(failure)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_an_action_is_named_by_module_and_function(team_module: str) -> None:
    dispatcher = Dispatcher(find_actions([f"{team_module}:notify"]))
    dispatcher.send(FAILURE)
    assert dispatcher.problems() == ()
    assert sys.modules[team_module].told == [FAILURE]


@pytest.mark.parametrize("name", ["notify", ":notify", "module:", "no_such_module_here:notify", "json:nothing"])
def test_an_action_that_is_not_there_is_told_before_the_run(name: str) -> None:
    with pytest.raises(UsageError, match="on_failure"):
        load_action(name)


def test_an_action_must_be_a_function(team_module: str) -> None:
    with pytest.raises(UsageError, match="not a function"):
        load_action(f"{team_module}:number")


def test_installed_packages_bring_actions(team_module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("team", f"{team_module}:notify", actions.GROUP)
    monkeypatch.setattr(actions, "entry_points", lambda group: [point] if group == actions.GROUP else [])
    assert list(find_actions([])) == [f"{team_module}:notify"]
    assert len(find_actions([f"{team_module}:notify"])) == 1


def test_what_an_action_raises_is_collected_and_the_others_still_run() -> None:
    told: list[Failure] = []

    def broken(failure: Failure) -> None:
        raise ConnectionError("the chat is down")

    def leaving(failure: Failure) -> None:
        raise SystemExit(3)

    dispatcher = Dispatcher({"broken": broken, "leaving": leaving, "works": told.append})
    dispatcher.send(FAILURE)
    assert dispatcher.problems() == (
        "action broken for orders raised ConnectionError: the chat is down",
        "action leaving for orders raised SystemExit: 3",
    )
    assert told == [FAILURE]


def test_a_slow_action_delays_nobody() -> None:
    answered = Event()
    dispatcher = Dispatcher({"slow": lambda failure: answered.wait(timeout=30)})
    dispatcher.send(FAILURE)  # would wait for itself if it were called in line
    answered.set()
    assert dispatcher.problems() == ()
