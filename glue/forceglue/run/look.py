"""What a person reads of a preview and of the examples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forceglue.run.matching import Broken, Difference, Row, Value
from forceglue.run.wording import clean, plural

if TYPE_CHECKING:
    from forceglue.run.examples import ExampleResult
    from forceglue.run.preview import Preview

WIDE = 8
"""Columns from which a row is shown one field a line."""

_ORIGINS = {
    "new files": "rows that the next run would load",
    "table": "nothing new has landed; rows of the table as it is",
    "tables": "rows that it would deliver from the tables as they are",
    "nothing": "nothing has landed, and there is no table yet",
}
_STYLES = {"good": "green", "quarantine": "magenta", "fail": "bold red", "drop": "yellow"}
_PARTS = {"expect": "written", "quarantined": "set aside", "dropped": "dropped"}


def preview_text(seen: Preview) -> RenderableType:
    """The rows as a table, or one field a line where there are many columns."""
    head = Text(clean(seen.name), "bold").append(f": {_ORIGINS[seen.origin]}", "")
    head.append(f" ({plural(len(seen.rows), 'row', 'rows')})", "dim")
    parts: list[RenderableType] = [head, Text()]
    if seen.stopped:
        parts.append(Text(clean(seen.stopped), "bold red"))
    if len(seen.columns) > WIDE:
        for i, row in enumerate(seen.rows, 1):
            parts += [_upright(seen.columns, row, i), Text()]
    elif seen.rows:
        parts.append(_across(seen.columns, seen.rows))
    return Group(*parts)


def _verdict(row: dict[str, Any]) -> Text:
    """`quarantine: amount_is_positive (-3)`."""
    verdict = str(row["_verdict"])
    values = [f" ({r['value']})" if r.get("value") is not None else "" for r in row["_reasons"]]
    reasons = [clean(f"{r['rule']}{value}") for r, value in zip(row["_reasons"], values, strict=True)]
    told = Text(verdict, _STYLES.get(verdict, ""))
    return told.append(f": {', '.join(reasons)}", "") if reasons else told


def _cell(value: Any) -> Text:
    if value is None:
        return Text("null", "dim")
    return Text(clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


def _across(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for name in (*columns, "verdict"):
        table.add_column(Text(clean(name)), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns), _verdict(row))
    return table


def _upright(columns: Sequence[str], row: dict[str, Any], number: int) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name in columns:
        grid.add_row(Text(clean(name)), _cell(row[name]))
    return Group(Text(f"row {number}  ", "bold").append_text(_verdict(row)), grid)


def results_text(results: Sequence[ExampleResult], without: Sequence[str]) -> RenderableType:
    """A line an example, the differences of those that do not hold, and a sentence."""
    parts: list[RenderableType] = []
    for result in results:
        sign, style = ("✓", "green") if result.passed else ("✗", "bold red")
        parts.append(Text(f"{sign} ", style).append(clean(f"{result.mapping}: {result.example}"), ""))
        if result.error:
            parts.append(Text(f"  {clean(result.error)}", "red"))
        if result.stopped and not result.passed:
            parts.append(Text(f"  nothing is written: a row breaks {', '.join(result.stopped)}", "yellow"))
        parts += [_difference(d) for d in result.differences]
    if without:
        parts.append(Text(f"· no examples: {', '.join(map(clean, without))}", "dim"))
    failed = sum(not r.passed for r in results)
    if not results:
        said = Text("There are no examples to run.", "bold")
    elif failed:
        said = Text(f"{failed} of {plural(len(results), 'example', 'examples')} failed.", "bold red")
    else:
        said = Text(f"{plural(len(results), 'example holds', 'examples hold')}.", "bold green")
    return Group(*parts, Text(), said)


def _difference(found: Difference) -> RenderableType:
    """Expected beside got, a column a line; what differs is marked."""
    part = _PARTS[found.part]
    if found.expected is None:
        head = f"  {part}: a row that is not expected"
    elif found.got is None:
        head = f"  {part}: an expected row is not there"
    else:
        head = f"  {part}: otherwise than expected"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for title in ("", "expected", "", "got"):
        table.add_column(title, overflow="fold")
    for name in found.expected or found.got or {}:
        differs = name in found.columns
        wanted, got = (_value(row, name) for row in (found.expected, found.got))
        style = "red" if differs else ""
        sign = Text("≠" if differs else "", "red")
        table.add_row(Text(f"    {clean(name)}"), Text(wanted, style), sign, Text(got, style))
    return Group(Text(head, "red"), table)


def _value(row: Row | None, name: str) -> str:
    return "" if row is None else _plain(row.get(name))


def _plain(value: Value) -> str:
    if value is None:
        return "null"
    return clean(value if isinstance(value, str) else ", ".join(_names(value)) or "none")


def _names(broken: Broken) -> list[str]:
    return [*sorted(broken.rules), *(f"{name} (warn)" for name in sorted(broken.warnings))]


def results_json(results: Sequence[ExampleResult], without: Sequence[str]) -> str:
    """`{status, examples: [...], no_examples: [...]}`; status is `succeeded` or `failed`."""

    def plain(row: Row | None) -> dict[str, Any] | None:
        return row and {name: _names(v) if isinstance(v, Broken) else v for name, v in row.items()}

    body = {
        "status": "succeeded" if all(r.passed for r in results) else "failed",
        "examples": [
            {
                "mapping": r.mapping,
                "example": r.example,
                "passed": r.passed,
                "differences": [
                    {"part": d.part, "expected": plain(d.expected), "got": plain(d.got), "columns": list(d.columns)}
                    for d in r.differences
                ],
                "stopped": list(r.stopped),
                "error": r.error,
            }
            for r in results
        ],
        "no_examples": list(without),
    }
    return json.dumps(body, ensure_ascii=False, indent=2)
