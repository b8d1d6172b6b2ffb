"""Addresses that secrets are sent to: which are refused, and which are an API Gateway's."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_API_GATEWAY = re.compile(r"[a-z0-9-]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def refused_address(url: str) -> str | None:
    """Why nothing is sent to this address, or None: https, or http on this machine itself, and nothing secret in it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in ("https", "http") or not host:
        return "is no https:// URL"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "has a user, a query or a fragment in it: give the bare address"
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "is http, which is for this machine only (localhost): give https"
    return None


def gateway_region(url: str) -> str | None:
    """The region of an API Gateway's own address; None for any other."""
    found = _API_GATEWAY.fullmatch(urlsplit(url).hostname or "")
    return found[1] if found else None
