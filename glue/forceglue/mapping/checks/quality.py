"""Rules and expectations: they see the columns of the target."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from forceglue.mapping.checks.expressions import check_sql
from forceglue.mapping.checks.report import Report
from forceglue.mapping.checks.tables import Table, Tables
from forceglue.mapping.model import AnyMapping, DatasetMapping, Expectation
from forceglue.mapping.names import NameIndex
from forceglue.mapping.problems import DocPath

_EXPECTATIONS = Path(__file__).parents[2] / "quality" / "expectation_names.json"
_COMMON = ("mostly", "row_condition", "condition_parser", "ignore_row_if", "meta", "notes", "severity", "result_format")
_COLUMN_WORDS = ("column", "column_A", "column_B", "column_list", "column_set")
_PREDEFINED = ("key_is_set", "file_is_accepted")


def check_rules(m: AnyMapping, tables: Tables, report: Report) -> None:
    """Each rule: parses, sees only columns of the target, has a name of its own."""
    table = tables.read(m)
    columns = {name.lower() for name in table.names}
    first: dict[str, DocPath] = {}
    for name, severity, rule in m.rules():
        path: DocPath = ("quality", severity, name)
        before = first.setdefault(name.lower(), path)
        if before != path:
            line = report.source.document.line(before)
            report.add("FG-RUL-001", path, f"the rule name `{name}` is used twice; first in line {line}", found=name)
        if severity == "reject_file" and isinstance(m, DatasetMapping):
            message = "a dataset is made of tables: there is no file to reject"
            report.add("FG-RUL-003", path, message, found=severity, allowed="fail, quarantine, drop, warn")
        if name.lower() in _PREDEFINED:
            report.add("FG-RUL-001", path, f"`{name}` is the name of a check that every mapping has", found=name)
        for read in check_sql(rule.sql, path, report, predicate=True):
            # Spark reads the rule as it is written: here, underscores count.
            if read.lower() not in columns and not table.open:
                report.add(
                    "FG-RUL-002",
                    path,
                    f"the rule reads `{read}`, which is no column of the target",
                    found=read,
                    allowed="the columns of this mapping, not the fields of the source",
                    near=_column_for(read, table),
                )


def _column_for(read: str, table: Table) -> str | None:
    """The column meant: also where the rule says the source field, as people do."""
    found = table.find(read)
    return found.name if found is not None else NameIndex(table.names).nearest(read)


def check_expectations(m: AnyMapping, tables: Tables, report: Report) -> None:
    """Names, arguments and columns of the expectations, as far as Great Expectations' own list is at hand."""
    known = expectation_names()
    gone = {place[1] for place in report.source.pruned if place[0] == "expectations" and len(place) == 2}
    places = [at for at in range(len(m.expectations) + len(gone)) if at not in gone]
    for at, expectation in zip(places, m.expectations, strict=False):
        path: DocPath = ("expectations", at)
        if known:
            _check_call(expectation, known, path, report)
        _check_expected_columns(expectation, tables.read(m), path, report)


def _check_call(expectation: Expectation, known: dict[str, Any], path: DocPath, report: Report) -> None:
    name = expectation.name
    if name not in known:
        report.add(
            "FG-EXP-001",
            path,
            f"Great Expectations has no `{name}`",
            found=name,
            allowed="an expectation of Great Expectations by its own name",
            near=NameIndex(known).nearest(name),
        )
        return
    required, optional = known[name].get("required", []), known[name].get("optional", [])
    words = (*required, *optional, *_COMMON)
    for argument in expectation.arguments:
        if argument not in words:
            report.add(
                "FG-EXP-002",
                (*path, name, argument),
                f"`{name}` takes no `{argument}`",
                found=argument,
                names=dict.fromkeys((*required, *optional)),
            )
    for argument in required:
        if argument not in expectation.arguments:
            report.add("FG-EXP-003", path, f"`{name}` needs `{argument}`", allowed=", ".join(required))


def _check_expected_columns(expectation: Expectation, table: Table, path: DocPath, report: Report) -> None:
    if table.open or expectation.name.endswith(("column_to_exist", "match_set", "match_ordered_list")):
        return  # those are about the columns themselves: naming one that is missing is their purpose
    columns = {name.lower() for name in table.names}
    for word in _COLUMN_WORDS:
        given = expectation.arguments.get(word)
        for name in given if isinstance(given, (list, tuple)) else [given]:
            if isinstance(name, str) and name.lower() not in columns:
                here = (*path, expectation.name, word)
                report.add(
                    "FG-EXP-004",
                    here,
                    f"`{name}` is no column of the target",
                    found=name,
                    allowed="the columns of this mapping",
                    near=_column_for(name, table),
                )


@lru_cache(maxsize=1)
def expectation_names() -> dict[str, Any]:
    """Great Expectations' expectations and their arguments, from the generated list; empty where there is none."""
    if not _EXPECTATIONS.is_file():
        return {}
    names: dict[str, Any] = json.loads(_EXPECTATIONS.read_bytes())
    return names
