"""What is shipped: everything that the package reads beside its code, and that it runs on its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import deltalake
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


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command line in an environment that holds the wheel, what it needs, and nothing else."""
    home = tmp_path_factory.mktemp("installed") / "env"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    lock = ROOT / "requirements" / "run.txt"
    for what in (["--require-hashes", "-r", str(lock)], [str(wheel)]):
        subprocess.run([str(home / "bin" / "python"), "-m", "pip", "install", "-q", *what], check=True)
    return home / "bin" / "forceglue"


def told(program: Path, folder: Path, *words: str) -> str:
    """What the command prints in a folder that knows nothing of this repository."""
    clean = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "SPARK_HOME"}}
    said = subprocess.run([str(program), *words], cwd=folder, env=clean, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


@pytest.mark.slow
def test_the_wheel_runs_the_demo_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    said = told(installed, tmp_path, "demo")
    assert "rows that landed are accounted for" in said
    assert "The tables hold what the org holds" in said
    (report,) = re.findall(r"^Report +(\S+)$", said, re.MULTILINE)
    assert Path(report).is_file()


@pytest.mark.slow
def test_the_wheel_runs_the_mappings_of_somebody_else(installed: Path, tmp_path: Path) -> None:
    for name, text in {
        "theirs/project.yaml": "version: 1\nname: theirs\nunmapped: load\n",
        "theirs/account.yaml": "mapping: customer\nsource: Account\ncolumns: {customer_id: Id, name: Name}\n",
        "export/Account.csv": "Id,Name,SystemModstamp\n001A,Anna,2024-01-01T00:00:00.000Z\n001B,,2024-01-01T00:00:00.000Z\n",
        "export/Branch__c.csv": "Id,Name,SystemModstamp\na01A,North,2024-01-01T00:00:00.000Z\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    roots = ("--landing", "export", "--warehouse", "W", "--delivery", "D", "--mappings", "theirs")
    report = json.loads(told(installed, tmp_path, "run", *roots, "--json"))
    assert {m["name"]: m["written"] for m in report["mappings"]} == {"branch__c": 1, "customer": 2}
    rows = deltalake.DeltaTable(str(tmp_path / "W" / "customer")).to_pyarrow_table().to_pylist()
    assert sorted((row["customer_id"], row["name"]) for row in rows) == [("001A", "Anna"), ("001B", None)]
    assert "nothing new" in told(installed, tmp_path, "run", *roots)
