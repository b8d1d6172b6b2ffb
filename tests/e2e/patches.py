"""Files that complete records, landed as the extract and the reconciliation land them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from e2e.org import Org
from forceglue.landing.patch import Kind, Patch

STAMP = pa.timestamp("us", tz="UTC")


def hour(n: float) -> datetime:
    """An hour of the day of `e2e.org.at`."""
    return datetime(2024, 5, 6, int(n), round(n % 1 * 60), tzinfo=UTC)


def patch(
    org: Org,
    execution: str,
    kind: Kind,
    at: float,
    rows: Sequence[Mapping[str, Any]],
    types: Mapping[str, pa.DataType] | None = None,
    *,
    token: str = "Account",  # the folder's token
) -> None:
    """Lands a patch whose reading began at the hour `at`; a row's `SystemModstamp` is an hour too.

    Args:
        types: of fields that are no text.
    """
    kinds = {"SystemModstamp": STAMP, "IsDeleted": pa.bool_(), **(types or {})}
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["Id"]

    def value(row: Mapping[str, Any], name: str) -> Any:
        found = row.get(name)
        return hour(found) if name == "SystemModstamp" and isinstance(found, (int, float)) else found

    columns = {name: pa.array([value(row, name) for row in rows], kinds.get(name, pa.string())) for name in names}
    table = pa.table(columns).replace_schema_metadata(Patch(kind, hour(at)).footer())
    org.land(execution, table, token=token, file=f"{kind}.parquet")


def refresh(org: Org, execution: str, at: float, *rows: Mapping[str, Any], **types: pa.DataType) -> None:
    patch(org, execution, "refresh", at, rows, types)


def deleted(org: Org, execution: str, at: float, **stamps: float) -> None:
    """`{key: hour of its deletion}`."""
    rows = [{"Id": key, "IsDeleted": True, "SystemModstamp": stamp} for key, stamp in stamps.items()]
    patch(org, execution, "deleted", at, rows)


def vanished(org: Org, execution: str, at: float, *keys: str) -> None:
    patch(org, execution, "vanished", at, [{"Id": key, "IsDeleted": True} for key in keys])
