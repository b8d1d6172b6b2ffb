from __future__ import annotations

import datetime as dt
import gzip
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forceglue.landing.checks import check
from forceglue.landing.facts import FileFacts, FileRejected, Reason
from forceglue.landing.patch import FOOTER_KEY, KINDS, Kind, Patch
from forceglue.landing.store import Store
from forceglue.mapping.model import FileChecks


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


TWO = parquet(pa.table({"Id": ["1", "2"], "Name": ["secret", None]}))


def facts(store: Store, data: bytes, name: str = "data", files: FileChecks | None = None, key: str = "Id") -> FileFacts:
    store.write_bytes(name, data)
    entry = store.stat(name)
    assert entry
    return check(store, entry, key=(key,), files=files or FileChecks())


def why(store: Store, data: bytes, name: str = "data", files: FileChecks | None = None) -> tuple[Reason, str]:
    with pytest.raises(FileRejected) as caught:
        facts(store, data, name, files)
    assert "secret" not in str(caught.value)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize("name", ["0001", "a.parquet", "A.PARQUET", "-12-2023-09-11T00:04:54", "a.dat"])
def test_parquet_by_content(store: Store, name: str) -> None:
    assert facts(store, TWO, name) == FileFacts("parquet", 2, (("Id", "string"), ("Name", "string")), len(TWO))


@pytest.mark.parametrize("name", ["0001", "a.json", "a.jsonl", "a.ndjson", "a.txt"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\n  "])
def test_json_lines_by_content(store: Store, name: str, start: bytes) -> None:
    found = facts(store, start + b'{"Id": "1"}\n{"Id": "2", "A": {"b": 1}}', name)
    assert (found.format, found.rows, found.fields) == ("json", 2, (("Id", "string"), ("A", "string")))


@pytest.mark.parametrize("name", ["0001", "a.csv", "a.txt"])
def test_csv_by_content(store: Store, name: str) -> None:
    found = facts(store, b'\xef\xbb\xbf"Id",Name\r\n1,"a\nb"\r\n', name)
    assert (found.format, found.rows, found.fields) == ("csv", 1, (("Id", "string"), ("Name", "string")))


@pytest.mark.parametrize(
    ("name", "data"), [("a.csv.gz", b"Id\n1\n"), ("a.json.gz", b'{"Id":1}'), ("0001.gz", b"Id\n1\n")]
)
def test_gzip_text(store: Store, name: str, data: bytes) -> None:
    packed = gzip.compress(data)
    found = facts(store, packed, name)
    assert (found.rows, found.size) == (1, len(packed))


def test_types_of_what_parquet_stores(store: Store) -> None:
    moment = dt.datetime(2024, 1, 1)
    columns = {
        "Id": (pa.string(), "1", "string"),
        "large": (pa.large_string(), "x", "string"),
        "amount": (pa.decimal128(18, 2), Decimal("1.00"), "decimal(18,2)"),
        "small": (pa.int16(), 1, "smallint"),
        "count": (pa.int64(), 1, "bigint"),
        "ratio": (pa.float64(), 1.0, "double"),
        "flag": (pa.bool_(), True, "boolean"),
        "day": (pa.date32(), moment.date(), "date"),
        "ms": (pa.timestamp("ms"), moment, "timestamp"),
        "us": (pa.timestamp("us", "UTC"), moment, "timestamp"),
        "ns": (pa.timestamp("ns", "UTC"), moment, "timestamp_ns"),
        "code": (pa.dictionary(pa.int32(), pa.string()), "x", "string"),
        "address": (pa.struct([("city", pa.string())]), {"city": "x"}, "string:json"),
        "tags": (pa.list_(pa.string()), ["x"], "string:json"),
        "blob": (pa.binary(), b"x", "binary"),
        "nothing": (pa.null(), None, "void"),
    }
    table = pa.table({name: pa.array([value], kind) for name, (kind, value, _) in columns.items()})
    assert facts(store, parquet(table)).fields == tuple((name, said) for name, (_, _, said) in columns.items())


def test_old_int96_timestamps_are_plain_timestamps(store: Store) -> None:
    out = io.BytesIO()
    table = pa.table({"Id": ["1"], "at": pa.array([dt.datetime(2024, 1, 1)], pa.timestamp("ns"))})
    pq.write_table(table, out, use_deprecated_int96_timestamps=True)
    assert facts(store, out.getvalue()).fields[1] == ("at", "timestamp")


@pytest.mark.parametrize("kind", [pa.time64("us"), pa.duration("us"), pa.decimal256(50, 2), pa.float16()], ids=str)
def test_types_that_spark_does_not_read(store: Store, kind: pa.DataType) -> None:
    table = pa.table({"Id": ["1"], "odd": pa.array([None], kind)})
    code, message = why(store, parquet(table))
    assert code is Reason.COLUMN_TYPE
    assert "'odd'" in message


def test_a_footer_longer_than_the_first_read(store: Store) -> None:
    table = pa.table({"Id": ["1"]} | {f"Field_with_a_rather_long_name_{n}__c": ["x"] for n in range(2_000)})
    found = facts(store, parquet(table))
    assert (found.rows, len(found.fields)) == (1, 2_001)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:4],
        lambda data: data[:9],
        lambda data: data[:4] + data[60:],
        lambda data: data[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1",
        lambda data: data[:-8] + (3).to_bytes(4, "little") + b"PAR1",
        lambda data: data[:-60] + b"\xff" * 52 + data[-8:],
    ],
)
def test_damaged_parquet(store: Store, damage: object) -> None:
    assert callable(damage)
    assert why(store, damage(TWO))[0] is Reason.UNREADABLE


@pytest.mark.parametrize(
    ("data", "name", "code", "said"),
    [
        (b"", "a.csv", Reason.EMPTY, "no bytes"),
        (b"\xef\xbb\xbf \r\n", "a.csv", Reason.EMPTY, "blanks"),
        (b"Id,Name\n1,secret\n", "a.parquet", Reason.WRONG_FORMAT, "plain text"),
        (b'{"Id":"secret"}\n', "a.parquet", Reason.WRONG_FORMAT, "JSON"),
        (b'{"Id":"secret"}\n', "a.csv", Reason.WRONG_FORMAT, "JSON"),
        (b"Id,Name\n1,secret\n", "a.json", Reason.WRONG_FORMAT, "plain text"),
        (TWO, "a.csv", Reason.WRONG_FORMAT, "Parquet"),
        (b'[{"Id":"secret"}]', "a.json", Reason.WRONG_FORMAT, "array"),
        (b"PK\x03\x04....", "a.csv", Reason.WRONG_FORMAT, "ZIP"),
        (b"Id\n1\n", "a.csv.gz", Reason.WRONG_FORMAT, "no gzip"),
        (gzip.compress(b"Id\n1\n", mtime=0), "a.csv", Reason.WRONG_FORMAT, "lacks .gz"),
        (gzip.compress(TWO, mtime=0), "a.gz", Reason.WRONG_FORMAT, "inside gzip"),
        ("Id\n1\n".encode("utf-16"), "a.csv", Reason.ENCODING, "UTF-16"),
        (b"Id,Name\n1,caf\xe9\n", "a.csv", Reason.ENCODING, "0xe9"),
        (b"Name\nsecret\n", "a.csv", Reason.KEY_MISSING, "Id"),
        (b"secret,secret2\nx,y\n", "0001", Reason.KEY_MISSING, "2 cells"),
        (b"Id;Name\n1;secret\n", "a.csv", Reason.KEY_MISSING, "comma"),
        (b'{"Name":"secret"}\n', "a.json", Reason.KEY_MISSING, "Name"),
        (parquet(pa.table({"Name": ["secret"]})), "0001", Reason.KEY_MISSING, "Name"),
        (b"Id,Name,NAME\n", "a.csv", Reason.DUPLICATE_COLUMN, "'Name' and 'NAME'"),
        (b"Id,Name,Name\n", "a.csv", Reason.DUPLICATE_COLUMN, "'Name'"),
        (b'{"Id":1,"a":"x"}\n{"Id":1,"A":"x"}\n', "a.json", Reason.DUPLICATE_COLUMN, "'a' and 'A'"),
        (parquet(pa.table([["1"], ["2"]], ["Id", "ID"])), "0001", Reason.DUPLICATE_COLUMN, "'ID'"),
        (b"Id,Name,\n1,secret,\n", "a.csv", Reason.BLANK_COLUMN, "column 3"),
        (b"Id,Name\n1,secret,secret\n", "a.csv", Reason.TOO_MANY_CELLS, "record 1"),
        (b'{"Id":"1"}\n"secret"\n', "a.json", Reason.NOT_AN_OBJECT, "line 2"),
        (b"Id\n1\n", "a[1].csv", Reason.BAD_NAME, "pattern"),
    ],
)
def test_rejections(store: Store, data: bytes, name: str, code: Reason, said: str) -> None:
    found, message = why(store, data, name)
    assert found is code
    assert said in message


def test_least_size_and_rows_and_the_formats_allowed(store: Store) -> None:
    assert why(store, b"Id\n1\n", files=FileChecks(min_bytes=6))[0] is Reason.TOO_SMALL
    assert why(store, b"Id\n1\n", files=FileChecks(min_rows=2))[0] is Reason.TOO_FEW_ROWS
    assert why(store, b"Id\n1\n", files=FileChecks(formats=("parquet",)))[0] is Reason.FORMAT_NOT_ALLOWED
    assert facts(store, b"Id\n1\n", files=FileChecks(min_rows=1, min_bytes=5)).rows == 1


@pytest.mark.parametrize("data", [b"Id,Name\n", parquet(pa.table({"Id": pa.array([], pa.string())}))])
def test_no_rows_is_no_fault_of_the_file(store: Store, data: bytes) -> None:
    assert facts(store, data).rows == 0


@pytest.mark.parametrize("header", [b"ID", b"id", b"Id"])
def test_the_key_in_any_case(store: Store, header: bytes) -> None:
    assert facts(store, header + b"\n1\n").rows == 1


def test_a_file_that_is_gone(store: Store) -> None:
    store.write_bytes("a", b"Id\n")
    entry = store.stat("a")
    store.delete("a")
    assert entry
    with pytest.raises(FileNotFoundError):
        check(store, entry, key=("Id",), files=FileChecks())


AT = dt.datetime(2026, 11, 1, 8, 30, tzinfo=dt.UTC)


def marked(mark: dict[bytes, bytes], *names: str) -> bytes:
    return parquet(pa.table({name: ["1"] for name in names or ("Id",)}).replace_schema_metadata(mark))


@pytest.mark.parametrize("kind", KINDS)
def test_a_patch_is_known_by_its_footer_whatever_its_name(store: Store, kind: Kind) -> None:
    assert facts(store, marked(Patch(kind, AT).footer()), "0001").patch == Patch(kind, AT)
    assert facts(store, TWO).patch is None


def test_a_patch_of_a_kind_that_nobody_knows_is_not_taken_for_whole_records(store: Store) -> None:
    code, said = why(store, marked({FOOTER_KEY: b'{"kind": "merged", "at": "2026-11-01T08:30:00+00:00"}'}))
    assert code == Reason.UNKNOWN_PATCH
    assert "'merged'" in said and "refresh, deleted, vanished" in said
    code, said = why(store, marked({FOOTER_KEY: b"{"}))
    assert code == Reason.UNKNOWN_PATCH and "damaged" in said


def test_a_patch_must_have_the_key_and_the_rows_that_the_project_asks_for(store: Store) -> None:
    mark = Patch("deleted", AT).footer()
    assert why(store, marked(mark, "IsDeleted"))[0] == Reason.KEY_MISSING
    assert why(store, marked(mark), files=FileChecks(min_rows=2))[0] == Reason.TOO_FEW_ROWS
