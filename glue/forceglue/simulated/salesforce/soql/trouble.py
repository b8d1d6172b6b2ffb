"""What is wrong with a query, in Salesforce's words: the place in the text, and what is there."""

from __future__ import annotations

from forceglue.simulated.salesforce.errors import ApiError

_AROUND = 60
_WSDL = "Please reference your WSDL or the describe call for the appropriate names."


def at_place(text: str, at: int, code: str, message: str) -> ApiError:
    """An error that points at a place of the query."""
    line_start = text.rfind("\n", 0, at) + 1
    row, column = text.count("\n", 0, at) + 1, at - line_start + 1
    shown = text[max(line_start, at - _AROUND) : at + _AROUND].replace("\n", " ")
    arrow = " " * (at - max(line_start, at - _AROUND)) + "^"
    return ApiError(code, f"\n{shown}\n{arrow}\nERROR at Row:{row}:Column:{column}\n{message}")


def malformed(text: str, at: int, message: str) -> ApiError:
    """What is no SOQL."""
    return at_place(text, at, "MALFORMED_QUERY", message)


def no_such_column(text: str, at: int, name: str, entity: str) -> ApiError:
    """A field that the object does not have, or that the user may not see."""
    return at_place(
        text,
        at,
        "INVALID_FIELD",
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to "
        f"append the '__c' after the custom field name. {_WSDL}",
    )


def no_such_type(text: str, at: int, name: str) -> ApiError:
    """An object that the org does not have."""
    return at_place(
        text,
        at,
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
        f"'__c' after the entity name. {_WSDL}",
    )


def no_such_relationship(text: str, at: int, name: str) -> ApiError:
    """A path through what is no relationship."""
    return at_place(
        text,
        at,
        "INVALID_FIELD",
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
        f"be sure to append the '__r' after the custom relationship name. {_WSDL}",
    )


def cannot(text: str, at: int, field: str, what: str) -> ApiError:
    """A field that cannot be `filtered`, `sorted` or `grouped`."""
    return at_place(text, at, "INVALID_FIELD", f"field '{field}' can not be {what} in a query call")
