"""The latest version of each record within a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forceglue.transform.read import ROW, SEQ

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

KEY_PREFIX, ORDER, ORDER_LOST = "__key_", "__ord", "__ord_lost"
"""Columns added by the caller: the key in its common form, one column a part; the order as BIGINT; and whether an order
stands there that is none (an impossible time)."""


def key_columns(count: int) -> list[str]:
    return [f"{KEY_PREFIX}{i}" for i in range(count)]


def latest_versions(frame: DataFrame, keys: Sequence[str]) -> DataFrame:
    """One row per key: the greatest order; of equal ones the one that landed last (later file, later row).

    The column `__rank` is left for the next projection to leave out: each step over a wide frame costs.

    A row whose key has a null part, or whose order is none, is no version of anything: a rule sets it aside.
    """
    no_key = " OR ".join([*(f"{key} IS NULL" for key in keys), ORDER_LOST])
    # rows that are no version are spread over partitions of their own instead of meeting in one
    alone = f"IF({no_key}, concat_ws('/', {SEQ}, {ROW}), NULL)"
    rank = (
        f"row_number() OVER (PARTITION BY {', '.join(keys)}, {alone} "
        f"ORDER BY {ORDER} DESC NULLS LAST, {SEQ} DESC, {ROW} DESC) AS __rank"
    )
    return frame.selectExpr("*", rank).where("__rank = 1")
