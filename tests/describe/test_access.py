from __future__ import annotations

import pytest

from describe.kit import field
from forceglue.describe.access import granted, hidden
from forceglue.errors import LimitReachedError
from forceglue.mapping.catalog import CatalogField
from forceglue.salesforce.client import Salesforce
from forceglue.simulated.salesforce import Org, OrgServer

PERMISSIONS = {
    "name": "FieldPermissions",
    "keyPrefix": "01k",
    "fields": [field("Id", "id"), field("Field"), field("SobjectType"), field("PermissionsRead", "boolean")],
}


def test_fields_that_somebody_may_read(org: Org, client: Salesforce) -> None:
    assert granted(client, "Account", ["Amount__c"]) is None  # this user may not look
    org.define(PERMISSIONS)
    org.load("FieldPermissions", [
        {"Field": "Account.Amount__c", "SobjectType": "Account", "PermissionsRead": True},
        {"Field": "Contact.Other__c", "SobjectType": "Contact", "PermissionsRead": True},
    ])  # fmt: skip
    many = [f"F{n}__c" for n in range(150)]
    assert granted(client, "Account", [*many, "Amount__c", "Other__c"]) == {"amount__c"}


def test_a_call_that_cannot_be_made_is_no_answer(client: Salesforce, server: OrgServer) -> None:
    client.objects()
    server.usage.used = server.usage.limit
    with pytest.raises(LimitReachedError):
        granted(client, "Account", ["Amount__c"])


@pytest.mark.parametrize(
    ("name", "facts", "readable", "verdict"),
    [
        ("Amount__c", {"custom": True}, None, None),
        ("Amount__c", {"custom": True}, {"amount__c"}, True),
        ("Amount__c", {"custom": True}, {"other__c"}, False),
        ("Industry", {}, None, True),  # a standard field cannot be deleted
        ("IsDeleted", {"permissionable": False}, None, False),  # and this one not be hidden
        ("Spot__Latitude__s", {}, None, None),
    ],
)
def test_hidden_gone_or_nobody_knows(
    name: str, facts: dict[str, bool], readable: set[str] | None, verdict: bool | None
) -> None:
    assert hidden(CatalogField(name, "string", **facts), None if readable is None else frozenset(readable)) is verdict
