"""The report of a run as one HTML page that needs neither a network nor JavaScript."""

from __future__ import annotations

import os.path
import posixpath
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from forceglue.run import wording
from forceglue.run.pages import environment
from forceglue.run.report import OUTCOMES, Kind, MappingReport, RunReport

if TYPE_CHECKING:
    from jinja2 import Environment

FILES_SHOWN = 10
ATTENTION_SHOWN = 25
SLOWEST_SHOWN = 10
# Kind, title of its table, unit of its rows, title of its card.
SECTIONS: tuple[tuple[Kind, str, str, str], ...] = (
    ("object", "Salesforce objects", "rows landed", "From Salesforce to tables"),
    ("dataset", "Datasets", "rows read", "From tables to the warehouse"),
)
STATUS_WORDS = {
    "written": "written",
    "unchanged": "nothing new",
    "stopped": "stopped",
    "failed": "failed",
    "skipped": "skipped",
}


def render_html(report: RunReport) -> str:
    """The whole page; every text of the report is escaped, so names may hold anything."""
    numbered = tuple(enumerate(report.mappings, start=1))
    anchors = {m.name: f"m{i}" for i, m in numbered}
    things = wording.attention(report)
    urgent = [a for a in things if a.level != "note"]
    return (
        _report_environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            started=_when(report.started),
            headline=wording.headline(report),
            status_word=wording.status_word(report),
            attention=urgent[:ATTENTION_SHOWN],
            attention_more=len(urgent) - ATTENTION_SHOWN,
            notes=[a for a in things if a.level == "note"],
            time=_time(report),
            sections=[section for words in SECTIONS if (section := _section(report, words))],
            details=[(anchors[m.name], m) for m in report.mappings if _has_details(m)],
            anchors=anchors,
            linked={m.name for m in report.mappings if _has_details(m)},
            data_docs_href=_relative(report.paths.report, report.paths.data_docs),
        )
    )


@cache
def _report_environment() -> Environment:
    made = environment("forceglue.run")
    made.globals.update(
        outcomes=OUTCOMES, labels=wording.OUTCOME_LABELS, status_words=STATUS_WORDS, bar=_bar, files_shown=FILES_SHOWN
    )
    return made


def _section(report: RunReport, words: tuple[Kind, str, str, str]) -> dict[str, Any] | None:
    kind, title, unit, lead = words
    mine = [m for m in report.mappings if m.kind == kind]
    if not mine:
        return None
    totals = {name: report.total(name, kind) for name in ("landed", *OUTCOMES, "inserted", "updated", "deleted")}
    return {
        "kind": kind,
        "title": title,
        "unit": unit,
        "lead": lead,
        "mappings": mine,
        "totals": totals,
        "bar": _bar(totals),
    }


def _bar(counts: MappingReport | dict[str, int]) -> list[tuple[str, int, float]]:
    """`(outcome, rows, share of all rows in percent)` of each outcome that has rows."""
    rows = {name: counts[name] if isinstance(counts, dict) else getattr(counts, name) for name in OUTCOMES}
    whole = sum(rows.values())
    return [(name, n, 100 * n / whole) for name, n in rows.items() if n]


def _time(report: RunReport) -> dict[str, Any] | None:
    """Where the time of the whole run went: its own stages, those of its mappings added up, the slowest mappings."""
    timed = sorted((m for m in report.mappings if m.stages), key=lambda m: (-m.seconds, m.name))
    if not (report.stages or timed):
        return None
    names = list(dict.fromkeys(name for m in timed for name in m.stages))
    totals = {name: sum(m.stages.get(name, 0.0) for m in timed) for name in names}
    return {
        "run": report.stages,
        "names": names,
        "totals": totals,
        "slowest": timed[:SLOWEST_SHOWN],
        "timed": len(timed),
    }


def _when(time: datetime) -> str:
    utc = time.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M:%S} UTC"


def _has_details(m: MappingReport) -> bool:
    facts = (m.rules, m.drift, m.expectations, m.deliveries, m.files, m.rejected_files, m.error, m.stages)
    return any(facts) or not m.balance


def _relative(page: str | None, target: str | None) -> str | None:
    """The link from the page to the target, so that both may be moved or served together; None where none can be."""
    if not page or not target:
        return None
    if "://" in page or "://" in target:
        (scheme, _, here), (other, _, there) = page.partition("://"), target.partition("://")
        if scheme != other or here.split("/")[0] != there.split("/")[0]:
            return None
        return quote(posixpath.relpath(there, posixpath.dirname(here)))
    return quote(os.path.relpath(target, Path(page).parent).replace(os.sep, "/"))
