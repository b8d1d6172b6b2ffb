"""The two commands: what make finds, what it would do, and that nothing but Python and make is needed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.lock import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")


def make(*arguments: str, folder: Path = ROOT, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "MAKELEVEL", "PYTHON"}}
    if path is not None:
        environment["PATH"] = path
    program = shutil.which("make")
    assert program is not None
    return subprocess.run(
        [program, "-C", str(folder), *arguments], capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with what make looks at, and nothing set up."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def fake(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_a_bare_make_tells_what_there_is() -> None:
    told = make().stdout
    for goal in ("demo", "test", "lint", "check"):
        assert f"\n{goal}\t" in f"\n{told}"


def test_the_first_python_that_really_runs_is_taken(bare: Path) -> None:
    places = bare / "bin"
    # What a version manager leaves on the PATH: a name that answers with an error.
    fake(places, "python3.11", "echo 'python3.11: not installed' >&2; exit 127")
    fake(places, "python3.13", f'case "$1" in -m) mkdir -p .venv/bin; touch .venv/bin/python;; '
         f'*) exec {sys.executable} "$@";; esac')  # fmt: skip
    done = make(".venv/bin/python", folder=bare, path=f"{places}:{os.defpath}")
    assert done.returncode == 0, done.stderr
    assert "set-up: Python 3." in done.stderr
    assert (bare / ".venv" / "bin" / "python").exists()


def test_without_a_fitting_python_it_says_what_to_install(bare: Path) -> None:
    places = bare / "bin"
    for name in ("python3.11", "python3.12", "python3.13", "python3", "python"):
        fake(places, name, "exit 1")
    done = make("demo", folder=bare, path=f"{places}:{os.defpath}")
    assert done.returncode != 0
    assert "no Python 3.11, 3.12 or 3.13" in done.stderr
    assert "make demo PYTHON=" in done.stderr


def test_once_set_up_nothing_is_installed_again(bare: Path) -> None:
    (bare / ".venv" / "bin").mkdir(parents=True)
    (bare / ".venv" / "bin" / "python").touch()
    (bare / ".venv" / ".run").touch()
    (bare / ".venv" / ".dev").touch()
    (bare / ".venv-aws").mkdir()
    (bare / ".venv-aws" / ".stack").touch()
    for goal in ("demo", "test"):
        planned = make("--dry-run", goal, folder=bare).stdout
        assert "pip" not in planned
        assert "venv .venv" not in planned


def test_what_ci_runs_ends_with_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text("utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[-1] == "make test"
    assert "set -euo pipefail" in lines
