"""Pieces of CSV as typed Arrow tables, by pyarrow's CSV reader: no value is looked at in Python.

Text is kept byte for byte (NUL, newlines of any kind, quotes). An empty cell is null: Salesforce has no empty text.
A value that does not fit its type is never lost: `MisfitError` names its column, which is then read as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from forceglue.errors import ForceglueError, SalesforceBusyError
from forceglue.extract.types import TEXT, arrow_type


class MisfitError(ForceglueError, ValueError):
    """Columns with a value that does not fit. Their values are not in the message.

    Attributes:
        columns: their names.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        super().__init__(f"values that do not fit the type in {', '.join(columns)}")


class Cells:
    """Reads pieces of one page.

    Args:
        header: the columns of the page, in its order.
        kinds: those that are wanted, in the order of the table; one that the page lacks is left out.
    """

    def __init__(self, header: Sequence[str], kinds: Mapping[str, str]) -> None:
        self._header = list(header)
        present = set(header)
        self.kinds = {name: kind for name, kind in kinds.items() if name in present}
        self._by_cast: set[str] = set()

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(name, arrow_type(kind)) for name, kind in self.kinds.items()])

    def as_text(self, columns: Sequence[str]) -> None:
        """Reads these columns as text from here on."""
        self.kinds |= dict.fromkeys(columns, TEXT)

    def table(self, piece: bytes) -> pa.Table:
        """The rows of a piece.

        Raises:
            MisfitError: values do not fit; say `as_text`, and ask again.
            SalesforceBusyError: it is no whole CSV: the page came damaged.
        """
        wanted = {n: arrow_type(TEXT if n in self._by_cast else kind) for n, kind in self.kinds.items()}
        try:
            found = self._read(piece, wanted)
        except pa.ArrowInvalid:
            return self._one_by_one(self._texts(piece))
        return self._cast(found, self._by_cast) if self._by_cast else found

    def _texts(self, piece: bytes) -> pa.Table:
        try:
            return self._read(piece, dict.fromkeys(self.kinds, arrow_type(TEXT)))
        except pa.ArrowInvalid:
            # no cause: pyarrow's message quotes the row
            raise SalesforceBusyError("a result page came damaged (it is no whole CSV); run again.") from None

    def _one_by_one(self, texts: pa.Table) -> pa.Table:
        """Finds the columns that do not fit; where each does after all, by a longer way, that way is kept to."""
        misfits, longer = [], set[str]()
        for name, kind in self.kinds.items():
            try:
                plain = _fits(texts.column(name), kind)
            except pa.ArrowInvalid:
                misfits.append(name)
            else:
                longer |= set() if plain else {name}
        if misfits:
            raise MisfitError(tuple(misfits))
        self._by_cast |= longer or {name for name, kind in self.kinds.items() if kind != TEXT}
        return self._cast(texts, self.kinds)

    def _cast(self, table: pa.Table, names: Mapping[str, str] | set[str]) -> pa.Table:
        misfits = []
        for at, (name, kind) in enumerate(self.kinds.items()):
            if name not in names or kind == TEXT:
                continue
            try:
                table = table.set_column(at, name, _cast(table.column(name), kind))
            except pa.ArrowInvalid:
                misfits.append(name)
        if misfits:
            raise MisfitError(tuple(misfits))
        return table

    def _read(self, piece: bytes, types: Mapping[str, pa.DataType]) -> pa.Table:
        return pacsv.read_csv(
            pa.BufferReader(piece),
            # one block: a record never lies across two; pages are read side by side, so one thread each
            read_options=pacsv.ReadOptions(
                column_names=self._header, block_size=max(len(piece) + 1, 1 << 10), use_threads=False
            ),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                true_values=["true"],
                false_values=["false"],
                timestamp_parsers=[pacsv.ISO8601],
                check_utf8=True,
            ),
        )


def _fits(texts: pa.ChunkedArray, kind: str) -> bool:
    """Whether the reader converts the column itself; False: only the longer way does. `ArrowInvalid`: neither."""
    if kind != "bigint":
        _cast(texts, kind)
        return True
    try:
        texts.cast(pa.int64())
    except pa.ArrowInvalid:
        _cast(texts, kind)
        return False
    return True


def _cast(texts: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    if kind == "bigint":  # some fields that describe calls int come as 3.0, or as 1.0E7
        return texts.cast(pa.decimal128(38, 18)).cast(pa.int64())
    if kind == "boolean":  # the cast takes 1 and TRUE too, which nobody sent as a boolean
        said = pc.is_in(texts.drop_null(), pa.array(["true", "false"]))
        if not pc.all(said, min_count=0).as_py():
            raise pa.ArrowInvalid("no boolean")
    return texts.cast(arrow_type(kind))
