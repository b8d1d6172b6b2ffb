"""Types of fields whose names are all that is known, as in a catalog made from mapping files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from forceglue.demo.values import Kind, core, kind_of

_TYPES: dict[Kind, dict[str, Any]] = {
    "id": {"type": "id"},
    "boolean": {"type": "boolean"},
    "date": {"type": "date"},
    "datetime": {"type": "datetime"},
    "money": {"type": "currency", "precision": 18, "scale": 2},
    "percent": {"type": "percent", "precision": 16, "scale": 2},
    "integer": {"type": "double", "precision": 18, "scale": 0},
    "coordinate": {"type": "double", "precision": 18, "scale": 15},
    "email": {"type": "email"},
    "phone": {"type": "phone"},
    "url": {"type": "url"},
    "address": {"type": "address"},
    "json": {"type": "textarea", "length": 131_072},
    "long_text": {"type": "textarea", "length": 131_072},
}
_WHOLE = frozenset({"numberofemployees", "fiscalyear", "fiscalquarter", "sortorder", "numberofunits"})
_USERS = re.compile(r"(createdby|lastmodifiedby|owner|user|manager|delegatedapprover|activatedby|\w*authorizedby)id")
_NOT_REFERENCES = re.compile(r"externalid|\w*(customer_id|account_id|gam_id|brief_id|taxid|lineitemid|gamorderid)")
_OWN = frozenset({"parent", "reportsto", "masterrecord"})
_NAMED = {"companysignedid": "User", "customersignedid": "Contact", "customerauthorizedbyid": "Contact"}
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy")
_LOCATION_PARTS = ("Latitude", "Longitude")


def typed_field(name: str, objects: Iterable[str]) -> dict[str, Any]:
    """A field with a type that suits its name, and references to those of `objects` that it names; own object last."""
    if name == "Id":
        return {"name": name, "type": "id"}
    if targets := _targets(name, objects):
        return {"name": name, "type": "reference", "referenceTo": targets}
    kind = kind_of(name)
    if kind == "address" and name.endswith("__c"):  # most of what customers call an address is a text
        kind = "long_text"
    said = {"type": "int"} if core(name) in _WHOLE else _TYPES.get(kind, {"type": "string", "length": 255})
    if kind == "id":
        said = {"type": "string", "length": 18}
    return {"name": name, **said}


def _targets(name: str, objects: Iterable[str]) -> list[str]:
    bare, own = core(name), [*objects][-1:]
    if not bare.endswith("id") or bare == "id" or _NOT_REFERENCES.fullmatch(bare):
        return []
    if _USERS.fullmatch(bare):
        return ["User"]
    stem = bare.removesuffix("id").rstrip("_")
    if stem in _OWN:
        return own
    if bare in _NAMED:
        return [_NAMED[bare]]
    by_core = {core(entry): entry for entry in objects}
    if stem in by_core:
        return [by_core[stem]]
    near = [entry for key, entry in by_core.items() if stem.endswith(key)]
    if near:
        return [max(near, key=len)]
    if name.endswith("Id") and not name.endswith("__c"):
        return [name[:-2]]
    return []


def parts_of_compound(name: str, kind: str) -> list[dict[str, Any]]:
    """The fields that hold a compound field's parts: `BillingAddress` → `BillingStreet`, `BillingCity`, ..."""
    if kind == "location":
        stem, custom = name.removesuffix("__c"), name.endswith("__c")
        shape = f"{stem}__{{}}__s" if custom else f"{name}{{}}"
        names = {part: shape.format(part) for part in _LOCATION_PARTS}
    elif name.endswith("__c"):
        names = {part: f"{name.removesuffix('__c')}__{part}__s" for part in _ADDRESS_PARTS}
    else:
        stem = name.removesuffix("Address")
        names = {part: f"{stem}{part}" for part in _ADDRESS_PARTS}
    return [{"name": field, "compoundFieldName": name} | _part(part) for part, field in names.items()]


def _part(part: str) -> dict[str, Any]:
    if part in _LOCATION_PARTS:
        return {"type": "double", "precision": 18, "scale": 15}
    return {"type": "textarea" if part == "Street" else "string", "length": 255 if part == "Street" else 80}


SYSTEM_FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "Id", "type": "id"},
    {"name": "IsDeleted", "type": "boolean"},
    {"name": "CreatedDate", "type": "datetime"},
    {"name": "CreatedById", "type": "reference", "referenceTo": ["User"], "relationshipName": "CreatedBy"},
    {"name": "LastModifiedDate", "type": "datetime"},
    {"name": "LastModifiedById", "type": "reference", "referenceTo": ["User"], "relationshipName": "LastModifiedBy"},
    {"name": "SystemModstamp", "type": "datetime"},
)
"""What every object has, in Salesforce's order."""
EVENT_FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "ReplayId", "type": "string", "length": 1000},
    {"name": "CreatedDate", "type": "datetime"},
    {"name": "CreatedById", "type": "reference", "referenceTo": ["User"], "relationshipName": "CreatedBy"},
)
MERGED = {"name": "MasterRecordId", "type": "reference", "relationshipName": "MasterRecord"}
"""What objects have whose records can be merged."""
