"""Delta's file statistics from a Parquet footer, so that readers skip files although nobody read the rows again."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyarrow.parquet import FileMetaData

_INDEXED = 32  # as many leading columns as Delta itself indexes by default
_LONGEST = 32  # and as many characters of a text
_EXACT = 15  # decimal digits that a double holds
_LAST = "\U0010ffff"


def file_stats(footer: FileMetaData, columns: Collection[str]) -> str:
    """The `stats` text of an add action: rows, and least, greatest and number of nulls of the first columns."""
    wanted = set(list(columns)[:_INDEXED])
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    unbounded: set[str] = set()
    for group in range(footer.num_row_groups):
        for i in range(footer.num_columns):
            column = footer.row_group(group).column(i)
            name, found = column.path_in_schema, column.statistics
            if name not in wanted:
                continue
            if found is None or not found.has_null_count:
                unbounded.add(name)
                continue
            nulls[name] = nulls.get(name, 0) + found.null_count
            if found.null_count == column.num_values:
                continue
            if not found.has_min_max:
                unbounded.add(name)
                continue
            least[name] = min(least.get(name, found.min), found.min)
            greatest[name] = max(greatest.get(name, found.max), found.max)
    bounds = {n for n in least if n not in unbounded}
    lower = {n: v for n in bounds if (v := _told(least[n], up=False)) is not None}
    upper = {n: v for n in bounds if (v := _told(greatest[n], up=True)) is not None}
    both = lower.keys() & upper.keys()
    return json.dumps(
        {
            "numRecords": footer.num_rows,
            "minValues": {n: lower[n] for n in lower if n in both},
            "maxValues": {n: upper[n] for n in upper if n in both},
            "nullCount": {n: c for n, c in nulls.items() if n not in unbounded},
        },
        ensure_ascii=False,
    )


def _told(value: Any, *, up: bool) -> Any:
    """The bound as Delta writes it, rounded outwards; None where it is not indexed."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        millis = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        if up and millis != moment:
            millis += timedelta(milliseconds=1)
        return millis.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{millis.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _near(value, up=up)
    if isinstance(value, str):
        if len(value) <= _LONGEST:
            return value
        if up and value[_LONGEST] == _LAST:  # nothing of this length is greater
            return None
        return value[:_LONGEST] + (_LAST if up else "")
    return None


def _near(value: Decimal, *, up: bool) -> float | None:
    """A bound one unit of the last digit further out: readers take the number for a double before it is a decimal."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _EXACT:
        return None
    bound = int(value.scaleb(-exponent)) + (1 if up else -1)
    return float(Decimal(bound).scaleb(exponent)) if len(str(abs(bound))) <= max(len(digits), 1) else None
