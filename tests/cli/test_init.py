"""`forceglue init`, and the README that it writes, followed by the letter."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import forceglue
from describe.kit import SYSTEM, field
from forceglue.cli.main import main
from forceglue.simulated.salesforce import OrgServer


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "ours"
    assert call("init", str(folder)).exit_code == 0
    monkeypatch.chdir(folder)
    return folder


def blocks(folder: Path) -> list[list[str]]:
    """The commands of each block of the README."""
    found = re.findall(r"^```sh\n(.*?)^```$", (folder / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    return [block.splitlines() for block in found]


def follow(command: str) -> Result | subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    if words[0] == "forceglue":
        return call(*words[1:])
    assert words == ["pytest"]
    place = str(Path(forceglue.__file__).parents[1])
    environ = {**os.environ, "PYTHONPATH": place, "PYTEST_ADDOPTS": ""}
    return subprocess.run([sys.executable, "-m", *words], env=environ, capture_output=True, text=True, check=False)


def test_what_is_said(tmp_path: Path) -> None:
    result = call("init", str(tmp_path / "ours"))
    assert f"  {tmp_path / 'ours' / 'mappings' / 'objects' / 'account.yaml'}\n" in result.output
    assert result.output.endswith("ours && forceglue check && forceglue test && forceglue run\n")
    again = call("init", str(tmp_path / "ours"))
    assert again.exit_code == 2 and "is not empty" in again.output


def test_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("init")
    assert result.output.endswith("Go on with: forceglue check && forceglue test && forceglue run\n")
    assert call("check").exit_code == 0


def test_the_commands_that_need_no_spark(project: Path) -> None:
    first, second, *_ = blocks(project)
    assert first == [
        "python -m venv .venv",
        ".venv/bin/pip install -r requirements.txt",
        ". .venv/bin/activate",
    ]
    for command in second:
        if command not in ("forceglue test", "forceglue run"):
            done = follow(command)
            code = done.exit_code if isinstance(done, Result) else done.returncode
            assert code == 0, (command, done.stdout)


def test_every_command_of_the_readme(project: Path, server: OrgServer, spark: object) -> None:
    """In its order, the last block against an org on a socket."""
    server.org.define({"name": "Account", "keyPrefix": "001", "fields": [
        *SYSTEM, field("Name"), field("AnnualRevenue", "currency", precision=18, scale=0), field("OwnerId", "reference"),
        field("Region__c", "picklist", picklistValues=["North"]),
    ]})  # fmt: skip
    server.org.load(
        "Account",
        [{"Name": "Ours", "AnnualRevenue": "5", "Region__c": "North", "SystemModstamp": "2026-01-01T00:00:00.000Z"}],
    )
    _, second, connection, third = blocks(project)
    assert [line.split("=")[0] for line in connection] == [
        f"export SF_{n}" for n in ("TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET")
    ]
    told: dict[str, str] = {}
    for command in (*second, *third):
        done = follow(command)
        code = done.exit_code if isinstance(done, Result) else done.returncode
        told[command] = done.stdout
        assert code == 0, (command, done.stdout)
    assert "Region__c: new column region__c" in told["forceglue scaffold Account --prune"]
    assert "Website: is in Salesforce no more" in told["forceglue scaffold Account --prune"]
    import deltalake

    rows = deltalake.DeltaTable(str(project / "out" / "sample" / "warehouse" / "account")).to_pyarrow_table()
    assert sorted(rows.column("name").to_pylist()) == [
        "Aurora Outdoor", 'Birch "Green" Grocers', "Birch Farms", "Copper Kettle Cafe", "Delta Screens",
    ]  # fmt: skip
    ours = deltalake.DeltaTable(str(project / "out" / "org" / "warehouse" / "account")).to_pyarrow_table()
    assert ours.column("region__c").to_pylist() == ["North"]
