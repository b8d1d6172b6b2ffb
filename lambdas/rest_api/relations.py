"""Where a relationship leads: the compiled mappings say it of most; of the others describe does, asked once an hour."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from forceglue.errors import SalesforceError
from forceglue.salesforce.client import Salesforce
from rest_api.objects import KnownObject

_REMEMBERED = 3600.0


class Relations:
    """Relationships of objects, as the integration user sees them."""

    def __init__(self, org: Callable[[], Salesforce]) -> None:
        self._org = org
        self._described: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def parents(self, one: KnownObject, relationship: str) -> tuple[str, ...]:
        """The objects that `Account` of `Account.Name` may be; none where there is no such relationship."""
        known = one.parents.get(relationship.lower())
        if known is not None:
            return known
        for field in self._describe(one)["fields"]:
            if str(field.get("relationshipName") or "").lower() == relationship.lower():
                return tuple(field.get("referenceTo") or ())
        return ()

    def child(self, one: KnownObject, relationship: str) -> str | None:
        """The object that `Contacts` of `(SELECT … FROM Contacts)` is."""
        for link in self._describe(one)["childRelationships"]:
            if str(link.get("relationshipName") or "").lower() == relationship.lower():
                return str(link["childSObject"])
        return None

    def _describe(self, one: KnownObject) -> Mapping[str, Any]:
        at, described = self._described.get(one.name, (0.0, {}))
        if described and time.monotonic() - at < _REMEMBERED:
            return described
        try:
            told = self._org().describe(one.name)
        except SalesforceError as error:
            if error.status != 404:
                raise
            told = {}
        slim = {
            "fields": [
                {key: field.get(key) for key in ("relationshipName", "referenceTo")} for field in told.get("fields", ())
            ],
            "childRelationships": [
                {key: link.get(key) for key in ("relationshipName", "childSObject")}
                for link in told.get("childRelationships", ())
            ],
        }
        self._described[one.name] = time.monotonic(), slim
        return slim
