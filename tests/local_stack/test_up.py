"""What `make up` starts, and on which ports, when some of it runs already."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from forceglue.errors import SetupError
from local_stack import parts, up
from local_stack.parts import AWS, ORG, SPARK
from local_stack.place import Place
from local_stack.processes import Kept

PARTS = (ORG, AWS, SPARK)


@dataclass
class Stage:
    """A place whose parts sleep, and the runners that the emulators were told of."""

    place: Place
    runners: list[str] = field(default_factory=list)

    def sleeping(self, name: str, port: int) -> Kept:
        command, folder = [sys.executable, "-c", "import time; time.sleep(60)"], self.place.folder
        return self.place.processes.start(
            name, command, dict(os.environ), url=f"http://127.0.0.1:{port}", folder=folder
        )

    def aws(self, _processes: Any, _python: Any, port: int, runner: str, _region: str) -> Kept:
        self.runners.append(runner)
        return self.sleeping(AWS.name, port)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    one = Stage(Place(tmp_path, environ={}))
    monkeypatch.setattr(up, "start_org", lambda _, port: one.sleeping(ORG.name, port))
    monkeypatch.setattr(up, "start_aws", one.aws)
    monkeypatch.setattr(up, "start_spark", lambda _processes, port, *_: one.sleeping(SPARK.name, port))
    yield one
    for part in PARTS:
        one.place.processes.end(part.name)


def started(stage: Stage) -> dict[str, Kept]:
    already = {part.name: kept for part in PARTS if (kept := stage.place.processes.running(part.name))}
    return up._started(stage.place, PARTS, already)


def ended(stage: Stage, part: parts.Part) -> None:
    """It ends by itself: nobody has tidied up after it."""
    file = stage.place.folder / f"{part.name}.json"
    text = file.read_text()
    assert stage.place.processes.end(part.name)
    file.write_text(text)


def test_all_of_it_where_nothing_runs_and_nothing_where_all_does(stage: Stage) -> None:
    first = started(stage)
    assert {*first} == {"aws", "salesforce", "spark"} and stage.runners == [first["spark"].url]
    assert started(stage) == first


@pytest.mark.parametrize("part", [ORG, SPARK])
def test_what_has_ended_comes_back_where_it_was(stage: Stage, part: parts.Part) -> None:
    first = started(stage)
    ended(stage, part)
    again = started(stage)
    assert again[part.name].url == first[part.name].url and again[part.name].pid != first[part.name].pid
    assert {name: again[name] for name in again if name != part.name} == {n: first[n] for n in first if n != part.name}


def test_a_spark_whose_aws_is_gone_is_started_anew_and_known_to_the_new_one(stage: Stage) -> None:
    first = started(stage)
    ended(stage, AWS)
    again = started(stage)
    assert again["spark"].pid != first["spark"].pid and not first["spark"].alive
    assert stage.runners == [first["spark"].url, again["spark"].url]


def test_a_spark_that_cannot_come_back_where_it_was_is_told(stage: Stage) -> None:
    first = started(stage)
    ended(stage, SPARK)
    with (
        socket.create_server(("127.0.0.1", int(first["spark"].url.rpartition(":")[2]))),
        pytest.raises(SetupError, match="whose port is taken"),
    ):
        started(stage)
