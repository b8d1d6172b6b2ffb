"""The deliveries of a mapping, one after another, from the same staged rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forceglue.errors import SetupError
from forceglue.mapping.model import DatasetMapping, Delivery
from forceglue.mapping.names import match
from forceglue.run.context import RunContext
from forceglue.write.csv import write_csv
from forceglue.write.names import expand
from forceglue.write.parquet import write_parquet

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def deliver(ctx: RunContext, mapping: DatasetMapping, rows: Callable[[], DataFrame]) -> tuple[str, ...]:
    """Makes every delivery; where each one went, as a person would look for it."""
    return tuple(_deliver(ctx, mapping, delivery, rows()) for delivery in mapping.deliver)


def _deliver(ctx: RunContext, mapping: DatasetMapping, delivery: Delivery, rows: DataFrame) -> str:
    if delivery.csv is not None:
        name = expand(delivery.csv.file, ctx.started)
        write_csv(rows, ctx.delivery, name, delimiter=delivery.csv.delimiter, header=delivery.csv.header)
        return name
    if delivery.parquet is not None:
        folder = expand(delivery.parquet.folder, ctx.started)
        write_parquet(rows, ctx.delivery, folder)
        return f"{folder}/"
    if delivery.delta is not None:
        from forceglue.write.delta_delivery import write_delta

        return write_delta(rows, ctx.delivery, delivery.delta.folder or mapping.mapping)
    if delivery.jdbc is not None:
        from forceglue.runtime.secrets import resolve

        try:
            from forceglue.write.jdbc import write_jdbc
        except ModuleNotFoundError as missing:
            raise SetupError("a jdbc delivery needs psycopg: install forceglue[postgres]") from missing
        jdbc = delivery.jdbc
        key = tuple(match(k, rows.columns) or k for k in (jdbc.key or mapping.key))
        connection = resolve(jdbc.connection, ctx.project.settings.connections[jdbc.connection])
        write_jdbc(rows, connection, jdbc.table, jdbc.write, key)
        return f"{jdbc.connection}:{jdbc.table}"
    raise AssertionError("a delivery has exactly one kind")  # the model says so
