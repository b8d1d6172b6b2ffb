"""Records of any object that has a mapping: each change is checked, made, and told to the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from common.api.problems import of_salesforce
from common.audit import Audit
from forceglue.errors import SalesforceError
from forceglue.salesforce.client import Salesforce
from forceglue.salesforce.records import Changed, Upserted
from rest_api.asking import Asking
from rest_api.objects import SEED, STAMP, KnownObject, Objects
from rest_api.preconditions import Precondition

Values = Mapping[str, Any]
Told = TypeVar("Told")


@dataclass(frozen=True)
class Found:
    """A record that was read.

    Attributes:
        stamp: when it was changed last, as Salesforce writes it; None where the object does not say.
    """

    values: dict[str, Any]
    stamp: str | None


class RecordService:
    """Reads and changes records."""

    def __init__(self, org: Callable[[], Salesforce], objects: Objects, audit: Audit) -> None:
        self._org, self.objects, self._audit = org, objects, audit

    def read(self, asking: Asking, name: str, record_id: str, fields: Sequence[str] | None) -> Found:
        """The fields that were asked for, else those of the object's own endpoint, else all that are known."""
        one = self.objects.object(name)
        asking.caller.must("read", one.name)
        wanted = one.must_know(fields) if fields else list(_usual(one))
        found = self._told(one, lambda org: org.records.read(one.name, record_id, _with_stamp(one, wanted)))
        stamp = found.get(STAMP)
        return Found({key: found.get(key) for key in wanted}, stamp if isinstance(stamp, str) else None)

    def create(self, asking: Asking, name: str, values: Values) -> str:
        """A new record; its id."""
        one, given = self._given(asking, name, values)
        made = self._told(one, lambda org: org.records.create(one.name, given))
        self._audit.tell([asking.entry("CREATE", one, made, after=given)])
        return made

    def change(self, asking: Asking, name: str, record_id: str, values: Values, only_if: Precondition) -> None:
        """Changes some fields, where the precondition holds."""
        one, given = self._given(asking, name, values)
        if not given:
            self._told(one, lambda org: org.records.read(one.name, record_id, ["Id"]))
            return
        if only_if.asked:
            done = self._change_if(one, record_id, given, only_if)
        else:
            done = self._told(one, lambda org: org.records.change(one.name, record_id, given))
        self._audit.tell([asking.entry("UPDATE", one, record_id, done.before, done.after)])

    def remove(self, asking: Asking, name: str, record_id: str, only_if: Precondition) -> None:
        """Puts a record into the recycle bin."""
        one = self.objects.object(name)
        asking.caller.must("delete", one.name)
        if only_if.asked:
            fields = _with_stamp(one, ["Id"])
            only_if.must_hold(self._told(one, lambda org: org.records.read(one.name, record_id, fields)), one.name)
        gone = self._told(one, lambda org: org.records.remove(one.name, record_id, _usual(one)))
        self._audit.tell([asking.entry("DELETE", one, record_id, gone.before)])

    def upsert(self, asking: Asking, name: str, key: str, value: str, values: Values) -> Upserted:
        """Changes the record with this external id, or makes it."""
        one, given = self._given(asking, name, values)
        (known,) = one.must_know([key])
        done = self._told(one, lambda org: org.records.upsert(one.name, known, value, given))
        self._audit.tell([asking.entry("CREATE" if done.created else "UPDATE", one, done.id, done.before, done.after)])
        return done

    def _change_if(self, one: KnownObject, record_id: str, given: Values, only_if: Precondition) -> Changed:
        """Compares to the millisecond, and lets Salesforce compare once more, to the second, when it writes."""
        before = self._told(one, lambda org: org.records.read(one.name, record_id, _with_stamp(one, list(given))))
        since = only_if.must_hold(before, one.name)
        self._told(one, lambda org: org.records.change_unmodified(one.name, record_id, given, since))
        return Changed({key: before.get(key) for key in given}, dict(given))

    def _given(self, asking: Asking, name: str, values: Values) -> tuple[KnownObject, dict[str, Any]]:
        """The object, and the values under their API names."""
        one = self.objects.object(name)
        asking.caller.must("write", one.name)
        return one, dict(zip(one.must_know(values), values.values(), strict=True))

    def _told(self, one: KnownObject, work: Callable[[Salesforce], Told]) -> Told:
        try:
            return work(self._org())
        except SalesforceError as error:
            raise of_salesforce(error, one.name) from error


def _usual(one: KnownObject) -> Sequence[str]:
    """The fields that are read where nobody says which."""
    return SEED.get(one.name) or tuple((one.fields or {"id": "Id"}).values())


def _with_stamp(one: KnownObject, fields: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*fields, *((STAMP,) if one.stamped else ())]))
