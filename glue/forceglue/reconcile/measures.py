"""What of an object and its table can be compared: which records count, their day, and the sums that mean the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from forceglue.mapping.expand import object_columns
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.names import NameIndex
from forceglue.mapping.sql import columns_in
from forceglue.run.plan import table_names

ID, DAY, DELETED = "Id", "CreatedDate", "IsDeleted"
SUMMED = frozenset({"currency", "double", "int", "long", "percent"})
EXACTLY = Decimal("1e-15")
"""How far sums may differ, as a share of the greater one: 15 digits are what a number of JSON is sure to hold."""
ABOUT = {"double": Decimal("1e-9"), "float": Decimal("1e-5")}
"""The same for columns that add up to something else in every order."""

_WHOLE = frozenset({"tinyint", "smallint", "int", "bigint"})
_SUM_DIGITS = 12
"""Digits before the point that a sum of texts may have more than a value."""
_COPIES = {
    "append": "it holds every version that landed",
    "snapshot": "it holds a copy of each load",
    "replace": "it holds the last load only",
}


class NotComparedError(Exception):
    """The table cannot be compared, by what the mapping says; the reason is the message."""


@dataclass(frozen=True)
class Summed:
    """A field whose sum is compared.

    Attributes:
        sql: the column of the table as a number, in DataFusion's SQL.
        tolerance: see `EXACTLY` and `ABOUT`.
    """

    field: str
    column: str
    sql: str
    tolerance: Decimal


@dataclass(frozen=True)
class Measures:
    """What is compared; names of fields are describe's own, names of columns the table's.

    Attributes:
        id: the column that holds the record's Id.
        day: the column of the day of creation; None: the whole object is one line.
        order, order_field: the version's stamp, where there is one.
        deleted: whether Salesforce's object has `IsDeleted`.
        flag: the column that says that a record is deleted.
        keeps: the table keeps deleted records as they were: they count on both sides.
        current: the column that marks the version in force (scd2).
        left_out: field → why its sum is not compared.
        filters: the mapping leaves records out (`where`, `drop`).
    """

    object: str
    table: str
    id: str
    day: str | None
    order: str | None
    order_field: str | None
    deleted: bool
    flag: str | None
    keeps: bool
    current: str | None
    sums: tuple[Summed, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    filters: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return ("records", *(one.field for one in self.sums))

    @property
    def tolerances(self) -> tuple[Decimal, ...]:
        return (Decimal(0), *(one.tolerance for one in self.sums))


def measures(mapping: ObjectMapping, describe: Mapping[str, Any], table: Mapping[str, str]) -> Measures:
    """What of the object and the table of `mapping`, which has its defaults, is compared.

    Args:
        table: `{column: Spark SQL type}`.

    Raises:
        NotComparedError: the table holds no record once, or not by its Id.
    """
    if why := _COPIES.get(mapping.target.write):
        raise NotComparedError(f"target.write is {mapping.target.write}: {why}")
    fields = {str(entry["name"]): entry for entry in describe["fields"]}
    columns = object_columns(mapping, tuple(fields))
    there = NameIndex(table)
    names = table_names(mapping, columns)
    # computed columns have no field, looked-up ones that of another object
    own = {c.field: found for c in reversed(columns) if c.field in fields and (found := there.match(c.name))}
    identity = own.get(ID)
    if identity is None:
        raise NotComparedError("no column of the table holds the field Id")
    flag = there.match(names.deleted) if names.deleted else None
    current = there.match("is_current") if mapping.target.write == "scd2" else None
    created = fields.get(DAY, {})
    by_day = created.get("type") == "datetime" and created.get("filterable", True)
    order = there.match(names.order) if names.order else None
    carried = {c.field for c in columns if c.field} & fields.keys()
    used = {found for c in columns if c.sql for n in columns_in(c.sql) if (found := NameIndex(fields).match(n))}
    unfit = dict.fromkeys(used, "only computed columns use it")
    unfit |= dict.fromkeys(carried, "the table has no such column yet")
    sums, left_out = _sums(mapping, fields, own, table, unfit)
    return Measures(
        object=str(describe["name"]),
        table=mapping.mapping,
        id=identity,
        day=own.get(DAY) if by_day else None,
        order=order,
        order_field=NameIndex(fields).match(mapping.order_by) if order and mapping.order_by else None,
        deleted=DELETED in fields,
        flag=flag,
        keeps=mapping.target.on_delete == "keep",
        current=current,
        sums=sums,
        left_out=left_out,
        filters=bool(mapping.where or mapping.quality.drop),
    )


def _sums(
    mapping: ObjectMapping,
    fields: Mapping[str, Any],
    own: Mapping[str, str],
    table: Mapping[str, str],
    unfit: Mapping[str, str],
) -> tuple[tuple[Summed, ...], dict[str, str]]:
    sums, left_out = [], dict[str, str]()
    several_currencies = "CurrencyIsoCode" in fields
    for name, entry in fields.items():
        kind, column = str(entry.get("type")), own.get(name)
        if kind not in SUMMED:
            continue
        if column is None:
            left_out |= {name: unfit[name]} if name in unfit else {}
        elif not entry.get("aggregatable", True):
            left_out[name] = "Salesforce does not add it up"
        elif entry.get("calculated"):
            left_out[name] = "a formula: its value changes and the record does not (see `refresh`)"
        elif kind == "currency" and several_currencies:
            left_out[name] = "Salesforce adds amounts of several currencies up in the org's own"
        elif (sql := _number(column, table[column], entry)) is None:
            left_out[name] = f"its column is {table[column]}"
        else:
            sums.append(Summed(name, column, sql, ABOUT.get(table[column], EXACTLY)))
    left_out |= dict.fromkeys(_gone(mapping, fields), "the org does not show it: deleted, or hidden from this user")
    return tuple(sums), left_out


def _gone(mapping: ObjectMapping, fields: Mapping[str, Any]) -> list[str]:
    """Fields that the mapping names and describe does not have."""
    from forceglue.extract.fields import named_fields

    known = NameIndex(fields)
    never = {name.lower() for name in mapping.exclude}
    return sorted({n for n in named_fields(mapping) if known.match(n) is None and n.lower() not in never})


def _number(column: str, kind: str, entry: Mapping[str, Any]) -> str | None:
    """The column as a number that can be added up; None for a type that holds none."""
    name = sql_name(column)
    if kind.startswith("decimal"):
        return name
    if kind in _WHOLE:
        return f"CAST({name} AS DECIMAL(38,0))"
    if kind in ABOUT:
        return f"CASE WHEN isnan({name}) THEN NULL ELSE CAST({name} AS DOUBLE) END"
    if kind == "string":
        precision, scale = int(entry.get("precision") or 18), int(entry.get("scale") or 0)
        digits = max(scale, 38 - _SUM_DIGITS - max(precision - scale, 1))
        typed = f"DECIMAL(38,{min(digits, 18)})"
        plain = f"trim({name})"
        return f"coalesce(TRY_CAST({plain} AS {typed}), TRY_CAST(TRY_CAST({plain} AS DOUBLE) AS {typed}))"
    return None


def sql_name(column: str) -> str:
    """A column in DataFusion's SQL."""
    return '"' + column.replace('"', '""') + '"'


def day_sql(column: str, kind: str) -> str:
    """The day of a column, in UTC, as `YYYY-MM-DD`; null for a text that is no ISO date-time in UTC."""
    name = sql_name(column)
    if kind == "string":
        zone = f"{name} LIKE '%Z' OR {name} LIKE '%+0000' OR {name} LIKE '%+00:00' OR length({name}) = 10"
        return f"CASE WHEN {name} LIKE '____-__-__%' AND ({zone}) THEN substr({name}, 1, 10) END"
    if kind in ("timestamp", "date"):
        return f"CAST(CAST({name} AS DATE) AS VARCHAR)"
    return "NULL"
