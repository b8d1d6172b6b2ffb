from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forceglue.errors import DataDocsError
from forceglue.mapping.model.quality import Expectation
from forceglue.quality.gx import RuleOutcome, Validations, one_pass

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NASTY = "<script>alert(1)</script> $5 & '{x}'"
RULES = [
    RuleOutcome("account_is_known", "quarantine", "account <> '<b>'", NASTY, 2_998, 12, ({"id": NASTY},)),
    RuleOutcome("amount_is_positive", "warn", "amount >= 0", None, 3_010, 0),
]


class Page(HTMLParser):
    """The links, fetched things and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        if tag == "a":
            self.links.append(named.get("href") or "")
        elif named.get("src") or named.get("href"):
            self.fetched.append(str(named.get("src") or named.get("href")))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def site(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    folder = tmp_path_factory.mktemp("data_docs")
    frame = spark.createDataFrame([(1,), (None,)], "amount int")
    expectations = [
        Expectation(name="expect_column_values_to_not_be_null", arguments={"column": "amount"}),
        Expectation(name="expect_column_max_to_be_between", arguments={"column": "not_there", "max_value": 3}),
    ]
    answers = one_pass(frame, expectations)
    validations = Validations(folder, "demo", run_id="2026-01-02T03-04-05Z-abc")
    counts = {"bad_0": 1, "missing_0": 1}
    validations.validate("orders", RULES, expectations, lambda: frame, 2, answers=answers, counts=counts)
    validations.validate("accounts", RULES[1:], [], None, 3_010)
    index = validations.build_docs()
    assert index == folder / "index.html"
    return folder, validations.pages()


def test_the_index_leads_to_every_page(site: tuple[Path, dict[str, Path]]) -> None:
    folder, pages = site
    links = {(folder / link).resolve() for link in Page((folder / "index.html").read_text("utf-8")).links}
    assert set(pages) == {"orders", "accounts"}
    assert {(folder / page).resolve() for page in pages.values()} <= links
    assert all(link.is_file() for link in links)


def test_every_link_of_every_page_leads_somewhere(site: tuple[Path, dict[str, Path]]) -> None:
    folder, _ = site
    for path in folder.rglob("*.html"):
        for link in Page(path.read_text("utf-8")).links:
            if not link.startswith("#"):
                assert (path.parent / link).resolve().is_file(), (path, link)


def test_a_page_says_rule_severity_and_counts(site: tuple[Path, dict[str, Path]]) -> None:
    folder, pages = site
    text = " ".join(Page((folder / pages["orders"]).read_text("utf-8")).text.split())
    for said in ("account_is_known", "quarantine", "12 of 3,010 rows break it (0.399\u00a0%)".replace("\u00a0", " ")):
        assert said in text.replace("\u00a0", " ")
    assert "all of 3,010 rows satisfy it" in text
    assert "1 unexpected values found" in text


def test_no_page_needs_the_network_or_a_script(site: tuple[Path, dict[str, Path]]) -> None:
    folder, _ = site
    for path in folder.rglob("*.html"):
        text = path.read_text("utf-8")
        page = Page(text)
        assert page.fetched == [], path
        assert "script" not in page.tags, path
        assert not re.search(r"@import|url\(", text), path


def test_text_of_mappings_and_data_stays_text(site: tuple[Path, dict[str, Path]]) -> None:
    folder, pages = site
    page = Page((folder / pages["orders"]).read_text("utf-8"))
    assert page.text.count("<script>alert(1)</script> $5") == 2  # the description and the sampled key
    assert "account <> '<b>'" in page.text
    assert "b" not in page.tags


def test_a_site_is_small(site: tuple[Path, dict[str, Path]]) -> None:
    folder, _ = site
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 400_000


def test_a_page_that_great_expectations_could_not_render_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forceglue.quality.expectations.rule import ExpectRowsToSatisfy

    def broken(**kwargs: object) -> None:
        raise KeyError("Anna's secret")

    validations = Validations(tmp_path, "demo")
    validations.validate("orders", RULES, [], None, 3_010)
    from great_expectations.expectations import registry

    renderers = registry._registered_renderers[ExpectRowsToSatisfy.expectation_type]
    monkeypatch.setitem(renderers, "renderer.prescriptive", (ExpectRowsToSatisfy, broken))
    with pytest.raises(DataDocsError, match=r"orders.*\(\w+Error at \w+\.py:\d+\)") as caught:
        validations.build_docs()
    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    validations = Validations(tmp_path / "taken", "demo")
    validations.validate("orders", RULES, [], None, 3_010)
    with pytest.raises(OSError, match="taken"):
        validations.build_docs()


def test_a_run_s_id_is_never_read_as_a_time(tmp_path: Path) -> None:
    """This one is, as a time 84 hours off UTC, which Great Expectations fails to compare with another."""
    validations = Validations(tmp_path, "demo", run_id="20261121T221419Z-8493ad")
    validations.validate("accounts", RULES[1:], [], None, 3_010)
    validations.build_docs()
    assert [(tmp_path / page).is_file() for page in validations.pages().values()] == [True]
