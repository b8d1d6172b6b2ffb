"""The report of a comparison as one HTML page that needs neither a network nor JavaScript."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from forceglue.reconcile import wording
from forceglue.reconcile.report import GOOD, ReconcileReport
from forceglue.run.pages import environment

if TYPE_CHECKING:
    from jinja2 import Environment

LINES_SHOWN = 500


def render_html(report: ReconcileReport) -> str:
    """The whole page; every text is escaped, so names may hold anything."""
    return (
        _pages()
        .get_template("reconcile.html.j2")
        .render(
            report=report,
            headline=wording.headline(report),
            started=f"{report.started.day} {report.started:%B %Y, %H:%M:%S} UTC",
            attention=[(one, text) for one in report.objects for text in wording.things(one)],
            by_ids=any(one.ids is not None for one in report.objects),
        )
    )


@cache
def _pages() -> Environment:
    made = environment("forceglue.reconcile")
    made.globals.update(
        statuses=wording.STATUSES, kinds=wording.KINDS, because=wording.because, classes=wording.classes,
        good=GOOD, lines_shown=LINES_SHOWN,
    )  # fmt: skip
    made.filters.update(amount=wording.amount)
    return made
