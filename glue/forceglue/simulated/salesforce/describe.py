"""The full shape of a describe: every key that Salesforce sends, filled in from the little that somebody said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Described = Mapping[str, Any]

_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "long": "xsd:long",
    "double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date",
    "datetime": "xsd:dateTime", "time": "xsd:time", "base64": "xsd:base64Binary", "address": "urn:address",
    "location": "urn:location", "anyType": "xsd:anyType", "json": "urn:json", "complexvalue": "urn:complexvalue",
}  # fmt: skip
_LENGTHS = {
    "id": 18, "reference": 18, "string": 255, "picklist": 255, "combobox": 255, "multipicklist": 4099, "email": 80,
    "phone": 40, "url": 255, "textarea": 32_768, "encryptedstring": 175, "datacategorygroupreference": 80,
}  # fmt: skip
_NUMBERS = {"double": (18, 2), "currency": (18, 2), "percent": (18, 2)}
_COMPUTED = frozenset({"address", "location", "base64"})
_LONGEST_FILTERED = 255
_SYSTEM = frozenset({
    "Id", "IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp",
    "LastViewedDate", "LastReferencedDate", "LastActivityDate", "MasterRecordId",
})  # fmt: skip


def label_of(name: str) -> str:
    """A label for what has none: `Billing_City__c` → `Billing City`."""
    return name.removesuffix("__c").rpartition("__")[2].replace("_", " ").strip() or name


def relationship_of(name: str) -> str | None:
    """What a reference field is called in a path: `AccountId` → `Account`, `Order__c` → `Order__r`."""
    if name.lower().endswith("__c"):
        return f"{name[:-3]}__r"
    return name[:-2] if name.lower().endswith("id") and len(name) > 2 else None


def full_field(said: Described) -> dict[str, Any]:
    """A field with all its keys; what is said wins, and what is said but not known here is kept."""
    name, kind = said["name"], said["type"]
    calculated, custom = bool(said.get("calculated")), name.lower().endswith(("__c", "__s"))
    read_only = calculated or name in _SYSTEM or kind in _COMPUTED or bool(said.get("autoNumber"))
    length = said.get("length") or _LENGTHS.get(kind, 0)
    precision, scale = _NUMBERS.get(kind, (0, 0))
    long_text = kind == "textarea" and length > _LONGEST_FILTERED
    plain = kind not in _COMPUTED and not long_text and kind != "encryptedstring"
    references = list(said.get("referenceTo") or ())
    first = {
        "aggregatable": plain and kind != "boolean",
        "aiPredictionField": False,
        "autoNumber": False,
        "byteLength": length * 3 if kind not in ("id", "reference") else length,
        "calculated": calculated,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": not read_only,
        "custom": custom,
        "defaultValue": False if kind == "boolean" else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": name in _SYSTEM or kind == "boolean" or name == "OwnerId",
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 9 if kind == "int" else 0,
        "displayLocationInDecimal": kind == "location",
        "encrypted": kind == "encryptedstring",
        "externalId": False,
        "extraTypeInfo": None,
        "filterable": plain,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": plain and kind not in (*_NUMBERS, "datetime", "time", "multipicklist"),
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": name == "Id" or bool(said.get("externalId")),
        "inlineHelpText": None,
        "label": label_of(name),
        "length": length,
        "mask": None,
        "maskType": None,
        "name": name,
        "nameField": name == "Name",
        "namePointing": len(references) > 1,
        "nillable": kind != "boolean" and name not in _SYSTEM - {"MasterRecordId"},
        "permissionable": not (name in _SYSTEM or name == "Name"),
        "picklistValues": [],
        "polymorphicForeignKey": len(references) > 1,
        "precision": precision,
        "queryByDistance": kind == "location",
        "referenceTargetField": None,
        "referenceTo": references,
        "relationshipName": relationship_of(name) if references else None,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": False,
        "scale": scale,
        "searchPrefilterable": kind == "reference",
        "soapType": _SOAP.get(kind, "xsd:string"),
        "sortable": plain and kind != "multipicklist",
        "type": kind,
        "unique": False,
        "updateable": not read_only,
        "writeRequiresMasterRead": False,
    }
    full = first | {key: value for key, value in said.items() if value is not None or key not in first}
    full["picklistValues"] = [_choice(entry) for entry in full["picklistValues"]]
    return full


def _choice(entry: Any) -> dict[str, Any]:
    said = {"value": entry} if isinstance(entry, str) else dict(entry)
    return {"active": True, "defaultValue": False, "label": said["value"], "validFor": None} | said


def object_facts(said: Described, prefix: str | None) -> dict[str, Any]:
    """What describe says of an object, without its fields, child relationships and urls."""
    name = said["name"]
    label = said.get("label") or label_of(name)
    event = name.endswith("__e")
    first = {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": True,
        "custom": name.endswith(("__c", "__e", "__mdt", "__b", "__x")),
        "customSetting": False,
        "deepCloneable": False,
        "deletable": not event,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": prefix,
        "label": label,
        "labelPlural": f"{label}s",
        "layoutable": not event,
        "mergeable": name in ("Account", "Contact", "Lead"),
        "mruEnabled": not event,
        "name": name,
        "queryable": not event,
        "replicateable": not event,
        "retrieveable": not event,
        "searchable": not event,
        "triggerable": True,
        "undeletable": not event,
        "updateable": not event,
    }
    dropped = {"fields", "urls", "childRelationships"}
    return first | {key: value for key, value in said.items() if key not in dropped and value is not None}


_ONLY_WHOLE: dict[str, Any] = {
    "actionOverrides": [], "compactLayoutable": True, "defaultImplementation": None, "extendedBy": None,
    "extendsInterfaces": None, "implementedBy": None, "implementsInterfaces": None, "listviewable": None,
    "lookupLayoutable": None, "namedLayoutInfos": [], "networkScopeFieldName": None, "recordTypeInfos": [],
    "searchLayoutable": True, "sobjectDescribeOption": "FULL",
    "supportedScopes": [{"label": "All", "name": "everything"}],
}  # fmt: skip


def urls(version: str, name: str, *, whole: bool = False) -> dict[str, str]:
    """The addresses that a describe names."""
    root = f"/services/data/v{version}/sobjects/{name}"
    found = {"rowTemplate": f"{root}/{{ID}}", "describe": f"{root}/describe", "sobject": root}
    if whole:
        found |= {"layouts": f"{root}/describe/layouts", "compactLayouts": f"{root}/describe/compactLayouts"}
    return found


def shown_basic(facts: Described, version: str) -> dict[str, Any]:
    """An object in the list of all objects."""
    return {**facts, "urls": urls(version, facts["name"])}


def shown_whole(
    facts: Described, fields: Iterable[Described], children: list[dict[str, Any]], version: str
) -> dict[str, Any]:
    """The whole describe of an object."""
    return {
        **_ONLY_WHOLE,
        **facts,
        "childRelationships": children,
        "fields": [dict(field) for field in fields],
        "urls": urls(version, facts["name"], whole=True),
    }
