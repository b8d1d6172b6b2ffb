from __future__ import annotations

from collections import Counter

import pytest

from demo.landed_org import Landed, Reader, StepReader, id18
from forceglue.demo.objects import OBJECTS, Relations, link_of, plan_of
from forceglue.errors import UsageError

PLACEMENT, MEDIA = "vlocity_cmt__OrderItemAdPlacement__c", "vlocity_cmt__QuoteLineItemAdPlacement__c"
JOINS = [  # every join of the 16 datasets and of Product's three further extracts: child, field, parent, least matches
    ("Order", "accountid", "Account", 600),
    ("Order", "contractid", "Contract", 400),
    ("Order", "opportunityid", "Opportunity", 500),
    ("Order", "vlocity_cmt__pricelistid__c", "vlocity_cmt__PriceList__c", 500),
    ("Order", "quoteid", "Quote", 400),
    ("Order", "vlocity_cmt__quoteid__c", "Quote", 400),
    ("Order", "createdbyid", "User", 700),
    ("OrderItem", "orderid", "Order", 1500),
    ("OrderItem", "product2id", "Product2", 1500),
    ("OrderItem", "quotelineitemid", "QuoteLineItem", 1000),
    (PLACEMENT, "vlocity_cmt__orderid__c", "Order", 2000),
    (PLACEMENT, "vlocity_cmt__orderitemid__c", "OrderItem", 2000),
    (PLACEMENT, "vlocity_cmt__quotelineitemid__c", "QuoteLineItem", 1500),
    (PLACEMENT, "swm_parent_media_placement__c", MEDIA, 1500),
    (MEDIA, "vlocity_cmt__quotelineitemid__c", "QuoteLineItem", 1200),
    (MEDIA, "createdbyid", "User", 1200),
    ("QuoteLineItem", "product2id", "Product2", 1200),
    ("vlocity_cmt__AccountAdServer__c", "vlocity_cmt__adserverid__c", "vlocity_cmt__AdServer__c", 100),
    ("vlocity_cmt__AccountAdServer__c", "createdbyid", "User", 100),
    ("AdSpaceSpecification", "vlocity_cmt__product2id__c", "Product2", 100),
    ("AdSpaceCreativeSizeType", "vlocity_cmt__adspacespecificationid__c", "AdSpaceSpecification", 200),
    ("AdSpaceCreativeSizeType", "vlocity_cmt__adcreativesizetypeid__c", "AdCreativeSizeType", 200),
]


@pytest.mark.parametrize(("child", "field", "parent", "least"), JOINS)
def test_every_join_of_the_datasets_has_matches(live: Reader, child: str, field: str, parent: str, least: int) -> None:
    parents = {row["id"] for row in live(parent)}
    found = [row for row in live(child) if row[field]]
    matched = sum(id18(row[field]) in parents for row in found)
    assert matched >= least


def test_some_references_are_null_some_point_nowhere_and_some_have_15_characters(live: Reader) -> None:
    accounts, orders = {row["id"] for row in live("Account")}, live("Order")
    values = [row["accountid"] for row in orders]
    assert None in values
    assert any(value and id18(value) not in accounts for value in values)
    assert any(len(value or "") == 15 for value in values)


def test_an_orphan_of_the_full_load_finds_its_parent_an_hour_later(landed: StepReader, org: Landed) -> None:
    before = {id18(row["id"]) for row in landed(org.full, "Account") if row["id"]}
    born = {row["id"] for row in landed(org.hour, "Account")} - before
    waiting = {
        id18(row["accountid"]) for name in ("Order", "Contact") for row in landed(org.full, name) if row["accountid"]
    }
    assert born & waiting


def test_placements_agree_with_their_item(live: Reader) -> None:
    items, media = ({row["id"]: row for row in live(name)} for name in ("OrderItem", MEDIA))
    orders, lines, per_item = [], [], Counter()
    for placement in live(PLACEMENT):
        item = items.get(id18(placement["vlocity_cmt__orderitemid__c"] or ""))
        plan = media.get(id18(placement["swm_parent_media_placement__c"] or ""))
        if item:
            per_item[item["id"]] += 1
            orders.append((placement["vlocity_cmt__orderid__c"], item["orderid"]))
        if plan:
            lines.append((placement["vlocity_cmt__quotelineitemid__c"], plan["vlocity_cmt__quotelineitemid__c"]))
    assert max(per_item.values()) >= 2
    for pairs in (orders, lines):
        same = [id18(one) == id18(other) for one, other in pairs if one and other]
        assert len(same) > 1000
        assert sum(same) > 0.97 * len(same)


def test_contacts_stand_on_accounts_with_orders(live: Reader) -> None:
    ordered = {id18(row["accountid"]) for row in live("Order") if row["accountid"]}
    assert sum(row["accountid"] is not None and id18(row["accountid"]) in ordered for row in live("Contact")) > 200


def test_production_line_item_po_stays_small_although_it_is_a_cross_product(live: Reader) -> None:
    slots = Counter(row["createdbyid"] for row in live("vlocity_cmt__AccountAdServer__c"))
    placements = Counter(row["createdbyid"] for row in live(MEDIA))
    assert 1000 < sum(slots[user] * placements[user] for user in slots) < 20_000


def test_the_product_dataset_has_every_case_of_its_name(live: Reader) -> None:
    names = [row["name"] for row in live("AdSpaceSpecification")]
    assert any("_CTV_" in name for name in names)
    assert any("_CTV_" not in name for name in names)
    sizes = live("AdCreativeSizeType")
    assert {"Digital Video", None} < {row["vlocity_cmt__mediatype__c"] for row in sizes}
    for field in ("vlocity_cmt__width__c", "vlocity_cmt__height__c", "vlocity_cmt__runtime__c"):
        values = {row[field] for row in sizes}
        assert {None, "0"} < values
        assert all(v is None or float(v) >= 0 for v in values)


def test_the_ad_server_knows_most_placements(live: Reader) -> None:
    known = [row["vlocity_cmt__adserverorderlineidentiifier__c"] for row in live(PLACEMENT)]
    assert 0.5 < sum(value is not None for value in known) / len(known) < 1
    assert all(value is None or value.isdigit() for value in known)


def test_prefixes_are_three_characters_and_tell_objects_apart() -> None:
    prefixes = [plan.prefix for plan in OBJECTS.values()]
    assert len(set(prefixes)) == len(prefixes)
    assert all(len(prefix) == 3 and prefix.isalnum() for prefix in prefixes)


def test_links_are_found_by_field_name_in_any_case() -> None:
    assert link_of("Quote", "OwnerId").target == "User"
    assert link_of("Order", "QUOTEID").target == "Quote"
    assert link_of("Order", "vlocity_cmt__TaxId__c") is None
    assert link_of("Order", "RecordTypeId") is None


def test_relations_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    link = link_of("Order", "AccountId")
    assert Relations(1, 1).values("Order", "AccountId", link) == Relations(1, 1).values("Order", "AccountId", link)
    assert Relations(1, 1).values("Order", "AccountId", link) != Relations(2, 1).values("Order", "AccountId", link)


def test_an_unknown_object_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="Lead: not an object of the demo org"):
        plan_of("Lead")
