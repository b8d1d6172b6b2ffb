"""Is a landed file fit to be loaded? Format by content, readable, the rows and columns it must have.

Parquet is judged by its footer alone; text is read once, in a stream.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from forceglue.landing import layout
from forceglue.landing.facts import FileFacts, FileRejected, Format, Reason
from forceglue.landing.patch import Patch, patch_of
from forceglue.landing.store import Entry, Store
from forceglue.landing.textfiles import csv_header, plain, read_csv, read_json_lines, text_errors
from forceglue.landing.types import spark_type
from forceglue.mapping.names import match

if TYPE_CHECKING:
    from forceglue.mapping.model import FileChecks

_MAGIC = b"PAR1"
_HEAD, _TAIL = 4096, 1 << 16
_KNOWN_OTHERS = (
    (b"PARE", "an encrypted Parquet file"),
    (b"PK\x03\x04", "a ZIP archive (or an Excel workbook)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"%PDF", "a PDF"),
    (b"BZh", "bzip2 data"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
)
_ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
}
_SAID = {"parquet": "a Parquet file", "json": "JSON text", "csv": "plain text (CSV)"}


def check(store: Store, entry: Entry, *, key: Sequence[str], files: FileChecks) -> FileFacts:
    """The facts of a file that is fit to be loaded.

    Args:
        key: the object's key fields; each must be a column (any case).
        files: the least size and rows, and the formats that are allowed.

    Raises:
        FileRejected: it is not fit.
        FileNotFoundError: it is not there any more.
        LandingError: the store cannot be read.
    """
    if complaint := layout.name_complaint(entry.path):
        raise FileRejected(Reason.BAD_NAME, f"{complaint}; land it under another name")
    if entry.size == 0:
        raise FileRejected(Reason.EMPTY, "the file has no bytes: land it again")
    if entry.size < files.min_bytes:
        raise FileRejected(
            Reason.TOO_SMALL, f"it has {entry.size} bytes and `files.min_bytes` asks for {files.min_bytes}"
        )
    with store.open_input(entry.path) as stream:
        zipped, found = _format(stream, entry)
        if found not in files.formats:
            raise FileRejected(
                Reason.FORMAT_NOT_ALLOWED, f"it is {_SAID[found]} and `files.formats` allows {', '.join(files.formats)}"
            )
        facts = _parquet(stream, entry, key) if found == "parquet" else _text(stream, entry, found, zipped, key)
    if facts.rows < files.min_rows:
        raise FileRejected(
            Reason.TOO_FEW_ROWS, f"it has {facts.rows} rows and `files.min_rows` asks for {files.min_rows}"
        )
    return facts


def _format(stream: BinaryIO, entry: Entry) -> tuple[bool, Format]:
    """`(gzip, format)` by content, where the name does not say otherwise."""
    name = entry.path.lower()
    head = stream.read(_HEAD)
    zipped = head.startswith(b"\x1f\x8b")
    if zipped != name.endswith(".gz"):
        what = "gzip data" if zipped else "no gzip data"
        raise FileRejected(
            Reason.WRONG_FORMAT,
            f"it is {what} by content, and its name {'lacks' if zipped else 'has'} .gz: Spark goes by the name",
        )
    if zipped:
        stream.seek(0)
        with text_errors():
            head = plain(stream, zipped=True).read(_HEAD)
    claimed = next((form for ending, form in _ENDINGS.items() if name.removesuffix(".gz").endswith(ending)), None)
    found = _by_content(head, claimed)
    if claimed and claimed != found:
        raise FileRejected(
            Reason.WRONG_FORMAT, f"its name says {claimed}, but it is {_SAID[found]}: land it under the right name"
        )
    if zipped and found == "parquet":
        raise FileRejected(
            Reason.WRONG_FORMAT, "it is Parquet inside gzip, which Spark does not read: land it without gzip"
        )
    return zipped, found


def _by_content(head: bytes, claimed: Format | None) -> Format:
    if head.startswith(_MAGIC):
        return "parquet"
    for magic, what in _KNOWN_OTHERS:
        if head.startswith(magic):
            raise FileRejected(Reason.WRONG_FORMAT, f"it is {what}: land it as Parquet, JSON lines or CSV")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileRejected(Reason.ENCODING, "it is UTF-16 text: export it again as UTF-8")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise FileRejected(Reason.EMPTY, "the file has nothing but blanks: land it again")
    if text.startswith(b"{"):
        return "json"
    if text.startswith(b"[") and claimed != "csv":
        raise FileRejected(Reason.WRONG_FORMAT, "it is one JSON array: one JSON object a line is needed")
    return "csv"


def _parquet(stream: BinaryIO, entry: Entry, key: Sequence[str]) -> FileFacts:
    footer = _footer(stream, entry.size)
    try:
        file = pq.ParquetFile(io.BytesIO(_MAGIC + footer))
        schema, metadata = file.schema_arrow, file.metadata
    except (pa.ArrowException, OSError) as error:
        raise FileRejected(
            Reason.UNREADABLE, f"the Parquet footer is damaged ({_first_line(error)}): land it again"
        ) from error
    if (end := _data_end(metadata)) > entry.size - len(footer):
        raise FileRejected(
            Reason.UNREADABLE,
            f"the Parquet data should reach byte {end} and the file has {entry.size}: it is cut; land it again",
        )
    names = [field.name for field in schema]
    _check_columns(names, key, "parquet")
    fields = tuple(_parquet_types(schema, metadata))
    return FileFacts("parquet", metadata.num_rows, fields, entry.size, _patch(metadata.metadata))


def _patch(footer: Mapping[bytes, bytes] | None) -> Patch | None:
    """A file that is no patch by mistake would be taken for whole records, whose other fields are null: refused."""
    try:
        return patch_of(footer)
    except ValueError as error:
        raise FileRejected(
            Reason.UNKNOWN_PATCH, f"{error}: load it with the version that wrote it, or extract again"
        ) from error


def _parquet_types(schema: Any, metadata: Any) -> Iterator[tuple[str, str]]:
    stored = [metadata.schema.column(at) for at in range(metadata.num_columns)]
    numbers = {column.path for column in stored if column.physical_type == "INT64"}
    for field in schema:
        kind = spark_type(field.type)
        if kind is None:
            raise FileRejected(
                Reason.COLUMN_TYPE,
                f"the column {field.name!r} has the type {field.type}, which Spark does not read: land it as text",
            )
        nanos = kind == "timestamp" and field.name in numbers and getattr(field.type, "unit", "") == "ns"
        yield field.name, "timestamp_ns" if nanos else kind


def _footer(stream: BinaryIO, size: int) -> bytes:
    """The footer with its length and magic; read by hand so that a store's error is never taken for a bad file."""
    cut = FileRejected(Reason.UNREADABLE, "the Parquet file is cut off (no PAR1 at its end): land it again")
    if size < 12:
        raise cut
    start = max(len(_MAGIC), size - _TAIL)
    stream.seek(start)
    tail = stream.read(size - start)
    if not tail.endswith(_MAGIC):
        raise cut
    length = int.from_bytes(tail[-8:-4], "little") + 8
    if length > size - len(_MAGIC):
        raise FileRejected(Reason.UNREADABLE, "the Parquet footer is longer than the file: land it again")
    if length > len(tail):
        stream.seek(size - length)
        tail = stream.read(length)
    return tail[-length:]


def _data_end(metadata: Any) -> int:
    """The greatest byte that a column chunk claims."""
    end = 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            offsets = [o for o in (chunk.dictionary_page_offset, chunk.data_page_offset) if o]
            end = max(end, min(offsets, default=0) + chunk.total_compressed_size)
    return end


def _text(stream: BinaryIO, entry: Entry, found: Format, zipped: bool, key: Sequence[str]) -> FileFacts:
    stream.seek(0)
    if found == "json":
        names, rows = read_json_lines(plain(stream, zipped=zipped))
        _check_columns(names, key, found)
    else:
        _check_columns(csv_header(plain(stream, zipped=zipped)), key, found)
        stream.seek(0)
        names, rows = read_csv(plain(stream, zipped=zipped))
    return FileFacts(found, rows, tuple((name, "string") for name in names), entry.size)


def _check_columns(names: Sequence[str], key: Sequence[str], found: Format) -> None:
    missing = [name for name in key if match(name, names) is None]
    if missing:
        # The first line of text that is no CSV is data: its cells are counted, never shown.
        seen = f"the first line has {len(names)} cells" if found == "csv" else f"it has {', '.join(names[:12])}"
        raise FileRejected(
            Reason.KEY_MISSING,
            f"the key {', '.join(missing)} is no column ({seen}): is it a file of another object, without a header, "
            f"or not comma-separated?",
        )
    blank = [str(at) for at, name in enumerate(names, 1) if not name.strip()]
    if blank:
        raise FileRejected(Reason.BLANK_COLUMN, f"column {', '.join(blank)} has no name: export it again")
    seen_names: dict[str, str] = {}
    for name in names:
        if name.lower() in seen_names:
            raise FileRejected(
                Reason.DUPLICATE_COLUMN,
                f"the columns {seen_names[name.lower()]!r} and {name!r} are the same without regard to case: "
                f"keep one of them in the export",
            )
        seen_names[name.lower()] = name


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
