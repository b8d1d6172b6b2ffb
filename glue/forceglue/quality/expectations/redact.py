"""Validation results without raw values of rows: they are kept and shown to more people than the data is."""

from __future__ import annotations

import re
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

# what these observe is names and types of columns, and numbers of rows
_ABOUT_THE_SCHEMA = ("expect_table_", "expect_column_to_exist", "expect_column_type_to_be")
_ABOUT_TYPES = ("expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def about_schema(expectation_type: str) -> bool:
    """Whether everything such an expectation observes comes from the schema or is a number of rows."""
    return expectation_type.startswith(_ABOUT_THE_SCHEMA) or expectation_type in _ABOUT_TYPES


def observed(value: Any) -> Any:
    """A number as it is, numbers of a dictionary too; anything that may be a value of a row only as how many it is."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):  # numpy's, too
        return int(value)
    if isinstance(value, (Real, Decimal)):
        return float(value)
    if isinstance(value, dict):
        return {k: [observed(x) for x in v] if isinstance(v, list) else observed(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return f"{len(value)} values (not shown)"
    return "a value (not shown)"


def cause(result: ExpectationValidationResult) -> str | None:
    """Why Great Expectations could not judge, in one line that quotes nothing but its arguments; None when it could.

    It swallows what is raised below it and reports `success: False`, which must not pass for a finding about the data.
    """
    told = result.exception_info or {}
    infos = [told] if "raised_exception" in told else [v for v in told.values() if isinstance(v, dict)]
    raised = next((info for info in infos if info.get("raised_exception")), None)
    if raised is None:
        return None
    config = result.expectation_config
    declared = repr(config.kwargs) if config is not None else ""
    lines = str(raised.get("exception_message") or "").strip().splitlines() or ["no message"]
    return _QUOTED.sub(lambda quoted: quoted[0] if quoted[0][1:-1] in declared else "'...'", lines[0])[:500]


def redact(result: ExpectationSuiteValidationResult) -> None:
    """Take raw values and stack traces out of a suite's results, in place."""
    for one in result.results:
        raised = cause(one)
        if raised is not None:
            one.exception_info = {
                "raised_exception": True,
                "exception_message": raised,
                "exception_traceback": "kept out of the report: it may quote values of rows",
            }
        kind = one.expectation_config.type if one.expectation_config is not None else ""
        if about_schema(kind) or not one.result:
            continue
        one.result.pop("details", None)
        if "observed_value" in one.result:
            one.result["observed_value"] = observed(one.result["observed_value"])
