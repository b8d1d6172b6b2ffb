# ruff: noqa: S608 - names come from the schema and are quoted, values are parameters
"""What Salesforce checks before it takes a record from a client; everything wrong with it is told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.ids import full_id
from forceglue.simulated.salesforce.schema import Field, ObjectSchema
from forceglue.simulated.salesforce.wire import NUMBERS, NotOfType, parts_of, stored

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.org import Org

Texts = dict[str, str | None]
_SHOWN = 255
_LIMITED = frozenset({
    "string", "textarea", "email", "phone", "url", "picklist", "combobox", "encryptedstring", "multipicklist",
})  # fmt: skip


def checked(
    org: Org, schema: ObjectSchema, values: Mapping[str, Any], *, new: bool, given: Iterable[str] = ()
) -> Texts:
    """The values as the store keeps them.

    Args:
        given: fields that another part of the call gives, such as an external id in the address.

    Raises:
        ApiError: everything that is wrong with them.
    """
    texts: Texts = {}
    wrong: list[ApiError] = []
    for key, value in values.items():
        if key == "attributes":
            continue
        try:
            texts.update(_one(org, schema, key, value, new=new))
        except ApiError as error:
            wrong.append(error)
    if new:
        wrong += _required(schema, {*texts, *given})
    else:
        emptied = [name for name, text in texts.items() if text is None and _needed(schema.known(name))]
        wrong += [_missing(emptied)] if emptied else []
    if wrong:
        raise ApiError.all_of(wrong)
    return texts


def _one(org: Org, schema: ObjectSchema, key: str, value: Any, *, new: bool) -> Texts:
    field = schema.field(key)
    if field is None:
        return _by_parent(org, schema, key, value)
    if not field["createable" if new else "updateable"]:
        verb = "create" if new else "update"
        raise ApiError(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to {verb} fields: {field.name}. Please check the security settings of this field and verify that "
            "it is read/write for your profile or permission set.",
            (field.name,),
        )
    return {field.name: _value(org, field, value)}


def _by_parent(org: Org, schema: ObjectSchema, key: str, value: Any) -> Texts:
    """`"Account": {"Code__c": "x"}` in the place of an id."""
    link = schema.relationship(key)
    if link is None or not (isinstance(value, Mapping) or value is None):
        raise ApiError("INVALID_FIELD", f"No such column '{key}' on sobject of type {schema.name}")
    if value is None:
        return {link.name: None}
    named = [(name, text) for name, text in value.items() if name != "attributes"]
    for target in link.references:
        parent = org.find(target)
        if parent is not None and len(named) == 1 and (outer := parent.field(named[0][0])) and outer["idLookup"]:
            with org.store.writing() as db:
                sql = f'SELECT "Id" FROM "{parent.name}" WHERE "{outer.name}" = ? LIMIT 2'
                found = db.execute(sql, (stored(outer.type, named[0][1]),)).fetchall()
            if len(found) == 1:
                return {link.name: found[0][0]}
    told = ", ".join(f"{name} {text}" for name, text in named)
    raise ApiError("INVALID_FIELD", f"Foreign key external ID: {told} not found for field {link.name}", (link.name,))


def _value(org: Org, field: Field, value: Any) -> str | None:
    if isinstance(value, (Mapping, list)):
        raise _not_readable(field, "START_OBJECT" if isinstance(value, Mapping) else "START_ARRAY", "")
    if field.type == "boolean" and (value is None or value == ""):
        value = False
    try:
        text = stored(field.type, value)
    except NotOfType:
        if field.type == "reference":
            raise ApiError(
                "MALFORMED_ID", f"{field['label']}: id value of incorrect type: {_short(value)}", (field.name,)
            ) from None
        raise _not_readable(field, "VALUE_STRING", _short(value)) from None
    if text is None:
        return None
    checks: dict[str, Callable[[Org, Field, str], None]] = {
        "reference": _reference, "picklist": _choice, "multipicklist": _choice, "email": _email,
    }  # fmt: skip
    if field.type in checks:
        checks[field.type](org, field, text)
    if field.type in _LIMITED and field["length"] and len(text) > field["length"]:
        raise ApiError(
            "STRING_TOO_LONG",
            f"{field['label']}: data value too large: {_short(text)} (max length={field['length']})",
            (field.name,),
        )
    if field.type in NUMBERS and field["precision"]:
        _digits(field, text)
    return text


def _short(value: Any) -> str:
    return str(value)[:_SHOWN]


def _not_readable(field: Field, what: str, value: str) -> ApiError:
    return ApiError(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {field.type} from {what} value {value} or request may be missing a required "
        "field at [line:1, column:1]",
    )


def _digits(field: Field, text: str) -> None:
    whole = field["precision"] - field["scale"]
    if abs(float(text)) >= 10**whole:
        raise ApiError(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field['label']}: value outside of valid range on numeric field: {text}",
            (field.name,),
        )


def _reference(org: Org, field: Field, text: str) -> None:
    owner = org.owner_of(text)
    if owner is not None and owner.name not in field.references:
        raise ApiError(
            "FIELD_INTEGRITY_EXCEPTION", f"{field['label']}: id value of incorrect type: {text}", (field.name,)
        )
    if owner is not None:
        with org.store.writing() as db:
            if not db.execute(f'SELECT 1 FROM "{owner.name}" WHERE "Id" = ?', (text,)).fetchone():
                raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (field.name,))


def _choice(_: Org, field: Field, text: str) -> None:
    known = {entry["value"] for entry in field["picklistValues"] if entry["active"]}
    wanted = parts_of(text) if field.type == "multipicklist" else (text,)
    if field["restrictedPicklist"] and (wrong := [one for one in wanted if one not in known]):
        raise ApiError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field['label']}: bad value for restricted picklist field: {_short(wrong[0])}",
            (field.name,),
        )


def _email(_: Org, field: Field, text: str) -> None:
    name, sign, domain = text.partition("@")
    if not (name and sign and "." in domain):
        raise ApiError(
            "INVALID_EMAIL_ADDRESS", f"{field['label']}: invalid email address: {_short(text)}", (field.name,)
        )


def _needed(field: Field) -> bool:
    optional = field["nillable"] or field["defaultedOnCreate"] or field["defaultValue"] is not None
    return bool(field["createable"]) and not optional and field.type != "boolean"


def _missing(names: Iterable[str]) -> ApiError:
    return ApiError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(names)}]", tuple(names))


def _required(schema: ObjectSchema, there: set[str]) -> list[ApiError]:
    missing = [entry.name for entry in schema.stored if _needed(entry) and entry.name not in there]
    return [_missing(missing)] if missing else []


def checked_id(schema: ObjectSchema, text: Any) -> str:
    """A record's 18-character id. Raises ApiError for what is none, or is of another object."""
    found = full_id(text) if isinstance(text, str) else None
    if found is None:
        raise ApiError("MALFORMED_ID", f"{schema.name} ID: id value of incorrect type: {_short(text)}", ("Id",))
    if schema.prefix and found[:3] != schema.prefix:
        raise ApiError("MALFORMED_ID", f"{schema.name} ID: id value of incorrect type: {_short(text)}", ("Id",))
    return found
