"""Where secrets go, and where not."""

from __future__ import annotations

import pytest

from forceglue.salesforce.addresses import gateway_region, refused_address


@pytest.mark.parametrize("url", ["https://acme.my.salesforce.com/x", "http://localhost:8080", "http://[::1]:1/x"])
def test_https_and_this_machine_are_taken(url: str) -> None:
    assert refused_address(url) is None


@pytest.mark.parametrize(
    "url",
    ["", "acme", "ftp://acme", "http://acme.example", "https://u:p@acme.example", "https://acme.example/?a=b",
     "https://acme.example/#x", "https://acme.example:port", "https://", "http://localhost.evil.example"],
)  # fmt: skip
def test_everything_else_is_refused(url: str) -> None:
    assert refused_address(url)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://a1b2.execute-api.eu-west-1.amazonaws.com/v1/sf/token", "eu-west-1"),
        ("https://a1b2-vpce-1.execute-api.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("https://a1b2.execute-api.cn-north-1.amazonaws.com.cn/x", "cn-north-1"),
        ("https://a1b2.execute-api.eu-west-1.amazonaws.com.evil.example", None),
        ("https://tokens.acme.example", None),
    ],
)
def test_an_api_gateways_own_address_tells_its_region(url: str, region: str | None) -> None:
    assert gateway_region(url) == region
