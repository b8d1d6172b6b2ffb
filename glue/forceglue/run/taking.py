"""How a table takes staged rows whole: by adopting their files, or by Spark where their form is not the table's."""

from __future__ import annotations

from collections.abc import Sequence

from forceglue.quality.rules import GOOD
from forceglue.run.context import RunContext
from forceglue.run.staging import Staged
from forceglue.transform.prepared import Prepared
from forceglue.write.delta_named import needs_column_mapping, write_named
from forceglue.write.delta_table import Table, TableState


def take(
    ctx: RunContext,
    table: Table,
    staged: Staged,
    prepared: Prepared,
    position: int,
    at: TableState | None,
    *,
    replace: bool,
    partition_by: Sequence[str] = (),
    comment: str | None = None,
) -> bool:
    """Makes the good rows part of the table and sets the position, in one transaction.

    Gives whether the staged files are the table's now (else they were copied and may go).

    Raises:
        ConcurrentRunError: another run committed first.
    """
    parted_anew = at is not None and replace and at.partitions != tuple(partition_by)
    if needs_column_mapping(prepared.columns) or (at is not None and at.mapped) or parted_anew:
        rows = staged.good_rows(ctx.spark(), ctx.warehouse, prepared)
        write_named(table, rows, position, at, replace=replace, partition_by=partition_by)
        return False
    table.adopt(
        staged.files.get(GOOD, ()),
        prepared.schema,
        position=position,
        at=at,
        replace=replace and at is not None,
        partition_by=partition_by,
        comment=comment,
    )
    table.confirm(position)
    return True
