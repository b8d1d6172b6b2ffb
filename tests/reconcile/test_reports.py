"""One report as text, as JSON and as a page: the same numbers, nothing of a record, nothing that is not escaped."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import html5lib
from rich.console import Console

from forceglue.reconcile.console import summary
from forceglue.reconcile.explain import Line
from forceglue.reconcile.ids import IdsFound
from forceglue.reconcile.report import Compared, ReconcileReport, plain_number, totals
from forceglue.reconcile.report_html import LINES_SHOWN, render_html
from forceglue.reconcile.wording import amount, because, headline

DAY = date(2026, 3, 4)
LINES = (
    Line(DAY, "records", Decimal(1200), Decimal(1190), {"in_flight": Decimal(12), "purged": Decimal(-2)}, Decimal(0)),
    Line(DAY, "Amount", Decimal("10.50"), Decimal("9.25"), {"in_flight": Decimal("0.25")}, Decimal("1.00")),
)
MEASURES = ("records", "Amount")
ORDER = Compared(
    "Order", "order", "unexplained", by_day=True, days=365, totals=totals(LINES, MEASURES), lines=LINES,
    not_compared={"Score__c": "a formula"}, deleted=7, version=3, calls=4, notes=("2 files are rejected",),
)  # fmt: skip
LEAD = Compared("Lead", "lead", "equal", by_day=True, days=2)
GONE = Compared("Gone__c", "gone", "failed", error="Gone__c: the org has no such object")
IDS = Compared(
    "Task", "task", "explained",
    ids=IdsFound(10_000, 20, 10_001, {"vanished": {"gone": 2, "waiting": 1}, "missing": {"in_flight": 3}}, "ids.csv"),
)  # fmt: skip
REPORT = ReconcileReport(
    "r1", datetime(2026, 3, 5, tzinfo=UTC), 1.5, "demo", "https://example.my.salesforce.com", "67.0", None, 12, 100,
    15_000, (ORDER, LEAD, GONE),
)  # fmt: skip
NASTY = "<script>alert('1')</script>\"&<b>\u202e\x1b\x00"


def text(report: ReconcileReport) -> str:
    out = io.StringIO()
    Console(file=out, width=200, force_terminal=False).print(summary(report))
    return re.sub(r"[ \t]+", " ", out.getvalue())


def page(report: ReconcileReport) -> str:
    """The words of the page, read as a browser does, with any error of its HTML as an error."""
    parser = html5lib.HTMLParser(html5lib.treebuilders.getTreeBuilder("lxml"), strict=True, namespaceHTMLElements=False)
    body = parser.parse(render_html(report)).getroot().find("body")
    return re.sub(r"\s+", " ", " ".join(body.itertext()))


def test_every_form_tells_the_same_numbers() -> None:
    for told in (text(REPORT), page(REPORT)):
        for said in ("1,200", "1,190", "+12 in flight, -2 purged in Salesforce", "10.5", "9.25", "+0.25 in flight", "+1",
                     "2026-03-04", "1 of 365", "2 files are rejected", "the org has no such object", "a formula"):  # fmt: skip
            assert said in told, said
        assert headline(REPORT) in told
    told = json.loads(REPORT.to_json())
    assert told["status"] == "failed" and told["objects"][0]["lines"][1] == {
        "day": "2026-03-04", "measure": "Amount", "org": "10.5", "table": "9.25", "explained": {"in_flight": "0.25"},
        "unexplained": "1", "tolerated": False, "compared": True,
    }  # fmt: skip


def test_a_sum_that_is_the_same_every_day_is_no_row() -> None:
    whole = replace(ORDER, totals=totals(LINES, (*MEASURES, "Tax", "Discount")))
    report = replace(REPORT, objects=(whole,))
    for told in (text(report), page(report)):
        assert "Amount" in told and "Tax" not in told and "Discount" not in told
    assert "records and 2 equal sums" in page(report)


def test_a_comparison_of_ids() -> None:
    report = replace(REPORT, objects=(IDS, replace(LEAD, ids=IdsFound(1, 0, 1)), GONE))
    for told in (text(report), page(report)):
        for said in ("10,000", "10,001", "3 live in the table, gone from the org: 2 listed by Salesforce as deleted, 1 waiting",
                     "3 not in the table: 3 in flight"):  # fmt: skip
            assert said in told, said
    assert json.loads(report.to_json())["objects"][0]["ids"]["found"]["vanished"] == {"gone": 2, "waiting": 1}


def test_names_and_messages_hold_anything() -> None:
    bad = replace(GONE, table=NASTY, object=NASTY, error=NASTY)
    told = replace(REPORT, project=NASTY, objects=(bad, replace(ORDER, table=NASTY, not_compared={NASTY: NASTY})))
    assert "<script>" not in render_html(told) and "\x1b" not in render_html(told) + text(told)
    assert page(told)


def test_a_page_needs_no_network() -> None:
    assert not re.search(r"src=|@import|url\(|<script|href=\"http", render_html(REPORT))


def test_days_beyond_what_a_page_shows_are_counted() -> None:
    many = tuple(replace(LINES[1], day=date.fromordinal(DAY.toordinal() + n)) for n in range(LINES_SHOWN + 7))
    assert "and 7 more" in page(replace(REPORT, objects=(replace(ORDER, lines=many),)))
    assert "more: --format json tells all" in text(replace(REPORT, objects=(replace(ORDER, lines=many),)))


def test_nothing_to_compare() -> None:
    nothing = replace(REPORT, objects=())
    assert (
        nothing.status == "succeeded"
        and "nothing to compare" in text(nothing)
        and "nothing to compare" in page(nothing)
    )


def test_amounts_are_written_without_exponents_and_with_every_digit() -> None:
    assert [plain_number(Decimal(t)) for t in ("1E+3", "0E-8", "1.500", "-0.00000001", "100")] == [
        "1000", "0", "1.5", "-0.00000001", "100",
    ]  # fmt: skip
    assert [amount(Decimal(t), signed=True) for t in ("1234567.80", "-1234", "0")] == ["+1,234,567.8", "-1,234", "0"]
    assert because({"in_flight": Decimal(0), "waiting": Decimal(2)}) == "+2 waiting in landing"
