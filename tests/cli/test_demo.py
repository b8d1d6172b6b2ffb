"""`forceglue demo` from the outside: what it tells, and that what it wrote is what other computations arrive at.

The demo is played once for all tests, in a folder with blanks and umlauts.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from deltalake import DeltaTable
from rich.console import Console

from forceglue.cli import demo as command
from forceglue.cli.main import main
from forceglue.demo import folder as places
from forceglue.demo.folder import MARKER
from forceglue.demo.hour import WORK
from forceglue.demo.org import CLIENT_ID, CLIENT_SECRET
from forceglue.demo.values import BASE
from forceglue.salesforce.client import Salesforce
from forceglue.salesforce.settings import from_environment
from forceglue.simulated.salesforce import Org, SetClock, serve
from mappings import reference
from played import NAMES

if TYPE_CHECKING:
    from played import Played

ROOT = Path(__file__).parents[2]
MAPPINGS = ROOT / "mappings"
SECRET = b"DO-NOT-READ-"
DATASETS = {facts.name: facts for facts in reference.dataset_facts()}


def test_it_succeeds_and_leaves_two_reports_of_each(played: Played) -> None:
    assert played.code == 0, played.output
    assert [report.status for report in played.reports] == ["succeeded", "succeeded"]
    assert [json.loads(path.read_bytes())["status"] for path in played.extracts] == ["succeeded", "succeeded"]
    assert all(report.balance for report in played.reports)
    assert (played.folder / MARKER).is_file()


def test_what_a_person_reads_fits_a_log(played: Played) -> None:
    told = played.output
    assert not [sign for sign in told if ord(sign) < 32 and sign != "\n"]
    steps = [line[:6] for line in told.splitlines() if " of 6  " in line]
    assert steps == [f"{step} of 6" for step in range(1, 7)]
    assert len(re.findall(r"all [\d,]+ rows that landed are accounted for", " ".join(told.split()))) == 2
    # A path is never broken, so that it can be copied.
    assert str(max(played.folder.glob("warehouse/_runs/*/report.html"))) in told
    prose = [line for line in told.splitlines() if str(played.folder) not in line]
    assert max(map(len, prose)) <= 120


def test_it_ends_with_the_comparison_of_org_and_tables(played: Played) -> None:
    told = " ".join(played.output.split())
    records, objects = sum(len(held.records) for held in played.org.values()), len(played.org)
    assert (
        f"The tables hold what the org holds: {records:,} records of {objects} objects compared field by field" in told
    )


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("source", sorted(NAMES))
def test_every_row_that_landed_is_accounted_for(played: Played, source: str, step: int) -> None:
    report = played.mapping(step, NAMES[source])
    (extracted,) = [o for o in json.loads(played.extracts[step].read_bytes())["objects"] if o["name"] == source]
    landed = extracted["rows"] + (extracted["refreshed"] or 0) + (extracted["deleted"] or 0)
    landed += played.landed[step].rows_of.get(source, 0)
    assert (report.status, report.landed) == ("written" if landed else "unchanged", landed)
    assert report.inserted + report.updated + report.deleted == report.written
    assert report.landed == report.written + report.superseded + report.quarantined


def test_files_that_are_no_data_were_turned_away(played: Played) -> None:
    made = sorted(bad.path for bad in played.landed[0].bad_files)
    assert sorted(file.file for file in played.reports[0].rejected_files) == made
    assert played.reports[1].rejected_files == ()
    assert not [path for path in (played.folder / "landing" / "in").rglob("*") if path.is_file()]


def test_what_is_set_aside_is_kept_with_its_reason(played: Played) -> None:
    for source, name in NAMES.items():
        wanted = sum(landed.aside_of.get(source, 0) for landed in played.landed)
        folder = played.folder / "warehouse" / "_quarantine" / name
        kept = (
            DeltaTable(str(folder)).to_pyarrow_table(columns=["_raw", "_reasons"]).to_pylist()
            if folder.is_dir()
            else []
        )
        assert len(kept) == wanted, name
        assert all(row["_raw"] and row["_reasons"] for row in kept)


def test_fields_that_came_and_went_are_told(played: Played) -> None:
    for source, work in WORK.items():
        told = {(note.column.lower(), note.change) for note in played.mapping(1, NAMES[source]).drift}
        assert {(f.lower(), "appeared") for f in work.added} <= told
        assert {(f.lower(), "vanished") for f in work.removed} <= told


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("name", sorted(DATASETS))
def test_a_delivery_holds_what_the_second_computation_arrives_at(played: Played, name: str, step: int) -> None:
    assert played.looks[step].differences[name] == []


def test_credentials_of_users_are_read_by_nothing(played: Played) -> None:
    """They are in the org only: nothing below the demo's folder has them, whatever it is packed in."""
    written = [path for path in played.folder.rglob("*") if path.is_file()]
    assert len(written) > 300
    assert [path for path in written if SECRET in unpacked(path)] == []
    assert SECRET.decode() not in played.output + played.log.read_text("utf-8")


def unpacked(path: Path) -> bytes:
    """A file's bytes; for Parquet also every value as text."""
    content = path.read_bytes()
    if content[:4] != b"PAR1" or content[-4:] != b"PAR1":
        return content
    return content + repr(pq.read_table(path, partitioning=None).to_pydict()).encode()


def test_a_run_with_nothing_new_writes_nothing_and_starts_no_jvm(played: Played, tmp_path: Path) -> None:
    folder = played.copied(tmp_path / "demo")
    java = tmp_path / "jdk" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\nexit 1\n")
    java.chmod(0o755)
    (tmp_path / "jdk" / "release").write_text('JAVA_VERSION="17.0.1"\n')
    before = state(folder)
    call = [
        sys.executable, "-c", "from forceglue.cli.main import main; main()", "run", "--mappings", str(MAPPINGS),
        *(word for root in ("landing", "warehouse", "delivery") for word in (f"--{root}", str(folder / root))),
    ]  # fmt: skip
    environment = {**os.environ, "JAVA_HOME": str(tmp_path / "jdk"), "PYTHONPATH": str(ROOT / "glue")}
    done = subprocess.run(call, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "started").exists()
    assert "nothing new" in done.stdout
    assert state(folder) == before


def state(folder: Path) -> Mapping[str, tuple[int, int]]:
    """Every file but those of the runs' reports, with its size and time."""
    found = (path for path in folder.rglob("*") if path.is_file() and "_runs" not in path.parts)
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


# --- the folder ---------------------------------------------------------------------------------------------------


@pytest.fixture
def plays(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where a demo would have been loaded; nothing is."""
    from forceglue.demo.folder import demo_folder

    seen: list[Path] = []

    def play(out: Path, mappings: Path, scale: int, keep: bool, keep_org: bool, console: object) -> bool:
        seen.append(demo_folder(out, keep=keep).root)
        return True

    monkeypatch.setattr(command, "_play", play)
    return seen


def invoke(*words: str) -> Result:
    return CliRunner().invoke(main, ["demo", *words])


def test_a_folder_that_holds_anything_else_is_refused_and_left_as_it_is(plays: list[Path], tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "mine.csv").write_text("mine")
    result = invoke("--out", str(tmp_path))
    assert (result.exit_code, plays) == (2, [])
    assert "--out" in result.output
    assert (tmp_path / "landing" / "mine.csv").read_text() == "mine"
    assert not (tmp_path / MARKER).exists()


def test_an_earlier_demo_is_replaced_and_what_else_lies_there_stays(plays: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "new" / "demo"
    assert invoke("--out", str(out)).exit_code == 0
    (out / "warehouse" / "order").mkdir(parents=True)
    (out / "notes.txt").write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.csv").write_text("mine")
    (out / "delivery").symlink_to(tmp_path / "elsewhere")
    assert invoke("--out", str(out)).exit_code == 0
    assert len(plays) == 2
    assert not (out / "warehouse").exists()
    assert not (out / "delivery").is_symlink()
    assert (out / "notes.txt").read_text() == "mine"
    assert (tmp_path / "elsewhere" / "mine.csv").read_text() == "mine"


def test_keep_does_not_replace(plays: list[Path], tmp_path: Path) -> None:
    assert invoke("--out", str(tmp_path), "--keep").exit_code == 0
    result = invoke("--out", str(tmp_path), "--keep")
    assert (result.exit_code, len(plays)) == (2, 1)
    assert "--keep" in result.output


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(plays: list[Path], tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = invoke("--out", str(tmp_path / "demo"))
    tmp_path.chmod(0o700)
    assert (result.exit_code, plays) == (2, [])
    assert "Choose another folder with --out" in result.output


def test_a_file_in_the_way_is_told(plays: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    result = invoke("--out", str(tmp_path / "file" / "demo"))
    assert (result.exit_code, plays) == (2, [])
    assert "Choose another folder with --out" in result.output


@pytest.mark.parametrize("scale", ["0", "-1", "x"])
def test_a_scale_that_is_none(plays: list[Path], tmp_path: Path, scale: str) -> None:
    assert (invoke("--out", str(tmp_path), "--scale", scale).exit_code, plays) == (2, [])


# --- the org goes on ----------------------------------------------------------------------------------------------


def test_the_org_can_go_on_and_says_how_to_reach_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock, shown = SetClock(BASE), Console(file=io.StringIO(), width=40)
    reached = []

    def until_ctrl_c(_: float) -> None:
        said = shown.file.getvalue()  # type: ignore[attr-defined]  # the file above
        exports = dict(re.findall(r"^export (SF_\w+)=(\S+)$", said, re.MULTILINE))
        with Salesforce(from_environment(exports)) as client:
            reached.append([entry["name"] for entry in client.objects()])
        assert f"forceglue extract --landing {tmp_path / 'landing'} --lag 0" in said
        raise KeyboardInterrupt

    with Org(clock=clock) as org, serve(org) as server:
        org.define({"name": "Account", "fields": [{"name": "Id", "type": "id"}]})
        org.access.add_app(CLIENT_ID, CLIENT_SECRET, run_as="integration@example.com")
        monkeypatch.setattr(command, "time", SimpleNamespace(sleep=until_ctrl_c))
        made = SimpleNamespace(demo=SimpleNamespace(clock=clock), server=server)
        command._go_on(made, places.DemoFolder(tmp_path), shown)
        assert reached == [["Account"]]
        assert clock() > BASE  # time passes again


# --- the mappings -------------------------------------------------------------------------------------------------


def test_in_a_checkout_the_mappings_are_those_beside_the_package() -> None:
    assert places.shipped_mappings() == MAPPINGS


def test_those_inside_the_package_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "forceglue" / "_mappings"
    inside.mkdir(parents=True)
    (inside / "project.yaml").write_text("name: x\n")
    monkeypatch.setattr(places, "files", lambda package: tmp_path / package)
    assert places.shipped_mappings() == inside


def test_mappings_with_errors_end_it_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "a.yaml").write_text("mapping: a\nsource: A\ncolour: {}\n")
    result = invoke("--out", str(tmp_path / "demo"), "--mappings", str(tmp_path / "maps"))
    assert result.exit_code == 2
    assert "colour" in result.output
    assert not (tmp_path / "demo").exists()
