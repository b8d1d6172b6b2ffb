"""Maintenance changes no row, loses no way back that was promised, and never stands in a load's way."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import deltalake
import pytest

from forceglue.errors import ConcurrentRunError, LandingError
from forceglue.landing.position import propose, read
from forceglue.run import maintain as module
from forceglue.run.maintain import Care, Maintained, maintain
from forceglue.run.rewind import START, points, rewind
from forceglue.write.delta_merge import told_overtaken
from forceglue.write.delta_table import Table
from run.desk import DATASET, HEAD, NAMED, Desk, only

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.usefixtures("spark")
POLICY = "target: {write: append, maintain: {small_files: 2}}"


@pytest.fixture(scope="module")
def once(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of four small files, a row of each load set aside."""
    desk = Desk(tmp_path_factory.mktemp("once"))
    desk.say(NAMED, POLICY)
    for n in range(1, 5):
        desk.land(f"e{n}", f"A{n},Anna,1,{n}", f"X{n},,1,{n}")
        desk.run()
    return desk.root


@pytest.fixture
def grown(once: Path, tmp_path: Path) -> Desk:
    """A copy of it for each test."""
    shutil.copytree(once, tmp_path / "grown")
    desk = Desk(tmp_path / "grown")
    desk.say(NAMED, POLICY)
    return desk


def care(desk: Desk, *, dry: bool = False, days: int = 0, **more: Any) -> Maintained:
    """A maintenance as if it were that many days later."""
    return maintain(desk.request(**more), dry=dry, now=datetime.now(UTC) + timedelta(days=days))


def of(done: Maintained, name: str = "account") -> Care:
    (found,) = [c for c in done.tables if c.name == name]
    assert found.error is None
    return found


def age(folder: Path, days: int) -> None:
    """Every file below the folder is that much older."""
    for path in folder.rglob("*"):
        if path.is_file():
            moment = path.stat().st_mtime - days * 86400
            os.utime(path, (moment, moment))


def data(desk: Desk, name: str = "account") -> set[str]:
    home = desk.root / "warehouse" / name
    return {p.relative_to(home).as_posix() for p in home.rglob("*.parquet") if "_delta_log" not in p.parts}


def snapshot(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*")}


def test_small_files_are_joined_and_no_row_changes(grown: Desk) -> None:
    before, keys, position = grown.table(), grown.keys(), points(grown.warehouse, grown.project, "account")
    told = of(care(grown, dry=True))
    done = of(care(grown))
    assert (told.joined, told.into) == (done.joined, done.into) == (4, 1)
    assert (grown.table(), grown.keys()) == (before, keys)
    assert points(grown.warehouse, grown.project, "account") == position
    assert len(Table(grown.warehouse, "account", "account").live_files()) == 1
    # there is nothing to gain any more, and nothing is done
    version = deltalake.DeltaTable(str(grown.root / "warehouse" / "account")).version()
    assert (of(care(grown)).joined, deltalake.DeltaTable(str(grown.root / "warehouse" / "account")).version()) == (
        0,
        version,
    )
    # the next load finds its table
    grown.land("e9", "B,Ben,1,1")
    assert (only(grown.run()).written, len(grown.table())) == (1, 5)
    assert only(grown.run()).status == "unchanged"


def test_a_dry_run_changes_nothing_and_starts_no_jvm(grown: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_session", lambda request: pytest.fail)
    age(grown.root / "warehouse", 60)
    before = snapshot(grown.root)
    assert of(care(grown, dry=True)).joined == 4
    assert snapshot(grown.root) == before


@pytest.mark.parametrize("words", ["compact: never", "small_files: 4"])
def test_policy_decides(grown: Desk, words: str) -> None:
    grown.say(NAMED, f"target: {{write: append, maintain: {{{words}}}}}")
    assert of(care(grown)).joined == 0


def test_the_projects_policy_is_that_of_every_table(grown: Desk) -> None:
    (grown.root / "mappings" / "project.yaml").write_text("version: 1\nname: desk\nmaintain: {small_files: 2}\n")
    grown.say(NAMED, "target: {write: append}")
    grown.land("m1", "L1,1,Lead,1", head="Id,SystemModstamp,Name,IsDeleted", token="Lead")  # no mapping of its own
    grown.run()
    done = care(grown, dry=True)
    assert (of(done).joined, of(done, "lead").files) == (4, 1)


def test_replaced_files_go_when_their_time_is_over_and_rewind_says_so(grown: Desk) -> None:
    second, first = (point.version for point in points(grown.warehouse, grown.project, "account")[-2:])
    care(grown)
    assert len(data(grown)) == 5
    assert of(care(grown, days=6)).removed == 0
    rewind(grown.warehouse, grown.project, "account", str(first))
    assert set(grown.names()) == {"A1"}
    only(grown.run())
    rows, position = grown.table(), points(grown.warehouse, grown.project, "account")[0].version
    old = of(care(grown, days=8, dry=True))
    done = of(care(grown, days=8))
    assert (old.removed, old.freed) == (done.removed, done.freed)
    assert done.removed > 0
    assert data(grown) == set(Table(grown.warehouse, "account", "account").live_files())
    assert grown.table() == rows
    # what is gone is told before anything is touched
    before = snapshot(grown.root / "warehouse")
    with pytest.raises(LandingError, match="nothing was changed"):
        rewind(grown.warehouse, grown.project, "account", str(second))
    assert snapshot(grown.root / "warehouse") == before
    assert points(grown.warehouse, grown.project, "account")[0].version == position
    assert rewind(grown.warehouse, grown.project, "account", START).committed


def test_rewind_finds_the_joined_files_of_a_position(grown: Desk) -> None:
    fourth = points(grown.warehouse, grown.project, "account")[0].version
    then = grown.table()
    care(grown)
    age(grown.root / "warehouse" / "account", 10)
    care(grown)  # the small files are gone, the joined one is the table
    assert len(data(grown)) == 1
    grown.say(NAMED, POLICY)
    grown.land("e9", "B,Ben,1,1")
    grown.run()
    rewind(grown.warehouse, grown.project, "account", str(fourth))
    assert grown.table() == then


def test_what_was_replaced_lately_stays_however_old_it_is(grown: Desk) -> None:
    age(grown.root / "warehouse" / "account", 60)  # made long ago
    care(grown)  # and replaced just now
    assert of(care(grown)).removed == 0
    assert len(data(grown)) == 5


def test_files_of_a_load_that_is_not_committed_stay_and_abandoned_ones_go(grown: Desk) -> None:
    young, old = "batch-9/forceglue_verdict=good/a.parquet", "batch-8/forceglue_verdict=good/a.parquet"
    for path in (young, old):
        (grown.root / "warehouse" / "account" / path).parent.mkdir(parents=True)
        (grown.root / "warehouse" / "account" / path).write_bytes(b"PAR1")
    age(grown.root / "warehouse" / "account" / "batch-8", 8)
    assert of(care(grown)).removed == 1
    assert young in data(grown)
    assert old not in data(grown)


def test_a_table_whose_load_is_on_its_way_is_not_compacted(grown: Desk) -> None:
    position = read(grown.warehouse, "account", Table(grown.warehouse, "account", "account").state().position)  # type: ignore[union-attr]
    propose(grown.warehouse, position, at=datetime.now(UTC))
    for dry in (True, False):
        done = of(care(grown, dry=dry))
        assert done.joined == 0
        assert "not committed" in (done.note or "")
    assert of(care(grown, days=1)).joined == 4  # it has died


def test_a_compaction_that_meets_a_load_gives_way(grown: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(spark: Any, table: Table, *args: Any, **named: Any) -> tuple[int, int]:
        with told_overtaken(table):
            raise ConcurrentRunError("a run")
        return 0, 0

    monkeypatch.setattr(module, "compact", overtaken)
    done = care(grown)
    assert not done.failed
    assert "a run wrote the table meanwhile" in (of(done).note or "")


@pytest.mark.parametrize("write", ["append", "upsert", "scd2"])
def test_a_load_that_meets_a_compaction_is_not_broken(grown: Desk, monkeypatch: pytest.MonkeyPatch, write: str) -> None:
    from forceglue.run import object_run

    grown.say(NAMED, f"target: {{write: {write}, maintain: {{small_files: 2}}}}")
    if write == "scd2":  # its table has further columns
        grown.run(full_refresh=True)
        for n in range(3):
            grown.land(f"s{n}", f"S{n},Sue,1,1")
            grown.run()
    met, tries = [], []
    real = object_run.commit

    def meanwhile(*args: Any) -> Any:
        tries.append(args)
        if not met:
            with monkeypatch.context() as blind:  # the compaction began before the load
                blind.setattr(module, "unfinished", lambda *_: None)
                met.append(of(care(grown)))
        return real(*args)

    monkeypatch.setattr(object_run, "commit", meanwhile)
    grown.land("e8", "A1,Ann,1,9", "B,Ben,1,1")
    report = only(grown.run())
    assert (report.error, report.status, report.written) == (None, "written", 2)
    assert {row["name"] for row in grown.table() if row["id"] == "B"} == {"Ben"}
    assert met[0].joined > 2
    if write == "append":  # what adds files only need not even be planned anew
        assert len(tries) == 1
    assert met[0].note is None


def test_a_dataset_is_not_built_again_for_it(grown: Desk) -> None:
    grown.say_dataset(DATASET)
    assert [m.status for m in grown.run().mappings] == ["unchanged", "written"]
    assert of(care(grown)).joined == 4
    assert [m.status for m in grown.run().mappings] == ["unchanged", "unchanged"]
    # nor where only the policy changes
    grown.say_dataset(DATASET + "target: {maintain: {keep: 9 days}}\n")
    assert [m.status for m in grown.run().mappings] == ["unchanged", "unchanged"]
    grown.land("e9", "B,Ben,1,1")
    assert [m.status for m in grown.run().mappings] == ["written", "written"]


def test_the_log_is_closed_with_a_checkpoint_and_the_position_stays(
    grown: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = points(grown.warehouse, grown.project, "account"), grown.table()
    monkeypatch.setattr(module, "CHECKPOINT_AFTER", 2)
    age(grown.root / "warehouse" / "account" / "_delta_log", 60)
    assert of(care(grown, dry=True)).log == 4
    assert of(care(grown)).log == 5
    log = grown.root / "warehouse" / "account" / "_delta_log"
    assert (log / "00000000000000000004.checkpoint.parquet").exists()
    assert not (log / "00000000000000000000.json").exists()
    assert (points(grown.warehouse, grown.project, "account"), grown.table()) == before
    assert of(care(grown)).log == 0
    grown.land("e9", "B,Ben,1,1")
    assert only(grown.run()).written == 1
    assert only(grown.run()).status == "unchanged"


def test_old_quarantine_only_where_it_is_asked_for(grown: Desk) -> None:
    assert care(grown, days=400).tables[1].rows == 0
    assert grown.keys() == ["X1", "X2", "X3", "X4"]
    grown.say(NAMED, "target: {write: append, maintain: {keep_quarantine: 90 days}}")
    assert of(care(grown, days=89), "_quarantine/account").rows == 0
    assert of(care(grown, days=91, dry=True), "_quarantine/account").rows == 3
    assert of(care(grown, days=91), "_quarantine/account").rows == 3
    # the batch of the position stays: its files would be taken for lost ones
    assert grown.keys() == ["X4"] == grown.plain_aside()
    grown.run()
    grown.land("e9", "X9,,1,1")
    grown.run()
    assert grown.keys() == ["X4", "X9"] == grown.plain_aside()


def test_deletions_are_forgotten_only_where_it_is_asked_for(desk: Desk) -> None:
    desk.say("target: {deletes: delete}")
    desk.land("e1", "A,Anna,1,1")
    desk.run()
    home = desk.root / "landing/in/dev-Salesforce-Account/e2"
    home.mkdir(parents=True)
    (home / "part.csv").write_text(f"{HEAD}\nA,Anna,1,2024-05-06T09:00:00.000Z,true\n")
    desk.run()
    assert list((desk.root / "warehouse" / "_deleted").rglob("*.parquet"))
    assert of(care(desk, days=4000)).deletions == 0
    desk.say("target: {deletes: delete, maintain: {keep_deleted: 52 weeks}}")
    assert of(care(desk, days=360)).deletions == 0
    assert of(care(desk, days=370)).deletions == 1
    assert not list((desk.root / "warehouse" / "_deleted").rglob("*.parquet"))


def test_one_failing_table_does_not_stop_the_others(grown: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    grown.land("m1", "L1,1,Lead,false", head="Id,SystemModstamp,Name,IsDeleted", token="Lead")
    grown.run()
    real = module.gain

    def broken(table: Table, size: int) -> Any:
        if table.path == "account":
            raise OSError("no such disk")
        return real(table, size)

    monkeypatch.setattr(module, "gain", broken)
    done = care(grown)
    assert done.failed
    assert [c.name for c in done.tables if c.error] == ["account"]
    assert of(done, "lead").files == 1


def test_delta_deliveries_are_looked_after_too(grown: Desk) -> None:
    for n in range(3):
        grown.say_dataset(
            DATASET.replace("csv: {file: named.csv}", "delta: {folder: named}") + f"# {n}\ngrain: row {n}\n"
        )
        grown.run()
    care(grown, days=8)
    home = grown.root / "delivery" / "named"
    assert len(list(home.glob("*.parquet"))) == len(deltalake.DeltaTable(str(home)).file_uris())
    assert len(deltalake.DeltaTable(str(home)).to_pyarrow_table()) == 4
