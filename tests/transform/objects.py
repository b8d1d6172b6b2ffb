"""An object mapping and files, prepared without a table: what would be written, set aside, dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forceglue.landing.position import Position
from forceglue.mapping.model import ObjectMapping, ProjectSettings
from forceglue.mapping.names import match
from forceglue.mapping.project import Project
from forceglue.run.plan import ObjectPlan, hidden, plan_object
from forceglue.transform.columns import LookedInto
from forceglue.transform.object_rows import ObjectInputs, object_rows
from forceglue.transform.prepared import Prepared
from forceglue.transform.read import read_batch
from transform.kit import landed_all

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

STARTED = datetime(2024, 5, 7, 8, 0, tzinfo=UTC)


def planned(mapping: Mapping[str, Any], paths: Sequence[Path], fields: Sequence[str] = ()) -> ObjectPlan:
    made = ObjectMapping.model_validate({"mapping": "account", "source": "Account", **mapping})
    full = Project(Path(), ProjectSettings(), {"account": made}, {}).with_defaults(made)
    return plan_object(
        full, catalog_fields=fields, files=landed_all(paths), repeated=(), position=Position("account"), table=None,
        full_refresh=False, keeps_types=False,
    )  # fmt: skip


def prepared(
    spark: SparkSession,
    mapping: Mapping[str, Any],
    paths: Sequence[Path],
    *,
    tables: Mapping[str, DataFrame] | None = None,
    fields: Sequence[str] = (),
    rejected: frozenset[int] = frozenset(),
    drop_deleted: bool = False,
    dedupe: bool = True,
) -> Prepared:
    """What the files become under the mapping; `tables` are what its lookups look into, with their key `id`."""
    plan = planned(mapping, paths, fields)

    def looked(table: DataFrame) -> LookedInto:
        return LookedInto(table, "id", lambda said: match(said, table.columns))

    inputs = ObjectInputs(
        columns=plan.columns,
        lookups={alias: looked(table) for alias, table in (tables or {}).items()},
        names=plan.names,
        run_id="run-1",
        started=STARTED,
        rejected=rejected,
        drop_deleted=drop_deleted,
        dedupe=dedupe,
    )
    return object_rows(read_batch(spark, plan.files, hidden(plan.mapping)), plan.mapping, inputs)


def verdicts(made: Prepared, *columns: str) -> list[tuple[Any, ...]]:
    """`(verdict, columns…)` of every row, sorted."""
    rows = made.frame.collect()
    return sorted(((row["forceglue_verdict"], *(row[c] for c in columns)) for row in rows), key=repr)
