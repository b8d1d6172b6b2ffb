"""An expectation of a mapping as the Great Expectations object of that name."""

from __future__ import annotations

from functools import cache
from typing import Any

import great_expectations.expectations as catalogue
from great_expectations.compatibility.pydantic import ValidationError
from great_expectations.expectations.expectation import Expectation as GxExpectation

from forceglue.errors import UsageError
from forceglue.mapping.model.quality import Expectation


@cache
def classes() -> dict[str, type[GxExpectation]]:
    """Every concrete core expectation by its own name in snake case."""
    found = (getattr(catalogue, name) for name in dir(catalogue))
    return {
        cls.expectation_type: cls
        for cls in found
        if isinstance(cls, type) and issubclass(cls, GxExpectation) and not cls.is_abstract()
    }


def build(expectation: Expectation, index: int) -> GxExpectation:
    """The object for one expectation; its place in the mapping's list is kept in `meta`.

    Raises:
        UsageError: no such expectation, or not its arguments.
    """
    cls = classes().get(expectation.name)
    if cls is None:
        raise UsageError(
            f"{expectation.name}: Great Expectations has no expectation of this name. "
            "Names are in snake case, for example expect_table_row_count_to_be_between."
        )
    arguments: dict[str, Any] = dict(expectation.arguments)
    meta = {**(arguments.pop("meta", None) or {}), "forceglue": {"index": index, "on_failure": expectation.on_failure}}
    # a passing note is no failure: a warning is shown as one in Data Docs unless the mapping says otherwise
    arguments.setdefault("severity", "critical" if expectation.on_failure == "fail" else "warning")
    try:
        return cls(**arguments, meta=meta)
    except (ValidationError, TypeError, ValueError) as error:
        told = "; ".join(str(error).splitlines())
        raise UsageError(f"{expectation.name}: its arguments do not fit: {told}. Mend them in the mapping.") from error
