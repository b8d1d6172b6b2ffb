"""Blocks to columns: what a table has, in order, and where each value comes from. Spark-free.

The check calls it with the fields of the catalog, the runner with the fields that landed.

Rules for the table of an object:
1. The blocks of `columns`, in their order. `all: <source>` stands for every field that no named column takes,
   that is not excluded and that no earlier `all` gave; fields are named by `naming`, then by the block's `named`.
2. `rest: keep` (default without `columns`): every remaining field in the order of the catalog, then as it landed.
3. The key, and `order_by` where the object has that field, are columns even when the mapping does not name them:
   the table needs them to merge.
4. The `deleted` field is a boolean column; where nothing above gives it, it is the last one.
5. A field of `never_read` is nowhere, in whatever case it is written.

Rules for a dataset:
1. The blocks of `columns`, in their order, and nothing else.
2. `all: <alias>` stands for every column of that input but the traceability columns and those whose target name
   a named or empty column takes; `only` names columns freely, traceability too.
3. A plain `column` is the base table's; if the base has none of that name, the one join's that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from forceglue.mapping.model import AllColumns, Column, DatasetMapping, EmptyColumns, NamedColumns, ObjectMapping
from forceglue.mapping.names import NameIndex, column_name

TRACEABILITY = (
    "filename",
    "function_name",
    "function_version",
    "aws_request_id",
    "appflow_id",
    "processed_ts",
    "run_id",
)
"""What every object table tells of a row beside its data: file, ingest function, ingest id, flow, time, run."""


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One column of a table: its name and its one origin.

    Attributes:
        field: `field` or `alias.field`; spelled as the source spells it where that is known, else as the mapping does.
        sql: a Spark SQL expression over the row's own fields, as the mapping writes it.
        value: a constant.
        type: the Spark SQL type to cast to; None keeps what the origin has.
    With field, sql and value all None the column is null in every row.
    """

    name: str
    field: str | None = None
    sql: str | None = None
    value: object = None
    type: str | None = None
    description: str | None = None


class _Fields:
    """The source's fields that may be read, in order, without those that differ in case only."""

    def __init__(self, fields: Sequence[str], never_read: Iterable[str]) -> None:
        hidden = {name.lower() for name in never_read}
        seen: dict[str, str] = {}
        for name in fields:
            if name.lower() not in hidden:
                seen.setdefault(name.lower(), name)
        self.names = tuple(seen.values())
        self.index = NameIndex(self.names)

    def resolve(self, name: str) -> str:
        return self.index.match(name) or name


def object_columns(mapping: ObjectMapping, fields: Sequence[str]) -> tuple[OutputColumn, ...]:
    """The data columns of an object's table; `mapping` has its defaults (`Project.with_defaults`).

    Args:
        fields: the source's fields, catalog order first, then newly landed ones.

    A named field that is not among `fields` stays as the mapping writes it: no file ever carried it.
    """
    naming = mapping.naming or "snake"
    known = _Fields(fields, mapping.exclude)
    taken = {known.resolve(c.source).lower() for _, c in _named(mapping.columns or ()) if c.source}
    columns: list[OutputColumn] = []
    for block in mapping.columns or ():
        if isinstance(block, AllColumns):
            free = known.names if block.only is None else tuple(known.resolve(name) for name in block.only)
            left_out = {known.resolve(name).lower() for name in block.exclude}
            for field in free:
                if field.lower() not in left_out and (block.only is not None or field.lower() not in taken):
                    taken.add(field.lower())
                    columns.append(OutputColumn(block.named.replace("{name}", column_name(field, naming)), field))
        elif isinstance(block, EmptyColumns):
            columns += [OutputColumn(name) for name in block.empty]
        else:
            columns += [_output(name, column, known.resolve) for name, column in block.columns.items()]
    if mapping.keeps_rest:
        names = {column.name.lower() for column in columns}
        for field in known.names:
            if field.lower() not in taken:
                taken.add(field.lower())
                columns.append(OutputColumn(_free(column_name(field, naming), names), field))
    columns += _needed(mapping, known, columns)
    return _with_deleted(mapping, known, columns)


def _needed(mapping: ObjectMapping, known: _Fields, columns: Sequence[OutputColumn]) -> list[OutputColumn]:
    """Key and order columns that the mapping leaves unsaid."""
    naming = mapping.naming or "snake"
    have = {column.field.lower() for column in columns if column.field}
    names = {column.name.lower() for column in columns}
    ordered = known.index.match(mapping.order_by) if mapping.order_by else None
    wanted = [*map(known.resolve, mapping.key or ()), *([ordered] if ordered else [])]
    return [
        OutputColumn(_free(column_name(field, naming), names), field)
        for field in dict.fromkeys(wanted)
        if field.lower() not in have
    ]


def _with_deleted(mapping: ObjectMapping, known: _Fields, columns: list[OutputColumn]) -> tuple[OutputColumn, ...]:
    if not mapping.deleted:
        return tuple(columns)
    field = known.resolve(mapping.deleted)
    if not any((column.field or "").lower() == field.lower() for column in columns):
        names = {column.name.lower() for column in columns}
        columns = [*columns, OutputColumn(_free(column_name(field, mapping.naming or "snake"), names), field)]
    return tuple(
        OutputColumn(c.name, c.field, type="boolean", description=c.description)
        if c.field and c.field.lower() == field.lower() and c.type is None
        else c
        for c in columns
    )


def _free(name: str, names: set[str]) -> str:
    """`name`, or with a number where another column has it; takes it."""
    free, number = name, 2
    while free.lower() in names:
        free, number = f"{name}_{number}", number + 1
    names.add(free.lower())
    return free


class Inputs:
    """The inputs of a dataset: alias → columns, the base first."""

    def __init__(self, mapping: DatasetMapping, columns_of: Mapping[str, Sequence[str]]) -> None:
        self.base = mapping.name
        self.aliases = NameIndex((mapping.name, *(join.name for join in mapping.joins)))
        self.columns = {alias: NameIndex(columns_of.get(alias, ())) for alias in self.aliases.names}

    def owners(self, column: str) -> tuple[str, ...]:
        """The aliases that have a column of this name; only the base if the base has it."""
        if self.columns[self.base].match(column):
            return (self.base,)
        return tuple(alias for alias in self.aliases.names if self.columns[alias].match(column))

    def split(self, written: str) -> tuple[str | None, str]:
        """`alias.column` as alias and column; alias None where none is written. A column may hold dots itself."""
        head, dot, tail = written.partition(".")
        alias = self.aliases.match(head) if dot else None
        return (alias, tail) if alias else (None, written)

    def resolve(self, written: str) -> str:
        """`alias.column` in the spelling of the input; as written where no input has it."""
        alias, column = self.split(written)
        if alias is None:
            owners = self.owners(column)
            if len(owners) != 1:
                return f"{self.base}.{column}"
            alias = owners[0]
        return f"{alias}.{self.columns[alias].match(column) or column}"


def dataset_columns(mapping: DatasetMapping, columns_of: Mapping[str, Sequence[str]]) -> tuple[OutputColumn, ...]:
    """The columns of a dataset; every `field` is `alias.column`.

    Args:
        columns_of: alias (`mapping.name` for the base, `join.name` for the joins) → columns of that table.
    """
    inputs = Inputs(mapping, columns_of)
    fixed = {name.lower() for name in explicit_names(mapping.columns)}
    columns: list[OutputColumn] = []
    for block in mapping.columns:
        if isinstance(block, AllColumns):
            columns += _all_of(block, inputs, fixed)
        elif isinstance(block, EmptyColumns):
            columns += [OutputColumn(name) for name in block.empty]
        else:
            columns += [_output(name, column, inputs.resolve) for name, column in block.columns.items()]
    return tuple(columns)


def _all_of(block: AllColumns, inputs: Inputs, fixed: set[str]) -> Iterator[OutputColumn]:
    alias = inputs.aliases.match(block.all) or block.all
    index = inputs.columns.get(alias) or NameIndex(())
    left_out = {(index.match(name) or name).lower() for name in block.exclude}
    if block.only is None:
        left_out.update(TRACEABILITY)
        free = index.names
    else:
        free = tuple(index.match(name) or name for name in block.only)
    for column in free:
        target = block.named.replace("{name}", column)
        if column.lower() not in left_out and target.lower() not in fixed:
            yield OutputColumn(target, f"{alias}.{column}")


def explicit_names(blocks: Iterable[NamedColumns | AllColumns | EmptyColumns]) -> Iterator[str]:
    """The target names that a person wrote, in order: named and empty columns."""
    for block in blocks:
        if isinstance(block, NamedColumns):
            yield from block.columns
        elif isinstance(block, EmptyColumns):
            yield from block.empty


def find_column(written: str, columns: Sequence[OutputColumn]) -> OutputColumn | None:
    """The column of a looked-up table that `written` means: by its name, else by the source field that feeds it.

    `account.Name` finds `name`, and `account_name` where the account's mapping says `account_name: Name`.
    """
    by_name = {column.name: column for column in columns}
    found = NameIndex(by_name).match(written)
    if found is not None:
        return by_name[found]
    by_field = {column.field: column for column in reversed(columns) if column.field}
    found = NameIndex(by_field).match(written)
    return None if found is None else by_field[found]


def _named(blocks: Iterable[NamedColumns | AllColumns | EmptyColumns]) -> Iterator[tuple[str, Column]]:
    for block in blocks:
        if isinstance(block, NamedColumns):
            yield from block.columns.items()


def _output(name: str, column: Column, resolve: Callable[[str], str]) -> OutputColumn:
    field = None if column.source is None else resolve(column.source)
    return OutputColumn(name, field, column.sql, column.value, column.type, column.description)
