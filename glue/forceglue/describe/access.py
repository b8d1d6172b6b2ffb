"""Whether a field that describe no longer shows is hidden from this user, or gone.

Describe says nothing of fields that field-level security hides. What tells them apart: only custom fields can be
deleted, only permissionable ones hidden, and FieldPermissions lists the fields that some profile or permission set may
read, where the user may look into it.
"""

from __future__ import annotations

from collections.abc import Sequence

from forceglue.errors import SalesforceError, TransientError
from forceglue.mapping.catalog import CatalogField
from forceglue.salesforce.client import Salesforce

_AT_ONCE = 100


def granted(org: Salesforce, name: str, fields: Sequence[str]) -> frozenset[str] | None:
    """Those of `fields` that somebody may read, in lower case; None where this user may not look.

    Raises:
        TransientError: Salesforce does not answer, or the day's calls are used up.
    """
    found: set[str] = set()
    try:
        for at in range(0, len(fields), _AT_ONCE):
            wanted = ", ".join(f"'{name}.{field}'" for field in fields[at : at + _AT_ONCE])
            soql = f"SELECT Field FROM FieldPermissions WHERE SobjectType = '{name}' AND Field IN ({wanted})"  # noqa: S608
            for page in org.query(soql):
                found.update(str(record["Field"]).partition(".")[2].lower() for record in page.records)
    except TransientError:
        raise
    except SalesforceError:
        return None
    return frozenset(found)


def hidden(field: CatalogField, readable: frozenset[str] | None) -> bool | None:
    """Whether a field that is missing is hidden (True) or gone (False); None where nobody can tell."""
    if not field.permissionable:
        return False
    if readable is not None and field.name.lower() in readable:
        return True
    if not field.custom and "__" not in field.name:
        return True
    return None if readable is None else False
