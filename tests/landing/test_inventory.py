from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forceglue.errors import LandingError
from forceglue.landing.ingest import IngestReport, preview
from forceglue.landing.inventory import inventory, load_facts, pending
from forceglue.landing.patch import Patch
from forceglue.landing.store import Store
from forceglue.mapping.project import Project
from landing.kit import ACCOUNTS, NOON, ONE, make_project

Run = Callable[..., IngestReport]
GOOD = "in/dev-Salesforce-Account/e1/a.csv"


def put(store: Store, path: str, data: bytes, seconds: int) -> None:
    store.write_bytes(path, data)
    os.utime(Path(store.root) / path, (seconds, seconds))


@pytest.fixture
def reads(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are opened."""
    seen: list[str] = []
    real = store.open_input

    def noted(path: str) -> BinaryIO:
        seen.append(path)
        return real(path)

    monkeypatch.setattr(store, "open_input", noted)
    return seen


def test_an_export_folder_is_read_in_place(store: Store, project: Project) -> None:
    """The shape of a data export: flat CSV files with a byte-order mark beside a README and a licence."""
    header = b"\xef\xbb\xbfId,IsDeleted,Name,BillingAddress,LastModifiedDate,SystemModstamp\n"
    row = b'001Ec00000GGw3hIAD,,Acme,"{""city"":""X"",\n""country"":null}",2024-01-23T03:54:57.000+0000,2024-01-23T03:54:57.000+0000\n'
    put(store, "Account.csv", header + row * 3, 100)
    put(store, "Branch__c.csv", b"\xef\xbb\xbfId,Name\n1,Branch0\n", 50)
    put(store, "AccountContactRelation.csv", b"\xef\xbb\xbfId,Roles\n", 70)
    put(store, "Contact/part-1.csv", b"Id\n1\n", 200)
    put(store, "README.md", b"# An export", 10)
    put(store, "LICENSE.txt", b"Licence", 10)
    before = store.list()
    listed = inventory(store, project)
    assert listed.rejected == ()
    found = load_facts(store, project, listed.files)
    assert [(f.object, f.rows, f.path) for f in found.files] == [
        ("Branch__c", 1, "Branch__c.csv"),
        ("AccountContactRelation", 0, "AccountContactRelation.csv"),
        ("Account", 3, "Account.csv"),
        ("Contact", 1, "Contact/part-1.csv"),
    ]
    account = found.files[2]
    assert account.fields[:2] == (("Id", "string"), ("IsDeleted", "string"))
    assert (account.source_uri, account.ingested_at, account.flow_execution) == (account.uri, None, None)
    assert store.list() == before


def test_a_replaced_export_is_a_new_file(store: Store, project: Project) -> None:
    identities = []
    for data, seconds in ((b"Id\n1\n", 100), (b"Id\n1\n", 100), (b"Id\n1\n", 101), (b"Id\n12\n", 101)):
        put(store, "Account.csv", data, seconds)
        identities.append(inventory(store, project).files[0].identity)
    assert identities[0] == identities[1]
    assert len(set(identities)) == 3


def test_an_export_that_is_not_fit_stays_and_is_told(store: Store, project: Project) -> None:
    put(store, "Account.csv", b"Name\nx\n", 1)
    put(store, "a:b.csv", b"Id\n1\n", 1)
    put(store, "no object.csv", b"Id\n1\n", 1)
    put(store, "Contact.csv", b"Id\n1\n", 1)
    listed = inventory(store, project)
    assert [(r.path, r.code, r.moved_to) for r in listed.rejected] == [
        ("a:b.csv", "unknown_object", None),
        ("no object.csv", "unknown_object", None),
    ]
    found = load_facts(store, project, listed.files)
    assert [(r.path, r.code, r.object, r.moved_to) for r in found.rejected] == [
        ("Account.csv", "key_missing", "Account", None)
    ]
    assert [f.path for f in found.files] == ["Contact.csv"]
    assert len(store.list()) == 4


def test_beside_in_or_processed_nothing_is_an_export(store: Store, project: Project, run: Run) -> None:
    store.write_bytes("Contact.csv", b"Id\n1\n")
    store.write_bytes(GOOD, ACCOUNTS)
    assert inventory(store, project).files == ()
    run(store)
    assert [f.object for f in inventory(store, project).files] == ["Account"]


def test_objects_without_a_mapping(store: Store) -> None:
    store.write_bytes("Contact.csv", b"Id\n1\n")
    ignored = inventory(store, make_project(unmapped="ignore"))
    assert (ignored.files, ignored.rejected) == ((), ())
    assert [r.code for r in inventory(store, make_project(unmapped="error")).rejected] == ["unknown_object"]


def test_spellings_of_an_object_without_a_mapping_are_one_object(store: Store, project: Project) -> None:
    put(store, "branch__c/1.csv", b"Id\n1\n", 1)
    put(store, "Branch__c/2.csv", b"Id\n1\n", 2)
    assert [f.object for f in inventory(store, project).files] == ["Branch__c", "Branch__c"]


def test_nothing_new_reads_nothing_and_a_new_file_costs_one_small_read(
    store: Store, project: Project, run: Run, reads: list[str]
) -> None:
    for number in range(5):
        store.write_bytes(f"in/dev-Salesforce-Account/e{number}/a.csv", ACCOUNTS)
    run(store)
    reads.clear()
    files = inventory(store, project).files
    assert reads == []
    assert len(load_facts(store, project, files[2:3]).files) == 1
    assert reads == [files[2].sidecar]


def test_later_landed_is_later_in_the_list(store: Store, project: Project, run: Run) -> None:
    order = ["z", "b", "m", "a"]
    for at, name in ((NOON, "z"), (NOON, "b"), (ONE, "m"), (ONE, "a")):
        store.write_bytes(f"in/dev-Salesforce-Account/e-{name}/{name}.csv", ACCOUNTS)
        os.utime(Path(store.root) / f"in/dev-Salesforce-Account/e-{name}/{name}.csv", (1, 1))
        run(store, at)
        for entry in store.list("processed"):  # the clock of a fast machine may not tell the notes apart
            if f"/_{name}." in entry.path:
                os.utime(Path(store.root) / entry.path, (2_000_000_000 + order.index(name),) * 2)
    assert [f.path.rpartition("/")[2][0] for f in inventory(store, project).files] == order


def test_a_processed_file_that_somebody_else_moved_is_checked_and_accepted(store: Store, project: Project) -> None:
    store.write_bytes("processed/Salesforce-Account/2023/01/02/03/e9/f", ACCOUNTS)
    store.write_bytes("processed/Account/2023/01/02/03/e9/bad.parquet", b"Id\n")
    found = load_facts(store, project, inventory(store, project).files)
    (file,) = found.files
    assert (file.object, file.rows, file.flow_execution, file.ingested_at) == ("Account", 2, "e9", None)
    assert [r.code for r in found.rejected] == ["wrong_format"]


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"rows": 1}', b"\xff"])
def test_a_damaged_note_is_not_trusted(store: Store, project: Project, run: Run, note: bytes) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    run(store)
    (file,) = inventory(store, project).files
    assert file.sidecar
    store.write_bytes(file.sidecar, note)
    (found,) = load_facts(store, project, [file]).files
    assert (found.rows, found.ingested_at) == (2, None)


def test_a_note_of_another_content_is_not_trusted(store: Store, project: Project, run: Run) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    run(store)
    (file,) = inventory(store, project).files
    store.write_bytes(file.path, ACCOUNTS + b"001C,x\n")
    assert load_facts(store, project, inventory(store, project).files).files[0].rows == 3


def test_a_note_alone_is_no_file(store: Store, project: Project) -> None:
    store.write_bytes("processed/Account/2023/01/02/03/e9/_f.facts.json", json.dumps({}).encode())
    assert inventory(store, project).files == ()


def test_a_second_copy_of_the_same_landing_is_not_loaded_again(store: Store, project: Project, run: Run) -> None:
    """As a run leaves it that dies on S3 after the copy, and the next one finds the file in `in/` an hour later."""
    store.write_bytes(GOOD, ACCOUNTS)
    os.utime(Path(store.root) / GOOD, (1, 1))
    run(store)
    store.write_bytes(GOOD, ACCOUNTS)
    os.utime(Path(store.root) / GOOD, (1, 1))
    run(store, ONE)
    files = inventory(store, project).files
    found = load_facts(store, project, files)
    assert [f.path for f in found.files] == [files[0].path]
    assert [f.path for f in found.repeated] == [files[1].path]
    assert [f.path for f in load_facts(store, project, files[1:]).repeated] == [files[1].path]


def test_the_same_content_landed_anew_is_loaded_again(store: Store, project: Project, run: Run) -> None:
    for at, seconds in ((NOON, 1), (ONE, 2)):
        store.write_bytes(GOOD, ACCOUNTS)
        os.utime(Path(store.root) / GOOD, (seconds, seconds))
        run(store, at)
    assert len(load_facts(store, project, inventory(store, project).files).files) == 2


def test_a_file_that_is_gone_since_the_listing(store: Store, project: Project) -> None:
    store.write_bytes("Account.csv", ACCOUNTS)
    files = inventory(store, project).files
    store.delete("Account.csv")
    assert [r.code for r in load_facts(store, project, files).rejected] == ["gone"]


def test_what_a_plan_would_load_as_it_lies(store: Store, project: Project) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    (file,) = pending(store, preview(store, project))
    assert (file.path, file.object, file.rows, file.flow_execution) == (GOOD, "Account", 2, "e1")
    assert isinstance(file.mtime, datetime)


def test_a_root_that_is_not_there(tmp_path: Path, project: Project) -> None:
    with pytest.raises(LandingError, match="not there"):
        inventory(Store.for_root(tmp_path / "x"), project)


def test_an_empty_root_has_nothing(store: Store, project: Project) -> None:
    assert inventory(store, project).files == ()


VANISHED = Patch("vanished", datetime(2026, 11, 1, 8, 30, 0, 123456, tzinfo=UTC))


def patch_file() -> bytes:
    out = io.BytesIO()
    rows = pa.table({"Id": ["001A"], "IsDeleted": [True]}).replace_schema_metadata(VANISHED.footer())
    pq.write_table(rows, out)
    return out.getvalue()


def test_what_a_file_completes_is_read_once_at_the_ingest(
    store: Store, project: Project, run: Run, reads: list[str]
) -> None:
    store.write_bytes("in/dev-Salesforce-Account/e1/a.parquet", patch_file())
    store.write_bytes(GOOD, ACCOUNTS)
    assert [f.patch for f in pending(store, preview(store, project))] == [None, VANISHED]
    run(store)
    reads.clear()
    found = load_facts(store, project, inventory(store, project).files)
    # whichever was ingested first
    assert {f.format: f.patch for f in found.files} == {"csv": None, "parquet": VANISHED}
    assert not any(path.endswith((".csv", ".parquet")) for path in reads)


@pytest.mark.parametrize("damage", ["gone", "kind"])
def test_a_patch_stays_one_where_its_facts_are_lost_or_damaged(
    store: Store, project: Project, run: Run, damage: str
) -> None:
    store.write_bytes("in/dev-Salesforce-Account/e1/a.parquet", patch_file())
    run(store)
    (sidecar,) = (e.path for e in store.list("processed") if e.path.endswith(".json"))
    if damage == "gone":
        store.delete(sidecar)
    else:
        facts = json.loads(store.read_bytes(sidecar))
        store.write_bytes(sidecar, json.dumps({**facts, "patch": {"kind": "merged"}}).encode())
    (found,) = load_facts(store, project, inventory(store, project).files).files
    assert found.patch == VANISHED


def test_facts_from_before_there_were_patches_are_those_of_whole_records(
    store: Store, project: Project, run: Run
) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    run(store)
    (sidecar,) = (e.path for e in store.list("processed") if e.path.endswith(".json"))
    assert "patch" not in json.loads(store.read_bytes(sidecar))


def test_a_patch_has_too_few_fields_to_look_like_another_object_s_file(
    store: Store, project: Project, run: Run
) -> None:
    """The catalog knows no IsDeleted of OrderItem, and Account has all that the file has."""
    store.write_bytes("in/dev-Salesforce-OrderItem/e1/a.parquet", patch_file())
    assert [f.object for f in run(store).passed] == ["OrderItem"]
