"""The examples of a mapping: their inputs, columns and rules exist."""

from __future__ import annotations

from forceglue.mapping.checks.report import Report
from forceglue.mapping.checks.tables import Table, Tables
from forceglue.mapping.model import AnyMapping, Example, ObjectMapping
from forceglue.mapping.names import NameIndex
from forceglue.mapping.problems import DocPath

CAST_RULE_SUFFIX = "_casts"


def check_examples(m: AnyMapping, tables: Tables, report: Report) -> None:
    inputs = _inputs(m, tables)
    index = NameIndex(inputs)
    seen: set[str] = set()
    gone = {place[1] for place in report.source.pruned if place[0] == "examples" and len(place) == 2}
    places = [at for at in range(len(m.examples) + len(gone)) if at not in gone]
    for at, example in zip(places, m.examples, strict=False):
        path: DocPath = ("examples", at)
        if example.name in seen:
            report.add("FG-EXA-004", (*path, "name"), f"two examples are called `{example.name}`", found=example.name)
        seen.add(example.name)
        for name, rows in example.given.items():
            found = index.match(name)
            if found is None:
                report.add(
                    "FG-EXA-001",
                    (*path, "given", name),
                    f"`{name}` is no input of this mapping",
                    found=name,
                    names=inputs,
                )
                continue
            for row, values in enumerate(rows):
                _check_row(values, inputs[found], (*path, "given", name, row), report, "FG-EXA-002", f"`{name}`")
        _check_outcome(m, example, tables, path, report)


def _check_outcome(m: AnyMapping, example: Example, tables: Tables, path: DocPath, report: Report) -> None:
    own = tables.read(m)
    for row, values in enumerate(example.expect or ()):
        _check_row(values, own, (*path, "expect", row), report, "FG-EXA-003", "the target")
    for row, values in enumerate(example.quarantined or ()):
        here = (*path, "quarantined", row)
        _check_row({k: v for k, v in values.items() if k != "rules"}, own, here, report, "FG-EXA-003", "the target")
        rules = values.get("rules") or ()
        for name in (rules,) if isinstance(rules, str) else rules:
            _check_rule_name(m, str(name), (*here, "rules"), report)


def _check_rule_name(m: AnyMapping, name: str, path: DocPath, report: Report) -> None:
    """Only near misses are told: casts and the engine's own checks have names that no mapping writes."""
    names = [rule for rule, _, _ in m.rules()]
    if name in names or report.pruned("quality"):
        return
    near = NameIndex(names).nearest(name)
    if near is not None and "cast" not in name:
        report.add(
            "FG-EXA-005", path, f"no rule of this mapping is called `{name}`", found=name, near=near, names=names
        )


def _check_row(
    values: dict[str, object], table: Table | None, path: DocPath, report: Report, code: str, what: str
) -> None:
    if table is None or table.open:
        return
    known = NameIndex([*table.names, *(c.field for c in table.columns if c.field and "." not in c.field)])
    for name in values:
        if known.match(name) is None:
            report.add(code, (*path, name), f"{what} has no column `{name}`", found=name, names=table.names)


def _inputs(m: AnyMapping, tables: Tables) -> dict[str, Table | None]:
    """What `given` may name: objects, tables and aliases, each with its columns where they are known."""
    found: dict[str, Table | None] = {}
    if isinstance(m, ObjectMapping):
        own = _as_source(tables.own(m))
        for name in (m.source, m.mapping):
            found[name] = own
        for alias, lookup in m.lookups.items():
            table = tables.looked_up(lookup.object)
            for name in (alias, lookup.object):
                found.setdefault(name, None if table is None else _as_source(table))
        return found
    for alias, reference in ((m.name, m.source), *((join.name, join.table) for join in m.joins)):
        table = tables.table(reference)
        target = tables.project.table(reference)
        names = [alias, reference, *([target.source] if isinstance(target, ObjectMapping) else [])]
        for name in names:
            found.setdefault(name, table)
    return found


def _as_source(table: Table) -> Table:
    """Rows of an object are given as Salesforce sends them (or as its table has them)."""
    from forceglue.mapping.expand import OutputColumn

    fields = table.salesforce.field_names if table.salesforce else ()
    columns = (*(OutputColumn(name, name) for name in fields), *table.columns)
    return Table(table.title, columns, table.open or table.salesforce is None, table.salesforce, table.file)
