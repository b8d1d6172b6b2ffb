"""What only a dataset has: inputs, joins, `all` of an input, its key."""

from __future__ import annotations

from forceglue.mapping.checks.expressions import FieldUse, block_paths, check_columns, check_sql, check_widened
from forceglue.mapping.checks.report import Report
from forceglue.mapping.checks.scope import Scope, dataset_scope, join_path
from forceglue.mapping.checks.tables import Table, Tables
from forceglue.mapping.model import AllColumns, DatasetMapping
from forceglue.mapping.names import NameIndex
from forceglue.mapping.problems import DocPath


def check_dataset(m: DatasetMapping, tables: Tables, report: Report) -> None:
    """Everything that the columns of the inputs decide."""
    scope = dataset_scope(m, tables, report)
    _check_joins(m, scope, report)
    check_columns(m, scope, FieldUse(report, has_refresh=True), report)
    _check_all(m, scope, report)
    check_widened(m, tables.own(m).names, report)
    if m.where is not None:
        for read in check_sql(m.where, ("where",), report, predicate=True):
            scope.check(read, ("where",))
    own = tables.own(m)
    for at, name in enumerate(m.key):
        if own.find(name) is None and not own.open:
            path: DocPath = ("key", at) if len(m.key) > 1 else ("key",)
            report.add(
                "FG-REF-007", path, f"the dataset has no column `{name}` to be its key", found=name, names=own.names
            )


def _check_joins(m: DatasetMapping, scope: Scope, report: Report) -> None:
    before = {m.name.lower()}
    for at, join in enumerate(m.joins):
        path = join_path(report, at)
        table = scope.aliases.get(join.name)
        if not join.by:
            report.add(
                "FG-REF-011",
                (*path, "by"),
                "a join needs at least one pair of columns",
                allowed="{column here: column of the joined table}",
            )
        for here, there in join.by.items():
            head, dot, _ = here.partition(".")
            alias = NameIndex(scope.aliases).match(head) if dot else None
            if alias is not None and alias.lower() not in before:
                report.add(
                    "FG-REF-011",
                    (*path, "by", here),
                    f"`{alias}` is joined later (or is this join); a join sees what stands before it",
                    found=here,
                    allowed=", ".join(sorted(before)),
                )
            else:
                scope.check(here, (*path, "by", here))
            if table is not None and table.find(there) is None and not table.open:
                report.add(
                    "FG-REF-003",
                    (*path, "by", here),
                    f"{table.title} has no column `{there}`",
                    found=there,
                    allowed=f"a column of {table.title}",
                    names=table.names,
                )
        before.add(join.name.lower())


def _check_all(m: DatasetMapping, scope: Scope, report: Report) -> None:
    aliases = NameIndex(scope.aliases)
    for place, block in block_paths(m, report):
        if not isinstance(block, AllColumns):
            continue
        alias = aliases.match(block.all)
        if alias is None:
            if not any(path[0] == "joins" for path in report.source.pruned):
                report.add(
                    "FG-REF-006",
                    (*place, "all"),
                    f"no input is called `{block.all}`",
                    found=block.all,
                    names=aliases.names,
                )
            continue
        table = scope.aliases[alias]
        if table is not None and not table.open:
            _check_names(block, table, place, report)


def _check_names(block: AllColumns, table: Table, place: DocPath, report: Report) -> None:
    known = NameIndex(table.names)
    for word, names in (("only", block.only or ()), ("except", block.exclude)):
        for at, name in enumerate(names):
            if known.match(name) is None:
                report.add(
                    "FG-REF-003",
                    (*place, word, at),
                    f"{table.title} has no column `{name}`",
                    found=name,
                    allowed=f"a column of {table.title}",
                    near=known.nearest(name),
                )
