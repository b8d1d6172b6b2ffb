"""Killed between any two steps and run again: tables, quarantine and deliveries as if nothing had happened."""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from e2e.killing import killed
from e2e.org import ACCOUNT, Org, record
from e2e.patches import deleted, refresh, vanished
from forceglue.landing import ingest, store
from forceglue.quality import quarantine
from forceglue.run import committing, dataset_run, object_run, publish, runner
from forceglue.write import csv as csv_module
from forceglue.write import delta_merge, delta_rewrite, delta_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ALL = "mapping: All\nfrom: account\ncolumns: {id: id, name: name}\nquality: {quarantine: {short: length(name) < 9}}\ndeliver: [csv: {file: all.csv}]\n"

FIRST = {
    "before a sidecar": (ingest, "claim", "before"),
    "between sidecar and move": (ingest, "claim", "after"),
    "after the first move": (store.LocalBackend, "move", "after"),
    "after the manifest": (object_run, "propose", "after"),
    "in the middle of staging": (object_run, "stage", "before"),
    "after staging": (object_run, "stage", "after"),
    "after judging": (object_run, "judge", "after"),
    "after a quarantined file moved": (quarantine, "_moved", "after"),
    "after the quarantine's commit": (object_run, "set_aside", "after"),
    "after the table's commit": (delta_table.Table, "adopt", "after account"),
    "before the settling": (object_run, "settle", "before"),
    "before tidying": (object_run, "_tidy", "before"),
    "after the dataset's manifest": (dataset_run, "propose", "after"),
    "after the dataset's staging": (dataset_run, "stage", "after"),
    "after the dataset's quarantine": (dataset_run, "set_aside", "after"),
    "before the file has its name": (csv_module, "write_lines", "rename"),
    "after the file has its name": (dataset_run, "deliver", "after"),
    "after the announcement": (dataset_run, "announce", "after"),
    "before the dataset's settling": (dataset_run, "settle", "before"),
    "before the report": (runner, "publish", "before"),
    "between report.json and report.html": (publish, "render_html", "before"),
}
SECOND = {
    "after the manifest": (object_run, "propose", "after"),
    "after staging": (object_run, "stage", "after"),
    "after the quarantine's commit": (object_run, "set_aside", "after"),
    "before the table is written anew": (committing, "rewrite", "before"),
    "written anew and not committed": (delta_rewrite, "staged_files", "after"),
    "after the table's commit": (delta_table.Table, "adopt", "after account"),
    "before the settling": (object_run, "settle", "before"),
    "after the file has its name": (dataset_run, "deliver", "after"),
    "before the dataset's settling": (dataset_run, "settle", "before"),
}
MERGED = {
    "before the merge": (delta_merge, "_execute", "before"),
    "after the merge": (delta_merge, "_execute", "after"),
}
APPENDED = ("after the quarantine's commit", "after the table's commit")


def mapped(org: Org, write: str) -> None:
    org.say("account", f"{ACCOUNT}target: {{write: {write}}}\nquality: {{quarantine: {{named: name is not null}}}}\n")
    org.say("all", ALL)


def first(org: Org) -> None:
    org.land("e1", [record("A", 1, Name="a1"), record("B", 1, Name="b1"), record("A", 0, Name="a0"), record("Q", 1)])
    org.land("e1", [record("C", 1, Name="a long name")], file="second.csv")
    org.land("e1", b"", file="empty.csv")


def second(org: Org) -> None:
    org.land("e2", [record("A", 2, Name="a2"), record("D", 2, Name="d2"), record("R", 2), record("B", 0, Name="late")])


def state(org: Org) -> dict[str, Any]:
    """All that a user sees."""
    return {
        "account": org.table("account", "id", "name", "is_deleted"),
        "aside": (org.why("account"), org.plain_aside("account")),
        "dataset aside": (org.why("All"), org.plain_aside("All")),
        "delivered": sorted((org.root / "delivery" / "all.csv").read_text().splitlines()),
        "landing": (org.landed("in"), org.landed("processed"), org.landed("error")),
        "files": sorted(p.name for p in (org.root / "delivery").iterdir()),
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> dict[tuple[str, int], dict[str, Any]]:
    """What becomes of the first load, and of both, by the way of writing."""
    found = {}
    for write in ("upsert", "append", "scd2"):
        org = Org(tmp_path_factory.mktemp(write), spark)
        mapped(org, write)
        for number, land in enumerate((first, second), 1):
            land(org)
            org.run()
            found[write, number] = state(org)
    return found


@pytest.mark.parametrize("step", FIRST)
def test_the_first_load(org: Org, undisturbed: dict[tuple[str, int], dict[str, Any]], step: str) -> None:
    mapped(org, "append")
    first(org)
    with killed(*FIRST[step]):
        org.run()
    org.run()
    assert state(org) == undisturbed["append", 1]
    assert {m.status for m in org.run().mappings} == {"unchanged"}


STEPS = {"upsert": SECOND, "append": {step: FIRST[step] for step in APPENDED}, "scd2": MERGED}
INCREMENTS = [(write, step) for write, steps in STEPS.items() for step in steps]


@pytest.mark.parametrize(("write", "step"), INCREMENTS)
def test_an_increment(org: Org, undisturbed: dict[tuple[str, int], dict[str, Any]], write: str, step: str) -> None:
    mapped(org, write)
    first(org)
    org.run()
    second(org)
    with killed(*STEPS[write][step]):
        org.run()
    org.run()
    assert state(org) == undisturbed[write, 2]
    assert {m.status for m in org.run().mappings} == {"unchanged"}


PATCHED = {
    "upsert": {
        "the records are in, no patch is": (object_run, "propose", "before", 2),
        "a refresh is staged": (object_run, "stage", "after"),
        "rows of a refresh are set aside": (object_run, "set_aside", "after"),
        "the refresh is in": (committing, "rewrite", "after"),
        "a deletion is noted and not done": (committing, "bury", "after"),
        "the deletions are in": (committing, "rewrite", "after"),
        "what vanished is staged": (object_run, "stage", "after"),
        "all is in": (object_run, "_tidy", "before"),
    },
    "scd2": {
        "the refresh is in": (delta_merge, "_execute", "after", 2),
        "the deletions are in, what vanished is not": (delta_merge, "_execute", "before", 2),
    },
}
"""Four batches of one run: records, a refresh, deletions, what vanished. In this order: each run begins where the one
before died."""
HELD = {
    "upsert": [("A", "A3", 2), ("B", "B", 1), ("E", "E", 2)],
    "scd2": [
        ("A", "A", 1, 2), ("A", "A2", 2, 3), ("A", "A3", 3, None), ("B", "B", 1, None),
        ("C", "C", 1, 2), ("D", "D", 1, 3), ("E", "E", 2, None),
    ],
}  # fmt: skip
"""What the tables hold in the end: key, name, the hour of the version, and to which hour it was one."""


@pytest.mark.parametrize("write", PATCHED)
def test_a_run_that_dies_again_and_again_on_its_way_through_records_and_patches(org: Org, write: str) -> None:
    deletes = "delete" if write == "upsert" else "close"
    rules = "quality: {quarantine: {short: length(name) < 9}}\n"
    org.say("account", f"{ACCOUNT}target: {{write: {write}, deletes: {deletes}}}\n{rules}")
    org.land("e1", [record(key, 1, Name=key) for key in "ABCD"])
    org.run()
    org.land("e2", [record("A", 2, Name="A2"), record("E", 2, Name="E")])
    renamed = (("A", 2, "A3"), ("B", 1, "a long name"), ("E", 1, "old"))
    refresh(org, "e3", 3, *({"Id": key, "SystemModstamp": stamp, "Name": name} for key, stamp, name in renamed))
    deleted(org, "e3", 3, C=2)
    vanished(org, "e3", 3, "D")
    for step in PATCHED[write].values():
        with killed(*step):
            org.run()
    org.run()
    assert {m.status for m in org.run().mappings} == {"unchanged"}
    moments = ("valid_from", "valid_to") if write == "scd2" else ("system_modstamp",)
    found = org.table("account", "id", "name", *moments)
    assert [(*row[:2], *(moment and moment.hour for moment in row[2:])) for row in found] == HELD[write]
    assert org.why() == [("B", ("short",))] and org.plain_aside() == ["B"]


@pytest.mark.parametrize("what", ["sidecar", "manifest", "staging", "log", "delivery"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_a_full_disk_and_no_permission(
    org: Org, undisturbed: dict[tuple[str, int], dict[str, Any]], what: str, code: int
) -> None:
    mapped(org, "append")
    first(org)
    error = OSError(code, os.strerror(code))
    with pytest.MonkeyPatch.context() as patch:
        real = store.LocalBackend.write_bytes
        move = store.LocalBackend.move

        def write(self: store.LocalBackend, path: str, data: bytes, exclusive: bool) -> None:
            hit = {"sidecar": path.startswith(("processed/", "error/")), "manifest": path.startswith("_positions/")}
            if not hit.get(what):
                return real(self, path, data, exclusive)
            full.disk = True  # half of it is written, then the disk is full
            try:
                return real(self, path, data[: len(data) // 2], exclusive)
            finally:
                full.disk = False

        def fsync(file: int) -> None:  # files move in several threads: each has a disk of its own
            if getattr(full, "disk", False):
                raise error
            synced(file)

        def raises(*_: Any, **__: Any) -> None:
            raise error

        def moving(self: store.LocalBackend, source: str, target: str, seen: store.Entry | None) -> None:
            if what == "delivery" and target == "all.csv":
                with store.told(target):
                    raise error
            move(self, source, target, seen)

        def staging(*args: Any, **named: Any) -> Any:
            staged(*args, **named)
            raise error

        staged, synced, full = object_run.stage, os.fsync, threading.local()
        patch.setattr(store.os, "fsync", fsync)
        patch.setattr(store.LocalBackend, "write_bytes", write)
        patch.setattr(store.LocalBackend, "move", moving)
        if what == "staging":
            patch.setattr(object_run, "stage", staging)
        if what == "log":
            import deltalake.transaction

            patch.setattr(deltalake.transaction, "create_table_with_add_actions", raises)
        report = org.run()
    said = " ".join([*(m.error or "" for m in report.mappings), *(r.reason for r in report.ingest.rejected)])
    assert os.strerror(code) in said
    if what != "sidecar":  # a file that could not be moved waits; nothing was to be loaded
        assert report.status == "failed"
    if what != "delivery":
        assert not org.there("account")
    assert not (org.root / "delivery" / "all.csv").exists() or what == "sidecar"
    assert org.leftovers() == []
    org.run()
    assert state(org) == undisturbed["append", 1]
    assert org.leftovers() == []
