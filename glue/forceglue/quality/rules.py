"""Row rules inside the one pass: every row carries a mask of the rules it breaks, and a verdict.

A mask is a BIGINT column of up to 60 rules; more rules take more columns. The Parquet footers of the staged rows tell
whether any bit is set at all, so a clean batch is judged without another job, and one that is not by reading the
narrow mask columns alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from forceglue.mapping.model import Rule, Severity

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

BITS = 60
VERDICT = "forceglue_verdict"
GOOD, QUARANTINED, DROPPED, FAILED = "good", "quarantine", "drop", "fail"
GONE, FILTERED = "gone", "filtered"
"""Verdicts: what becomes of a row. `gone`: deleted at the source and not to be kept; `filtered`: not asked for by
`where`; `fail`: it stops the mapping."""

REASONS_TYPE = "array<struct<rule:string,severity:string,value:string>>"

KEY_RULE = "key_is_set"
ORDER_RULE = "order_is_known"
FILE_RULE = "file_is_accepted"


@dataclass(frozen=True)
class Check:
    """One bit of the mask: a rule, or a built-in check of the same kind.

    Attributes:
        sql: what good rows satisfy, for the report.
        broken: SQL text: the row breaks it (never null).
        value: SQL text of the offending value, for the reason; None where the rule is about the whole row.
    """

    name: str
    severity: Severity | Literal["count"]
    sql: str
    broken: str
    description: str | None = None
    value: str | None = None


def rule_check(name: str, severity: Severity, rule: Rule) -> Check:
    """A rule of a mapping; a null result counts as failing unless it says `nulls: pass`."""
    broken = f"NOT coalesce(CAST(({rule.sql}) AS BOOLEAN), {str(rule.nulls == 'pass').lower()})"
    return Check(name, severity, rule.sql, broken, rule.description)


def flag_check(name: str, condition: str) -> Check:
    """A condition that is only counted: what an expectation asks of each row."""
    return Check(name, "count", name, condition)


def mask_names(checks: Sequence[Check]) -> list[str]:
    return [f"__mask_{i}" for i in range(max(1, -(-len(checks) // BITS)))]


def masked(frame: DataFrame, checks: Sequence[Check]) -> DataFrame:
    """The frame with its mask columns; the row's own columns are untouched."""
    told = []
    for i, name in enumerate(mask_names(checks)):
        bits = [f"IF({c.broken}, {1 << bit}L, 0L)" for bit, c in enumerate(checks[i * BITS : (i + 1) * BITS])]
        told.append(f"{' | '.join(bits) or '0L'} AS {name}")
    return frame.selectExpr("*", *told)


def hit(checks: Sequence[Check], severities: Sequence[Severity]) -> str:
    """SQL text: the row's masks have a bit of these severities."""
    found = []
    for i, name in enumerate(mask_names(checks)):
        part = checks[i * BITS : (i + 1) * BITS]
        wanted = sum(1 << bit for bit, check in enumerate(part) if check.severity in severities)
        if wanted:
            found.append(f"({name} & {wanted}L) <> 0")
    return f"({' OR '.join(found)})" if found else "false"


def verdict(checks: Sequence[Check], gone: str | None) -> str:
    """SQL text: first what is dropped, then what stops the batch or its file, then what is set aside."""
    return (
        f"CASE WHEN {hit(checks, ['drop'])} THEN '{DROPPED}' WHEN {hit(checks, ['fail'])} THEN '{FAILED}' "
        f"WHEN {hit(checks, ['reject_file', 'quarantine'])} THEN '{QUARANTINED}' "
        f"WHEN {gone or 'false'} THEN '{GONE}' ELSE '{GOOD}' END"
    )


def reasons(checks: Sequence[Check]) -> str:
    """SQL text: `array<struct<rule, severity, value>>` of every rule that a row breaks, warnings included."""
    told = []
    for position, check in enumerate(checks):
        if check.severity == "count":
            continue
        mask, bit = mask_names(checks)[position // BITS], position % BITS
        value = f"CAST({check.value or 'NULL'} AS STRING)"
        name = check.name.replace("\\", "\\\\").replace("'", "\\'")
        told.append(
            f"IF(({mask} & {1 << bit}L) <> 0, "
            f"named_struct('rule', '{name}', 'severity', '{check.severity}', 'value', {value}), NULL)"
        )
    return (
        f"filter(array({', '.join(told)}), reason -> reason IS NOT NULL)" if told else f"CAST(NULL AS {REASONS_TYPE})"
    )
