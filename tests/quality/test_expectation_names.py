from __future__ import annotations

from forceglue.quality.expectation_names import generated, known


def test_the_file_is_that_of_the_installed_great_expectations() -> None:
    """If this fails: python -m forceglue.quality.expectation_names"""
    assert known() == generated()


def test_an_expectation_and_its_arguments() -> None:
    arguments = known()["expect_column_values_to_be_between"]
    assert arguments["required"] == ["column"]
    assert {"min_value", "max_value", "mostly", "row_condition"} <= set(arguments["optional"])
    assert "batch_id" not in arguments["optional"]
