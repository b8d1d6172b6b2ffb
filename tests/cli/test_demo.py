"""`forceglue demo` from the outside: what it tells, and that what it wrote is what two other computations arrive at.

The demo runs once for all these tests, in a folder with blanks and umlauts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from deltalake import DeltaTable

from forceglue.cli import demo as command
from forceglue.cli.main import main
from forceglue.demo import folder as places
from forceglue.demo import org
from forceglue.demo.folder import MARKER
from forceglue.mapping.load import load_project
from forceglue.run.report import MappingReport, RunReport
from mappings import reference

if TYPE_CHECKING:
    from forceglue.demo.truth import OrgTruth

ROOT = Path(__file__).parents[2]
MAPPINGS = ROOT / "mappings"
SECRET = b"DO-NOT-READ-"
NAMES = {o.source: o.mapping for o in load_project(MAPPINGS, checked=False).objects.values()}
DATASETS = {facts.name: facts for facts in reference.dataset_facts()}


@dataclass
class After:
    """What lay there when a step had ended."""

    rows: dict[str, int]
    deleted: dict[str, int]
    differences: dict[str, list[str]]


@dataclass
class Played:
    """A demo from its call to its end."""

    folder: Path
    result: Result
    truths: list[OrgTruth] = field(default_factory=list)
    after: list[After] = field(default_factory=list)

    @property
    def reports(self) -> list[RunReport]:
        found = sorted(self.folder.glob("warehouse/_runs/*/report.json"))
        return [RunReport.from_json(path.read_bytes()) for path in found]

    def mapping(self, step: int, name: str) -> MappingReport:
        (found,) = [m for m in self.reports[step].mappings if m.name == name]
        return found


def table(folder: Path, name: str) -> DeltaTable:
    return DeltaTable(str(folder / "warehouse" / name))


def look(folder: Path) -> After:
    """Counts of the tables, and the deliveries beside the second computation."""
    rows, deleted = {}, {}
    for name in NAMES.values():
        data = table(folder, name).to_pyarrow_dataset()
        rows[name] = data.count_rows()
        deleted[name] = data.count_rows(filter=ds.field("isdeleted")) if "isdeleted" in data.schema.names else 0
    newest = max(folder.glob("warehouse/_runs/*/report.json"))
    written = {m.name: m.deliveries for m in RunReport.from_json(newest.read_bytes()).mappings}
    differences = {}
    for name, want in reference.expected(folder / "landing").items():
        (delivery,) = written[name]
        differences[name] = reference.differences(want, folder / "delivery" / delivery)
    return After(rows, deleted, differences)


@pytest.fixture(scope="module")
def played(spark: object, tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("Größe & Maß") / "the demo"
    told = Played(folder, Result(CliRunner(), b"", b"", b"", None, 0, None))

    def full_load(*given: Any, **more: Any) -> OrgTruth:
        told.truths.append(real_full_load(*given, **more))
        return told.truths[-1]

    def hour(*given: Any, **more: Any) -> OrgTruth:
        told.after.append(look(folder))
        told.truths.append(real_hour(*given, **more))
        return told.truths[-1]

    real_full_load, real_hour = org.full_load, org.hour
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(org, "full_load", full_load)
        patch.setattr(org, "hour", hour)
        told.result = CliRunner().invoke(main, ["demo", "--out", str(folder)], catch_exceptions=False)
    told.after.append(look(folder))
    return told


def test_it_succeeds_and_leaves_two_reports(played: Played) -> None:
    assert played.result.exit_code == 0, played.result.output
    assert [report.status for report in played.reports] == ["succeeded", "succeeded"]
    assert all(report.balance for report in played.reports)
    assert (played.folder / MARKER).is_file()


def test_what_a_person_reads_fits_a_log(played: Played) -> None:
    told = played.result.output
    assert not [sign for sign in told if ord(sign) < 32 and sign != "\n"]
    assert [line[:7] for line in told.splitlines() if " of 4  " in line] == ["1 of 4 ", "2 of 4 ", "3 of 4 ", "4 of 4 "]
    assert "all 23,518 rows that were made are accounted for" in told
    # A path is never broken, so that it can be copied.
    assert str(max(played.folder.glob("warehouse/_runs/*/report.html"))) in told
    prose = [line for line in told.splitlines() if str(played.folder) not in line]
    assert max(map(len, prose)) <= 120


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("source", sorted(NAMES))
def test_every_row_went_where_the_truth_says(played: Played, source: str, step: int) -> None:
    name, truth = NAMES[source], played.truths[step].objects.get(source)
    if truth is None:
        assert played.mapping(step, name).status == "unchanged"
        return
    report = played.mapping(step, name)
    assert (report.status, report.landed, report.written, report.superseded, report.quarantined) == (
        "written", truth.rows, truth.written, truth.superseded, truth.set_aside
    )  # fmt: skip
    assert report.inserted + report.updated + report.deleted == report.written
    assert (played.after[step].rows[name], played.after[step].deleted[name]) == (
        truth.records_after, truth.deleted_after
    )  # fmt: skip


def test_files_that_are_no_data_were_turned_away(played: Played) -> None:
    made = sorted(bad.path for bad in played.truths[0].bad_files)
    assert sorted(file.file for file in played.reports[0].rejected_files) == made
    assert played.reports[1].rejected_files == ()
    assert not [path for path in (played.folder / "landing" / "in").rglob("*") if path.is_file()]


def test_what_is_set_aside_is_kept_with_its_reason(played: Played) -> None:
    for source, name in NAMES.items():
        wanted = sum(t.objects[source].set_aside for t in played.truths if source in t.objects)
        folder = played.folder / "warehouse" / "_quarantine" / name
        kept = (
            DeltaTable(str(folder)).to_pyarrow_table(columns=["_raw", "_reasons"]).to_pylist()
            if folder.is_dir()
            else []
        )
        assert len(kept) == wanted, name
        assert all(row["_raw"] and row["_reasons"] for row in kept)


def test_fields_that_came_and_went_are_told(played: Played) -> None:
    for source, truth in played.truths[1].objects.items():
        told = {(note.column.lower(), note.change) for note in played.mapping(1, NAMES[source]).drift}
        assert {(f.lower(), "appeared") for f in truth.new_fields} <= told
        assert {(f.lower(), "vanished") for f in truth.lost_fields} <= told


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("name", sorted(DATASETS))
def test_a_delivery_holds_what_the_second_computation_arrives_at(played: Played, name: str, step: int) -> None:
    assert played.after[step].differences[name] == []


def test_credentials_of_users_are_read_by_nothing(played: Played) -> None:
    """They lie in the landing area only: no table, file of rows, report or page has them, whatever it is packed in."""
    landed = [path for path in (played.folder / "landing").rglob("*") if path.is_file() and SECRET in unpacked(path)]
    assert landed, "the org has no such field any more, so this test shows nothing"
    places = [played.folder / "warehouse", played.folder / "delivery"]
    written = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert len(written) > 200
    assert [path for path in written if SECRET in unpacked(path)] == []
    assert SECRET.decode() not in played.result.output


def unpacked(path: Path) -> bytes:
    """A file's bytes; for Parquet also every value as text."""
    content = path.read_bytes()
    if content[:4] != b"PAR1" or content[-4:] != b"PAR1":
        return content
    return content + repr(pq.read_table(path, partitioning=None).to_pydict()).encode()


def test_a_run_with_nothing_new_writes_nothing_and_starts_no_jvm(played: Played, tmp_path: Path) -> None:
    java = tmp_path / "jdk" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\nexit 1\n")
    java.chmod(0o755)
    (tmp_path / "jdk" / "release").write_text('JAVA_VERSION="17.0.1"\n')
    before = state(played.folder)
    call = [
        sys.executable, "-c", "from forceglue.cli.main import main; main()", "run", "--mappings", str(MAPPINGS),
        *(word for root in ("landing", "warehouse", "delivery") for word in (f"--{root}", str(played.folder / root))),
    ]  # fmt: skip
    environment = {**os.environ, "JAVA_HOME": str(tmp_path / "jdk"), "PYTHONPATH": str(ROOT / "glue")}
    done = subprocess.run(call, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "started").exists()
    assert "nothing new" in done.stdout
    assert state(played.folder) == before


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

    def play(out: Path, mappings: Path, scale: int, keep: bool, console: object) -> bool:
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
