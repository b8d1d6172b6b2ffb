"""From a staging table into the target: the SQL of a delivery. Every name is quoted, every load is one transaction.

Locks: a load takes SHARE ROW EXCLUSIVE on the target, which stops other writers and no reader. TRUNCATE is never used:
it would lock readers out. Two runs on one table take turns by an advisory lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from forceglue.errors import DeliveryError
from forceglue.write.postgres_staging import number
from forceglue.write.postgres_table import Column, DeliveredTable, Table

WAIT = "30s"  # for a lock on the target; longer means that somebody holds it who should not
# Types whose values can be compared; with others (json, xml, point) an upsert writes every row.
_COMPARABLE = (
    *("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "text", "varchar", "bpchar", "date", "timestamp"),
    *("timestamptz", "bytea", "jsonb", "uuid"),
)


def check_keys(connection: psycopg.Connection, staging: Table, target: Table, key: Sequence[str]) -> None:
    """Refuses null and doubled keys, before anything is changed.

    Raises:
        DeliveryError: with the key's columns and the counts, never a value.
    """
    for name in key:
        nulls = number(
            connection, sql.SQL("SELECT count(*) FROM {} WHERE {} IS NULL").format(staging.id, sql.Identifier(name))
        )
        if nulls:
            raise DeliveryError(
                str(target),
                f"the key column {name!r} is null in {nulls} rows",
                "leave them out or give them a key in the mapping",
            )
    doubled = connection.execute(
        sql.SQL(
            "SELECT count(*), coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {} GROUP BY {} HAVING count(*) > 1) d"
        ).format(staging.id, _names(key))
    ).fetchone()
    if doubled is not None and doubled[0]:
        raise DeliveryError(
            str(target),
            f"{doubled[0]} values of the key ({', '.join(key)}) are there more than once, in {doubled[1]} rows",
            "make the key unique in the mapping (see its grain), or name more key columns",
        )


def add_columns(
    connection: psycopg.Connection, target: Table, columns: Sequence[Column], comments: Mapping[str, str]
) -> tuple[str, ...]:
    """Gives a table that is there the columns it lacks, null in the rows it has; returns their names."""
    with connection.transaction():
        _take_turn(connection, target)
        has = _columns(connection, target)
        missing = [column for column in columns if column.name not in has] if has else []
        for column in missing:
            connection.execute(
                sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(target.id, column.id, sql.SQL(column.type))
            )
        _comment(connection, target, missing, comments)
    return tuple(column.name for column in missing)


def load(
    connection: psycopg.Connection,
    target: Table,
    staging: Table,
    columns: Sequence[Column],
    mode: str,
    key: Sequence[str],
    comments: Mapping[str, str],
) -> DeliveredTable:
    """Moves the staged rows into the target in one transaction; the table is made there when it is missing."""
    inserted = updated = deleted = 0
    with connection.transaction():
        _take_turn(connection, target)
        has = _columns(connection, target)
        created = not has
        if created:
            _create(connection, target, columns, key if mode == "upsert" else ())
            _comment(connection, target, columns, comments)
            has = _columns(connection, target)
        if mode != "append":
            connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(target.id))
        if mode == "replace":
            deleted = connection.execute(sql.SQL("DELETE FROM {}").format(target.id)).rowcount
        if mode != "upsert":
            inserted = connection.execute(_insert(target, staging, columns)).rowcount
        elif _has_unique_index(connection, target, key):
            inserted, updated = _upsert(connection, target, staging, columns, key, has)
        else:
            inserted, updated = _update_and_insert(connection, target, staging, columns, key, has)
    return DeliveredTable(str(target), inserted, inserted, updated, deleted, created, ())


def _upsert(
    connection: psycopg.Connection,
    target: Table,
    staging: Table,
    columns: Sequence[Column],
    key: Sequence[str],
    has: Mapping[str, str],
) -> tuple[int, int]:
    rest = [column for column in columns if column.name not in key]
    if not rest:
        insert = sql.SQL("{} ON CONFLICT ({}) DO NOTHING").format(_insert(target, staging, columns), _names(key))
        return connection.execute(insert).rowcount, 0
    settings = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column.id) for column in rest)
    counted = connection.execute(
        # xmax is 0 only in a row that this statement inserted.
        sql.SQL(
            "WITH w AS ({} ON CONFLICT ({}) DO UPDATE SET {} {} RETURNING (xmax = 0) AS new) "
            "SELECT count(*) FILTER (WHERE new), count(*) FILTER (WHERE NOT new) FROM w"
        ).format(
            sql.SQL("{}").format(_insert(target, staging, columns)),
            _names(key),
            settings,
            _if_different(rest, has, sql.SQL("WHERE"), sql.SQL("t"), sql.SQL("excluded")),
        )
    ).fetchone()
    return (counted[0], counted[1]) if counted is not None else (0, 0)


def _update_and_insert(
    connection: psycopg.Connection,
    target: Table,
    staging: Table,
    columns: Sequence[Column],
    key: Sequence[str],
    has: Mapping[str, str],
) -> tuple[int, int]:
    """For a table without a unique index on the key: like an upsert, it keeps the columns that the frame lacks."""
    rest = [column for column in columns if column.name not in key]
    same = sql.SQL(" AND ").join(sql.SQL("t.{0} = s.{0}").format(sql.Identifier(name)) for name in key)
    updated = 0
    if rest:
        settings = sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(column.id) for column in rest)
        updated = connection.execute(
            sql.SQL("UPDATE {} AS t SET {} FROM {} AS s WHERE {} {}").format(
                target.id,
                settings,
                staging.id,
                same,
                _if_different(rest, has, sql.SQL("AND"), sql.SQL("t"), sql.SQL("s")),
            )
        ).rowcount
    new = sql.SQL("{} AS s WHERE NOT EXISTS (SELECT FROM {} AS t WHERE {})").format(
        _insert(target, staging, columns), target.id, same
    )
    return connection.execute(new).rowcount, updated


def _insert(target: Table, staging: Table, columns: Sequence[Column]) -> sql.Composed:
    names = _names([column.name for column in columns])
    return sql.SQL("INSERT INTO {} AS t ({}) SELECT {} FROM {}").format(target.id, names, names, staging.id)


def _if_different(
    rest: Sequence[Column], has: Mapping[str, str], word: sql.SQL, one: sql.SQL, other: sql.SQL
) -> sql.Composable:
    """A condition that leaves equal rows alone: no new row version, no work for the server's log and vacuum."""
    if not all(has.get(column.name) in _COMPARABLE for column in rest):
        return sql.SQL("")

    def row(alias: sql.SQL) -> sql.Composed:
        return sql.SQL("({})").format(sql.SQL(", ").join(sql.SQL("{}.{}").format(alias, column.id) for column in rest))

    return sql.SQL("{} {} IS DISTINCT FROM {}").format(word, row(one), row(other))


def _create(connection: psycopg.Connection, target: Table, columns: Sequence[Column], key: Sequence[str]) -> None:
    made = sql.SQL(", ").join(
        sql.SQL("{} {}{}").format(
            column.id,
            sql.SQL(column.type),
            sql.SQL(" NOT NULL" if column.name in key else ""),
        )
        for column in columns
    )
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(target.id, made))
    if key:
        connection.execute(sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(target.id, _names(key)))


def _comment(
    connection: psycopg.Connection, target: Table, columns: Sequence[Column], comments: Mapping[str, str]
) -> None:
    for column in columns:
        if comments.get(column.name):
            connection.execute(
                sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(
                    target.id, column.id, sql.Literal(comments[column.name])
                )
            )


def _take_turn(connection: psycopg.Connection, target: Table) -> None:
    """Inside a transaction: other runs on this table wait until it ends; a lock that does not come ends it."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"forceglue {target}"])
    connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(WAIT)))


def _columns(connection: psycopg.Connection, target: Table) -> dict[str, str]:
    """The columns of the target with their types' internal names; none when there is no such table.

    Raises:
        DeliveryError: it is a view or something else that takes no rows.
    """
    found = connection.execute(
        "SELECT c.oid, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = %s",
        [target.schema, target.name],
    ).fetchone()
    if found is None:
        return {}
    if found[1] not in ("r", "p"):
        raise DeliveryError(str(target), "it is a view, an index or the like, not a table", "choose another name")
    rows = connection.execute(
        "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        "WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped",
        [found[0]],
    ).fetchall()
    return {str(name): str(kind) for name, kind in rows}


def _has_unique_index(connection: psycopg.Connection, target: Table, key: Sequence[str]) -> bool:
    """Whether ON CONFLICT can lean on an index: unique, at once, over exactly the key, without condition."""
    return bool(
        number(
            connection,
            "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s "
            "AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL "
            "AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text) FROM pg_attribute a "
            "     WHERE a.attrelid = c.oid AND a.attnum = ANY((i.indkey::int2[])[0:i.indnkeyatts - 1])) "
            "  = (SELECT array_agg(k ORDER BY k) FROM unnest(%s::text[]) AS k)",
            [target.schema, target.name, list(key)],
        )
    )


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)
