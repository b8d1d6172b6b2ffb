"""Columns: what a table has and where each value comes from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from forceglue.mapping.model.base import Model


class Column(Model):
    """One target column: exactly one of `from`, `sql` or `value`.

    In a file a plain scalar is short for `from`, and `null` is a column that nothing feeds.
    """

    source: str | None = Field(None, alias="from", description="A field of the source, or `alias.field` through a lookup or join.")
    sql: str | None = Field(None, description="A Spark SQL expression over the row's own fields.")
    value: str | int | float | bool | None = Field(None, description="A constant.")
    type: str | None = Field(None, description="A Spark SQL type, for example `decimal(18,2)`. Without it: text as Salesforce sent it.")
    description: str | None = Field(None, description="What the column means; shown in the data dictionary and as the column's comment.")

    @model_validator(mode="after")
    def _one_origin(self) -> Column:
        given = [name for name, v in (("from", self.source), ("sql", self.sql), ("value", self.value)) if v is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are both given; keep one of from, sql, value")
        return self


def _column(raw: Any) -> Any:
    if raw is None or isinstance(raw, (str, int, float, bool)):
        return {"from": None if raw is None else str(raw)}
    return raw


ColumnSpec = Annotated[Column, BeforeValidator(_column)]


class AllColumns(Model):
    """Every column of one input, in the order of the catalog: wide pass-through in one word."""

    all: str = Field(description="The input: a table or an alias of `from` and `joins`; in an object mapping, its source.")
    only: tuple[str, ...] | None = Field(None, description="Just these columns, in this order.")
    exclude: tuple[str, ...] = Field((), alias="except", description="Columns to leave out.")
    named: str = Field("{name}", description="The pattern of the target names, for example `(acc) {name}`.")


class EmptyColumns(Model):
    """Columns that the warehouse expects and nothing feeds: null in every row."""

    empty: tuple[str, ...]


class NamedColumns(Model):
    """Columns one by one: target name → where it comes from."""

    columns: dict[str, ColumnSpec]


Block = NamedColumns | AllColumns | EmptyColumns


def column_blocks(raw: Any) -> Any:
    """The two written forms of `columns` as blocks: a mapping is one block, a list has a block an entry."""
    if raw is None:
        return None
    if isinstance(raw, dict):
        return ({"columns": raw},)
    if not isinstance(raw, (list, tuple)):
        return raw
    return tuple(
        entry if not isinstance(entry, dict) or "all" in entry or "empty" in entry else {"columns": entry} for entry in raw
    )
