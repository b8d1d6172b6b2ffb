"""The tables of the warehouse as mappings read them: live rows, opened once a run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from forceglue.mapping.expand import object_columns
from forceglue.mapping.model import DatasetMapping, ObjectMapping
from forceglue.run.context import RunContext
from forceglue.run.plan import table_names
from forceglue.transform.cast import quoted
from forceglue.write.delta_table import Table, TableState

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def read_table(spark: SparkSession, table: Table, state: TableState) -> DataFrame:
    """The rows of a table at the version of `state`.

    The log has told which files are live, so they are read as the Parquet they are: asking Delta again would cost a few
    Spark jobs a table. A table that needs more than its files (deletion vectors, partitions, column mapping) is read
    through Delta.
    """
    if not state.plain or not state.files:
        return spark.read.format("delta").option("versionAsOf", state.version).load(table.uri)
    ddl = ", ".join(f"{quoted(name)} {kind}" for name, kind in state.columns.items())
    return spark.read.schema(ddl).parquet(*(f"{table.uri}/{path}" for path in state.files))


class Tables:
    """Reads of the warehouse within one run; a table that was written is opened anew."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self._frames: dict[tuple[str, SparkSession], tuple[int, DataFrame]] = {}
        self._lock = threading.Lock()

    def name_of(self, reference: str) -> str:
        """The table that a `from`, a join or a lookup means."""
        project = self._ctx.project
        found = project.table(reference)
        if found is not None:
            return found.mapping
        entry = project.catalog_table(reference)
        return project.unmapped(entry).mapping if entry else reference

    def state(self, name: str) -> TableState | None:
        return Table(self._ctx.warehouse, name, name).state()

    def frame(self, name: str, *, deleted: bool) -> DataFrame | None:
        """The rows of a table (for scd2 the current versions); None where it is not there yet.

        Args:
            deleted: whether records whose latest version is deleted are among them.
        """
        frame = self.rows(name)
        return None if frame is None else self.shown(name, frame, deleted=deleted)

    def shown(self, name: str, frame: DataFrame, *, deleted: bool) -> DataFrame:
        """Of all rows of the table `name` those that mappings read; `deleted` as in `frame`."""
        mapping = self._ctx.project.mappings.get(name)
        if isinstance(mapping, DatasetMapping):
            return frame
        if mapping is not None and mapping.target.write == "scd2":
            frame = frame.where("is_current")
        flag = None if deleted else self._deleted_column(mapping, frame.columns)
        return frame if flag is None else frame.where(f"NOT coalesce({quoted(flag)}, false)")

    def rows(self, name: str) -> DataFrame | None:
        """Everything that a table holds; None where it is not there yet."""
        state = self.state(name)
        if state is None:
            return None
        spark = self._ctx.spark()
        with self._lock:
            known = self._frames.get((name, spark))
            if known is None or known[0] != state.version:
                opened = read_table(spark, Table(self._ctx.warehouse, name, name), state)
                known = self._frames[name, spark] = (state.version, opened)
        return known[1]

    def live(self, name: str) -> DataFrame | None:
        return self.frame(name, deleted=False)

    def _deleted_column(self, mapping: ObjectMapping | None, columns: list[str]) -> str | None:
        by_lower = {c.lower(): c for c in columns}
        if mapping is None:  # an object without a mapping file: snake case
            return by_lower.get("is_deleted")
        full = self._ctx.project.with_defaults(mapping)
        outputs = object_columns(full, self._ctx.project.fields(mapping) or ())
        deleted = table_names(full, outputs).deleted
        return by_lower.get(deleted.lower()) if deleted else None
