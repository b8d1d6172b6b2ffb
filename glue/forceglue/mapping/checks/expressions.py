"""References and SQL in one place: every text is parsed once, every name in it looked up."""

from __future__ import annotations

from forceglue.mapping import functions, sql, types
from forceglue.mapping.catalog import CatalogField
from forceglue.mapping.checks.report import Report
from forceglue.mapping.checks.scope import Scope
from forceglue.mapping.checks.types import check_holds
from forceglue.mapping.model import AllColumns, AnyMapping, Column, EmptyColumns, NamedColumns
from forceglue.mapping.model.refresh import WORDS
from forceglue.mapping.problems import DocPath

_SQL_CODES = {"syntax": "FG-SQL-001", "reach": "FG-SQL-002", "condition": "FG-SQL-003"}


def check_sql(text: str, path: DocPath, report: Report, *, predicate: bool) -> tuple[str, ...]:
    """Reports an expression that is none; gives the names that a sound one reads."""
    found = sql.examine(text, predicate=predicate)
    if found is not None:
        kind, said = found
        report.add(_SQL_CODES[kind], path, f"the expression {said}", found=text)
        return ()
    for name in () if sql.is_plain(text) else functions.unknown_functions(text):
        report.add(
            "FG-SQL-004",
            path,
            f"`{name}` is no function of Spark SQL",
            found=name,
            allowed="a function that Spark 3.5 has: https://spark.apache.org/docs/3.5.6/api/sql/",
            near=functions.nearest_function(name),
        )
    return sql.columns_in(text)


def check_type(text: str | None, path: DocPath, report: Report) -> None:
    if text is None or types.is_scalar(text):
        return
    if types.is_decimal(text):
        said = types.decimal_complaint(text)
        if said is not None:
            report.add(
                "FG-TYP-002",
                path,
                said,
                found=text,
                allowed=f"decimal(p,s) with p up to {types.MAX_DIGITS} and s up to p",
            )
    else:
        report.add(
            "FG-TYP-001",
            path,
            f"`{text}` is no type of Spark SQL for one value",
            found=text,
            allowed=types.ALLOWED,
            near=types.nearest_type(text),
        )


REFRESH_WORDS = f"refresh: {WORDS}; in this mapping, or under `objects` of project.yaml"


class FieldUse:
    """What Salesforce knows of the fields that a mapping names."""

    def __init__(self, report: Report, *, has_refresh: bool) -> None:
        self.report, self.has_refresh = report, has_refresh

    def note(self, field: CatalogField | None, path: DocPath) -> None:
        """Reports a compound field, and a formula field without a refresh policy."""
        if field is None:
            return
        if field.compound:
            self.report.add(
                "FG-FLD-001",
                path,
                f"`{field.name}` is a compound field ({field.type}); its parts are fields of their own",
                found=field.name,
                allowed="the parts, for example BillingStreet and BillingCity",
            )
        elif field.calculated and not self.has_refresh:
            self.report.add(
                "FG-FLD-002",
                path,
                f"`{field.name}` is a formula: when it changes, Salesforce does not mark the record as changed",
                found=field.name,
                allowed=REFRESH_WORDS,
            )


def block_paths(m: AnyMapping, report: Report) -> list[tuple[DocPath, NamedColumns | AllColumns | EmptyColumns]]:
    """Each block of `columns` with its place in the document, for both written forms."""
    raw = report.source.document.value["columns"] if m.columns else None
    if isinstance(raw, list):
        gone = {place[1] for place in report.source.pruned if place[0] == "columns" and len(place) == 2}
        places: list[DocPath] = [("columns", at) for at in range(len(raw)) if at not in gone]
    else:
        places = [("columns",)]
    return list(zip(places, m.columns or (), strict=False))


def check_columns(m: AnyMapping, scope: Scope, use: FieldUse, report: Report) -> None:
    """Named columns: references, SQL, types; names given twice over all blocks."""
    seen: dict[str, tuple[str, DocPath]] = {}
    for place, block in block_paths(m, report):
        if isinstance(block, NamedColumns):
            for name, column in block.columns.items():
                here = (*place, name)
                _check_column(column, here, scope, use, report)
                _once(name, here, seen, report)
        elif isinstance(block, EmptyColumns):
            for number, name in enumerate(block.empty):
                _once(name, (*place, "empty", number), seen, report)
        elif "{name}" not in block.named:
            report.add(
                "FG-MAP-013",
                (*place, "named"),
                "`named` must hold `{name}`, or all columns have one name",
                found=block.named,
                allowed="for example `(acc) {name}`",
            )


def _check_column(column: Column, here: DocPath, scope: Scope, use: FieldUse, report: Report) -> None:
    check_type(column.type, (*here, "type"), report)
    if column.source is not None:
        at = here if isinstance(_raw(report, here), str) else (*here, "from")
        field = scope.check(column.source, at)
        use.note(field, at)
        if field is not None and column.type is not None and "." not in column.source:
            check_holds(field, column.type, (*here, "type"), report)
    if column.sql is not None:
        for read in check_sql(column.sql, (*here, "sql"), report, predicate=False):
            use.note(scope.check(read, (*here, "sql")), (*here, "sql"))


def _raw(report: Report, path: DocPath) -> object:
    value: object = report.source.document.value
    for step in path:
        if isinstance(value, dict) or (isinstance(value, list) and isinstance(step, int)):
            value = value[step]  # type: ignore[index]  # a document is nested dicts and lists
    return value


def _once(name: str, path: DocPath, seen: dict[str, tuple[str, DocPath]], report: Report) -> None:
    if not name.strip():
        report.add("FG-MAP-012", path, "a column needs a name", found=name)
    first = seen.setdefault(name.lower(), (name, path))
    if first[1] != path:
        line = report.source.document.line(first[1])
        report.add(
            "FG-MAP-011", path, f"the column `{name}` is given twice; first in line {line} as `{first[0]}`", found=name
        )


def check_widened(m: AnyMapping, columns: tuple[str, ...], report: Report) -> None:
    """Names that `all` blocks and `rest` bring a second time."""
    written = {
        name.lower()
        for _, block in block_paths(m, report)
        for name in (
            block.columns if isinstance(block, NamedColumns) else block.empty if isinstance(block, EmptyColumns) else ()
        )
    }
    if any(isinstance(block, AllColumns) and "{name}" not in block.named for _, block in block_paths(m, report)):
        return  # told already
    seen: set[str] = set()
    for name in columns:
        if name.lower() in seen and name.lower() not in written:
            report.add(
                "FG-MAP-011",
                ("columns",),
                f"the column `{name}` comes twice from `all` blocks",
                found=name,
                allowed="`except:` in one of them, or another `named:`",
            )
        seen.add(name.lower())
