"""What a run leaves for people: `_runs/<run id>/report.json`, `report.html` and Great Expectations' Data Docs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from forceglue.run.context import RunContext
from forceglue.run.report import RunReport
from forceglue.run.report_html import render_html
from forceglue.run.stages import Stages


def publish(ctx: RunContext, report: RunReport) -> RunReport:
    """Writes the report; gives it back with the paths of what was written."""
    folder = f"_runs/{ctx.run_id}"
    stages = Stages(report.stages)
    with stages("data docs"):
        docs = _data_docs(ctx, folder)
    paths = replace(report.paths, report=ctx.warehouse.uri(f"{folder}/report.html"), data_docs=docs)
    report = replace(report, paths=paths, stages=stages.seconds, finished=datetime.now(UTC))
    ctx.warehouse.write_bytes(f"{folder}/report.json", report.to_json().encode())
    ctx.warehouse.write_bytes(f"{folder}/report.html", render_html(report).encode())
    return report


def _data_docs(ctx: RunContext, folder: str) -> str | None:
    built = ctx.validations.build_docs() if ctx.validations is not None else None
    if built is None:
        return None
    home = ctx.docs_folder
    if "://" in ctx.warehouse.root:  # Great Expectations writes to a local folder; the site is files
        for path in sorted(p for p in Path(home).rglob("*") if p.is_file()):
            ctx.warehouse.write_bytes(f"{folder}/data_docs/{path.relative_to(home).as_posix()}", path.read_bytes())
        return ctx.warehouse.uri(f"{folder}/data_docs/{built.relative_to(home).as_posix()}")
    return str(built)
