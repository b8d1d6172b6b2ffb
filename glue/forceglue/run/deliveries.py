"""The deliveries of a mapping, one after another, from the same staged rows or the lines made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.errors import SetupError
from forceglue.mapping.model import DatasetMapping, Delivery
from forceglue.mapping.model.target import CsvDelivery
from forceglue.mapping.names import match
from forceglue.run.context import RunContext
from forceglue.run.lines import Lined
from forceglue.run.staging import Staged
from forceglue.transform.prepared import Prepared
from forceglue.write.csv import header_line, write_csv, write_lines
from forceglue.write.names import expand
from forceglue.write.parquet import write_parquet

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


ONE_FILE = 1 << 30
"""Bytes from which on one file, which one process must write, is the slow part of a run on many executors."""


@dataclass(frozen=True)
class Delivered:
    """Where it went, as a person would look for it, and what to think about."""

    place: str
    warning: str | None = None


def deliver(
    ctx: RunContext, mapping: DatasetMapping, staged: Staged, prepared: Prepared, made: Lined | None
) -> tuple[Delivered, ...]:
    """Makes every delivery.

    Args:
        made: the rows are staged as lines, and every delivery is a CSV file.
    """
    if made is not None:
        return tuple(_copied(ctx, csv, staged, made) for delivery in mapping.deliver if (csv := delivery.csv))
    return tuple(
        _deliver(ctx, mapping, delivery, staged.good_rows(ctx.spark(), ctx.warehouse, prepared))
        for delivery in mapping.deliver
    )


def _copied(ctx: RunContext, csv: CsvDelivery, staged: Staged, made: Lined) -> Delivered:
    name = expand(csv.file, ctx.started)
    first = header_line(made.header, csv.delimiter) if csv.header else ""
    file = write_lines(staged.values(ctx.warehouse, made.column(csv)), ctx.delivery, name, first)
    return Delivered(name, large(name, file.size))


def _deliver(ctx: RunContext, mapping: DatasetMapping, delivery: Delivery, rows: DataFrame) -> Delivered:
    if delivery.csv is not None:
        name = expand(delivery.csv.file, ctx.started)
        told = delivery.csv
        made = write_csv(rows, ctx.delivery, name, delimiter=told.delimiter, header=told.header, one_task=ctx.few)
        return Delivered(name, large(name, made.size))
    return Delivered(_place(ctx, mapping, delivery, rows))


def large(name: str, size: int) -> str | None:
    """What is said of one file of so many bytes."""
    if size < ONE_FILE:
        return None
    return (
        f"{name} has {size / (1 << 30):.1f} GB: one file is written by one process, however many executors there are; "
        "`deliver: parquet`, `delta` or `jdbc` are written by all of them"
    )


def _place(ctx: RunContext, mapping: DatasetMapping, delivery: Delivery, rows: DataFrame) -> str:
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
