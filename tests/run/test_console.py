from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from forceglue.run.console import ProgressPrinter, plan_table, summary
from forceglue.run.report import DriftNote, IngestCounts, MappingReport, Paths
from run.report_samples import LEAD, ORDER, REPORT, SALES

GOLDEN = Path(__file__).parent / "golden"


def shown(what: RenderableType, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(what)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # the file above, whose type rich widens
    return "\n".join(line.rstrip() for line in lines) + "\n"


def test_the_summary_of_a_run() -> None:
    assert shown(summary(REPORT)) == (GOLDEN / "summary.txt").read_text("utf-8")


def test_the_table_of_a_plan() -> None:
    failing = MappingReport("Forecast", "dataset", "failed", error="Forecast: opportunity has no column stage")
    assert shown(plan_table((ORDER, LEAD, SALES, failing))) == (GOLDEN / "plan.txt").read_text("utf-8")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_count_is_cut_in_a_narrow_terminal(width: int) -> None:
    told = shown(
        summary(
            replace(REPORT, mappings=(replace(ORDER, name="a_very_long_mapping_name_" * 3, filtered=0, landed=1_180),))
        ),
        width,
    )
    for count in ("1,180", "1,150", "15", "8", "7"):
        assert count in told.replace("\n", " ").split()


def test_a_plan_with_nothing_to_do() -> None:
    assert shown(plan_table((LEAD,))) == "1 mapping would have nothing to do. Nothing was written.\n"


def test_a_quiet_run_is_short() -> None:
    quiet = replace(LEAD, rejected_files=())
    told = shown(summary(replace(REPORT, status="succeeded", mappings=(quiet,), ingest=IngestCounts(), paths=Paths())))
    assert told.splitlines() == [
        "1 mapping had nothing new.",
        "",
        "Succeeded in 1 min 13 s. Nothing new landed; nothing was set aside.",
    ]


def test_long_lists_say_how_much_more_there_is() -> None:
    drift = tuple(DriftNote(f"F{i}__c", "appeared", "evolve", "column added") for i in range(40))
    assert "and 25 more" in shown(plan_table((replace(ORDER, drift=drift),)))


def test_nothing_in_a_name_reaches_the_terminal_as_a_command() -> None:
    nasty = replace(ORDER, name="\x1b[31mred[bold]x[/]", error="\x1b]0;title\x07")
    report = replace(REPORT, mappings=(nasty,), paths=Paths("\x1b[2J", "\x1b[2J"))
    assert "\x1b" not in shown(summary(report)) + shown(plan_table((nasty,)))
    assert "[bold]" in shown(summary(report))


def progress(*, terminal: bool = False) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=120, highlight=False, force_terminal=terminal, color_system=None), out


def test_progress_without_a_terminal_is_a_line_a_mapping() -> None:
    console, out = progress()
    with ProgressPrinter(console, total=4) as printer:
        printer.say("3 files passed the checks")
        printer.on_event("order", "reading", {})
        printer.on_event(
            "order", "written", {"landed": 1200, "written": 1150, "superseded": 43, "quarantined": 7, "seconds": 1.24}
        )
        printer.on_event("task", "written", {"landed": 3, "written": 2, "superseded": 1}, "1 refreshed, 1 deletion")
        printer.on_event("lead", "unchanged", {"seconds": 0.1})
        printer.on_event("opportunity", "stopped", {"held": 3021})
        printer.on_event("Forecast", "skipped")
    assert out.getvalue().splitlines() == [
        "3 files passed the checks",
        "✓ order                     1,200 landed, 1,150 written, 43 older versions, 7 quarantined  1.2 s",
        "✓ task                      3 landed, 2 written (1 refreshed, 1 deletion), 1 older versions",
        "· lead                      nothing new  0.1 s",
        "✗ opportunity               stopped, 3,021 rows wait for the next run",
        "✗ Forecast                  skipped",
    ]


def test_progress_on_a_terminal_also_says_what_is_being_worked_on() -> None:
    console, out = progress(terminal=True)
    with ProgressPrinter(console, total=9) as printer:
        for name in ("account", "contact", "order", "quote"):
            printer.on_event(name, "reading", {})
        printer.on_event("account", "written", {"landed": 1, "written": 1})
    assert "1 of 9 done; now contact (reading), order (reading), quote (reading)" in out.getvalue()
    assert "✓ account" in out.getvalue()


def test_progress_from_many_threads_loses_no_line() -> None:
    console, out = progress()
    with ProgressPrinter(console) as printer, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: printer.on_event(f"m{i:03}", "written", {"landed": i, "written": i}), range(200)))
    assert sorted(line[:6] for line in out.getvalue().splitlines()) == [f"✓ m{i:03}" for i in range(200)]


def test_a_terminal_that_knows_ascii_only() -> None:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding="ascii"), width=100, highlight=False)
    ProgressPrinter(console).on_event("order", "failed")
    console.print(summary(REPORT))
    console.file.flush()
    assert raw.getvalue().startswith(b"x order")
