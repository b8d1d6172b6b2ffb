"""What is shipped: everything that the package reads beside its code, and that it runs on its own."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.lock import ROOT

DATA = (".json", ".txt", ".j2", ".css", ".js", ".properties", ".typed", ".yaml", ".html")


def files_below(folder: Path) -> list[Path]:
    """Files that git would keep."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [path for path in found if not any(part.startswith(".") or part == "__pycache__" for part in path.parts)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel; the backend is that of the environment, so no network is asked."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as opened:
        return frozenset(opened.namelist())


def test_every_module_and_data_file_of_the_package_is_inside(names: frozenset[str]) -> None:
    package = ROOT / "glue" / "forceglue"
    wanted = {f"forceglue/{path}" for path in files_below(package) if path.suffix in {".py", *DATA}}
    assert wanted - names == set()
    assert "forceglue/runtime/log4j2.properties" in names


def test_the_mappings_are_inside(names: frozenset[str]) -> None:
    wanted = {f"forceglue/_mappings/{path}" for path in files_below(ROOT / "mappings")}
    assert len(wanted) > 50
    assert wanted - names == set()


def test_nothing_else_is_inside(names: frozenset[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in names} == {"forceglue"}
    assert not [name for name in names if "_cache" in name or name.endswith(".pyc")]


def test_the_command_and_the_licence_are_named(wheel: Path, names: frozenset[str]) -> None:
    (points,) = [name for name in names if name.endswith("entry_points.txt")]
    with zipfile.ZipFile(wheel) as opened:
        assert "forceglue = forceglue.cli.main:main" in opened.read(points).decode()
    assert [name for name in names if name.endswith("licenses/LICENSE")]


@pytest.mark.slow
def test_the_wheel_runs_the_demo_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    programs = tmp_path / "env" / "bin"
    lock = ROOT / "requirements" / "run.txt"
    for what in (["--require-hashes", "-r", str(lock)], [str(wheel)]):
        subprocess.run([str(programs / "python"), "-m", "pip", "install", "-q", *what], check=True)
    clean = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "SPARK_HOME"}}
    said = subprocess.run(
        [str(programs / "forceglue"), "demo"], cwd=tmp_path, env=clean, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "report" in said.stdout
