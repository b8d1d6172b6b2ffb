"""describe → the landed type."""

from __future__ import annotations

import pytest

from forceglue.extract.types import arrow_type, kind_of
from forceglue.landing.types import spark_type


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ({"type": "boolean"}, "boolean"),
        ({"type": "date"}, "date"),
        ({"type": "datetime"}, "timestamp"),
        ({"type": "int", "digits": 8}, "bigint"),
        ({"type": "long"}, "bigint"),
        ({"type": "currency", "precision": 18, "scale": 2}, "decimal(22,2)"),
        ({"type": "percent", "precision": 5, "scale": 0}, "decimal(9,0)"),
        ({"type": "double", "precision": 38, "scale": 10}, "decimal(38,10)"),
        ({"type": "double", "precision": 18, "scale": 2, "calculated": True}, "decimal(38,18)"),
        ({"type": "currency", "precision": 38, "scale": 4, "calculated": True}, "decimal(38,4)"),
        ({"type": "double"}, "string"),
        ({"type": "double", "precision": 3, "scale": 5}, "string"),
        *(
            ({"type": name}, "string")
            for name in (
                "id",
                "reference",
                "string",
                "picklist",
                "multipicklist",
                "time",
                "anyType",
                "email",
                "what_is_to_come",
            )
        ),
    ],
)
def test_kinds(field: dict[str, object], kind: str) -> None:
    assert kind_of(field) == kind


@pytest.mark.parametrize(
    "kind", ["boolean", "date", "timestamp", "bigint", "decimal(22,2)", "decimal(38,18)", "string"]
)
def test_the_ingest_reads_each_kind_back(kind: str) -> None:
    assert spark_type(arrow_type(kind)) == kind
