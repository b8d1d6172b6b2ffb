"""The words and number forms that the report page and the terminal share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from forceglue.run.report import FAILED_STATUSES, OUTCOMES, MappingReport, RunReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OUTCOME_LABELS = {
    "written": "written",
    "superseded": "older versions",
    "filtered": "filtered",
    "dropped": "dropped",
    "quarantined": "quarantined",
}
PATCH_LABELS = {
    "refresh": ("refreshed", "refreshed"),
    "deleted": ("deletion", "deletions"),
    "vanished": ("vanished", "vanished"),
}
MINUTE, HOUR = 60, 3600
SHOWN_IN_TENTHS = 9.95
DRIFT_SHOWN = 4
_NO_CHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
_ACTS = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff{_NO_CHARACTERS}]")
Level = Literal["bad", "look", "note"]


@dataclass(frozen=True)
class Attention:
    """What a person should know about one mapping (None: about files).

    `bad`: nothing was loaded, or rows do not add up; `look`: something was set aside; `note`: everything was written.
    """

    level: Level
    mapping: str | None
    label: str
    text: str


def number(value: float) -> str:
    """`12,345`; a whole float without its point."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 row`, `12,345 rows`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def patched_rows(patched: Mapping[str, int]) -> str:
    """`12 refreshed, 3 deletions`: how many rows patches changed; empty where none."""
    return ", ".join(plural(n, *PATCH_LABELS[kind]) for kind, n in patched.items() if n)


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 5 s`, `2 h 4 min`."""
    whole = round(seconds)
    if seconds < SHOWN_IN_TENTHS:
        return f"{max(seconds, 0.0):.1f} s"
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


def clean(text: str) -> str:
    """`text` without what a terminal or a page may act on: control, bidirectional and half characters become U+FFFD."""
    return _ACTS.sub("\ufffd", text)


def joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def status_word(report: RunReport) -> str:
    """`Succeeded` or `Failed`."""
    return "Succeeded" if report.status == "succeeded" else "Failed"


def headline(report: RunReport) -> str:
    """One sentence: what failed, what landed, what was written, what was set aside."""
    if not report.mappings:
        return "There was no mapping to run."
    said = [_failures(report), _objects(report), _datasets(report), _set_aside(report)]
    told = "; ".join(s for s in said if s)
    return told[0].upper() + told[1:] + "."


def _failures(report: RunReport) -> str | None:
    failed = sum(m.status in FAILED_STATUSES for m in report.mappings)
    return f"{number(failed)} of {plural(len(report.mappings), 'mapping')} loaded nothing" if failed else None


def _objects(report: RunReport) -> str | None:
    objects = [m for m in report.mappings if m.kind == "object"]
    landed = report.total("landed", "object")
    if not objects or not landed:
        return "nothing new landed" if objects else None
    tables = plural(sum(m.status == "written" for m in objects), "table")
    return f"{plural(landed, 'row')} landed, {number(report.total('written', 'object'))} went into {tables}"


def _datasets(report: RunReport) -> str | None:
    datasets = [m for m in report.mappings if m.kind == "dataset"]
    built = sum(m.status == "written" for m in datasets)
    if built:
        rows = plural(report.total("written", "dataset"), "row")
        return f"{plural(built, 'dataset')} {'was' if built == 1 else 'were'} written with {rows}"
    return "no dataset had anything new" if any(m.status == "unchanged" for m in datasets) else None


def _set_aside(report: RunReport) -> str:
    rows, files = report.total("quarantined"), len(report.rejected_files)
    parts = ([plural(rows, "row")] if rows else []) + ([plural(files, "file")] if files else [])
    return f"{joined(parts)} {'was' if rows + files == 1 else 'were'} set aside" if parts else "nothing was set aside"


def attention(report: RunReport) -> tuple[Attention, ...]:
    """What needs a person, worst first; at most one entry a mapping."""
    found = [a for m in report.mappings if (a := _of_mapping(m))]
    if files := report.rejected_files:
        found.append(Attention("look", None, "set aside", f"{plural(len(files), 'file')} did not pass the file checks"))
    order = {"bad": 0, "look": 1, "note": 2}
    return tuple(sorted(found, key=lambda a: order[a.level]))


def _of_mapping(m: MappingReport) -> Attention | None:
    bad, look, notes = _bad(m), _look(m), _notes(m)
    text = "; ".join(part.removesuffix(".") for part in (*bad, *look, *notes))
    if bad:
        return Attention("bad", m.name, m.status if m.status in FAILED_STATUSES else "wrong", text)
    if look:
        return Attention("look", m.name, "set aside" if m.quarantined or m.rejected_files else "look", text)
    return Attention("note", m.name, "note", text) if notes else None


def _bad(m: MappingReport) -> list[str]:
    found = []
    if m.status in FAILED_STATUSES:
        fallback = {"stopped": "a gate said no", "skipped": "a mapping that it reads from failed"}
        found.append((m.error or fallback.get(m.status, "no reason was recorded")).removeprefix(f"{m.name}: "))
    if m.held:
        found.append(f"{plural(m.held, 'row waits', 'rows wait')} for the next run")
    if not m.balance:
        found.append(f"{number(m.landed)} rows in, {number(sum(getattr(m, o) for o in OUTCOMES))} accounted for")
    return found


def _look(m: MappingReport) -> list[str]:
    found = []
    if m.quarantined:
        broken = [r.name for r in m.rules if r.failed and r.severity in ("quarantine", "reject_file")]
        found.append(f"{plural(m.quarantined, 'row')} in quarantine" + (f" ({', '.join(broken)})" if broken else ""))
    missed = [e.name for e in m.expectations if not e.success]
    if missed and m.status != "stopped":
        found.append(f"{plural(len(missed), 'expectation')} not met ({', '.join(missed)})")
    return [*found, *m.warnings]


def _notes(m: MappingReport) -> list[str]:
    warned = [f"{r.name} {number(r.failed)}" for r in m.rules if r.failed and r.severity == "warn"]
    found = [f"rows with a warning: {', '.join(warned)}"] if warned else []
    if m.drift:
        more = f" and {len(m.drift) - DRIFT_SHOWN} more" if len(m.drift) > DRIFT_SHOWN else ""
        found.append(f"fields changed: {', '.join(f'{d.column} {d.change}' for d in m.drift[:DRIFT_SHOWN])}{more}")
    return found
