"""What a person reads in the terminal: progress while a run works, the summary of a run, the table of a plan."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from forceglue.run import wording
from forceglue.run.report import OUTCOMES, Kind, MappingReport, RejectedFile, RunReport
from forceglue.run.wording import clean, duration, number, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from rich.status import Status

STYLES = {
    "written": "green",
    "unchanged": "dim",
    "stopped": "bold red",
    "failed": "bold red",
    "skipped": "red",
    "bad": "bold red",
    "look": "yellow",
    "note": "dim",
}
SIGNS = {
    "written": ("✓", "+"),
    "unchanged": ("·", "-"),
    "stopped": ("✗", "x"),
    "failed": ("✗", "x"),
    "skipped": ("✗", "x"),
}
NOTES_SHOWN = 15
NAMES_SHOWN = 3
TITLES = {name: label.capitalize() for name, label in wording.OUTCOME_LABELS.items()} | {"superseded": "Older"}
PLAN_TITLES = TITLES | {"written": "Would write"}
COUNT_STYLES = {"written": "green", "dropped": "yellow", "quarantined": "magenta"}


class ProgressPrinter:
    """One line a mapping when it ends; on a terminal also a live line with what is being worked on.

    Threads may share it. Without a terminal there are only whole lines.
    """

    def __init__(self, console: Console | None = None, *, total: int | None = None, width: int = 24) -> None:
        self._console = console or Console(highlight=False)
        self._total, self._width = total, width
        self._running: dict[str, str] = {}
        self._done = 0
        self._lock = Lock()
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status(self._live(), spinner_style="cyan")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()
            self._status = None

    def on_event(self, name: str, state: str, counts: Mapping[str, float] | None = None, patched: str = "") -> None:
        """Tells what became of a mapping.

        Args:
            name: the mapping.
            state: a mapping's status (`written`, `unchanged`, ...) ends it; any other (`reading`) is what it does now.
            counts: by the names of `MappingReport`; what is missing is 0.
            patched: how many of the written rows patches changed.
        """
        with self._lock:
            if state in SIGNS:
                self._running.pop(name, None)
                self._done += 1
                self._console.print(self._line(name, state, counts or {}, patched), soft_wrap=True)
            else:
                self._running[name] = state
            if self._status:
                self._status.update(self._live())

    def say(self, text: str) -> None:
        """A line of its own, for what is no mapping (`212 files passed the checks`)."""
        with self._lock:
            self._console.print(Text(clean(text)), soft_wrap=True)

    def _line(self, name: str, state: str, counts: Mapping[str, float], patched: str) -> Text:
        plain = self._console.options.ascii_only
        return progress_line(name, state, counts, self._width, patched=patched, ascii_only=plain)

    def _live(self) -> Text:
        done = f"{self._done} of {self._total}" if self._total else str(self._done)
        working = [f"{clean(name)} ({state})" for name, state in list(self._running.items())[:NAMES_SHOWN]]
        more = len(self._running) - len(working)
        told = ", ".join(working) + (f" and {more} more" if more > 0 else "")
        return Text(f"{done} done" + (f"; now {told}" if told else ""))


def progress_line(
    name: str,
    state: str,
    counts: Mapping[str, float],
    width: int = 24,
    *,
    patched: str = "",
    ascii_only: bool = False,
) -> Text:
    """`✓ order   1,200 landed, 1,180 written (12 refreshed), 15 older versions, 5 quarantined  1.2 s`."""
    line = Text(f"{SIGNS[state][ascii_only]} ", style=STYLES[state]).append(clean(name).ljust(width), "bold")
    if state == "written":
        parts = [f"{number(counts.get('landed', 0))} landed"]
        told = {"written": f" ({patched})"} if patched else {}
        labels = ((key, word + told.get(key, "")) for key, word in wording.OUTCOME_LABELS.items())
        parts += [f"{number(n)} {word}" for key, word in labels if (n := counts.get(key, 0))]
        line.append("  " + ", ".join(parts), "")
    else:
        line.append("  " + ("nothing new" if state == "unchanged" else state), STYLES[state])
        if held := counts.get("held", 0):
            line.append(f", {plural(int(held), 'row waits', 'rows wait')} for the next run", "")
    if "seconds" in counts:
        line.append(f"  {duration(counts['seconds'])}", "dim")
    return line


def summary(report: RunReport) -> RenderableType:
    """The end of a run: the table of mappings, what needs a look, the files turned away, where to look, a sentence."""
    parts: list[RenderableType] = []
    busy = [m for m in report.mappings if m.status != "unchanged"]
    if busy:
        parts.append(_mappings_table(report, busy))
    quiet = len(report.mappings) - len(busy)
    if quiet:
        parts.append(Text(f"{plural(quiet, 'mapping')} had nothing new.", "dim"))
    parts += _attention(report) + _rejected(report.rejected_files) + _paths(report)
    style = "bold green" if report.status == "succeeded" else "bold red"
    sentence = Text(f"{wording.status_word(report)} in {duration(report.seconds)}. ", style).append(
        clean(wording.headline(report)), ""
    )
    return Group(*parts, Text(), sentence)


def plan_table(
    mappings: Sequence[MappingReport],
    told: Sequence[tuple[str, str]] = (),
    rejected: Sequence[RejectedFile] = (),
) -> RenderableType:
    """What a run would do, from the reports of a run that wrote nothing.

    Per mapping the new files, the rows in and where they would go; then the changes of the schema.

    Args:
        told: further sentences, each with its mapping.
        rejected: files that would be turned away.
    """
    busy = [m for m in mappings if m.status != "unchanged" or m.landed or m.files or m.drift or m.error]
    quiet = len(mappings) - len(busy)
    said = Text(f"{plural(quiet, 'mapping')} would have nothing to do. " if quiet else "").append(
        "Nothing was written.", "bold"
    )
    if not busy:
        return Group(*_rejected(rejected, "Files that would be turned away"), said)
    shown = _outcomes_shown(busy)
    table = _table()
    _add_columns(table, "New files", "Rows in", *(PLAN_TITLES[name] for name in shown))
    for m in busy:
        files = number(len(m.files)) if m.kind == "object" else ""
        table.add_row(_name(m.name), files, number(m.landed), *_counts(m, shown))
    for kind in _kinds(busy):
        mine = [m for m in busy if m.kind == kind]
        files = number(sum(len(m.files) for m in mine)) if kind == "object" else ""
        sums = [number(sum(getattr(m, count) for m in mine)) for count in ("landed", *shown)]
        table.add_row(f"All {kind}s", files, *sums, style="bold")
    changes = [(m.name, f"{d.column} {d.change}: {d.effect}", "") for m in busy for d in m.drift]
    errors = [(m.name, m.error.removeprefix(f"{m.name}: "), STYLES["bad"]) for m in busy if m.error]
    notes = [(name, text, "") for name, text in told]
    return Group(
        table,
        *titled("Changes of the schema", changes),
        *titled("Would not be loaded", errors),
        *titled("In detail", notes, shown=len(notes)),
        *_rejected(rejected, "Files that would be turned away"),
        Text(),
        said,
    )


def _table() -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    table.add_column("Mapping", overflow="fold", min_width=12)
    return table


def _add_columns(table: Table, *titles: str) -> None:
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)


def _mappings_table(report: RunReport, busy: Sequence[MappingReport]) -> Table:
    shown = _outcomes_shown(busy)
    table = _table()
    table.add_column("State")
    _add_columns(table, "Landed", *(TITLES[name] for name in shown), "Time")
    for m in busy:
        state = Text(m.status, STYLES[m.status]) if m.balance else Text(f"{m.status}, wrong balance", STYLES["bad"])
        table.add_row(_name(m.name), state, number(m.landed), *_counts(m, shown), Text(duration(m.seconds), "dim"))
    for kind in _kinds(busy):
        sums = [number(report.total(count, kind)) for count in ("landed", *shown)]
        table.add_row(f"All {kind}s", "", *sums, "", style="bold")
    return table


def _kinds(busy: Sequence[MappingReport]) -> tuple[Kind, ...]:
    kinds: tuple[Kind, ...] = ("object", "dataset")
    return tuple(kind for kind in kinds if any(m.kind == kind for m in busy))


def _outcomes_shown(busy: Sequence[MappingReport]) -> tuple[str, ...]:
    """Written and quarantined always, the others where they have rows, so that the table fits a terminal."""
    return tuple(o for o in OUTCOMES if o in ("written", "quarantined") or any(getattr(m, o) for m in busy))


def _counts(m: MappingReport, shown: Sequence[str]) -> list[Text]:
    counts = [(name, int(getattr(m, name))) for name in shown]
    return [Text(number(n), COUNT_STYLES.get(name, "")) if n else Text("0", "dim") for name, n in counts]


def titled(title: str, notes: Sequence[tuple[str, str, str]], *, shown: int = NOTES_SHOWN) -> list[RenderableType]:
    """A titled list of `(mapping or object, text, style)`; the first ones, then how many more."""
    if not notes:
        return []
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold", max_width=40)
    grid.add_column(overflow="fold")
    for name, text, style in notes[:shown]:
        grid.add_row(Text(clean(name), "bold"), Text(clean(text), style))
    rest = len(notes) - shown
    more = [Text(f"and {number(rest)} more", "dim")] if rest > 0 else []
    return [Text(), Text(title, "bold"), grid, *more]


def _name(name: str) -> Text:
    return Text(clean(name))


def _attention(report: RunReport) -> list[RenderableType]:
    found = [a for a in wording.attention(report) if a.mapping]
    urgent = [(a.mapping or "", a.text, STYLES[a.level]) for a in found if a.level != "note"]
    quiet = len(found) - len(urgent)
    notes = (
        [Text(f"{plural(quiet, 'mapping')} with a warning or a changed field; see the report", "dim")] if quiet else []
    )
    return [*titled("What needs a look", urgent), *notes]


def _rejected(files: Sequence[RejectedFile], title: str = "Files that were turned away") -> list[RenderableType]:
    if not files:
        return []
    lines = [Text(clean(f"{f.file}: {f.reason}")) for f in files[:NOTES_SHOWN]]
    if len(files) > NOTES_SHOWN:
        lines.append(Text(f"and {plural(len(files) - NOTES_SHOWN, 'file')} more; all are in the report", "dim"))
    return [Text(), Text(title, "bold"), *lines]


def _paths(report: RunReport) -> list[RenderableType]:
    p = report.paths
    places = (("Tables", p.warehouse), ("Delivered", p.delivery), ("Report", p.report), ("Data Docs", p.data_docs))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, place in places:
        if place:
            grid.add_row(label, Text(clean(place)))
    return [Text(), Text("Where to look", "bold"), grid] if grid.row_count else []
