"""Records one by one."""

from __future__ import annotations

from forceglue.simulated.salesforce.routes_meta import basic

ROUTES = (("GET", "/sobjects/{object}", basic),)
