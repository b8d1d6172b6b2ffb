"""What a person wants to know after the demo: what the org had, what landed, what became of it, whether it is right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from forceglue.run.report import FAILED_STATUSES, Kind, RunReport
from forceglue.run.wording import clean, duration, number, plural

if TYPE_CHECKING:
    from forceglue.demo.beside import Landed
    from forceglue.demo.hour import Worked
    from forceglue.demo.proof import Proof
    from forceglue.extract.report import ExtractReport

TITLES = ("Full load", "An hour later")
SET_ASIDE = ("fail", "reject_file", "quarantine", "drop")
REASONS_SHOWN, NOTES_SHOWN, NAMES_SHOWN = 8, 10, 3
_WORK = {
    "born": ("record is new", "records are new"),
    "changed": ("was changed", "were changed"),
    "deleted": ("was deleted", "were deleted"),
    "undeleted": ("came back", "came back"),
    "purged": ("was purged", "were purged"),
    "merged": ("was merged into another", "were merged into others"),
    "recomputed": ("has other formula values and no newer stamp", "have other formula values and no newer stamp"),
    "late": ("was committed late, under a stamp from before", "were committed late, under a stamp from before"),
}
Counter = Callable[["Round"], int]


@dataclass(frozen=True)
class Round:
    """Once through: the extract, the files of AppFlow flows beside it, the main job.

    Attributes:
        records: how many the org had, those in the recycle bin included.
    """

    records: int
    extract: ExtractReport
    beside: Landed
    run: RunReport

    @property
    def refreshed(self) -> int:
        """Records whose formula values were read again."""
        return sum(one.refreshed or 0 for one in self.extract.objects)

    @property
    def deletions(self) -> int:
        """Deletions that Salesforce listed."""
        return sum(one.deleted or 0 for one in self.extract.objects)

    @property
    def landed(self) -> int:
        """Rows of all kinds."""
        return self.extract.rows + self.refreshed + self.deletions + self.beside.rows

    @property
    def succeeded(self) -> bool:
        """Whether both did."""
        return self.extract.status == self.run.status == "succeeded"


def story(rounds: Sequence[Round], worked: Worked, proof: Proof) -> RenderableType:
    """Both rounds of the demo side by side, what happened between them, and whether the tables are right."""
    runs = [one.run for one in rounds]
    parts = [
        _counts(rounds),
        Text(),
        Text("The hour between: ", "bold").append(f"{told(worked)}.", ""),
        *_failures(rounds),
        *_reasons(runs),
        *_files(runs),
        *_drift(runs),
        *_agreement(rounds),
        *_proved(proof),
        *_places(runs[-1]),
    ]
    return Group(*parts)


def told(worked: Worked) -> str:
    """What the hour did to the org, in one sentence without its stop."""
    counts = [
        f"{number(count)} {words[count > 1]}" for what, words in _WORK.items() if (count := worked.counts.get(what, 0))
    ]
    counts += [f"the field {name} is new" for name in worked.added]
    counts += [f"the field {name} is gone" for name in worked.removed]
    return ", ".join(counts)


def _counts(rounds: Sequence[Round]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", min_width=60)
    table.add_column("The demo org")
    for title in TITLES:
        table.add_column(title, justify="right", no_wrap=True)
    lines: tuple[tuple[str, Counter, str], ...] = (
        ("Records in the org", lambda r: r.records, ""),
        ("Rows landed by extract", lambda r: r.extract.rows, ""),
        ("  formula values read again", lambda r: r.refreshed, ""),
        ("  deletions that Salesforce lists", lambda r: r.deletions, ""),
        ("  API calls that it took", lambda r: r.extract.calls, "dim"),
        ("Rows landed in AppFlow files", lambda r: r.beside.rows, ""),
        ("  files turned away", lambda r: len(r.run.rejected_files), "yellow"),
        ("Rows written to object tables", _total("written", "object"), "green"),
        ("  by formula values alone", _patched("refresh"), ""),
        ("  by listed deletions alone", _patched("deleted"), ""),
        ("  passed over: older, or known already", _total("superseded", "object"), "dim"),
        ("  filtered out", _total("filtered", "object"), "dim"),
        ("  dropped by a rule", _total("dropped", "object"), "yellow"),
        ("  set aside in quarantine", _total("quarantined", "object"), "magenta"),
        ("Object tables written", lambda r: _written(r.run, "object"), ""),
        ("Datasets written", lambda r: _written(r.run, "dataset"), ""),
        ("  rows in them", _total("written", "dataset"), "green"),
        ("  rows set aside", _total("quarantined", "dataset"), "magenta"),
        ("Warehouse files delivered", lambda r: sum(len(m.deliveries) for m in r.run.mappings), ""),
    )
    for label, count, style in lines:
        counts = [count(one) for one in rounds]
        if any(counts) or not label.startswith("  "):
            table.add_row(Text(label), *(Text(number(n), style if n else "dim") for n in counts))
    times: tuple[tuple[str, Callable[[Round], float]], ...] = (
        ("Time of the extract", lambda r: r.extract.seconds),
        ("Time of the run", lambda r: r.run.seconds),
    )
    for label, seconds in times:
        table.add_row(Text(label), *(Text(duration(seconds(one))) for one in rounds))
    return table


def _total(count: str, kind: Kind) -> Counter:
    return lambda one: one.run.total(count, kind)


def _patched(kind: str) -> Counter:
    return lambda one: sum(m.patched.get(kind, 0) for m in one.run.mappings)


def _written(run: RunReport, kind: Kind) -> int:
    return sum(m.kind == kind and m.status == "written" for m in run.mappings)


def _failures(rounds: Sequence[Round]) -> list[RenderableType]:
    lines = []
    for title, one in zip(TITLES, rounds, strict=True):
        lines += [
            (o.name, f"{title}, extract: {o.error or o.status}")
            for o in one.extract.objects
            if o.status in ("failed", "stopped")
        ]
        for m in one.run.mappings:
            if m.status in FAILED_STATUSES or not m.balance:
                why = m.error or (m.status if m.status in FAILED_STATUSES else "rows in and rows out do not add up")
                lines.append((m.name, f"{title}: {why.removeprefix(f'{m.name}: ')}"))
    return _listed("What went wrong", lines, "bold red")


def _reasons(runs: Sequence[RunReport]) -> list[RenderableType]:
    """The rules that set most rows aside in both runs together."""
    found: dict[str, list[int]] = defaultdict(lambda: [0] * len(runs))
    where: dict[str, dict[str, None]] = defaultdict(dict)
    said: dict[str, str] = {}
    for at, run in enumerate(runs):
        for m in run.mappings:
            for rule in m.rules:
                if rule.failed and rule.severity in SET_ASIDE:
                    found[rule.name][at] += rule.failed
                    where[rule.name][m.name] = None
                    said[rule.name] = (rule.description or rule.sql or "").rstrip(".")
    if not found:
        return []
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("Why rows were set aside", overflow="fold", ratio=3)
    for title in TITLES:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Where", overflow="fold", ratio=2)
    worst = sorted(found.items(), key=lambda item: (-sum(item[1]), item[0]))
    for name, counts in worst[:REASONS_SHOWN]:
        shown = (Text(number(n), "magenta" if n else "dim") for n in counts)
        rule_text = Text(clean(name)).append(f": {clean(said[name])}" if said[name] else "", "dim")
        table.add_row(rule_text, *shown, Text(_places_of(list(where[name])), "dim"))
    return [Text(), table, *_more(len(worst) - REASONS_SHOWN, "reason")]


def _files(runs: Sequence[RunReport]) -> list[RenderableType]:
    lines = [(_folder(f.file), f.reason) for run in runs for f in run.rejected_files]
    return _listed("Files that were turned away", lines, "")


def _folder(file: str) -> str:
    """The object's folder, which says more than the ids in a landed file's path; a shorter path as it is."""
    folder = PurePath(file).parents
    return folder[1].name or file if len(folder) > 1 else file


def _drift(runs: Sequence[RunReport]) -> list[RenderableType]:
    """Fields that came, went or changed their type; those of one table with one effect together, the fewest first."""
    groups: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for title, run in zip(TITLES, runs, strict=True):
        for m in run.mappings:
            for note in m.drift:
                change = "came as another type" if note.change.startswith("changed") else note.change
                groups[m.name, title, change, note.effect].append(note.column)
    told = sorted(groups.items(), key=lambda item: len(item[1]))
    return _listed(
        "Fields that changed",
        [(name, f"{title}: {_names(fields)} {change}: {effect}") for (name, title, change, effect), fields in told],
        "",
    )


def _agreement(rounds: Sequence[Round]) -> list[RenderableType]:
    """Whether each run saw what had landed before it."""
    said: list[RenderableType] = [Text()]
    for title, one in zip(TITLES, rounds, strict=True):
        counts = (
            ("rows", "landed", one.landed, one.run.total("landed", "object")),
            ("files", "were made bad", len(one.beside.bad_files), len(one.run.rejected_files)),
            ("rows", "were made bad", one.beside.set_aside, one.run.total("quarantined", "object")),
        )
        wrong = [
            f"{number(made)} {what} {how}, {number(seen)} came out" for what, how, made, seen in counts if made != seen
        ]
        if wrong:
            said.append(Text(f"{title}: {'; '.join(wrong)}.", "bold red"))
        else:
            landed = f"{title}: all {plural(counts[0][2], 'row')} that landed are accounted for"
            aside = one.beside.set_aside
            spoilt = f", and just the {number(aside)} that were made bad were set aside" if aside else ""
            said.append(Text(f"{landed}{spoilt}.", "green"))
    return said


def _proved(proof: Proof) -> list[RenderableType]:
    compared = (
        f"{plural(proof.records, 'record')} of {plural(proof.objects, 'object')} compared field by field, "
        f"{plural(proof.values, 'value')} in all"
    )
    if not proof.differences:
        gone = (
            f"{number(proof.deleted)} are deleted in both, {number(proof.merged)} of them by a merge; "
            f"{number(proof.purged)} more are deleted in the tables, since the org has purged them."
        )
        return [Text(f"The tables hold what the org holds: {compared}.", "bold green"), Text(gone)]
    return [
        Text(f"The tables do not hold what the org holds: {compared}.", "bold red"),
        *_listed("What differs", proof.differences, "red"),
    ]


def _places(run: RunReport) -> list[RenderableType]:
    p = run.paths
    quarantine = f"{p.warehouse.rstrip('/')}/_quarantine" if p.warehouse else None
    places = (
        ("Tables", p.warehouse),
        ("Quarantine", quarantine),
        ("Delivered", p.delivery),
        ("Data Docs", p.data_docs),
        ("Report", p.report),
    )
    # A path stays on one line, however long, so that it can be copied; on most terminals it can be clicked.
    lines = [
        Text(f"{label:<12}", "dim", no_wrap=True, overflow="ignore").append(clean(place), _link(place))
        for label, place in places
        if place
    ]
    return [Text(), Text("Where to look", "bold"), *lines] if lines else []


def _link(place: str) -> Style:
    path = Path(place)
    return Style(link=path.as_uri() if path.is_absolute() else None)


def _listed(title: str, lines: Sequence[tuple[str, str]], style: str) -> list[RenderableType]:
    if not lines:
        return []
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold", max_width=40)
    grid.add_column(overflow="fold")
    for name, text in lines[:NOTES_SHOWN]:
        grid.add_row(Text(clean(name)), Text(clean(text), style))
    return [Text(), Text(title, "bold"), grid, *_more(len(lines) - NOTES_SHOWN, "line")]


def _more(rest: int, what: str) -> list[RenderableType]:
    return [Text(f"and {plural(rest, what)} more; see the report", "dim")] if rest > 0 else []


def _names(names: Sequence[str]) -> str:
    rest = len(names) - NAMES_SHOWN
    return clean(", ".join(names[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else ""))


def _places_of(tables: Sequence[str]) -> str:
    return clean(", ".join(tables)) if len(tables) <= NAMES_SHOWN else plural(len(tables), "table")
