"""What other objects' references to an object are called from its side: `Contacts` of an account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.org import Org
    from forceglue.simulated.salesforce.schema import Field, ObjectSchema


def child_links(org: Org, schema: ObjectSchema) -> Iterator[tuple[str, ObjectSchema, Field]]:
    """Each relationship's name, the object that points here, and the field by which it does."""
    used: Counter[str] = Counter()
    for other in org.objects:
        for field in other.seen:
            if schema.name not in field.references:
                continue
            name = (
                f"Child{_plural(other.name)}" if other is schema and field.name == "ParentId" else _plural(other.name)
            )
            used[name] += 1
            yield name if used[name] == 1 else _numbered(name, used[name] - 1), other, field


def _plural(name: str) -> str:
    bare = name.removesuffix("__c")
    many = f"{bare[:-1]}ies" if bare.endswith("y") else f"{bare}es" if bare.endswith("s") else f"{bare}s"
    return f"{many}__r" if name.endswith("__c") else many


def _numbered(name: str, number: int) -> str:
    return f"{name.removesuffix('__r')}{number}__r" if name.endswith("__r") else f"{name}{number}"
