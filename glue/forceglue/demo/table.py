"""All records of one object as columns, and the rows of its versions as what lands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from forceglue.demo.objects import SETUP_PREFIXES, ObjectPlan, Relations, link_of
from forceglue.demo.values import (
    BASE,
    COMPANY,
    FAMILY,
    GIVEN,
    LONG_TEXTS,
    Pool,
    company,
    core,
    dice,
    kind_of,
    pool,
    record_id,
    stamp,
)
from forceglue.demo.versions import STAMP_FIELD, Row
from forceglue.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from forceglue.demo.files import Columns
    from forceglue.mapping.catalog import Catalog

_HOUR, _DAY = 3_600_000, 86_400_000
_POOLS: dict[str, Pool] = {
    "mediatype": ["Digital Video", "Digital Video", "Display", "Audio", None],
    "width": ["300", "728.0", "1920", "0", None],
    "height": ["250", "90.00", "1080", "0", None],
    "runtime": ["15", "30.0", "6.4", "0", None],
    "production_system": ["GAM", "GAM", "Operative", None],
    "stagename": ["Prospecting", "Proposal", "Negotiation", "Closed Won", "Closed Lost"],
    "status": ["Draft", "Activated", "In Approval", "Approved", "Cancelled"],
    "orderstatus": ["Ready To Submit", "Activated", "In Progress", None],
    "type": ["Direct", "Programmatic", "House", None],
    "probability": ["0", "10", "50", "90", "100"],
    "firstname": [*GIVEN, None],
    "lastname": [*FAMILY],
    "quantity": ["1", "2", "10", "1000.00", "250000"],
    "name": [
        *LONG_TEXTS[:1],
        "Summer Launch",
        "Brand  Week",
        " leading blank",
        "trailing blank ",
        "Größe & Ærø",
        "新品发布",
        "حملة الصيف",
    ],
    "cost_code": ["00123", "00077", "4-1100", None],
}


def without_files(number: int) -> bool:
    """Whether a billing event names no files, which its mapping sets aside: one in ten."""
    return number % 10 == 0


def _some(every: int, number: int, text: str) -> str | None:
    """The text; null for one record in `every`."""
    return None if number % every == 0 else text


_NUMBERED: dict[str, Callable[[int], str | None]] = {
    "adserverorderidentifier": lambda n: _some(7, n, str(2_900_000_000 + n // 3)),
    "adserverorderlineidentiifier": lambda n: _some(7, n, str(5_800_000_000 + n)),
    "adserverorderlineidentifier": lambda n: _some(9, n, str(5_900_000_000 + n)),
    "adserveradvertiseridentifier": lambda n: str(40_000_000 + n),
    "ordernumber": lambda n: f"{n + 100:08d}",
    "contractnumber": lambda n: f"{n + 100:08d}",
    "quotenumber": lambda n: f"{n + 100:08d}",
    "orderitemnumber": lambda n: f"{n + 100:010d}",
    "productcode": lambda n: f"{n:05d}",
    "masterordername": lambda n: f"Master order {n:05d}" + (' "rush", please' if n % 23 == 0 else ""),
    "itemname": lambda n: f"{COMPANY[n % len(COMPANY)]} placement {n:05d}" + ("\nsecond line" if n % 31 == 0 else ""),
    "fileids": lambda n: None if without_files(n) else json.dumps([record_id("069", n), record_id("069", n + 30)]),
    "username": lambda n: f"user.{n:03d}@example.com",
    "email": lambda n: _some(19, n, f"person.{n:04d}@example.com"),
}
_BY_ROW = {"Id", "IsDeleted", STAMP_FIELD, "LastModifiedDate"}


@dataclass(frozen=True)
class Table:
    """Every record of an object, those to come in the next hour included.

    Attributes:
        fields: the fields that land, in the catalog's order.
        columns: field → one value a record; without the four fields that differ by version.
        stamps: each record's latest SystemModstamp, in milliseconds after the base time.
        changing: the fields whose values differ between versions.
    """

    plan: ObjectPlan
    fields: tuple[str, ...]
    columns: dict[str, Sequence[str | None]]
    stamps: tuple[int, ...]
    changing: tuple[str, ...]


def build_table(plan: ObjectPlan, catalog: Catalog, relations: Relations) -> Table:
    """The records of one object. Raises UsageError when the catalog does not know the object."""
    known = catalog.get(plan.name)
    if known is None:
        raise UsageError(
            f"{plan.name}: not in the catalog; the demo org needs it. Put its describe into catalog/{plan.name}.json."
        )
    own = [*([] if plan.event else ["Id", STAMP_FIELD]), *(["IsDeleted"] if plan.deletable else []), *plan.extra]
    there = {name.lower() for name in known.field_names}
    fields = tuple(name for name in known.field_names if "." not in name) + tuple(
        n for n in own if n.lower() not in there
    )
    rng = dice(relations.seed, plan.name, "stamps")
    size = plan.count(relations.scale) + plan.reserve(relations.scale)
    stamps = tuple(rng.randrange(-300 * _DAY, -2 * _HOUR) for _ in range(size))
    columns = {name: field_values(plan, name, size, relations) for name in fields if name not in _BY_ROW}
    if {"Name", "FirstName", "LastName"} <= columns.keys():
        pairs = zip(columns["FirstName"], columns["LastName"], strict=True)
        columns["Name"] = [" ".join(part for part in pair if part) for pair in pairs]
    if "CreatedDate" in columns:
        columns["CreatedDate"] = [_at(moment - 400 * _DAY) for moment in stamps]
    return Table(plan, fields, columns, stamps, _changing(fields))


def field_values(plan: ObjectPlan, field: str, size: int, relations: Relations) -> Sequence[str | None]:
    """One value a record for a field, by what its name says."""
    rng = dice(relations.seed, plan.name, field)
    name, kind = core(field), kind_of(field)
    if link := link_of(plan.name, field):
        return relations.values(plan.name, field, link)
    if kind == "secret":
        return [f"DO-NOT-READ-{n:05d}" for n in range(size)]
    if numbered := _NUMBERED.get(name):
        return [numbered(n) for n in range(size)]
    if name == "name":
        return [_record_name(plan.name, n, rng) for n in range(size)]
    if prefix := SETUP_PREFIXES.get(name):
        return rng.choices([record_id(prefix, n) for n in range(5)], k=size)
    return rng.choices(_POOLS.get(name) or pool(kind, rng), k=size)


def _record_name(name: str, number: int, rng: Random) -> str:
    if name == "AdSpaceSpecification":
        return f"{COMPANY[number % len(COMPANY)].upper()}_{('CTV', 'WEB', 'APP')[number % 3]}_{number:03d}"
    if number % 13 == 0:
        return rng.choice([text for text in _POOLS["name"] if text])
    return f"{company(rng)} {number:05d}" if name == "Account" else f"{COMPANY[number % len(COMPANY)]} {number:05d}"


def _changing(fields: Sequence[str]) -> tuple[str, ...]:
    money = [name for name in fields if kind_of(name) == "money"][:1]
    state = [name for name in fields if core(name) in ("status", "stagename", "orderstatus", "sub_status")][:1]
    text = [name for name in fields if core(name) in ("description", "title")][:1]
    return tuple(money + state + text) or tuple(name for name in fields if name == "Name")


def landed_columns(table: Table, rows: Sequence[Row], fields: Sequence[str]) -> Columns:
    """The rows as they land, in the given fields."""
    records = [row.record for row in rows]
    changed = [(at, row.version) for at, row in enumerate(rows) if row.version]
    spoilt = [(at, *row.bad) for at, row in enumerate(rows) if row.bad]
    found: dict[str, Sequence[str | None]] = {}
    for name in fields:
        if name in _BY_ROW:
            found[name] = [_by_row(table.plan.prefix, name, row) for row in rows]
            continue
        column = table.columns[name]
        values = [column[record] for record in records]
        if name in table.changing:
            for at, version in changed:
                values[at] = other_value(name, values[at], version)
        for at, field, text in spoilt:
            if field == name:
                values[at] = text
        found[name] = values
    return found


def _by_row(prefix: str, field: str, row: Row) -> str | None:
    if field == "Id":
        id18 = record_id(prefix, row.record)
        return {"full": id18, "short": id18[:15], "none": None}[row.key]
    if field == "IsDeleted":
        return "true" if row.deleted else "false"
    if field == STAMP_FIELD and row.bad and row.bad[0] == STAMP_FIELD:
        return row.bad[1]
    return _at(row.stamp)


def other_value(field: str, value: str | None, version: int) -> str:
    """Another value of a field, so that a version can be told from the next."""
    if kind_of(field) == "money":
        return f"{Decimal(value or 0) + version:.2f}"
    return f"{value or 'Draft'} (version {version})"


def _at(milliseconds: int) -> str:
    return stamp(BASE + timedelta(milliseconds=milliseconds))
