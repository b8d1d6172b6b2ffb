from __future__ import annotations

from dataclasses import replace

import pytest

from forceglue.run.report import IngestCounts, MappingReport
from forceglue.run.wording import attention, clean, duration, headline, joined, number, patched_rows, plural
from run.report_samples import LEAD, ORDER, REPORT, SALES


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0.0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 0 s"),
        (185, "3 min 5 s"),
        (7440, "2 h 4 min"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_numbers_and_words() -> None:
    assert [number(0), number(1234567), number(0.5)] == ["0", "1,234,567", "0.50"]
    assert [plural(1, "row"), plural(2000, "row"), plural(2, "entry", "entries")] == [
        "1 row",
        "2,000 rows",
        "2 entries",
    ]
    assert [joined([]), joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_nothing_that_a_terminal_acts_on_gets_through() -> None:
    assert clean("a\x1b[31mb\x00c\u202ed\ud800e\x9bf") == "a\ufffd[31mb\ufffdc\ufffdd\ufffde\ufffdf"
    assert clean("tab\tline\nÄ 漢 🙂") == "tab\tline\nÄ 漢 🙂"


def test_the_headline_of_a_failed_run_starts_with_the_failure() -> None:
    assert headline(REPORT) == (
        "2 of 5 mappings loaded nothing; 1,200 rows landed, 1,150 went into 1 table; "
        "1 dataset was written with 1,150 rows; 7 rows and 1 file were set aside."
    )


def test_the_headline_of_an_empty_increment() -> None:
    quiet = MappingReport("Sales_Order", "dataset", "unchanged")
    report = replace(
        REPORT, status="succeeded", mappings=(replace(LEAD, rejected_files=()), quiet), ingest=IngestCounts()
    )
    assert headline(report) == "Nothing new landed; no dataset had anything new; nothing was set aside."


def test_the_headline_without_any_mapping() -> None:
    assert headline(replace(REPORT, mappings=())) == "There was no mapping to run."


def test_attention_has_the_worst_first_and_each_mapping_once() -> None:
    told = attention(REPORT)
    assert [(a.level, a.mapping, a.label) for a in told] == [
        ("bad", "opportunity", "stopped"),
        ("bad", "Forecast", "skipped"),
        ("look", "order", "set aside"),
        ("look", None, "set aside"),
    ]
    assert told[0].text == "stopped by stage_is_set (12 rows); nothing was written; 3,021 rows wait for the next run"
    assert told[2].text == (
        "7 rows in quarantine (account_is_known); rows with a warning: amount_is_positive 4; fields changed: Region__c appeared"
    )


def test_a_wrong_balance_is_never_quiet() -> None:
    (thing,) = attention(replace(REPORT, mappings=(replace(SALES, landed=1_151),), ingest=IngestCounts()))
    assert (thing.level, thing.label, thing.text) == ("bad", "wrong", "1,151 rows in, 1,150 accounted for")


def test_a_warning_is_on_the_console_and_fails_nothing() -> None:
    warned = replace(SALES, warnings=("Sales.csv has 2.0 GB",))
    (found,) = attention(replace(REPORT, mappings=(warned,), ingest=IngestCounts()))
    assert (found.level, found.mapping, "Sales.csv has 2.0 GB" in found.text) == ("look", SALES.name, True)


def test_a_good_mapping_asks_for_nothing() -> None:
    assert attention(replace(REPORT, mappings=(SALES,), ingest=IngestCounts())) == ()
    assert ORDER.balance


def test_what_is_no_character_of_unicode_is_replaced() -> None:
    assert clean("a\U0010fffe\ufdd0\uffffb") == "a\ufffd\ufffd\ufffdb"


def test_what_patches_changed_in_words() -> None:
    assert patched_rows({"refresh": 1200, "deleted": 1, "vanished": 2}) == "1,200 refreshed, 1 deletion, 2 vanished"
    assert patched_rows({"refresh": 0}) == patched_rows({}) == ""
