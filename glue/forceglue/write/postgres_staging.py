"""The staging table of one load: unlogged, in the target's schema, guarded by a lock that ends with its run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors, sql

from forceglue.errors import DeliveryError
from forceglue.write.postgres_table import STAGING, TASK, Column, Table


def number(connection: psycopg.Connection, query: Any, values: Sequence[object] = ()) -> int:
    """The one whole number that a query gives; 0 when it gives no row."""
    row = connection.execute(query, values or None).fetchone()
    return int(row[0]) if row is not None else 0


def ensure_schema(connection: psycopg.Connection, target: Table) -> None:
    """Makes the schema when it is missing.

    Raises:
        DeliveryError: it is missing and this user may not make one.
    """
    there = "SELECT count(*) FROM pg_namespace WHERE nspname = %s"
    if number(connection, there, [target.schema]):
        return
    try:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(target.schema)))
    except errors.UniqueViolation:  # another run made it at this moment
        return
    except errors.InsufficientPrivilege:
        raise DeliveryError(
            str(target),
            f"there is no schema {target.schema!r} and this user may not create one",
            "create it or grant the right",
        ) from None


def create(connection: psycopg.Connection, staging: Table, columns: Sequence[Column]) -> None:
    """Makes the table. The lock comes first: a table without its run's lock is one that a killed run left."""
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [staging.name])
    made = sql.SQL(", ").join(sql.SQL("{} {}").format(column.id, sql.SQL(column.type)) for column in columns)
    connection.execute(
        sql.SQL("CREATE UNLOGGED TABLE {} ({} integer, {})").format(staging.id, sql.Identifier(TASK), made)
    )


def analyze(connection: psycopg.Connection, staging: Table, key: Sequence[str]) -> None:
    """Tells the planner about the staged keys, for the merge; of other columns it need not know."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in key)
    connection.execute(sql.SQL("ANALYZE {} ({})").format(staging.id, names))


def drop(connection: psycopg.Connection, staging: Table) -> None:
    """Drops the table and ends what still writes to it (a task of a load that failed already)."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = %s AND usename = current_user AND pid <> pg_backend_pid()",
        [staging.name],
    )
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(staging.id))


def sweep(connection: psycopg.Connection, schema: str) -> None:
    """Drops this user's staging tables whose run is gone: the server gave their lock free."""
    left = connection.execute(
        "SELECT tablename FROM pg_tables "
        "WHERE schemaname = %s AND starts_with(tablename, %s) AND tableowner = current_user",
        [schema, STAGING],
    ).fetchall()
    for (name,) in left:
        free = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))::int"
        if number(connection, free, [name]):
            drop(connection, Table(schema, str(name)))
            connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
