"""Traceability: where each row came from, under the names of the old system's ingest, plus the run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from forceglue.transform.read import SEQ

if TYPE_CHECKING:
    from forceglue.landing.inventory import LandedFile

FILENAME, FLOW, INGESTED, RUN = "filename", "appflow_id", "processed_ts", "run_id"
TRACE = (FILENAME, "function_name", "function_version", "aws_request_id", FLOW, INGESTED, RUN)
"""The traceability columns of every object table, in order."""


def literal(value: object) -> str:
    """SQL text of a value: text, number, true or false, time, or null."""
    if value is None:
        return "CAST(NULL AS STRING)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}Z'"
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def trace_sql(files: Sequence[LandedFile], run_id: str) -> dict[str, str]:
    """`{column: SQL text}` of the traceability columns."""
    return {
        FILENAME: of_file([f.source_uri for f in files]),
        "function_name": of_file([f.function_name for f in files]),
        "function_version": of_file([f.function_version for f in files]),
        "aws_request_id": of_file([f.request_id for f in files]),
        FLOW: of_file([f.flow_execution for f in files]),
        INGESTED: of_file([f.ingested_at or f.mtime for f in files]),
        RUN: literal(run_id),
    }


def of_file(values: Sequence[object]) -> str:
    """The value that belongs to the row's file; an array by file number, so that it costs an index and no join."""
    if len(set(values)) == 1:
        return literal(values[0])
    return f"get(array({', '.join(map(literal, values))}), {SEQ})"
