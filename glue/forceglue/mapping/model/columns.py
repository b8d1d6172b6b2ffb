"""Columns: what a table has and where each value comes from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from forceglue.mapping.model.base import Model


class Column(Model):
    """One target column: exactly one of `from`, `sql` or `value`.

    In a file a plain scalar is short for `from`, and `null` is a column that nothing feeds.
    """

    source: str | None = Field(
        None, alias="from", description="A field of the source, or `alias.field` through a lookup or join."
    )
    sql: str | None = Field(None, description="A Spark SQL expression over the row's own fields.")
    value: str | int | float | bool | None = Field(None, description="A constant.")
    type: str | None = Field(
        None, description="A Spark SQL type, for example `decimal(18,2)`. Without it: text as Salesforce sent it."
    )
    description: str | None = Field(
        None, description="What the column means; shown in the data dictionary and as the column's comment."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Column:
        given = [name for name, v in (("from", self.source), ("sql", self.sql), ("value", self.value)) if v is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are both given; keep one of from, sql, value")
        return self


def _column(raw: Any) -> Any:
    if isinstance(raw, (bool, int, float)):
        said = str(raw).lower() if isinstance(raw, bool) else str(raw)
        raise ValueError(f"a plain value is the name of a field; a constant is written {{value: {said}}}")
    return {"from": raw} if raw is None or isinstance(raw, str) else raw


ColumnSpec = Annotated[Column, BeforeValidator(_column)]


class AllColumns(Model):
    """Every column of one input, in the order of the catalog: wide pass-through in one word."""

    all: str = Field(
        description="The input: a table or an alias of `from` and `joins`; in an object mapping, its source."
    )
    only: tuple[str, ...] | None = Field(None, description="Just these columns, in this order.")
    exclude: tuple[str, ...] = Field((), alias="except", description="Columns to leave out.")
    named: str = Field("{name}", description="The pattern of the target names, for example `(acc) {name}`.")


class EmptyColumns(Model):
    """Columns that the warehouse expects and nothing feeds: null in every row."""

    empty: tuple[str, ...]


class NamedColumns(Model):
    """Columns one by one: target name → where it comes from."""

    columns: dict[str, ColumnSpec]


def _kind(block: Any) -> str | None:
    """Which block it is, by its words; the tags look like no column, so that no place in a file is taken for one."""
    if isinstance(block, (NamedColumns, AllColumns, EmptyColumns)):
        return {NamedColumns: "<columns>", AllColumns: "<all>", EmptyColumns: "<empty>"}[type(block)]
    if not isinstance(block, dict):
        return None
    return next((f"<{word}>" for word in ("all", "empty", "columns") if word in block), None)


Block = Annotated[
    Annotated[NamedColumns, Tag("<columns>")]
    | Annotated[AllColumns, Tag("<all>")]
    | Annotated[EmptyColumns, Tag("<empty>")],
    Discriminator(_kind),
]

_ALL_WORDS = frozenset({"all", "only", "except", "named"})


def column_blocks(raw: Any) -> Any:
    """The written forms of `columns` as blocks: a mapping is one block, a list has a block an entry."""
    if isinstance(raw, dict):
        whole = ("all" in raw and raw.keys() <= _ALL_WORDS) or (
            raw.keys() == {"empty"} and isinstance(raw["empty"], list)
        )
        return (raw if whole else {"columns": raw},)
    if not isinstance(raw, (list, tuple)):
        return raw
    return tuple(
        entry if not isinstance(entry, dict) or "all" in entry or "empty" in entry else {"columns": entry}
        for entry in raw
    )
