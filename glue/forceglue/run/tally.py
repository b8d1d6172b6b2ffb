"""Prepared rows counted instead of written: verdicts, broken rules and what the table would do in one aggregation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forceglue.quality import rules as q
from forceglue.transform.trace import FILENAME

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_ACTION, _FILE, _ROWS, _BROKEN, _TWICE, _SAME = "__action", "__file", "__rows", "__broken", "__twice", "__same"


@dataclass(frozen=True)
class Tally:
    """Counts of a mapping's prepared rows.

    Attributes:
        rows: `{verdict: rows}`.
        broken: `{rule: {verdict: rows that break it}}`.
        actions: `{what the table would do: good rows}`.
        twice: good rows that share their key with another.
        rejecting: files (their source URIs) with a row that breaks a `reject_file` rule.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    actions: Mapping[str, int] = field(default_factory=dict)
    twice: int = 0
    rejecting: frozenset[str] = frozenset()


def tally(
    frame: DataFrame,
    checks: Sequence[q.Check],
    *,
    action: str = "''",
    key: Sequence[str] = (),
    by_file: bool = False,
) -> Tally:
    """Counts the rows in one Spark action; what comes back are a few lines, whatever the data.

    Args:
        frame: with the verdict and the masks of `checks`.
        action: SQL text of what the table would do with a good row.
        key: columns (as SQL) that are to be unique among the good rows.
        by_file: also tell which files break a `reject_file` rule.
    """
    from pyspark.sql import functions as F

    masks = q.mask_names(checks)
    # a window, not a second aggregation by key: both counts come from one pass
    same = f"count(1) OVER (PARTITION BY {', '.join((*key, q.VERDICT))})" if key else "1L"
    narrow = frame.selectExpr(
        q.VERDICT,
        *masks,
        f"IF({q.VERDICT} = '{q.GOOD}', {action}, '') AS {_ACTION}",
        f"{FILENAME if by_file else 'CAST(NULL AS STRING)'} AS {_FILE}",
        f"{same} AS {_SAME}",
    )
    bits = [f"count_if(({masks[i // q.BITS]} & {1 << (i % q.BITS)}L) <> 0)" for i in range(len(checks))]
    found = (
        narrow.groupBy(q.VERDICT, _ACTION, _FILE)
        .agg(
            F.expr("count(1)").alias(_ROWS),
            F.expr(f"CAST(array({', '.join(bits)}) AS array<bigint>)").alias(_BROKEN),
            F.expr(f"count_if({_SAME} > 1)").alias(_TWICE),
        )
        .collect()
    )
    rows: dict[str, int] = {}
    actions: dict[str, int] = {}
    broken: dict[str, dict[str, int]] = {}
    rejecting = set()
    twice = 0
    for group in found:
        verdict = group[q.VERDICT]
        rows[verdict] = rows.get(verdict, 0) + group[_ROWS]
        if verdict == q.GOOD:
            actions[group[_ACTION]] = actions.get(group[_ACTION], 0) + group[_ROWS]
            twice += group[_TWICE]
        for check, count in zip(checks, group[_BROKEN], strict=True):
            if count:
                of_rule = broken.setdefault(check.name, {})
                of_rule[verdict] = of_rule.get(verdict, 0) + count
                if check.severity == "reject_file" and verdict not in (q.DROPPED, q.FILTERED, q.GONE):
                    rejecting.add(group[_FILE])
    return Tally(rows, broken, actions, twice, frozenset(rejecting))
