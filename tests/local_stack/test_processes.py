"""Processes that outlive their starter: ended exactly, with all that they started, and nobody else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local_stack.processes import Kept, Processes, started
from local_stack_kit import until

CHILD = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def start(processes: Processes, folder: Path, code: str = "import time; time.sleep(60)") -> Kept:
    return processes.start("one", [sys.executable, "-c", code], dict(os.environ), url="http://x", folder=folder)


def test_a_process_is_known_again_and_ended(tmp_path: Path) -> None:
    kept = start(Processes(tmp_path), tmp_path)
    # as another call of the command sees it
    again = Processes(tmp_path)
    assert again.running("one") == kept and again.names() == ["one"]
    assert again.end("one") == kept
    assert not kept.alive and again.running("one") is None and again.names() == []


def test_its_temporary_files_end_with_it(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    kept = start(processes, tmp_path, "import tempfile, time; print(tempfile.mkdtemp(), flush=True); time.sleep(60)")
    made = Path(until(lambda: Path(kept.log).read_text()).strip())
    assert made.is_dir() and made.is_relative_to(tmp_path)
    processes.end("one")
    assert not made.exists()


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    kept = start(processes, tmp_path, CHILD)
    child = int(until(lambda: Path(kept.log).read_text()))
    assert started(child)
    processes.end("one")
    until(lambda: not started(child))


def test_one_that_does_not_listen_is_ended_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_stack.processes._END_SECONDS", 0.5)
    processes = Processes(tmp_path)
    kept = start(processes, tmp_path, DEAF)
    until(lambda: Path(kept.log).read_text())
    processes.end("one")
    assert not kept.alive


def test_an_id_that_belongs_to_another_process_by_now_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        file = tmp_path / "one.json"
        told = {"name": "one", "pid": other.pid, "started": "1", "url": "http://x", "log": "x"}
        file.write_text(json.dumps(told))
        assert Processes(tmp_path).running("one") is None
        assert Processes(tmp_path).end("one") is None
        time.sleep(0.1)
        assert other.poll() is None and not file.exists()
    finally:
        os.killpg(other.pid, signal.SIGKILL)
        other.wait()


@pytest.mark.parametrize("text", ["", "{", '{"name": "one"}', "[]"])
def test_a_damaged_file_is_no_process(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text)
    assert Processes(tmp_path).running("one") is None
    assert Processes(tmp_path).end("one") is None


def test_a_process_that_ended_by_itself_has_no_start(tmp_path: Path) -> None:
    kept = start(Processes(tmp_path), tmp_path, "pass")
    until(lambda: not kept.alive)
    assert started(2**22 + 1) == ""
