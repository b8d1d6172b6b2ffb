"""Rows ready to be staged: the target's columns, the masks of broken rules, and each row's verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.quality import rules as q
from forceglue.transform.cast import quoted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Observation
    from pyspark.sql.types import StructType

RAW, REASONS, RECORD_KEY, ROW_NUMBER, SET_ASIDE_AT = "_raw", "_reasons", "_record_key", "_row", "_quarantined_at"
"""Columns of a row that is set aside, beside the target's own."""
PATCH = "_patch"
"""And of one that was no whole record: the kind of its patch."""

Flags = Callable[[Callable[[], "DataFrame"]], Mapping[str, "Column"]]
"""From the rows that would be written (made when asked for) to named conditions that the pass counts."""


def no_flags(_: Callable[[], DataFrame]) -> dict[str, Column]:
    """Nothing else to count."""
    return {}


@dataclass(frozen=True)
class Prepared:
    """What one mapping would write, not computed yet.

    Attributes:
        frame: `columns`, the mask columns, the verdict, and the columns of a row that is set aside.
        columns: the target's columns in order, traceability included.
        checks: the rules of the masks, in the order of their bits.
        read: counts the rows read before any is left out; None where nothing is left out before staging.
    """

    frame: DataFrame
    columns: tuple[str, ...]
    checks: tuple[q.Check, ...]
    read: Observation | None

    @property
    def schema(self) -> StructType:
        """Of the target's columns."""
        from pyspark.sql.types import StructType

        fields = {field.name: field for field in self.frame.schema.fields}
        return StructType([fields[name] for name in self.columns])


@dataclass(frozen=True)
class Aside:
    """SQL texts of what a row that is set aside takes along: the raw row, its key, its place in the file, the time.

    `patch` is the kind of patch that the rows come from; None where they are whole records.
    """

    raw: str
    key: str
    row: str
    at: str
    patch: str | None = None


def judged(
    frame: DataFrame,
    columns: Sequence[str],
    checks: Sequence[q.Check],
    aside: Aside,
    *,
    gone: str | None,
    kept: str | None,
    flags: Flags,
    read: Observation | None,
    late: Mapping[str, str] | None = None,
) -> Prepared:
    """The rows with their verdicts; raw row and reasons only on those that are set aside.

    Args:
        late: SQL texts of columns that the frame does not have yet, and that nothing asks for but the last step.
        gone: SQL text: the record is deleted at the source and the table is not to keep it.
        kept: SQL text of the mapping's `where`; a row that it does not hold for is filtered out.
        flags: given the target's columns, what else the pass is to count (conditions of expectations).
    """
    late = late or {}
    own = [f"{late[name]} AS {quoted(name)}" if name in late else quoted(name) for name in columns]
    counted = flags(lambda: frame.selectExpr(*own))
    for i, column in enumerate(counted.values()):
        frame = frame.withColumn(f"__flag_{i}", column)
    checks = (*checks, *(q.flag_check(name, f"__flag_{i}") for i, name in enumerate(counted)))
    if not checks and gone is None and kept is None:
        return Prepared(_all_good(frame, own), tuple(columns), (), read)
    marked = q.masked(frame, checks)
    told = q.verdict(checks, gone)
    if kept is not None:
        told = f"CASE WHEN NOT coalesce({kept}, false) THEN '{q.FILTERED}' ELSE {told} END"
    # said anew wherever it is asked: a few bits cost less than one step more over the whole row
    out = f"{told} IN ('{q.QUARANTINED}', '{q.FAILED}')"
    frame = marked.selectExpr(
        *own,
        *q.mask_names(checks),
        f"CAST(IF({out}, {aside.key}, NULL) AS STRING) AS {RECORD_KEY}",
        f"IF({out}, {aside.raw}, NULL) AS {RAW}",
        f"IF({out}, {q.reasons(checks)}, NULL) AS {REASONS}",
        f"CAST(IF({out}, {aside.row}, NULL) AS BIGINT) AS {ROW_NUMBER}",
        f"IF({out}, {aside.at}, NULL) AS {SET_ASIDE_AT}",
        *((f"IF({out}, '{aside.patch}', NULL) AS {PATCH}",) if aside.patch else ()),
        f"{told} AS {q.VERDICT}",
    )
    return Prepared(frame, tuple(columns), checks, read)


def _all_good(frame: DataFrame, own: Sequence[str]) -> DataFrame:
    """Where nothing can be wrong: the same columns without asking each row."""
    nothing = {
        RECORD_KEY: "STRING",
        RAW: "STRING",
        REASONS: q.REASONS_TYPE,
        ROW_NUMBER: "BIGINT",
        SET_ASIDE_AT: "TIMESTAMP",
    }
    return frame.selectExpr(
        *own,
        *(f"0L AS {name}" for name in q.mask_names(())),
        *(f"CAST(NULL AS {kind}) AS {name}" for name, kind in nothing.items()),
        f"'{q.GOOD}' AS {q.VERDICT}",
    )


def raw_json(fields: Mapping[str, str]) -> str:
    """SQL text: a row as JSON, from `{name in the text: SQL text of the value}`.

    Nulls stand there too, so that a replay knows which fields had landed.
    """
    members = ", ".join(f"{value} AS {quoted(name)}" for name, value in fields.items())
    return f"to_json(struct({members}), map('ignoreNullFields', 'false'))"
