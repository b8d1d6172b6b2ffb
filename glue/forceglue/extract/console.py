"""What a person reads in the terminal: progress while an extract works, its table, how far each object is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from forceglue.extract.report import ExtractReport, ObjectReport
from forceglue.run.console import titled
from forceglue.run.wording import clean, duration, number, plural

if TYPE_CHECKING:
    from types import TracebackType

    from rich.status import Status

    from forceglue.extract.standing import Standing

SIGNS = {
    "landed": ("✓", "+"),
    "nothing_new": ("·", "-"),
    "skipped": ("·", "-"),
    "stopped": ("✗", "x"),
    "failed": ("✗", "x"),
}
STYLES = {"landed": "green", "nothing_new": "dim", "skipped": "dim", "stopped": "yellow", "failed": "bold red"}
WORDS = {"nothing_new": "nothing new"}
SKIPPED_SHOWN, WIDTH = 15, 24


class Shown:
    """One line an object when it ends; on a terminal also a live line with what is being read. Threads share it."""

    def __init__(self, console: Console) -> None:
        self._console, self._lock = console, Lock()
        self._reading: dict[str, None] = {}
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status(Text("connecting"), spinner_style="cyan")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def on_event(self, name: str, state: object) -> None:
        """Told of each object: that it is being read, or its report."""
        with self._lock:
            if isinstance(state, ObjectReport):
                self._reading.pop(name, None)
                self._console.print(_line(state, ascii_only=self._console.options.ascii_only), soft_wrap=True)
            else:
                self._reading[name] = None
            if self._status:
                self._status.update(Text(clean("reading " + ", ".join(list(self._reading)[:4]))))


def _line(report: ObjectReport, *, ascii_only: bool) -> Text:
    style = STYLES[report.status]
    line = Text(f"{SIGNS[report.status][ascii_only]} ", style).append(clean(report.name).ljust(WIDTH), "bold")
    told = _told(report) if report.status == "landed" else WORDS.get(report.status, report.status)
    return line.append(f"  {told}", style).append(f"  {duration(report.seconds)}", "dim")


def _told(report: ObjectReport) -> str:
    """`12 rows, 120 refreshed, 3 deletions`; changes are not told where only the others landed."""
    beside = _patches(report)
    return ", ".join([*([f"{number(report.rows)} rows"] if report.rows or not beside else []), *beside])


def _patches(report: ObjectReport) -> list[str]:
    refreshed = [f"{number(report.refreshed)} refreshed"] if report.refreshed else []
    return refreshed + ([plural(report.deleted, "deletion")] if report.deleted else [])


def summary(report: ExtractReport, where: str) -> RenderableType:
    """The end of an extract: a row an object, what needs a look, one sentence."""
    parts: list[RenderableType] = []
    shown = [o for o in report.objects if o.status != "skipped"]
    if shown:
        parts += [_table(shown), *_windows(shown)]
    notes = [(o.name, text, "") for o in shown for text in o.notes]
    notes += [(o.name, o.error or "", STYLES[o.status]) for o in shown if o.error and o.status == "failed"]
    parts += titled("What needs a look", notes, shown=len(notes))
    left = [(o.name, f"{name}: {why}", "dim") for o in shown for name, why in o.left_out.items() if "base64" in why]
    parts += titled("Fields that are not read", left, shown=SKIPPED_SHOWN)
    skipped = [(o.name, o.error or "", "dim") for o in report.objects if o.status == "skipped"]
    parts += titled("Objects that are not read", skipped, shown=SKIPPED_SHOWN)
    good = report.status == "succeeded"
    used = f"; {number(report.used)} of {number(report.allowed)} of the day" if report.used and report.allowed else ""
    told = f" in {duration(report.seconds)}. {plural(report.rows, 'row')} landed{_beside(report)}; "
    told += plural(report.calls, "API call")
    sentence = Text("Succeeded" if good else "Failed", "bold green" if good else "bold red").append(
        f"{told}{used}.", ""
    )
    why = [Text(clean(report.stopped), STYLES["stopped"])] if report.stopped else []
    return Group(*parts, Text(), *why, sentence, Text(f"Execution: {report.run_id}\nReport: {clean(where)}", "dim"))


def _beside(report: ExtractReport) -> str:
    """What the refreshes and the deletions landed, and cost."""
    told = ""
    refreshed, deleted = (sum(getattr(o, name) or 0 for o in report.objects) for name in ("refreshed", "deleted"))
    for step, counted in (("refresh", f"{number(refreshed)} refreshed"), ("deleted", plural(deleted, "deletion"))):
        calls = sum(o.calls_by_step.get(step, 0) for o in report.objects)
        told += f", {counted} ({plural(calls, 'call')})" if calls else ""
    return told


def _table(reports: Sequence[ObjectReport]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    for title in ("Object", "State", "API"):
        table.add_column(title, overflow="fold")
    for title in ("Rows", "Calls", "Time"):
        table.add_column(title, justify="right", no_wrap=True)
    for o in reports:
        state = ", ".join([WORDS.get(o.status, o.status) + (" (resumed)" if o.resumed else ""), *_patches(o)])
        cells = (o.api or "", number(o.rows), str(o.calls))
        table.add_row(Text(clean(o.name)), Text(state, STYLES[o.status]), *cells, Text(duration(o.seconds), "dim"))
    return table


def _windows(reports: Sequence[ObjectReport]) -> list[Text]:
    """From when to when the objects were read; in one line, since it is nearly always the same for all."""
    read = [o for o in reports if o.status in ("landed", "nothing_new") and o.api is not None]
    if not read:
        return []
    since = [o.since for o in read if o.since is not None]
    told = [f"{plural(len(read) - len(since), 'object')} from the start"] if len(since) < len(read) else []
    told += [f"{plural(len(since), 'object')} since {_time(min(since))}"] if since else []
    until = [o.until for o in read if o.until is not None]
    return [Text(f"Read {', '.join(told)}" + (f"; up to {_time(max(until))} (UTC)" if until else ""), "dim")]


def status_table(found: Sequence[Standing]) -> RenderableType:
    """How far each object is."""
    if not found:
        return Text("Nothing was extracted into this landing root yet.")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    for title in ("Object", "Landed up to", "Formulas read", "Deletions known"):
        table.add_column(title, overflow="fold")
    table.add_column("Rows", justify="right")
    for one in found:
        b = one.bookmark
        until = _time(b.until) if b.until else "whole each time"
        deletions = Text(_time(one.deletions_until))
        if one.known and one.known.unknown_until:
            gap = f"{_time(one.known.unknown_since) or 'the start'} to {_time(one.known.unknown_until)}"
            deletions.append(f" (unknown: {gap}; reconcile --ids)", STYLES["stopped"])
        table.add_row(Text(clean(b.object)), until, _time(one.refreshed_at), deletions, number(b.rows))
    return table


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
