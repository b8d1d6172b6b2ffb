from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

domains = st.dictionaries(st.sampled_from(["column", "row_condition", "table"]), st.none() | st.text(), max_size=3)


@given(domains, st.text(), st.text())
def test_a_metric_key_is_the_same_for_every_batch(domain: dict[str, str | None], one: str, other: str) -> None:
    from forceglue.quality.expectations.engine import metric_key

    given_none = {k: v for k, v in domain.items() if v is not None}
    assert (
        metric_key("m", {**domain, "batch_id": one}, None)
        == metric_key("m", {**domain, "batch_id": other}, {"result_format": "SUMMARY"})
        == metric_key("m", given_none, {})
    )


@given(domains, domains)
def test_different_domains_have_different_keys(one: dict[str, str | None], other: dict[str, str | None]) -> None:
    from forceglue.quality.expectations.engine import metric_key

    def stated(domain: dict[str, str | None]) -> dict[str, str]:
        return {k: v for k, v in domain.items() if v is not None}

    assert (metric_key("m", one, None) == metric_key("m", other, None)) is (stated(one) == stated(other))
