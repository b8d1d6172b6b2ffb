"""Standard objects of Salesforce: what may be read though no mapping file and no catalog entry speaks of it.

With `unmapped: load` such an object gets its table when it lands. A list is needed so that a typo stays an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from forceglue.mapping.names import squash

_SUFFIXES = re.compile(r"(share|feed|history|changeevent|tag|teammember|ownersharingrule)$")
_CUSTOM = re.compile(r"[A-Za-z]\w*__(c|mdt|e|x|b|kav|history|share|feed|changeevent)", re.IGNORECASE)

STANDARD_OBJECTS = (
    "Account", "AccountContactRelation", "AccountContactRole", "AccountHistory", "AccountTeamMember", "ActivityHistory",
    "Asset", "AssignmentRule", "Attachment", "BusinessHours", "Campaign", "CampaignMember", "CampaignMemberStatus",
    "Case", "CaseComment", "CaseHistory", "CaseTeamMember", "Contact", "ContactHistory", "ContactPointEmail",
    "ContactPointPhone", "ContentDocument", "ContentDocumentLink", "ContentVersion", "Contract", "ContractContactRole",
    "ContractLineItem", "CurrencyType", "DatedConversionRate", "Document", "EmailMessage", "EmailTemplate",
    "Entitlement", "Event", "EventRelation", "FeedComment", "FeedItem", "Group", "GroupMember", "Holiday", "Idea",
    "Individual", "Invoice", "Lead", "LeadHistory", "LineItem", "LoginHistory", "Note", "Opportunity",
    "OpportunityCompetitor", "OpportunityContactRole", "OpportunityFieldHistory", "OpportunityHistory",
    "OpportunityLineItem", "OpportunityLineItemSchedule", "OpportunityPartner", "OpportunityStage",
    "OpportunityTeamMember", "Order", "OrderAction", "OrderHistory", "OrderItem", "Organization", "Partner",
    "Payment", "PermissionSet", "PermissionSetAssignment", "Pricebook2", "PricebookEntry", "ProcessInstance",
    "ProcessInstanceStep", "ProcessInstanceWorkitem", "Product2", "ProductItem", "Profile", "Quote", "QuoteDocument",
    "QuoteLineItem", "RecordType", "Report", "ResourceAbsence", "ServiceAppointment", "ServiceContract",
    "ServiceResource", "ServiceTerritory", "Shift", "Solution", "Task",
    "Territory", "Territory2", "Topic", "TopicAssignment",
    "User", "UserLicense", "UserRole", "UserTerritory2Association", "WorkOrder", "WorkOrderLineItem", "WorkType",
)  # fmt: skip

_ALIKE = 0.85
_SQUASHED = frozenset(squash(name) for name in STANDARD_OBJECTS)


def is_salesforce_name(name: str) -> bool:
    """A standard object (as API name or table name), or a name of the custom form `…__c`."""
    squashed = squash(name)
    return squashed in _SQUASHED or _SUFFIXES.sub("", squashed) in _SQUASHED or _CUSTOM.fullmatch(name) is not None


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """The object that a name is a slip of the pen of: `Acount` → `Account`. None for any other name.

    Args:
        known: further names, of the catalog.
    """
    import difflib

    names = {squash(entry): entry for entry in (*STANDARD_OBJECTS, *known)}
    wanted = squash(name)
    if wanted in names or is_salesforce_name(name):
        return None
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=_ALIKE)
    return names[near[0]] if near else None
