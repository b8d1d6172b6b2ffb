"""What describe does not say about objects: data that was gathered from Salesforce's documentation and other loaders.

A name here saves a refused call or gives a better reason; an object that is not here and that Bulk refuses goes to
REST all the same.
"""

from __future__ import annotations

from typing import Any

BULK_CANNOT = frozenset(
    {
        "AcceptedEventRelation",
        "Attachment",
        "CaseStatus",
        "ContractStatus",
        "DeclinedEventRelation",
        "EventWhoRelation",
        "FieldSecurityClassification",
        "KnowledgeArticle",
        "KnowledgeArticleVersion",
        "LeadStatus",
        "OrderStatus",
        "PartnerRole",
        "RecentlyViewed",
        "ServiceAppointmentStatus",
        "ShiftStatus",
        "SolutionStatus",
        "TaskPriority",
        "TaskStatus",
        "TaskWhoRelation",
        "UndecidedEventRelation",
        "WorkOrderLineItemStatus",
        "WorkOrderStatus",
        "WorkStepStatus",
    }
)
"""Bulk API 2.0 refuses them, REST does not."""

_PARENT = "Salesforce answers only a query that names the parent's Ids"
NEEDS_FILTER = {
    "CollaborationGroupRecord": _PARENT,
    "ContentDocumentLink": _PARENT,
    "ContentFolderItem": _PARENT,
    "ContentFolderMember": _PARENT,
    "DataStatistics": "Salesforce answers only a query with further conditions",
    "EntityParticle": _PARENT,
    "FieldDefinition": _PARENT,
    "FieldHistoryArchive": _PARENT,
    "FlexQueueItem": _PARENT,
    "FlowVariableView": _PARENT,
    "FlowVersionView": _PARENT,
    "IdeaComment": _PARENT,
    "ListViewChartInstance": _PARENT,
    "OwnerChangeOptionInfo": _PARENT,
    "PicklistValueInfo": _PARENT,
    "PlatformAction": "Salesforce answers only a query with further conditions",
    "RelationshipDomain": _PARENT,
    "RelationshipInfo": _PARENT,
    "SearchLayout": _PARENT,
    "SiteDetail": _PARENT,
    "UserEntityAccess": _PARENT,
    "UserFieldAccess": _PARENT,
    "Vote": _PARENT,
}
"""Queryable by describe, and yet refused without a condition that only a person can give."""

_NO_QUERY = {
    "ActivityHistory": "it is read through its parent only",
    "AggregateResult": "it is the form of an answer, no object",
    "AttachedContentDocument": "it is read through its parent only",
    "AttachedContentNote": "it is read through its parent only",
    "CombinedAttachment": "it is read through its parent only",
    "EmailStatus": "it is read through its parent only",
    "LookedUpFromActivity": "it is read through its parent only",
    "Name": "it is read through its parent only",
    "NoteAndAttachment": "it is read through its parent only",
    "OpenActivity": "it is read through its parent only",
    "OwnedContentDocument": "it is read through its parent only",
    "ProcessInstanceHistory": "it is read through its parent only",
}
_NEVER = {
    "__b": "a big object, which is queried by its index only",
    "__hd": "historical trending data, which reports read",
}
_EVENTS = {"ChangeEvent": "an event", "__e": "a platform event"}


def event(name: str) -> str | None:
    """What kind of event an API name stands for; None: none."""
    return next((kind for ending, kind in _EVENTS.items() if name.endswith(ending)), None)


def bulk_refuses(name: str) -> str | None:
    """Why Bulk API 2.0 does not read an object that REST reads; None where it does, as far as is known."""
    if name.endswith("__x"):
        return "an external object, which Bulk API 2.0 does not read"
    return "Bulk API 2.0 refuses it" if name in BULK_CANNOT else None


def lists_deletions(entry: dict[str, Any]) -> bool:
    """Whether `getDeleted` may be asked about an object of describe global.

    Of CurrencyType it lists currencies that were only deactivated.
    """
    return bool(entry.get("replicateable", True)) and entry["name"] != "CurrencyType"


def unreadable(entry: dict[str, Any]) -> str | None:
    """Why neither API reads an object of describe global as a whole, or None."""
    name = str(entry["name"])
    if found := NEEDS_FILTER.get(name) or _NO_QUERY.get(name):
        return found
    if found := next((why for ending, why in _NEVER.items() if name.endswith(ending)), None):
        return found
    if entry.get("queryable") is False:
        kind = event(name)
        return f"{kind}, which is subscribed to and not queried" if kind else "describe says that it is not queryable"
    return "it is deprecated and hidden" if entry.get("deprecatedAndHidden") else None
