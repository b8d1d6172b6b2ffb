"""`one` of a join, kept: where a row met several others there, it would come out of the dataset several times."""

from __future__ import annotations

from collections.abc import Sequence

from forceglue.mapping.expand import object_columns
from forceglue.mapping.model import DatasetMapping, Join
from forceglue.mapping.names import match
from forceglue.mapping.project import Project
from forceglue.quality.outcomes import RuleOutcome
from forceglue.run.plan import table_names
from forceglue.transform.cast import quoted
from forceglue.transform.dataset_rows import DatasetInputs
from forceglue.transform.ids import same_key


def one_match_each(project: Project, mapping: DatasetMapping, inputs: DatasetInputs) -> tuple[RuleOutcome, ...]:
    """What the joins say that promise one match at most; those by a table's own key keep it without being asked."""
    asked = [j for j in mapping.joins if j.one and not _is_key(project, j.table, list(j.by.values()))]
    outcomes = (_counted(join, inputs) for join in asked)
    return tuple(outcome for outcome in outcomes if outcome is not None)


def _counted(join: Join, inputs: DatasetInputs) -> RuleOutcome | None:
    table = inputs.tables[join.name]
    columns = [match(right, table.columns) for right in join.by.values()]
    if None in columns:  # it matches nothing
        return None
    keys = [f"__key_{i}" for i in range(len(columns))]
    told = (f"{same_key(quoted(c))} AS {key}" for key, c in zip(keys, columns, strict=True) if c)
    values = table.selectExpr(*told).where(" AND ".join(f"{key} IS NOT NULL" for key in keys)).groupBy(*keys).count()
    row = values.selectExpr("count_if(count = 1) AS single", "count_if(count > 1) AS several").first()
    single, several = (int(row["single"]), int(row["several"])) if row else (0, 0)
    said = f"{join.table} has one row at most for each {', '.join(join.by.values())}"
    why = "write `one: false` at the join where several matches are meant"
    return RuleOutcome(f"one_match_in_{join.name}", "fail", said, why, single, several)


def _is_key(project: Project, reference: str, columns: Sequence[str]) -> bool:
    """Whether the engine itself keeps these columns of the table unique."""
    mapping = project.table(reference)
    if mapping is None:
        return [c.lower() for c in columns] == ["id"]
    if isinstance(mapping, DatasetMapping):
        key: Sequence[str] = mapping.key
    elif mapping.target.write in ("append", "snapshot"):
        return False
    else:
        full = project.with_defaults(mapping)
        key = table_names(full, object_columns(full, project.fields(mapping) or ())).key
    return bool(key) and all(match(k, columns) for k in key)
