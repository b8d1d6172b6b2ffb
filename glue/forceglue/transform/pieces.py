"""Lines of a file in pieces: neighbouring columns of one input, made into text before the input is joined.

A dataset takes whole tables over, hundreds of columns. Every join copies them all, and a row that meets many others is
made into text as often. A piece is made once for each row of its own table, and joins carry it as one value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.mapping.expand import OutputColumn

if TYPE_CHECKING:
    from pyspark.sql.types import StructField

    Cells = Callable[[Sequence[StructField], Sequence[str]], str]
    """From columns and the SQL texts of their values to that of their part of the line, a delimiter before each."""

_FEWEST = 4
"""Columns of an input from which on a piece is worth a value of its own."""


@dataclass(frozen=True)
class Piece:
    """Output columns that follow one another, all of one input (or the same in every row).

    Attributes:
        name: of the column with the text.
    """

    name: str
    alias: str
    columns: tuple[OutputColumn, ...]


@dataclass(frozen=True)
class Layout:
    """The output columns in their order, some of them in pieces; `cells` makes the text of a piece."""

    parts: tuple[OutputColumn | Piece, ...]
    cells: Cells

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return tuple(part for part in self.parts if isinstance(part, Piece))

    @property
    def columns(self) -> tuple[OutputColumn, ...]:
        """Those that stay columns."""
        return tuple(part for part in self.parts if isinstance(part, OutputColumn))


def laid_out(
    columns: Sequence[OutputColumn], *, asked: Collection[str], aliases: Collection[str], cells: Cells
) -> Layout:
    """The columns in as few parts as can be.

    Args:
        asked: names of columns that something else asks for; they stay columns, as does the first of a line.
        aliases: inputs whose columns may come in pieces.
    """
    parts: list[OutputColumn | Piece] = []
    for place, (alias, group) in enumerate(_groups(columns, asked, aliases)):
        if alias is None or sum(column.field is not None for column in group) < _FEWEST:
            parts += group
        else:
            parts.append(Piece(f"__piece_{place}", alias, tuple(group)))
    return Layout(tuple(parts), cells)


def _groups(
    columns: Sequence[OutputColumn], asked: Collection[str], aliases: Collection[str]
) -> Iterator[tuple[str | None, list[OutputColumn]]]:
    """Neighbours by the input that feeds them; None where they must be columns."""
    group: list[OutputColumn] = []
    of: str | None = None
    for number, column in enumerate(columns):
        fixed = number == 0 or column.name in asked or column.sql is not None or column.type is not None
        alias = None
        if not fixed:
            # what is the same in every row goes along with its neighbours
            alias = of if column.field is None else column.field.partition(".")[0]
            alias = alias if alias in aliases else None
        if group and alias != of:
            yield of, group
            group = []
        group.append(column)
        of = alias
    if group:
        yield of, group
