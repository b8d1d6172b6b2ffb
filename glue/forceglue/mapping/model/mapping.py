"""The two kinds of mapping: one file per Salesforce object, one per dataset."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from forceglue.mapping.model.base import Model
from forceglue.mapping.model.columns import Block, column_blocks
from forceglue.mapping.model.quality import ExpectationSpec, Quality, Rule, Severity
from forceglue.mapping.model.refresh import RefreshSpec
from forceglue.mapping.model.target import DRIFT, DeliverySpec, DriftPolicy, Target


def _as_tuple(raw: Any) -> Any:
    return (raw,) if isinstance(raw, str) else raw


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Columns = Annotated[tuple[Block, ...], BeforeValidator(column_blocks)]
Naming = Literal["lower", "snake", "source"]
Row = dict[str, Any]


class Lookup(Model):
    """A many-to-one look into another object's table: never multiplies rows."""

    object: str = Field(description="The Salesforce object (or table) looked into.")
    by: str = Field(description="The field of this object that holds the other's key.")
    key: str | None = Field(None, description="The looked-up field; default: the other object's key.")


class Example(Model):
    """A small test inside the mapping: given rows, and what must become of them (`forceglue test`)."""

    name: str = Field(description="What the example shows.")
    given: dict[str, tuple[Row, ...]] = Field(
        description="Input rows by object, table or alias; values are text as Salesforce sends it."
    )
    expect: tuple[Row, ...] | None = Field(
        None, description="The rows written, in any order; columns that are not named are not compared."
    )
    quarantined: tuple[Row, ...] | None = Field(
        None, description="Rows set aside: columns, and `rules` with the names of the broken rules."
    )
    dropped: int | None = Field(None, description="How many rows a `drop` rule leaves out.")


class _Mapping(Model):
    version: Literal[1] = Field(1, description="The version of the mapping format.")
    mapping: str = Field(description="The mapping's name; its table's name.")
    description: str | None = Field(None, description="What the table holds; shown in the data dictionary.")
    grain: str | None = Field(None, description="What one row is.")
    where: str | None = Field(
        None, description="A Spark SQL predicate; rows that do not satisfy it are filtered out and counted."
    )
    quality: Quality = Field(
        Quality(), description="Row rules by severity: `name: SQL predicate that good rows satisfy`."
    )
    expectations: tuple[ExpectationSpec, ...] = Field(
        (), description="Checks of the whole batch, by Great Expectations."
    )
    on_cast_error: Severity = Field("quarantine", description="What becomes of a row with a value that does not cast.")
    target: Target = Field(Target(), description="How rows are written to the Delta table.")
    examples: tuple[Example, ...] = Field((), description="Small tests, run by `forceglue test`.")

    def rules(self) -> tuple[tuple[str, Severity, Rule], ...]:
        return self.quality.rules()


class ObjectMapping(_Mapping):
    """One Salesforce object to one Delta table. What is None here comes from `objects` of project.yaml."""

    source: str = Field(description="The Salesforce API name.")
    folders: Names = Field((), description="Further landing folder names of this object, beside API name and label.")
    key: Names | None = Field(None, description="The fields that identify a record; default: Id.")
    order_by: str | None = Field(None, description="The field whose greatest value is the latest version.")
    deleted: str | None = Field(None, description="The field that says that the record is deleted.")
    naming: Naming | None = Field(None, description="How fields that pass through become column names.")
    columns: Columns | None = Field(None, description="Target column: source field. Without it, every field is kept.")
    rest: Literal["keep", "ignore"] | None = Field(
        None, description="Fields that `columns` does not name; default: keep without `columns`, else ignore."
    )
    exclude: tuple[str, ...] = Field(
        (), alias="never_read", description="Fields that nothing may read, quarantine included."
    )
    lookups: dict[str, Lookup] = Field({}, description="Other objects whose columns are used, as `alias.Field`.")
    on_drift: DriftPolicy | None = Field(
        None,
        description=DRIFT,
    )
    refresh: RefreshSpec | None = Field(
        None,
        description="How often formula fields are read again, of all records: never, every_run, daily, weekly, or "
        "{every: 3 days}; {every: …, also: [Field]} for fields that behave like formulas.",
    )

    @property
    def keeps_rest(self) -> bool:
        return self.rest == "keep" if self.rest else self.columns is None


class Join(Model):
    """A join that may multiply rows and says so by being one."""

    table: str = Field(description="The table that is joined.")
    alias: str | None = Field(None, alias="as", description="How columns and expressions call it; default: the table.")
    type: Literal["inner", "left", "full"] = Field(
        "left", description="left (default): every row stays; inner: only those with a match; full: of both sides."
    )
    by: dict[str, str] = Field(description="`{column here or alias.column: column of the joined table}`.")
    one: bool = Field(
        True,
        description="One row at most for each value there, or the dataset stops; false where several are meant.",
    )

    @property
    def name(self) -> str:
        return self.alias or self.table


class DatasetMapping(_Mapping):
    """A dataset for the warehouse, built from object tables or other datasets."""

    source: str = Field(alias="from", description="An object table or another dataset.")
    alias: str | None = Field(None, alias="as", description="How columns and expressions call it; default: the table.")
    joins: tuple[Join, ...] = Field((), description="Further inputs, joined in this order.")
    columns: Columns = Field(description="Target column: column of an input.")
    key: Names = Field((), description="The columns that are unique in the dataset; checked.")
    deliver: tuple[DeliverySpec, ...] = Field((), description="Copies for others: csv, parquet, delta, jdbc.")
    deleted: Literal["leave_out", "include"] = Field(
        "leave_out", description="What becomes of records whose latest version is deleted."
    )

    @property
    def name(self) -> str:
        return self.alias or self.source


AnyMapping = ObjectMapping | DatasetMapping
