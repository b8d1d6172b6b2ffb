"""What a person reads in the terminal: a row a table, the days that differ, what needs a look."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forceglue.reconcile.report import GOOD, Compared, ReconcileReport
from forceglue.reconcile.wording import KINDS, STATUSES, amount, because, classes, headline, things
from forceglue.run.console import titled
from forceglue.run.wording import clean, duration, number, plural

STYLES = {"equal": "green", "explained": "cyan", "skipped": "dim", "stopped": "yellow"}
BAD = "bold red"
LINES_SHOWN, FIELDS_SHOWN = 20, 15


def summary(report: ReconcileReport) -> RenderableType:
    """The whole report, as far as a terminal takes it."""
    parts: list[RenderableType] = [_ids(report.objects) if _by_ids(report) else _amounts(report.objects)]
    reasons = [
        (one.table, f"{total.measure}: {said}", "")
        for one in report.objects
        for total in one.totals
        if (said := because(total.explained))
    ]
    parts += titled("What explains a difference (Salesforce less table)", reasons, shown=LINES_SHOWN)
    parts += _days(report.objects)
    told = [(one.table, text, BAD if one.status not in GOOD else "") for one in report.objects for text in things(one)]
    parts += titled("What needs a look", told, shown=len(told))
    left = [(one.table, f"{name}: {why}", "dim") for one in report.objects for name, why in one.not_compared.items()]
    parts += titled("Sums that are not compared", left, shown=FIELDS_SHOWN)
    good = report.status == "succeeded"
    sentence = Text("Succeeded" if good else "Failed", "bold green" if good else BAD)
    used = f"; {number(report.used)} of {number(report.allowed)} of the day" if report.used and report.allowed else ""
    told_end = f" in {duration(report.seconds)}. {headline(report)} {plural(report.calls, 'API call')}{used}."
    return Group(*parts, Text(), sentence.append(told_end, ""))


def _by_ids(report: ReconcileReport) -> bool:
    return any(one.ids is not None for one in report.objects)


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _state(one: Compared) -> Text:
    return Text(STATUSES[one.status], STYLES.get(one.status, BAD))


def _amounts(objects: Sequence[Compared]) -> Table:
    """A row a table with its records; below it a row for each sum that differs."""
    table = _table("Table", "State", "Of")
    for title in ("Salesforce", "Table", "Unexplained", "Days"):
        table.add_column(title, justify="right", no_wrap=True)
    for one in objects:
        shown = [t for t in one.totals if t.told]
        for at, total in enumerate(shown):
            table.add_row(
                Text(clean(one.table if at == 0 else ""), "bold"),
                _state(one) if at == 0 else "",
                Text(clean(total.measure)),
                amount(total.org),
                amount(total.table),
                Text(amount(total.unexplained, signed=True) if total.open else "", BAD),
                f"{total.days:,} of {one.days:,}"
                if one.by_day and total.days
                else number(one.days)
                if one.by_day
                else "",
            )
        if not shown:
            table.add_row(Text(clean(one.table), "bold"), _state(one), "", "", "", "", "")
    return table


def _days(objects: Sequence[Compared]) -> list[RenderableType]:
    """The days with a difference that nothing explains."""
    bad = [(one, line) for one in objects for line in one.lines if line.open and line.day is not None]
    if not bad:
        return []
    table = _table("Table", "Day", "Of", "Difference", "Explained", "Unexplained")
    for one, line in bad[:LINES_SHOWN]:
        table.add_row(
            Text(clean(one.table)),
            str(line.day),
            Text(clean(line.measure)),
            amount(line.org - line.table, signed=True),
            because(line.explained),
            Text(amount(line.unexplained, signed=True), BAD),
        )
    more = len(bad) - LINES_SHOWN
    rest = [Text(f"and {more:,} more: --format json tells all", "dim")] if more > 0 else []
    return [Text(), Text("Days that nothing explains (Salesforce less table)", "bold"), table, *rest]


def _ids(objects: Sequence[Compared]) -> Table:
    table = _table("Table", "State")
    for title in ("Salesforce", "In its bin", "Table"):
        table.add_column(title, justify="right")
    table.add_column("Ids", overflow="fold")
    for one in objects:
        if one.ids is None:
            table.add_row(Text(clean(one.table), "bold"), _state(one), "", "", "", "")
            continue
        told = [f"{one.ids.count(kind):,} {KINDS[kind]}: {classes(found)}" for kind, found in one.ids.found.items()]
        table.add_row(
            Text(clean(one.table), "bold"),
            _state(one),
            number(one.ids.org),
            number(one.ids.bin),
            number(one.ids.table),
            Text("\n".join(told) or "the same on both sides"),
        )
    return table
