from __future__ import annotations

import pytest

from forceglue.landing.objects import ObjectNames, flow_token
from forceglue.mapping.model import ObjectMapping
from landing.kit import described, make_project


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("Account", "Account"),
        ("ACCOUNT", "Account"),
        ("OrderItem", "OrderItem"),
        ("Order-Product", "OrderItem"),
        ("order-product", "OrderItem"),
        ("order_item", "OrderItem"),
        ("bookings", "OrderItem"),
        ("Product", "Product2"),
        ("product2", "Product2"),
        ("Branch__c", "Branch__c"),
    ],
)
def test_a_token_means_an_object(token: str, name: str) -> None:
    assert ObjectNames(make_project()).find(token) == name


@pytest.mark.parametrize("token", ["Order-Prodct", "2x", "a b", "", "Konto-Ä"])
def test_what_can_be_no_api_name_is_unknown(token: str) -> None:
    names = ObjectNames(make_project())
    assert names.find(token) is None
    assert token in (names.complaint(token) or "")


def test_the_nearest_name_is_told() -> None:
    assert (
        "order"
        in (ObjectNames(make_project(unmapped="error")).complaint("OrderItms") or "").replace("OrderItms", "").lower()
    )


def test_an_api_name_wins_over_another_object_s_label() -> None:
    catalog = (described("Order", "Sales", "Id"), described("Sales", "Order", "Id"))
    objects = tuple(ObjectMapping(mapping=n.lower(), source=n) for n in ("Sales", "Order"))
    assert ObjectNames(make_project(objects=objects, catalog=catalog)).find("order") == "Order"


def test_a_label_of_two_objects_names_neither_until_folders_says_which() -> None:
    catalog = (described("A__c", "Ad Slot", "Id"), described("B__c", "Ad Slot", "Id"))
    plain = tuple(ObjectMapping(mapping=n, source=n) for n in ("A__c", "B__c"))
    names = ObjectNames(make_project(objects=plain, catalog=catalog))
    assert names.find("Ad-Slot") is None
    assert "A__c or B__c" in (names.complaint("Ad-Slot") or "")
    said = (plain[0], ObjectMapping(mapping="B__c", source="B__c", folders=("Ad Slot",)))
    assert ObjectNames(make_project(objects=said, catalog=catalog)).find("Ad-Slot") == "B__c"


def test_a_whole_folder_name_under_folders() -> None:
    objects = (ObjectMapping(mapping="x", source="X__c", folders=("dev-Salesforce-Odd-One",)),)
    assert ObjectNames(make_project(objects=objects)).find("Odd-One") == "X__c"


def test_unmapped_ignore_leaves_alone_and_error_refuses() -> None:
    ignoring, refusing = (ObjectNames(make_project(unmapped=word)) for word in ("ignore", "error"))
    assert ignoring.left_alone("Branch__c")
    assert ignoring.left_alone("Product")
    assert not ignoring.left_alone("Order-Product")
    assert refusing.refused("Product")
    assert refusing.find("Branch__c") is None
    assert not refusing.refused("Account")


def test_a_label_as_a_flow_carries_it() -> None:
    assert flow_token("Order Product (new)!@#._") == "Order-Product--new-!@#._"
