"""What the emulator refuses before it serves."""

from __future__ import annotations

import subprocess

from local_stack.parts import LAMBDAS
from local_stack_kit import python_of_aws


def refused(code: str, **environment: str) -> str:
    command = [str(python_of_aws()), "-c", code]
    done = subprocess.run(command, cwd=LAMBDAS, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr


def test_it_listens_on_loopback_or_not_at_all() -> None:
    start = "from local_stack.emulator.__main__ import main; main()"
    assert "BIND_HOST must be 127.0.0.1" in refused(start, BIND_HOST="0.0.0.0")
    assert "BIND_HOST must be 127.0.0.1" in refused(start)


def test_corrections_are_for_one_version() -> None:
    start = "from local_stack.emulator import __main__ as it; it.version = lambda _: '1.6.0'; it.main()"
    assert "written for ministack 1.5.33, and 1.6.0 is installed" in refused(start, BIND_HOST="127.0.0.1")
