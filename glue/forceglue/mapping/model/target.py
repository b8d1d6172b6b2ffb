"""Where rows go: the Delta table of a mapping, and the deliveries of a dataset."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from forceglue.mapping.model.base import Model
from forceglue.mapping.model.maintain import Maintain

WriteMode = Literal["upsert", "append", "replace", "snapshot", "scd2"]
Deletes = Literal["mark", "delete", "close", "keep"]
DriftPolicy = Literal["evolve", "freeze", "ignore"]
DRIFT = (
    "evolve (default): a new field becomes a column; freeze: nothing is loaded while the fields differ; "
    "ignore: new fields are left out. The report tells each difference."
)


class Target(Model):
    """How the latest rows meet the table."""

    write: WriteMode = Field(
        "upsert",
        description="upsert: latest version per key; append: every row; replace: this load only; "
        "snapshot: a dated copy of each load; scd2: a row a version.",
    )
    track: tuple[str, ...] | None = Field(
        None, description="scd2: a change in these columns opens a version; without it, any column."
    )
    deletes: Deletes | None = Field(
        None,
        description="mark (default): the row stays and says so; delete: it goes; close (default of scd2): "
        "its version ends; keep: a delete is not applied.",
    )
    partition_by: tuple[str, ...] = Field((), description="Columns that the table's files are kept apart by.")
    maintain: Maintain | None = Field(
        None, description="How `forceglue maintain` looks after this table, where it differs from project.yaml."
    )

    @model_validator(mode="after")
    def _fits(self) -> Target:
        if self.deletes == "close" and self.write != "scd2":
            raise ValueError("deletes: close needs write: scd2; use mark, delete or keep")
        if self.track is not None and self.write != "scd2":
            raise ValueError("track needs write: scd2")
        return self

    @property
    def meets_rows(self) -> bool:
        """Whether a load changes rows that are there: only then do patches (`landing.patch`) change anything."""
        return self.write in ("upsert", "scd2")

    @property
    def on_delete(self) -> Deletes:
        return self.deletes or ("close" if self.write == "scd2" else "mark")


class CsvDelivery(Model):
    """One CSV file that appears under its name only when it is whole."""

    file: str = Field(
        description="Name pattern under the delivery root, for example `Orders_{now:%Y-%m-%d %H%M%S}.csv`."
    )
    delimiter: str = Field(",", min_length=1, max_length=1, description="One character between the values.")
    header: bool = Field(True, description="Whether the first line has the column names.")


class ParquetDelivery(Model):
    """A folder of Parquet files under the delivery root, replaced as a whole."""

    folder: str = Field(description="The folder, relative to the delivery root.")


class DeltaDelivery(Model):
    """A Delta table under the delivery root (default: the warehouse root, named after the mapping)."""

    folder: str | None = Field(None, description="The folder, relative to the delivery root.")


class JdbcDelivery(Model):
    """A database table, staged and merged in one transaction."""

    connection: str = Field(description="A name under `connections` of project.yaml.")
    table: str = Field(description="`schema.table`.")
    write: Literal["upsert", "append", "replace"] = Field(
        "upsert",
        description="upsert: rows are matched by the key; append: all are added; replace: the table holds only these.",
    )
    key: tuple[str, ...] = Field((), description="The key columns of an upsert; default: the mapping's key.")


class Delivery(Model):
    """Exactly one of csv, parquet, delta, jdbc."""

    csv: CsvDelivery | None = None
    parquet: ParquetDelivery | None = None
    delta: DeltaDelivery | None = None
    jdbc: JdbcDelivery | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Delivery:
        given = [k for k in ("csv", "parquet", "delta", "jdbc") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError(
                f"one of csv, parquet, delta, jdbc an entry, found {len(given)}: {', '.join(given) or 'none'}"
            )
        return self


def _delivery(raw: Any) -> Any:
    """`- delta` alone is `- delta: {}`."""
    return {raw: {}} if isinstance(raw, str) else raw


DeliverySpec = Annotated[Delivery, BeforeValidator(_delivery)]
