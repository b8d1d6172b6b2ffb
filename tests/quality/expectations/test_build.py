from __future__ import annotations

import pytest

from forceglue.errors import UsageError
from forceglue.mapping.model.quality import Expectation


def test_an_expectation_is_built_by_its_own_name_and_arguments() -> None:
    from forceglue.quality.expectations.build import build

    built = build(Expectation(name="expect_column_to_exist", arguments={"column": "a"}), 3)
    assert type(built).__name__ == "ExpectColumnToExist"
    assert built.meta == {"forceglue": {"index": 3, "on_failure": "fail"}}


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("expect_nothing", {}, "no expectation of this name"),
        ("expect_column_to_exist", {"colum": "a"}, "colum"),
        ("expect_column_values_to_be_between", {"column": "a"}, "min_value"),
    ],
)
def test_what_cannot_be_built_is_told(name: str, arguments: dict[str, str], told: str) -> None:
    from forceglue.quality.expectations.build import build

    with pytest.raises(UsageError, match=told):
        build(Expectation(name=name, arguments=arguments), 0)
