"""An object's definition: its fields, what can be done with it, and its describe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from forceglue.errors import UsageError
from forceglue.simulated.salesforce import describe, infer
from forceglue.simulated.salesforce.wire import WHOLE

COMPOUND = frozenset({"address", "location"})
_MERGEABLE = ("Account", "Contact", "Lead")


@dataclass(frozen=True)
class Field:
    """One field; `facts` has every key of a describe."""

    facts: Mapping[str, Any] = field(repr=False)
    name: str = ""
    type: str = "string"

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Field:
        facts = describe.full_field(said)
        return cls(facts, facts["name"], facts["type"])

    def __getitem__(self, key: str) -> Any:
        return self.facts[key]

    @property
    def compound(self) -> bool:
        """Made of other fields; it has no value of its own."""
        return self.type in COMPOUND

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(self.facts["referenceTo"])

    @property
    def whole(self) -> bool:
        return self.type in WHOLE


@dataclass(frozen=True)
class ObjectSchema:
    """One object as the integration user sees it.

    Attributes:
        facts: what describe says of it apart from its fields.
        prefix: the first three characters of its ids; None for an object without.
        fields: in describe's order, the hidden ones too.
        hidden: names of fields that field-level security keeps from the user.
    """

    facts: Mapping[str, Any] = field(repr=False)
    prefix: str | None
    fields: tuple[Field, ...]
    hidden: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return str(self.facts["name"])

    @cached_property
    def seen(self) -> tuple[Field, ...]:
        """The fields that the user may read."""
        return tuple(entry for entry in self.fields if entry.name not in self.hidden)

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {entry.name.lower(): entry for entry in self.fields}

    @cached_property
    def _by_relationship(self) -> dict[str, Field]:
        named = ((entry["relationshipName"], entry) for entry in self.seen)
        return {name.lower(): entry for name, entry in named if name}

    @cached_property
    def stored(self) -> tuple[Field, ...]:
        """The fields that have a value of their own."""
        return tuple(entry for entry in self.fields if not entry.compound)

    def any_field(self, name: str) -> Field | None:
        """The field of that name in any case, hidden or not."""
        return self._by_name.get(name.lower())

    def field(self, name: str) -> Field | None:
        """The field of that name in any case, if the user may read it."""
        found = self._by_name.get(name.lower())
        return None if found is None or found.name in self.hidden else found

    def relationship(self, name: str) -> Field | None:
        """The reference field that a path names: `Account`, `Order__r`."""
        return self._by_relationship.get(name.lower())

    def parts(self, compound: Field) -> tuple[Field, ...]:
        """The fields that a compound field is made of."""
        return tuple(entry for entry in self.seen if entry["compoundFieldName"] == compound.name and entry != compound)

    def can(self, what: str) -> bool:
        """Whether describe says so: `queryable`, `createable`, ..."""
        return bool(self.facts[what])

    # changes of an administrator

    def with_field(self, said: Mapping[str, Any]) -> ObjectSchema:
        """With one field more, or with that one as now said."""
        new = _fields([said], self.fields, self.name)
        old = {entry.name: entry for entry in self.fields}
        return replace(self, fields=tuple((old | {entry.name: entry for entry in new}).values()))

    def without_field(self, name: str) -> ObjectSchema:
        gone = self.known(name)
        return replace(self, fields=tuple(entry for entry in self.fields if entry is not gone))

    def with_changed(self, name: str, **facts: Any) -> ObjectSchema:
        """With other facts of one field: `type`, `length`, `picklistValues`, ..."""
        old = self.known(name)
        said = _as_said(old, facts)
        return replace(self, fields=tuple(Field.of(said) if entry is old else entry for entry in self.fields))

    def with_hidden(self, name: str, *, hidden: bool = True) -> ObjectSchema:
        one = {self.known(name).name}
        return replace(self, hidden=self.hidden | one if hidden else self.hidden - one)

    def known(self, name: str) -> Field:
        """The field of that name. Raises UsageError when there is none."""
        found = self.any_field(name)
        if found is None:
            raise UsageError(f"{self.name} has no field {name!r}: add it with `add_field`, or mend the name.")
        return found


def _as_said(old: Field, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The old field with other facts; what follows from a type is found anew when the type is another."""
    if facts.get("type", old.type) == old.type:
        return {**old.facts, **facts}
    kept = ("name", "label", "calculated", "calculatedFormula", "custom", "inlineHelpText", "nillable", "unique")
    return {**{key: old[key] for key in kept}, **facts}


def schema_of(said: Mapping[str, Any], *, prefix: str | None, objects: Iterable[str] = ()) -> ObjectSchema:
    """An object from a describe, or from a catalog entry that has names of fields only.

    Types that nobody said are inferred from the names, parts of compound fields and the fields that every object has
    are added; a describe with types is taken as it is, `Id` apart.

    Args:
        objects: names of the other objects, for references that a name implies.
    """
    name, fields = said["name"], [dict(entry) for entry in said.get("fields") or ()]
    guessed = any(not entry.get("type") for entry in fields) or not fields
    known = [*objects, name]
    typed = [entry if entry.get("type") else entry | infer.typed_field(entry["name"], known) for entry in fields]
    if guessed:
        typed = _completed(name, typed)
    elif not name.endswith("__e") and not any(entry["name"] == "Id" for entry in typed):
        typed.insert(0, dict(infer.SYSTEM_FIELDS[0]))
    return ObjectSchema(describe.object_facts(said, prefix), prefix, _fields(typed, (), name))


def _completed(name: str, fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    there = {entry["name"].lower(): entry for entry in fields}
    system = list(infer.EVENT_FIELDS if name.endswith("__e") else infer.SYSTEM_FIELDS)
    if name in _MERGEABLE:
        system.append(infer.MERGED | {"referenceTo": [name]})
    for entry in system:
        if entry["name"].lower() in there:
            there[entry["name"].lower()].update(entry)
        else:
            fields.append(dict(entry))
    return fields


def _fields(said: Iterable[Mapping[str, Any]], old: Iterable[Field], name: str) -> tuple[Field, ...]:
    """Fields with the parts of those that are compound; relationship names are told apart."""
    entries = [dict(entry) for entry in said]
    there = {entry["name"].lower() for entry in entries} | {entry.name.lower() for entry in old}
    if len({entry["name"].lower() for entry in entries}) != len(entries):
        raise UsageError(f"{name}: a field is named twice; field names differ in more than case.")
    for entry in list(entries):
        if entry["type"] in COMPOUND:
            for part in infer.parts_of_compound(entry["name"], entry["type"]):
                if part["name"].lower() not in there:
                    entries.append(part)
                else:
                    _join_part(entries, part)
    used = {entry["relationshipName"] for entry in old}
    found = []
    for entry in entries:
        built = Field.of(entry)
        if path := built["relationshipName"]:
            free = next(path + more for more in ("", *map(str, range(1, len(entries) + 1))) if path + more not in used)
            used.add(free)
            built = built if free == path else Field.of(entry | {"relationshipName": free})
        found.append(built)
    return tuple(found)


def _join_part(entries: list[dict[str, Any]], part: Mapping[str, Any]) -> None:
    for entry in entries:
        if entry["name"].lower() == part["name"].lower():
            entry.setdefault("compoundFieldName", part["compoundFieldName"])
