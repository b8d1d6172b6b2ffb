"""Other tables brought beside a row: lookups of an object mapping, joins of a dataset.

A brought column is named `__alias__column`, so that nothing is ambiguous and the row's own fields keep their names.
An expression that says `alias.column` is offered a struct named like the alias, which the optimizer takes apart again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from forceglue.transform.cast import quoted
from forceglue.transform.ids import same_key

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def brought(alias: str, column: str) -> str:
    """The name of a brought column; `column` as the mapping says it."""
    return f"__{alias}__{column}"


def bring(
    frame: DataFrame,
    alias: str,
    table: DataFrame,
    on: Sequence[tuple[str, str]],
    columns: Mapping[str, str | None],
    how: str,
    more: Sequence[str] = (),
) -> DataFrame:
    """`frame` joined with `table`; the join columns stay until the next projection leaves them out.

    Args:
        on: pairs an SQL expression of the frame with a column name of the table; compared as Ids.
        columns: `{name said: column of the table}`; None where the table has never had it: null.
        more: SQL texts of values that the table's own rows give, each with its name.
    """
    from pyspark.sql.functions import expr

    keys = [quoted(f"__join_{alias}_{i}") for i in range(len(on))]
    right = table.selectExpr(
        *(
            f"{quoted(c) if c else 'CAST(NULL AS STRING)'} AS {quoted(brought(alias, said))}"
            for said, c in columns.items()
        ),
        *more,
        *(f"{same_key(quoted(name))} AS {key}" for key, (_, name) in zip(keys, on, strict=True)),
    )
    condition = " AND ".join(f"{same_key(here)} = {key}" for key, (here, _) in zip(keys, on, strict=True))
    return frame.join(right, expr(condition), {"left": "left", "inner": "inner", "full": "full_outer"}[how])
