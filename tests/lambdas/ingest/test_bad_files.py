"""Every kind of bad file, through the function: set aside with its reason, told of, and no failure of the call."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from types import ModuleType

import pyarrow as pa
import pytest

from forceglue.landing.facts import Reason
from lambdas.ingest_kit import FOLDER, Called, Landing, parquet

CONTACT = "Id,LastName,Email,AccountId,SystemModstamp,IsDeleted\n003,hidden,hidden@example.org,001,2024-05-06,false\n"
WHOLE = parquet(Id=[str(number) for number in range(50)], Name=["hidden"] * 50)
BAD = {
    "empty.parquet": (b"", Reason.EMPTY),
    "blank.csv": (b"\xef\xbb\xbf \r\n", Reason.EMPTY),
    "text.parquet": (b"Id,Name\n1,hidden\n", Reason.WRONG_FORMAT),
    "json.csv": (b'{"Id":"hidden"}\n', Reason.WRONG_FORMAT),
    "csv.json": (b"Id,Name\n1,hidden\n", Reason.WRONG_FORMAT),
    "parquet.csv": (WHOLE, Reason.WRONG_FORMAT),
    "array.json": (b'[{"Id":"hidden"}]', Reason.WRONG_FORMAT),
    "zip.csv": (b"PK\x03\x04....", Reason.WRONG_FORMAT),
    "plain.csv.gz": (b"Id\n1\n", Reason.WRONG_FORMAT),
    "zipped.csv": (gzip.compress(b"Id\n1\n"), Reason.WRONG_FORMAT),
    "parquet.gz": (gzip.compress(WHOLE), Reason.WRONG_FORMAT),
    "encrypted": (b"PARE" + WHOLE[4:], Reason.WRONG_FORMAT),
    "cut.parquet": (WHOLE[: len(WHOLE) // 2], Reason.UNREADABLE),
    "headless.parquet": (WHOLE[:4] + WHOLE[60:], Reason.UNREADABLE),
    "footer.parquet": (WHOLE[:-60] + b"\xff" * 52 + WHOLE[-8:], Reason.UNREADABLE),
    "longer.parquet": (WHOLE[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1", Reason.UNREADABLE),
    "cut.csv.gz": (gzip.compress(b"Id,Name\n" + b"1,hidden\n" * 9999)[:-20], Reason.UNREADABLE),
    "open.csv": (b'Id,Name\n1,"hidden\n', Reason.UNREADABLE),
    "utf16.csv": ("Id\n1\n".encode("utf-16"), Reason.ENCODING),
    "latin.csv": (b"Id,Name\n1,caf\xe9\n", Reason.ENCODING),
    "keyless.csv": (b"Name\nhidden\n", Reason.KEY_MISSING),
    "headerless": (b"hidden,hidden2\nx,y\n", Reason.KEY_MISSING),
    "semicolons.csv": (b"Id;Name\n1;hidden\n", Reason.KEY_MISSING),
    "keyless.json": (b'{"Name":"hidden"}\n', Reason.KEY_MISSING),
    "keyless.parquet": (parquet(Name=["hidden"]), Reason.KEY_MISSING),
    "twice.csv": (b"Id,Name,NAME\n", Reason.DUPLICATE_COLUMN),
    "twice.json": (b'{"Id":1,"a":"x"}\n{"Id":1,"A":"x"}\n', Reason.DUPLICATE_COLUMN),
    "blank-column.csv": (b"Id,Name,\n1,hidden,hidden\n", Reason.BLANK_COLUMN),
    "cells.csv": (b"Id,Name\n1,hidden,hidden\n", Reason.TOO_MANY_CELLS),
    "lines.json": (b'{"Id":"1"}\n"hidden"\n', Reason.NOT_AN_OBJECT),
    "deep.json": (b'{"Id":' + b"[" * 99_999 + b"\n", Reason.NOT_AN_OBJECT),
    "a[1].csv": (b"Id\n1\n", Reason.BAD_NAME),
    f"{'n' * 201}.csv": (b"Id\n1\n", Reason.BAD_NAME),
    "contact.csv": (CONTACT.encode(), Reason.OTHER_OBJECT),
    "time.parquet": (parquet(Id=["1"], At=pa.array([None], pa.time64("us"))), Reason.COLUMN_TYPE),
}
STRICT = {
    "few.csv": (b"Id,Name\n" + b"1,hidden\n" * 2, Reason.TOO_FEW_ROWS),
    "small.csv": (b"Id\n1\n", Reason.TOO_SMALL),
    "other.json": (b'{"Id":"1"}\n' * 9, Reason.FORMAT_NOT_ALLOWED),
}


def ingest(
    function: ModuleType, landing: Landing, files: dict[str, tuple[bytes, Reason]], folder: str = FOLDER
) -> dict[str, str]:
    """File to the code that the bus was told; each call answers that it rejected its file."""
    for name, (data, _) in files.items():
        answer = function.handler(landing.put(f"{folder}/e1/{name}", data), Called(900))
        assert [one["status"] for one in answer["files"]] == ["rejected"], name
    told = [one["detail"] for one in landing.told()]
    assert len(told) == len(files)
    for one in told:
        reason = json.loads(landing.body(f"{one['moved_to']}.reason.json"))
        assert (reason["code"], reason["message"]) == (one["code"], one["message"])
        assert one["state"] == "error" and "hidden" not in json.dumps(reason)
    assert landing.lying("in/") == []
    return {one["object"].rpartition("/")[2]: one["code"] for one in told}


@pytest.fixture
def strict(landing: Landing) -> None:
    landing.write_mappings(
        {"project.yaml": "unmapped: error\nfiles: {min_bytes: 12, min_rows: 3, formats: [parquet, csv]}\n"}
    )


def test_each_kind_of_bad_file(function: ModuleType, landing: Landing, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest(function, landing, BAD) == {name: code.value for name, (_, code) in BAD.items()}
    assert "hidden" not in capsys.readouterr().out


@pytest.mark.usefixtures("strict")
def test_what_the_project_asks_of_files(function: ModuleType, landing: Landing) -> None:
    assert ingest(function, landing, STRICT) == {name: code.value for name, (_, code) in STRICT.items()}


@pytest.mark.parametrize("folder", ["in/dev-Salesforce-Acount", "in/dev-Salesforce-Lead", "in/not an object!"])
def test_files_of_no_object_that_is_known(function: ModuleType, landing: Landing, folder: str) -> None:
    files = {"a.csv": (b"Id\n1\n", Reason.UNKNOWN_OBJECT)}
    assert ingest(function, landing, files, folder) == {"a.csv": "unknown_object"}


def test_a_patch_of_a_kind_that_nobody_knows(function: ModuleType, landing: Landing) -> None:
    import io

    import pyarrow.parquet as pq

    mark = json.dumps({"kind": "unheard of", "at": datetime.now(UTC).isoformat()}).encode()
    out = io.BytesIO()
    pq.write_table(pa.table({"Id": ["1"]}).replace_schema_metadata({b"forceglue.patch": mark}), out)
    files = {"a.parquet": (out.getvalue(), Reason.UNKNOWN_PATCH)}
    assert ingest(function, landing, files) == {"a.parquet": "unknown_patch"}


def test_no_reason_is_left_out() -> None:
    tried = {code for _, code in (BAD | STRICT).values()} | {Reason.UNKNOWN_OBJECT, Reason.UNKNOWN_PATCH}
    assert set(Reason) - tried == {Reason.GONE}  # a file that is gone is traced: test_handler.py
