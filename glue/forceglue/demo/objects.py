"""The 36 objects of the demo org: how many records each has, and which field points to which record of which object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from forceglue.demo.values import core, dice, record_id
from forceglue.errors import UsageError


@dataclass(frozen=True)
class ObjectPlan:
    """One object at scale 1.

    Attributes:
        prefix: the three characters that its ids start with.
        rows: distinct records.
        extra: fields that land although the catalog does not know them.
        bad: values that do not cast, by field.
        by_api_name: the landing folder carries the API name instead of the label.
    """

    name: str
    prefix: str
    rows: int
    extra: tuple[str, ...] = ()
    bad: tuple[tuple[str, str], ...] = ()
    by_api_name: bool = False

    @property
    def event(self) -> bool:
        """A platform event: no Id, no versions, never changed."""
        return self.name.endswith("__e")

    @property
    def deletable(self) -> bool:
        """Users are switched off, and events are past; neither is ever deleted."""
        return self.name != "User" and not self.event

    def count(self, scale: int) -> int:
        """How many distinct records the full load has."""
        return self.rows * scale

    def reserve(self, scale: int) -> int:
        """How many records come into being only after the full load."""
        return max(2, self.rows * scale // 100)


_DATES = (("StartDate", "2026-02-30"), ("EndDate", "31/12/2026"))
OBJECTS: dict[str, ObjectPlan] = {
    plan.name: plan
    for plan in (
        ObjectPlan("Account", "001", 600, bad=(("AnnualRevenue", "n/a"), ("NumberOfEmployees", "about 40"))),
        ObjectPlan(
            "Order",
            "801",
            800,
            bad=(("TotalAmount", "n/a"), ("EffectiveDate", "2026-02-30"), ("EndDate", "31/12/2026")),
        ),
        ObjectPlan("Product2", "01t", 120),
        ObjectPlan("User", "005", 40, extra=("xfiles__amazon_iam_secret__c", "xfiles__amazon_iam_key__c")),
        ObjectPlan("Opportunity", "006", 700),
        ObjectPlan(
            "OrderItem",
            "802",
            2000,
            bad=(("UnitPrice", "1.234,50"), ("Quantity", "twelve"), ("ServiceDate", "2026-13-01")),
        ),
        ObjectPlan("vlocity_cmt__OrderItemAdPlacement__c", "a1P", 3000, bad=(("vlocity_cmt__impliedtotal__c", "n/a"),)),
        ObjectPlan("Contract", "800", 500, bad=_DATES),
        ObjectPlan("Quote", "0Q0", 700, bad=(("GrandTotal", "1e"), ("ExpirationDate", "2026-02-30"))),
        ObjectPlan("vlocity_cmt__PriceList__c", "a2L", 8),
        ObjectPlan("AdSpaceSpecification", "6As", 160),
        ObjectPlan("AdSpaceCreativeSizeType", "6Ac", 300),
        ObjectPlan("AdCreativeSizeType", "6At", 60),
        ObjectPlan(
            "blng__Invoice__c", "a3I", 500, extra=("blng__Account__c", "blng__TotalAmount__c", "blng__InvoiceDate__c")
        ),
        ObjectPlan(
            "blng__InvoiceLine__c", "a3L", 1200, extra=("blng__Invoice__c", "blng__TotalAmount__c", "blng__Quantity__c")
        ),
        ObjectPlan("blng__CreditNoteAllocation__c", "a3C", 100, extra=("blng__Invoice__c", "blng__Amount__c")),
        ObjectPlan("Contact", "003", 500),
        ObjectPlan("QuoteLineItem", "0QL", 1500, bad=(("Quantity", "n/a"), ("ServiceDate", "31/12/2026"))),
        ObjectPlan("SWM_Activity_Code__c", "a4A", 40),
        ObjectPlan("AdOrderItem", "6Ao", 600),
        ObjectPlan("vlocity_cmt__QuotePricingAdjustment__c", "a5P", 400),
        ObjectPlan(
            "vlocity_cmt__QuoteDiscount__c", "a5D", 150, extra=("vlocity_cmt__QuoteId__c", "vlocity_cmt__Discount__c")
        ),
        ObjectPlan("vlocity_cmt__QuoteDiscountPricing__c", "a5Q", 300),
        ObjectPlan("vlocity_cmt__OpportunityLineItemRelationship__c", "a5R", 200),
        ObjectPlan(
            "OpportunityLineItem", "00k", 1000, extra=("OpportunityId", "Quantity", "TotalPrice", "ServiceDate")
        ),
        ObjectPlan("OpportunityTeamMember", "00q", 600, extra=("OpportunityId", "UserId", "TeamMemberRole")),
        ObjectPlan("OpportunityContactRole", "00K", 500, extra=("OpportunityId", "ContactId", "Role", "IsPrimary")),
        ObjectPlan("Targeting__c", "a6T", 300, extra=("Targeting_Description__c",)),
        ObjectPlan("blng__UsageSummary__c", "a3U", 800),
        ObjectPlan("vlocity_cmt__AdServer__c", "a7S", 12, by_api_name=True),
        ObjectPlan("vlocity_cmt__AccountAdServer__c", "a7A", 150, by_api_name=True),
        ObjectPlan("vlocity_cmt__QuoteLineItemAdPlacement__c", "a1Q", 1500),
        ObjectPlan("Usage__c", "a8U", 800, by_api_name=True),
        ObjectPlan("Integration_Job__c", "a8J", 60, by_api_name=True),
        ObjectPlan("BillingExtractReady__e", "e00", 30, by_api_name=True),
        ObjectPlan("ContentDocument", "069", 120, by_api_name=True),
    )
}


@dataclass(frozen=True)
class Link:
    """How records find their parent.

    Attributes:
        target: the object pointed to.
        even: every parent gets its share in turn; otherwise parents are drawn.
        through: (own field, field of the record it points to): the parent's own parent, so that records agree.
        missing: the share of nulls.
        among: only this share of the parents is drawn from.
    """

    target: str
    even: bool = False
    through: tuple[str, str] | None = None
    missing: float = 0.0
    among: float = 1.0


_PLACEMENT, _MEDIA = "vlocity_cmt__OrderItemAdPlacement__c", "vlocity_cmt__QuoteLineItemAdPlacement__c"
_ITEM, _LINE = "vlocity_cmt__orderitemid__c", "vlocity_cmt__quotelineitemid__c"
LINKS: dict[tuple[str, str], Link] = {
    ("Order", "accountid"): Link("Account", missing=0.02, among=0.5),
    ("Order", "contractid"): Link("Contract", missing=0.25),
    ("Order", "opportunityid"): Link("Opportunity", missing=0.1),
    ("Order", "vlocity_cmt__pricelistid__c"): Link("vlocity_cmt__PriceList__c", missing=0.1),
    ("Order", "quoteid"): Link("Quote", even=True, missing=0.15),
    ("Order", "vlocity_cmt__quoteid__c"): Link("Quote", even=True, missing=0.1),
    ("Contact", "accountid"): Link("Account", missing=0.05, among=0.5),
    ("Contract", "vlocity_cmt__orderid__c"): Link("Order", missing=0.2),
    ("Quote", "opportunityid"): Link("Opportunity", even=True),
    ("QuoteLineItem", "quoteid"): Link("Quote", even=True),
    ("QuoteLineItem", "product2id"): Link("Product2", missing=0.01),
    ("OrderItem", "orderid"): Link("Order", even=True),
    ("OrderItem", "quotelineitemid"): Link("QuoteLineItem", even=True, missing=0.1),
    ("OrderItem", "product2id"): Link("Product2", missing=0.01),
    (_PLACEMENT, _ITEM): Link("OrderItem", even=True, missing=0.01),
    (_PLACEMENT, "vlocity_cmt__orderid__c"): Link("Order", through=(_ITEM, "orderid")),
    (_PLACEMENT, _LINE): Link("QuoteLineItem", through=(_ITEM, "quotelineitemid")),
    (_PLACEMENT, "swm_parent_media_placement__c"): Link(_MEDIA, through=(_ITEM, "quotelineitemid"), missing=0.2),
    (_MEDIA, _LINE): Link("QuoteLineItem", even=True),
    (_MEDIA, "vlocity_cmt__quoteid__c"): Link("Quote", through=(_LINE, "quoteid")),
    ("AdSpaceSpecification", "vlocity_cmt__product2id__c"): Link("Product2", even=True, missing=0.1),
    ("AdSpaceCreativeSizeType", "vlocity_cmt__adspacespecificationid__c"): Link("AdSpaceSpecification", even=True),
    ("AdSpaceCreativeSizeType", "vlocity_cmt__adcreativesizetypeid__c"): Link("AdCreativeSizeType", missing=0.05),
    ("vlocity_cmt__AccountAdServer__c", "vlocity_cmt__adserverid__c"): Link("vlocity_cmt__AdServer__c"),
    ("vlocity_cmt__AccountAdServer__c", "vlocity_cmt__advertiserid__c"): Link("Account"),
    ("blng__InvoiceLine__c", "blng__invoice__c"): Link("blng__Invoice__c", even=True),
    ("blng__CreditNoteAllocation__c", "blng__invoice__c"): Link("blng__Invoice__c"),
}
_EVERYWHERE: tuple[tuple[str, Link], ...] = (
    (r"(createdby|lastmodifiedby|owner)id", Link("User")),
    (r"(manager|delegatedapprover|activatedby|user|companysigned|companyauthorizedby)id", Link("User", missing=0.6)),
    (r"\w*(account|premises|parent_account)id|(swm_)?account", Link("Account", missing=0.5)),
    (r"\w*contactid|customer(signed|authorizedby)id", Link("Contact", missing=0.6)),
    (r"\w*contractid", Link("Contract", missing=0.7)),
    (r"\w*opportunityid", Link("Opportunity", missing=0.3)),
    (r"\w*(quotelineitem)id", Link("QuoteLineItem", missing=0.7)),
    (r"\w*quoteid", Link("Quote", missing=0.3)),
    (r"\w*orderitemid", Link("OrderItem", missing=0.7)),
    (r"(original|parent|superseded|synced)?orderid", Link("Order", missing=0.7)),
    (r"product2id", Link("Product2", missing=0.1)),
    (r"pricelistid", Link("vlocity_cmt__PriceList__c", missing=0.2)),
    (r"adserverid", Link("vlocity_cmt__AdServer__c", missing=0.2)),
    (r"adspacespecificationid", Link("AdSpaceSpecification", missing=0.2)),
    (r"integrationjobid", Link("Integration_Job__c")),
)  # fmt: skip
SETUP_PREFIXES = {
    "recordtypeid": "012",
    "pricebook2id": "01s",
    "pricebookentryid": "01u",
    "profileid": "00e",
    "userroleid": "00E",
    "campaignid": "701",
}
"""References to what is no object of ours: record types, price books, profiles, roles, campaigns."""


def link_of(name: str, field: str) -> Link | None:
    """Where a field points to; None: to no object of the demo org."""
    if found := LINKS.get((name, field.lower())):
        return found
    return next((link for pattern, link in _EVERYWHERE if re.fullmatch(pattern, core(field))), None)


def plan_of(name: str) -> ObjectPlan:
    """The plan of an object by its API name. Raises UsageError for an object that the demo org does not have."""
    try:
        return OBJECTS[name]
    except KeyError:
        raise UsageError(
            f"{name}: not an object of the demo org; it has {', '.join(OBJECTS)}. Use one of these."
        ) from None


ORPHANS = 0.003
"""The share of references that point to a record that is not there yet, or never will be."""
SHORT_EVERY = 100
"""Each 100th reference is in its 15-character form."""


@dataclass(frozen=True)
class Relations:
    """Which record points to which, for the whole org; built on demand, the same for the same seed and scale."""

    seed: int
    scale: int

    @cached_property
    def _known(self) -> dict[tuple[str, str], list[int | None]]:
        return {}

    def parents(self, name: str, field: str, link: Link) -> list[int | None]:
        """For each record the number of its parent, None for null; the reserve of later records comes last.

        Some point to records that come into being in the next hour, and some to records that never will: orphans.
        """
        key = (name, field.lower())
        if key not in self._known:
            self._known[key] = self._draw(name, field.lower(), link)
        return self._known[key]

    def _draw(self, name: str, field: str, link: Link) -> list[int | None]:
        rng = dice(self.seed, name, field, "parents")
        plan, target = OBJECTS[name], OBJECTS[link.target]
        size, there = plan.count(self.scale) + plan.reserve(self.scale), target.count(self.scale)
        found: list[int | None]
        if link.through:
            own, beyond = link.through
            first, second = LINKS[(name, own)], LINKS[(LINKS[(name, own)].target, beyond)]
            grand = self.parents(first.target, beyond, second)
            found = [None if p is None or p >= len(grand) else grand[p] for p in self.parents(name, own, first)]
        elif link.even:
            born = plan.count(self.scale)
            found = [(at * there // born if born > there else at) % there for at in range(size)]
        else:
            found = [rng.randrange(max(1, int(there * link.among))) for _ in range(size)]
        unborn, never = there + target.reserve(self.scale) - 1, there + 100_000
        for at in range(size):
            roll = rng.random()
            if roll < link.missing:
                found[at] = None
            elif not link.through and roll > 1 - ORPHANS:
                found[at] = never if at % 2 else unborn
        return found

    def values(self, name: str, field: str, link: Link) -> list[str | None]:
        """The parents' ids; one in a hundred in its 15-character form."""
        prefix = OBJECTS[link.target].prefix
        parents = self.parents(name, field, link)
        ids = {parent: record_id(prefix, parent) for parent in set(parents) if parent is not None}
        return [
            None if p is None else ids[p][:15] if at % SHORT_EVERY == SHORT_EVERY // 2 else ids[p]
            for at, p in enumerate(parents)
        ]
