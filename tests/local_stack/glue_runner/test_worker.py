"""The process with the JVM, from outside: what becomes of runs that end, fail, take too long, are stopped, or take it along."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack.glue_runner.worker import Worker
from local_stack.processes import started
from local_stack_kit import until

# as session.py talks, without Spark; a run's script says what is to happen
SESSION = """
import json, os, sys, time
print("started", os.getpid(), file=sys.stderr, flush=True)
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    print("ran", asked["script"], *asked["arguments"], file=sys.stderr, flush=True)
    if asked["script"] == "die":
        os._exit(3)
    time.sleep(float(asked["script"]))
    print("\x1e", file=sys.stderr, flush=True)
    print(json.dumps({"state": "SUCCEEDED", "message": ""}), flush=True)
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    (tmp_path / "session.py").write_text(SESSION)
    one = Worker([sys.executable, str(tmp_path / "session.py")])
    one.start()
    yield one
    one.end()


def pid(worker: Worker) -> int:
    assert worker._process is not None
    return worker._process.pid


def test_runs_share_one_process_and_have_their_own_output(worker: Worker) -> None:
    until(lambda: worker.standing()["ready"])
    first = pid(worker)
    for run in ("a", "b"):
        told = worker.run(run, "0", ["--JOB_NAME", run], 20)
        assert told["state"] == "SUCCEEDED"
        assert told["output"] == f"ran 0 --JOB_NAME {run}"
    assert pid(worker) == first


def test_one_run_at_a_time(worker: Worker) -> None:
    ended: list[str] = []
    threads = [
        threading.Thread(target=lambda run=run: ended.append(worker.run(run, "0.2", [], 20)["state"])) for run in "ab"
    ]
    for thread in threads:
        thread.start()
    until(lambda: worker.standing()["run"])
    assert not ended
    for thread in threads:
        thread.join(20)
    assert ended == ["SUCCEEDED", "SUCCEEDED"]


def test_a_run_that_takes_too_long_is_ended_and_the_next_gets_a_new_process(worker: Worker) -> None:
    until(lambda: worker.standing()["ready"])
    first = pid(worker)
    assert worker.run("a", "60", [], 0.3)["state"] == "TIMEOUT"
    assert not started(first)
    assert worker.run("b", "0", [], 20)["state"] == "SUCCEEDED"


def test_a_run_is_stopped_while_it_is_under_way_and_no_other(worker: Worker) -> None:
    states: list[str] = []
    thread = threading.Thread(target=lambda: states.append(worker.run("a", "60", [], 60)["state"]))
    thread.start()
    until(lambda: worker.standing()["run"] == "a")
    assert not worker.stop("b")
    assert worker.stop("a")
    thread.join(20)
    assert states == ["STOPPED"]


def test_a_run_that_is_stopped_before_its_turn_does_not_begin(worker: Worker) -> None:
    states: list[str] = []
    first = threading.Thread(target=lambda: states.append(worker.run("a", "0.5", [], 20)["state"]))
    first.start()
    until(lambda: worker.standing()["run"] == "a")
    second = threading.Thread(target=lambda: states.append(worker.run("b", "60", [], 60)["state"]))
    second.start()
    worker.stop("b")
    for thread in (first, second):
        thread.join(20)
    assert states == ["SUCCEEDED", "STOPPED"]


def test_a_run_that_takes_the_process_along_has_failed(worker: Worker) -> None:
    told = worker.run("a", "die", [], 20)
    assert told["state"] == "FAILED" and "exit code 3" in told["message"]
    assert worker.run("b", "0", [], 20)["state"] == "SUCCEEDED"


def test_what_keeps_spark_from_starting_is_told_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "session.py").write_text("import sys; sys.exit('no JARs here')")
    worker = Worker([sys.executable, str(tmp_path / "session.py")])
    worker.start()
    until(lambda: worker.standing()["failed"])
    assert "no JARs here" in worker.standing()["failed"]
    assert worker.run("a", "0", [], 20)["state"] == "FAILED"
    (tmp_path / "session.py").write_text(SESSION)
    until(lambda: worker.run("b", "0", [], 20)["state"] == "SUCCEEDED")
    worker.end()
