"""One CSV file that pandas, DuckDB and Spark read back alike, there only when it is whole.

Rows become lines in one distributed pass. Lines that are staged already are copied one after another (`write_lines`);
those of a frame go through one partition, because one file is asked for (`write_csv`). The header is put before the
first line there, so nothing is read or counted a second time.

Form: UTF-8 without a byte-order mark, lines end with a line feed, the header in exact case, `"` doubled inside quotes,
quotes only where a reader needs them, blanks kept. Null and empty text are nothing between the delimiters (`""` where a
row has one column only: a line that is empty or blank would be skipped). Values as in `forceglue.write.cells.text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.errors import DeliveryError, UsageError
from forceglue.transform.trace import literal
from forceglue.write.cells import numbered, text
from forceglue.write.scratch import DeliveryStore, scratch

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructField

_LINES = "lines"
_BLANK = r"^[\x00-\x20]*$"
_WRITER = {
    "quote": '"',
    "escape": '"',
    "ignoreLeadingWhiteSpace": "false",
    "ignoreTrailingWhiteSpace": "false",
    "emptyValue": "",
    "nullValue": "",
    "lineSep": "\n",
}


@dataclass(frozen=True)
class DeliveredFile:
    """A file that was delivered.

    Attributes:
        path: its name below the delivery root.
        size: bytes.
    """

    path: str
    size: int


def write_csv(
    df: DataFrame, store: DeliveryStore, name: str, *, delimiter: str = ",", header: bool = True, one_task: bool = False
) -> DeliveredFile:
    """Writes every row of `df` into the file `name` of the delivery root and replaces what is there.

    Until the last step the lines are in a hidden folder of the root; the last step is a rename (on S3 a copy, which
    appears as a whole). A reader sees the old file, then the new one, never a part. A frame without rows gives the
    header alone.

    Args:
        df: at least one column; names may hold anything.
        store: the delivery root.
        name: below the root, as `forceglue.write.names.expand` gives it.
        delimiter: one character, no quote and no line end.
        header: whether the first line names the columns.
        one_task: the rows are few, so that one task does it all and no line is sent from one to another.

    Raises:
        UsageError: a delimiter or a column type that CSV cannot carry.
        LandingError: the root cannot be written.
    """
    values = [f"c{i}" for i in range(len(df.columns))]
    told = line(df.schema.fields, values, name=name, delimiter=delimiter)
    first = header_line(df.columns, delimiter) if header else ""
    lines = numbered(df).selectExpr(f"{told} AS value")
    lines = lines.coalesce(1) if one_task else lines.repartition(1)
    if first:
        # In the one partition that is left, the first row has id 0.
        lines = lines.selectExpr(f"concat(IF(monotonically_increasing_id() = 0, {literal(first)}, ''), value) AS value")
    with scratch(store) as folder:
        writer = lines.write.option("compression", "none").option("lineSep", "\n").option("maxRecordsPerFile", 0)
        writer.text(store.uri(folder))
        parts = [
            f for f in store.list(folder, recursive=False) if f.path.rsplit("/", 1)[-1].startswith("part-") and f.size
        ]
        if not parts:
            data = first.encode()
            store.write_bytes(name, data)
            return DeliveredFile(name, len(data))
        if len(parts) > 1:
            raise DeliveryError(
                name, f"Spark wrote {len(parts)} files where one was asked for", "report this with the Spark version"
            )
        store.move(parts[0].path, name)
        return DeliveredFile(name, parts[0].size)


def write_lines(lines: Iterable[pa.StringArray], store: DeliveryStore, name: str, first: str) -> DeliveredFile:
    """Writes lines made by `line`, some at a time, into the file `name` of the delivery root, as `write_csv` does.

    Args:
        lines: without their line ends; none is null.
        first: the first line with its line end (`header_line`), or nothing.
    """
    import pyarrow.compute as pc

    with scratch(store) as folder:
        made = f"{folder}/{_LINES}"
        with store.filled(made) as path, path.open("wb") as file:
            file.write(first.encode())
            for some in lines:
                # what follows one another in an array lies so in its buffer
                ended = pc.binary_join_element_wise(some, "", "\n")
                offsets, data = memoryview(ended.buffers()[1]).cast("i"), ended.buffers()[2]
                file.write(memoryview(data or b"")[offsets[ended.offset] : offsets[ended.offset + len(ended)]])
            size = file.tell()
        store.move(made, name)
    return DeliveredFile(name, size)


def header_line(names: Sequence[str], delimiter: str) -> str:
    """The first line with its line end; a name is quoted where a reader could take it for something else."""

    def quoted(name: str) -> str:
        plain = (
            name and name == name.strip() and not any(sign in name for sign in (delimiter, '"', "\n", "\r", "\ufeff"))
        )
        return name if plain else '"' + name.replace('"', '""') + '"'

    return delimiter.join(map(quoted, names)) + "\n"


def line(fields: Sequence[StructField], values: Sequence[str], *, name: str, delimiter: str) -> str:
    """SQL text: a row as a line without its end, by Spark's own function: half the time of expressions.

    Args:
        fields, values: of the columns: name and type, and the SQL text that gives the value.
        name: of the file, for what is told.

    Raises:
        UsageError: a delimiter or a column type that CSV cannot carry, or no column.
    """
    if not fields:
        raise UsageError(f"{name}: the frame has no columns; a CSV file needs one at least.")
    cells = _cells(fields, values)
    told = _to_csv(cells, name, delimiter)
    if len(cells) > 1:
        return told
    # A line of blanks alone is skipped by readers. For null Spark's function gives null and calls it not null, on which
    # generated code breaks.
    alone = f"coalesce({cells[0]}, '')"
    return f"IF({alone} RLIKE {literal(_BLANK)}, concat('\"', {alone}, '\"'), {told})"


def start_of_line(fields: Sequence[StructField], values: Sequence[str], *, name: str, delimiter: str) -> str:
    """SQL text: the first columns of a line that has more; arguments as of `line`."""
    with_next = _to_csv([*_cells(fields, values), "''"], name, delimiter)
    return f"left({with_next}, length({with_next}) - 1)"


def rest_of_line(fields: Sequence[StructField], values: Sequence[str], *, name: str, delimiter: str) -> str:
    """SQL text: columns that follow others in a line, a delimiter before each; arguments as of `line`.

    `start_of_line` and what `rest_of_line` gives for the columns behind it, put together, are what `line` gives for
    all of them.
    """
    return _to_csv(["''", *_cells(fields, values)], name, delimiter)


def _cells(fields: Sequence[StructField], values: Sequence[str]) -> list[str]:
    return [text(value, field.dataType, field.name) for value, field in zip(values, fields, strict=True)]


def _to_csv(cells: Sequence[str], name: str, delimiter: str) -> str:
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise UsageError(
            f'{name}: the delimiter {delimiter!r} is refused; use one character that is not ", a line end or NUL.'
        )
    options = ", ".join(literal(part) for pair in {**_WRITER, "sep": delimiter}.items() for part in pair)
    members = ", ".join(f"{cell} AS c{i}" for i, cell in enumerate(cells))
    return f"to_csv(struct({members}), map({options}))"
