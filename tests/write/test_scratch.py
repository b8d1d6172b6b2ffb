from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forceglue.landing.store import Store
from forceglue.write.scratch import PREFIX, scratch, sweep

HERE = socket.gethostname()


def inside(folder: str | Path) -> list[str]:
    return sorted(item.name for item in Path(folder).iterdir())


@pytest.fixture
def gone() -> int:
    """The number of a process that has ended."""
    process = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(process, 0)
    return process


def test_a_folder_is_removed_in_the_end_and_on_an_error(delivery: Store) -> None:
    with scratch(delivery) as folder:
        delivery.write_bytes(f"{folder}/sub/x", b"x")
    with pytest.raises(KeyError), scratch(delivery) as folder:
        delivery.write_bytes(f"{folder}/sub/x", b"x")
        raise KeyError
    assert inside(delivery.root) == []


def test_two_at_the_same_time_have_folders_of_their_own(delivery: Store) -> None:
    with scratch(delivery) as one:
        delivery.write_bytes(f"{one}/x", b"x")
        with scratch(delivery) as other:
            assert one != other
        assert delivery.read_bytes(f"{one}/x") == b"x"


def test_folders_of_dead_runs_go_and_those_of_living_ones_stay(delivery: Store, gone: int) -> None:
    root = Path(delivery.root)
    dead, mine, other = (
        f"{PREFIX}{host}-{process}-00" for host, process in ((HERE, gone), (HERE, os.getpid()), ("other", gone))
    )
    for name in (dead, mine, other):
        (root / name / "_temporary").mkdir(parents=True)
        (root / name / "part-0").write_text("half")
    delivery.write_bytes("x.csv", b"whole")
    sweep(delivery)
    assert inside(root) == sorted([mine, other, "x.csv"])
    sweep(delivery, now=datetime.now(UTC) + timedelta(days=2))
    assert inside(root) == ["x.csv"]


def test_the_same_elsewhere(elsewhere: Store, gone: int) -> None:
    dead, mine = (f".forceglue-scratch/{HERE}-{process}-00/part-0" for process in (gone, os.getpid()))
    for path in (dead, mine, "x.csv"):
        elsewhere.write_bytes(path, b"x")
    sweep(elsewhere)
    assert [elsewhere.exists(path) for path in (dead, mine, "x.csv")] == [False, True, True]


def test_a_root_that_is_not_there_holds_no_folders(tmp_path: Path) -> None:
    sweep(Store(str(tmp_path / "later")))
