"""The stopwatch: what a whole process is, and what is compared with what."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.figures import Figure, ratio, table
from benchmarks.timing import BenchmarkError, Pairs, Timing, in_turn, timed

BUSY = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"


def python(*lines: str) -> list[str]:
    return [sys.executable, "-c", "\n".join(lines)]


def test_cpu_time_is_that_of_every_process_that_was_started() -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}], check=True)"
    done = timed(python(child, BUSY, "print('{\"rows\": 3}')"))
    assert done.cpu >= 0.6
    assert done.wall >= 0.6
    assert done.peak > 1 << 20
    assert done.told == {"rows": 3}


def test_other_children_are_not_waited_for() -> None:
    with subprocess.Popen(python("import time; time.sleep(60)")) as other:
        assert timed(python("pass")).wall < 30
        other.kill()


def test_a_command_that_fails_gives_no_figure() -> None:
    with pytest.raises(BenchmarkError, match=r"ended with 3:\n(.|\n)*told why"):
        timed(python("import sys; print('told why'); sys.exit(3)"))


def test_both_ways_run_in_turn_and_the_ratio_is_that_of_the_pairs() -> None:
    order: list[str] = []
    seconds = {"a": iter([2.0, 40.0, 6.0]), "b": iter([1.0, 10.0, 2.0])}

    def way(name: str) -> Timing:
        order.append(name)
        return Timing(next(seconds[name]), 1.0, 1)

    pairs = in_turn(lambda: way("a"), lambda: way("b"), 3)
    assert "".join(order) == "abbaab"
    assert pairs.ratio == 3.0  # of 2, 4 and 3: the machine slowed down in the second round


def test_a_figure_says_whether_it_is_met() -> None:
    pairs = Pairs((Timing(12.0, 20.0, 1),), (Timing(10.0, 15.0, 1),))
    met, missed = ratio("work", pairs, 1.2), ratio("work", pairs, 1.1)
    assert (met.met, missed.met) == (True, False)
    assert table([met, Figure("memory", "1", "", 4.5, 4.0, "GB")]).splitlines()[2:] == [
        "| work | 12.0 s (20.0 CPU) | 10.0 s (15.0 CPU) | 1.20 x | 1.20 x | yes |",
        "| memory | 1 |  | 4.50 GB | 4.00 GB | **no** |",
    ]
