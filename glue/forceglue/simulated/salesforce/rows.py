"""Many records at once on their way into the store: dictionaries or Arrow tables, as columns of stored texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from forceglue.errors import UsageError
from forceglue.simulated.salesforce.schema import Field, ObjectSchema
from forceglue.simulated.salesforce.wire import NUMBERS, NotOfType, stored, stored_column

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 20_000
_SAME = r"^-?[1-9][0-9]{0,6}\.[0-9]*[1-9]$"
Columns = dict[str, Sequence[str | None]]


@dataclass(frozen=True)
class Batch:
    """Some records as columns of stored texts, by the fields' own names."""

    columns: Columns
    size: int


def batches(schema: ObjectSchema, rows: Any) -> Iterator[Batch]:
    """The records of an iterable of dictionaries, or of an Arrow table or its batches.

    Raises:
        UsageError: a field that the object does not have, or a value that a field cannot hold.
    """
    if hasattr(rows, "to_batches"):
        rows = rows.to_batches(max_chunksize=_BATCH)
    rows = iter(rows)
    done = 0
    while several := list(islice(rows, 1)):
        if hasattr(several[0], "schema"):
            size = several[0].num_rows
            columns = {name: _arrow(schema, name, several[0].column(name), done) for name in several[0].schema.names}
        else:
            several += islice(rows, _BATCH - 1)
            size = len(several)
            columns = _turned(schema, several, done)
        yield Batch(_parts(schema, columns), size)
        done += size


def _known(schema: ObjectSchema, names: Iterable[str]) -> list[Field]:
    found = [(name, schema.any_field(name)) for name in names]
    if missing := [name for name, entry in found if entry is None]:
        raise UsageError(
            f"{schema.name} has no field {', '.join(sorted(missing))}: add it with `add_field`, or leave it out."
        )
    return [entry for _, entry in found if entry is not None]


def _turned(schema: ObjectSchema, several: Sequence[Mapping[str, Any]], done: int) -> Columns:
    names = list(dict.fromkeys(name for row in several for name in row))
    return {name: _column(schema, name, [row.get(name) for row in several], done) for name in names}


def _column(schema: ObjectSchema, name: str, values: Sequence[Any], done: int) -> Sequence[str | None]:
    kind = _known(schema, [name])[0].type
    if kind in ("address", "location"):
        return values
    try:
        return stored_column(kind, values)
    except NotOfType as error:
        at = next(at for at, value in enumerate(values) if not _fits(kind, value))
        raise UsageError(f"{schema.name}.{name}, record {done + at}: the value is {error}; mend it.") from None


def _fits(kind: str, value: Any) -> bool:
    try:
        stored(kind, value)
    except NotOfType:
        return False
    return True


def _arrow(schema: ObjectSchema, name: str, values: pa.Array, done: int) -> Sequence[str | None]:
    """A column of Arrow: what Arrow writes as Salesforce does is left to it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, held = _known(schema, [name])[0].type, values.type
    if pa.types.is_timestamp(held) and kind == "datetime":
        utc = values.cast(pa.timestamp("ms", held.tz), safe=False)
        moments = utc.cast(pa.timestamp("ms"))
        return list(pc.strftime(moments, format="%Y-%m-%dT%H:%M:%SZ").to_pylist())
    if pa.types.is_date32(held) and kind == "date":
        return list(values.cast(pa.string()).to_pylist())
    if (pa.types.is_integer(held) and kind not in NUMBERS) or pa.types.is_boolean(held):
        return list(values.cast(pa.string()).to_pylist())
    if kind in NUMBERS and (pa.types.is_floating(held) or pa.types.is_decimal(held)):
        return _numbers(schema, name, values, done)
    if pa.types.is_dictionary(held):
        values = values.cast(held.value_type)
    return _column(schema, name, values.to_pylist(), done)


def _numbers(schema: ObjectSchema, name: str, values: pa.Array, done: int) -> Sequence[str | None]:
    """Numbers of Arrow: those that look the same in Arrow and in Java are not touched one by one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = values.cast(pa.string())
    if pa.types.is_decimal(values.type) and values.type.scale > 0:
        texts = pc.utf8_rtrim(texts, characters="0")
    same = pc.fill_null(pc.match_substring_regex(texts, _SAME), fill_value=True)
    found = texts.to_pylist()
    others = pc.indices_nonzero(pc.invert(same)).to_pylist()
    changed = _column(schema, name, [found[at] for at in others], done)
    for at, text in zip(others, changed, strict=True):
        found[at] = text
    return list(found)


def _parts(schema: ObjectSchema, columns: Columns) -> Columns:
    """Columns by the fields' own names; compound values are taken apart."""
    found: Columns = {}
    for entry, values in zip(_known(schema, columns), columns.values(), strict=True):
        if not entry.compound:
            found[entry.name] = values
            continue
        parts = {part_key(entry, part): part for part in schema.parts(entry)}
        opened = [json.loads(v) if isinstance(v, str) and v else v or {} for v in values]
        for key, part in parts.items():
            found.setdefault(part.name, stored_column(part.type, [value.get(key) for value in opened]))
    return found


def part_key(compound: Field, part: Field) -> str:
    """What a part is called inside the compound value: `BillingPostalCode` → `postalCode`."""
    bare = part.name.removesuffix("__s").rpartition("__")[2] if part.name.endswith("__s") else part.name
    stem = compound.name.removesuffix("Address")
    bare = bare.removeprefix(stem) or bare
    return bare[:1].lower() + bare[1:]
