"""A mapping that declares another type than its table has."""

from __future__ import annotations

from decimal import Decimal

import pytest

from run.desk import ACCOUNT, NO_RULES, Desk

pytestmark = pytest.mark.usefixtures("spark")


def declare(desk: Desk, kind: str, *more: str) -> None:
    text = ACCOUNT.replace("decimal(10,2)", kind)
    (desk.root / "mappings" / "account.yaml").write_text("\n".join([text, NO_RULES, *more]) + "\n")


def test_nothing_is_loaded_until_the_table_is_made_anew(desk: Desk) -> None:
    desk.land("e1", "A,Anna,1.25,1")
    desk.run()
    declare(desk, "decimal(20,4)")
    desk.land("e2", "B,Bob,2.5,2")
    (report,) = desk.run().mappings
    assert report.status == "stopped"
    assert "amount is decimal(10,2) there and decimal(20,4) in the mapping" in (report.error or "")
    assert [row["amount"] for row in desk.table()] == [Decimal("1.25")]
    (report,) = desk.run(full_refresh=True).mappings
    assert (report.status, report.written) == ("written", 2)
    assert [row["amount"] for row in desk.table()] == [Decimal("1.2500"), Decimal("2.5000")]


def test_a_table_that_each_load_replaces_has_the_types_of_the_last(desk: Desk) -> None:
    declare(desk, "decimal(10,2)", "target: {write: replace}")
    desk.land("e1", "A,Anna,1.25,1")
    desk.run()
    declare(desk, "double", "target: {write: replace}")
    desk.land("e2", "B,Bob,2.5,2")
    (report,) = desk.run().mappings
    assert (report.status, report.written) == ("written", 1)
    assert [(row["id"], row["amount"]) for row in desk.table()] == [("B", 2.5)]
