from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings

from forceglue.run.report import IngestCounts, Paths, RuleCount, RunReport
from forceglue.run.report_html import FILES_SHOWN, render_html
from run.report_samples import FORECAST, LEAD, ORDER, REPORT, SALES, STOPPED, run_reports

if TYPE_CHECKING:
    from lxml import etree

NASTY = "<script>alert('1')</script>\"&<b>\u202e\x1b\x00"


def parsed(report: RunReport) -> etree._Element:
    """The page, read as a browser does, with any error of its HTML as an error."""
    return (
        html5lib.HTMLParser(html5lib.treebuilders.getTreeBuilder("lxml"), strict=True, namespaceHTMLElements=False)
        .parse(render_html(report))
        .getroot()
    )


def words(element: etree._Element) -> str:
    return re.sub(r"\s+", " ", " ".join(element.itertext())).strip()


def table_row(page: etree._Element, name: str) -> list[str]:
    rows = [[words(cell) for cell in row.iter("td")] for row in page.iterfind(".//table[@class='mappings']/tbody/tr")]
    return next(row for row in rows if row[0] == name)


def test_every_count_of_every_mapping_is_there() -> None:
    page = parsed(REPORT)
    assert table_row(page, "order")[1:] == [
        *("written", "", "1,200", "1,150", "15", "20", "8", "7", "1,000", "148", "2", "1.2 s")
    ]
    assert table_row(page, "opportunity")[1] == "stopped"
    assert table_row(page, "Forecast")[1] == "skipped"
    assert table_row(page, "lead")[1] == "nothing new"


def test_the_bar_shows_the_balance() -> None:
    bar = parsed(REPORT).find(".//table[@class='mappings']//tr/td/div[@role='img']")
    assert bar is not None
    assert bar.get("aria-label") == "written 1,150, older versions 15, filtered 20, dropped 8, quarantined 7"
    assert [part.get("class") for part in bar] == ["written", "superseded", "filtered", "dropped", "quarantined"]
    grown = [float(re.sub(r"[^0-9.]", "", part.get("style", ""))) for part in bar]
    assert grown == pytest.approx([100 * n / 1200 for n in (1150, 15, 20, 8, 7)], abs=0.001)


def test_the_details_tell_rules_drift_files_expectations_and_time() -> None:
    details = {
        words(d.find("summary/b")): words(d) for d in parsed(REPORT).iter("details") if d.find("summary/b") is not None
    }
    for said in (
        "account_is_known The account was loaded too account_name is not null quarantine 1,193 7 0.58",
        "Region__c appeared evolve column region__c added",
        "expect_table_row_count_to_be_between min_value: 1 met 1150",
        f"and {25 - FILES_SHOWN} more",
        "read 0.2 s judge 0.9 s",
    ):
        assert said in details["order"]
    assert "3,021 rows were read and not loaded" in details["opportunity"]
    assert "Synth-Sales_Order_2026-11-21 101500.csv" in details["Sales_Order"]


def test_where_the_time_of_the_run_went() -> None:
    section = parsed(REPORT).find(".//h2[@id='time']").getnext()
    rows = [[words(cell) for cell in row] for row in section.iter("tr")]
    assert rows[0][0] == "Mapping"
    assert rows[0][-1] == "Time"
    assert {"read", "judge"} <= set(rows[0])
    order = dict(zip(rows[0], next(row for row in rows if row[0] == "order"), strict=True))
    assert (order["read"], order["judge"], order["Time"]) == ("0.2 s", "0.9 s", "1.2 s")
    assert rows[-1][0].startswith("All ")
    for name in REPORT.stages:
        assert name in words(section)


def test_rejected_files_have_their_reason() -> None:
    page = parsed(REPORT)
    section = page.find(".//h2[@id='rejected']").getnext()
    assert "in/dev-Salesforce-Lead/9aa1/part.parquet the end is missing truncated error/Lead/part.parquet" in words(
        section
    )


def test_every_link_of_the_page_leads_somewhere_and_nothing_is_fetched() -> None:
    page = parsed(REPORT)
    ids = [e.get("id") for e in page.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    links = {a.get("href") for a in page.iter("a")}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert {link for link in links if not link.startswith("#")} == {"../../_docs/index.html"}
    assert not list(page.iter("script", "link", "img", "iframe"))
    assert "url(" not in render_html(REPORT)


def test_text_of_the_data_stays_text() -> None:
    nasty = replace(
        ORDER,
        name=NASTY,
        error=NASTY,
        files=(NASTY,),
        deliveries=(NASTY,),
        rules=(RuleCount(NASTY, "warn", 1, 2, NASTY, NASTY),),
        stages={NASTY: 1.0},
    )
    report = replace(
        REPORT, run_id=NASTY, project=NASTY, environment=NASTY, mappings=(nasty,), paths=Paths(*[NASTY] * 5)
    )
    page = parsed(report)
    assert not list(page.iter("script"))
    assert "<script>alert('1')</script>\"&<b>\ufffd\ufffd\ufffd" in words(page)
    assert not re.search("[\x00\x1b\u202e]", render_html(report))


@given(run_reports)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_report_is_a_whole_page(report: RunReport) -> None:
    parsed(report)


def test_a_run_of_nothing() -> None:
    page = parsed(replace(REPORT, mappings=(), ingest=IngestCounts(), paths=Paths(), status="succeeded"))
    assert "There was no mapping to run." in words(page)


def test_two_thousand_mappings_are_all_there() -> None:
    many = tuple(
        replace(m, name=f"{m.name}_{'x' * 200}_{i}")
        for i in range(400)
        for m in (ORDER, LEAD, STOPPED, SALES, FORECAST)
    )
    text = render_html(replace(REPORT, mappings=many))
    assert all(f"_{i}</a>" in text for i in range(400))
    assert text.count('<td class="n') >= 2_000 * 10
    assert len(text) < 20_000_000


def test_a_wrong_balance_is_shown() -> None:
    page = parsed(replace(REPORT, mappings=(replace(SALES, landed=1_151),)))
    assert "rows do not add up" in words(page.find(".//header"))
    assert "does not balance" in table_row(page, "Sales_Order")[1]


@pytest.mark.parametrize(
    ("report_path", "docs", "href"),
    [
        ("w/_runs/1/report.html", "w/_docs/index.html", "../../_docs/index.html"),
        ("/a/_runs/1/report.html", "/b c/index.html", "../../../b%20c/index.html"),
        ("s3://b/w/_runs/1/report.html", "s3://b/w/_docs/index.html", "../../_docs/index.html"),
        ("s3://b/report.html", "s3://other/index.html", None),
        ("s3://b/report.html", "/local/index.html", None),
        ("w/report.html", None, None),
        ("report.html", "javascript:alert(1)", "javascript%3Aalert%281%29"),
    ],
)
def test_the_link_to_data_docs(report_path: str, docs: str | None, href: str | None) -> None:
    page = parsed(replace(REPORT, paths=Paths(report=report_path, data_docs=docs), mappings=()))
    links = [a.get("href") for a in page.iter("a")]
    assert href in links if href else all(link.startswith("#") for link in links)


def test_how_many_rows_were_refreshed_or_deleted_stands_beside_the_mapping() -> None:
    page = render_html(replace(REPORT, mappings=(replace(ORDER, patched={"refresh": 12, "deleted": 3}),)))
    assert "written (12 refreshed, 3 deletions)" in page


def test_the_page_says_what_the_run_was_started_for() -> None:
    assert "Started for" not in words(parsed(REPORT))
    assert "Started for 0a1b" in words(parsed(replace(REPORT, correlation_id="0a1b")))
