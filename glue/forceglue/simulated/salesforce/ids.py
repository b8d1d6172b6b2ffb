"""Record ids: fifteen characters that tell case apart, and three that save them where case is lost."""

from __future__ import annotations

import re
import string

from forceglue.demo.values import checksum

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_POD = "Sm0"

KEY_PREFIXES = {
    "Account": "001", "Note": "002", "Contact": "003", "User": "005", "Opportunity": "006", "Attachment": "00P",
    "OpportunityLineItem": "00k", "Organization": "00D", "Group": "00G", "Profile": "00e", "UserRole": "00E",
    "RecordType": "012", "Document": "015", "Product2": "01t", "Pricebook2": "01s", "PricebookEntry": "01u",
    "Lead": "00Q", "Task": "00T", "Event": "00U", "Case": "500", "Campaign": "701", "Contract": "800", "Order": "801",
    "OrderItem": "802", "Asset": "02i", "Solution": "501", "ContentVersion": "068", "ContentDocument": "069",
    "Quote": "0Q0", "QuoteLineItem": "0QL", "FeedItem": "0D5", "CampaignMember": "00v", "EmailMessage": "02s",
    "OpportunityContactRole": "00K", "OpportunityTeamMember": "00q", "AccountHistory": "017",
}  # fmt: skip
"""Salesforce's own prefixes of the usual standard objects."""


def base62(number: int, width: int) -> str:
    """A number in digits, capitals and small letters, filled with zeros."""
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits


def new_id(prefix: str, serial: int) -> str:
    """The 18-character id of the `serial`-th record that the org itself makes under this key prefix."""
    id15 = f"{prefix}{_POD}{base62(serial, 9)}"
    return id15 + checksum(id15)


def custom_prefix(number: int) -> str:
    """The key prefix of the `number`-th object that has none of its own: `a00`, `a01`, ..."""
    return f"a{base62(number, 2)}"


def full_id(text: str) -> str | None:
    """The 18-character form of an id; None for what is no id."""
    if not _FORM.fullmatch(text):
        return None
    if len(text) == 18:
        return text if checksum(text[:15]) == text[15:].upper() else None
    return text + checksum(text)
