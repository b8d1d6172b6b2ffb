"""A Postgres table and its columns as values, and Postgres' errors as ours."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql
from pyspark.sql import types as T

from forceglue.errors import DeliveryError, UsageError

STAGING = "forceglue_staging_"
TASK = "forceglue partition"  # a column of staging tables
LONGEST = 63  # bytes; Postgres cuts longer names off without a word
_PART = r'"(?:[^"]|"")+"|[^".]+'
_TABLE = re.compile(rf"(?:({_PART})\.)?({_PART})")

_TYPES: tuple[tuple[type[T.DataType], str], ...] = (
    (T.BooleanType, "boolean"),
    (T.ByteType, "smallint"),
    (T.ShortType, "smallint"),
    (T.IntegerType, "integer"),
    (T.LongType, "bigint"),
    (T.FloatType, "real"),
    (T.DoubleType, "double precision"),
    (T.DateType, "date"),
    (T.TimestampType, "timestamp with time zone"),
    (T.TimestampNTZType, "timestamp without time zone"),
    (T.BinaryType, "bytea"),
    (T.StructType, "jsonb"),
    (T.ArrayType, "jsonb"),
    (T.MapType, "jsonb"),
    (T.StringType, "text"),
    (T.CharType, "text"),
    (T.VarcharType, "text"),
    (T.NullType, "text"),
)


@dataclass(frozen=True)
class Column:
    """A column of a frame: its name, its Spark type and the Postgres type that a new table gives it."""

    name: str
    kind: T.DataType
    type: str

    @property
    def id(self) -> sql.Identifier:
        return sql.Identifier(self.name)


@dataclass(frozen=True)
class Table:
    """A table by schema and name, in exact case."""

    schema: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Table:
        """`schema.table`, or `table` in `public`; a part that holds a dot stands in double quotes.

        Raises:
            UsageError: it is no such name, or one too long for Postgres.
        """
        found = _TABLE.fullmatch(text)
        if found is None:
            raise UsageError(f'{text!r} is no table name; write schema.table, a part with a dot as "a.b".')
        schema, name = (_unquoted(part) for part in found.groups(default="public"))
        for part in (schema, name):
            check_name(part, text)
        return cls(schema, name)

    @classmethod
    def staging(cls, schema: str) -> Table:
        return cls(schema, f"{STAGING}{uuid.uuid4().hex}")

    @property
    def id(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class DeliveredTable:
    """A table that was delivered.

    Attributes:
        table: `schema.table`.
        rows: rows of the frame.
        inserted, updated, deleted: rows of the table; an upsert leaves rows that are equal already untouched.
        created: whether the table was made.
        added: columns that a table that was there got.
    """

    table: str
    rows: int
    inserted: int
    updated: int
    deleted: int
    created: bool
    added: tuple[str, ...]


def columns_of(schema: T.StructType, where: str) -> tuple[Column, ...]:
    """The columns of a frame.

    Raises:
        UsageError: none, two of one name, a name or a type that Postgres cannot hold.
    """
    names = [field.name for field in schema.fields]
    if not names:
        raise UsageError(f"{where}: the frame has no columns; a table needs one at least.")
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise UsageError(f"{where}: the column {doubled[0]!r} is there more than once; rename one in the mapping.")
    for name in names:
        check_name(name, where)
    return tuple(Column(field.name, field.dataType, _type(field, where)) for field in schema.fields)


def check_name(name: str, where: str) -> None:
    """Refuses a name that Postgres would cut off or cannot hold."""
    if not name or "\0" in name or len(name.encode()) > LONGEST:
        raise UsageError(
            f"{where}: the name {name!r} cannot be used; Postgres takes 1 to {LONGEST} bytes without NUL. Shorten it."
        )


def _type(field: T.StructField, where: str) -> str:
    if isinstance(field.dataType, T.DecimalType):
        return f"numeric({field.dataType.precision},{field.dataType.scale})"
    for kind, name in _TYPES:
        if isinstance(field.dataType, kind):
            return name
    raise UsageError(
        f"{where}: column {field.name!r} is of type {field.dataType.simpleString()}, which a table cannot hold; "
        "cast it in the mapping, for example `type: string`."
    )


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def reason(error: psycopg.Error) -> str:
    """What Postgres says, without its details and without values: they may be personal data."""
    primary = error.diag.message_primary
    if primary is None:  # libpq's own words: no server, no login; they hold host, port and user
        return str(error).strip().splitlines()[-1].strip() if str(error).strip() else type(error).__name__
    if (error.sqlstate or "").startswith("22"):
        primary = re.sub(r'"[^"]*"', '"…"', primary)
    return f"{primary} (SQLSTATE {error.sqlstate})"


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turns what Postgres says into a `DeliveryError` that says what to do."""
    try:
        yield
    except psycopg.Error as error:
        raise DeliveryError(where, reason(error), _remedy(error)) from None


def _remedy(error: psycopg.Error) -> str:
    remedies: tuple[tuple[type[psycopg.Error], str], ...] = (
        (
            errors.InsufficientPrivilege,
            "grant this user the right to use and create in the schema and to write the table",
        ),
        (errors.LockNotAvailable, "another session holds the table; run again when it is done"),
        (errors.DatatypeMismatch, "give the column the table's type in the mapping, or alter the table"),
        (errors.IntegrityError, "the rows break a constraint of the table: mend the mapping, or the constraint"),
        (errors.DataError, "a value does not fit the table's column: mend it in the mapping, or alter the table"),
        (errors.OperationalError, "check host, port, database, user and password of the connection, then run again"),
    )
    return next((text for kind, text in remedies if isinstance(error, kind)), "mend the cause and run again")
