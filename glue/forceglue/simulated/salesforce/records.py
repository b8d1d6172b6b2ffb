# ruff: noqa: S608 - names come from the schema and are quoted, values are parameters
"""What clients do to records, with Salesforce's checks: create, change, upsert, delete, and the delete log."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forceglue.simulated.salesforce.changes import Transaction
from forceglue.simulated.salesforce.checks import Texts, checked, checked_id
from forceglue.simulated.salesforce.errors import ApiError, not_found
from forceglue.simulated.salesforce.schema import Field, ObjectSchema
from forceglue.simulated.salesforce.wire import NotOfType, moment, parsed_moment, rest_moment, stored

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.org import Org

_LOG_LIFE, _WINDOW = timedelta(days=15), timedelta(days=30)
IDS_MOST = 600_000


@dataclass(frozen=True)
class Done:
    """What became of one record."""

    id: str
    created: bool


class Records:
    """Changes by clients; each of them is one transaction unless it is inside another.

    Attributes:
        ids_most: how many ids getDeleted and getUpdated give at most.
        log_since: since when the log of deleted records is there, if that is less than 15 days.
        log_refuses: an earlier start is refused, as after a purge, instead of answered with what is left.
        unfinished_since: a process that began then is not complete: what changed since is told by a later call.
    """

    def __init__(self, org: Org) -> None:
        self._org = org
        self.ids_most = IDS_MOST
        self.log_since: datetime | None = None
        self.log_refuses = False
        self.unfinished_since: datetime | None = None

    def create(self, schema: ObjectSchema, values: Mapping[str, Any], user_id: str) -> str:
        """A new record; its id."""
        self._must(schema, "createable", "create")
        if any(key.lower() == "id" for key in values):
            raise ApiError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",))
        with self._org.store.writing(), Transaction(self._org, user_id) as now:
            texts = checked(self._org, schema, values, new=True)
            texts = _defaults(schema, user_id) | texts
            self._unique(schema, texts, None)
            return now.insert(schema.name, _named(schema, texts, {}))

    def change(self, schema: ObjectSchema, record_id: str, values: Mapping[str, Any], user_id: str) -> None:
        """Changes some fields of a record."""
        self._must(schema, "updateable", "update")
        found = checked_id(schema, record_id)
        with self._org.store.writing(), Transaction(self._org, user_id) as now:
            there = self.living(schema, found)
            texts = checked(self._org, schema, values, new=False)
            self._unique(schema, texts, found)
            now.update(schema.name, found, _named(schema, texts, there))

    def upsert(
        self, schema: ObjectSchema, field_name: str, value: str, values: Mapping[str, Any], user_id: str
    ) -> Done:
        """Changes the record with this external id, or creates it.

        Raises:
            ApiError: among others MULTIPLE_CHOICES (300) when several records have it.
        """
        field = self.lookup_field(schema, field_name)
        with self._org.store.writing():
            if field.name == "Id":
                self.change(schema, value, values, user_id)
                return Done(checked_id(schema, value), created=False)
            found = self.having(schema, field, value)
            if len(found) > 1:
                raise ApiError("MULTIPLE_CHOICES", f"{field.name}: more than one record found for external id", (), 300)
            if found:
                self.change(schema, found[0], values, user_id)
                return Done(found[0], created=False)
            return Done(self.create(schema, {**values, field.name: value}, user_id), created=True)

    def remove(self, schema: ObjectSchema, record_id: str, user_id: str, *, hard: bool = False) -> None:
        """Deletes a record: into the recycle bin, or for good."""
        self._must(schema, "deletable", "delete")
        found = checked_id(schema, record_id)
        with self._org.store.writing(), Transaction(self._org, user_id) as now:
            if hard:
                self.known(schema, found)
                now.purge(schema.name, found)
            else:
                self.living(schema, found)
                now.delete(schema.name, found)

    def _must(self, schema: ObjectSchema, what: str, verb: str) -> None:
        if not schema.can(what):
            code = "INSUFFICIENT_ACCESS_OR_READONLY" if verb != "create" else "INVALID_TYPE_FOR_OPERATION"
            raise ApiError(code, f"entity type {schema.name} does not support {verb}")

    # finding

    def known(self, schema: ObjectSchema, record_id: str) -> Texts:
        """A record's stored texts, deleted or not, as the running transaction sees them."""
        names = [entry.name for entry in schema.stored]
        asked = ", ".join(f'"{name}"' for name in ["Id", *names])
        with self._org.store.writing() as db:
            row = db.execute(f'SELECT {asked} FROM "{schema.name}" WHERE "Id" = ?', (record_id,)).fetchone()
        if row is None:
            raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (), status=404)
        return {"Id": row[0], **dict(zip(names, row[1:], strict=True))}

    def living(self, schema: ObjectSchema, record_id: str) -> Texts:
        """A record that is not deleted."""
        there = self.known(schema, record_id)
        if there.get("IsDeleted") == "true":
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", (), status=404)
        return there

    def lookup_field(self, schema: ObjectSchema, name: str) -> Field:
        """A field that records can be found by."""
        field = schema.field(name)
        if field is None or not (field["idLookup"] or field["externalId"]):
            raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
        return field

    def having(self, schema: ObjectSchema, field: Field, value: Any) -> list[str]:
        """Ids of living records with this value, two at most."""
        try:
            text = stored(field.type, value)
        except NotOfType:
            raise not_found() from None
        living = " AND \"IsDeleted\" = 'false'" if schema.any_field("IsDeleted") else ""
        with self._org.store.writing() as db:
            sql = f'SELECT "Id" FROM "{schema.name}" WHERE "{field.name}" = ?{living} LIMIT 2'
            return [row[0] for row in db.execute(sql, (text,))]

    def _unique(self, schema: ObjectSchema, texts: Texts, own_id: str | None) -> None:
        for name, text in texts.items():
            field = schema.known(name)
            if text is None or not field["unique"]:
                continue
            others = [found for found in self.having(schema, field, text) if found != own_id]
            if others:
                raise ApiError(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: {others[0]}",
                    (name,),
                )

    # what happened since

    def deleted(self, schema: ObjectSchema, start: str, end: str) -> dict[str, Any]:
        """getDeleted: what was deleted in a window, at most 15 days back."""
        first, last = self._window(schema, start, end)
        earliest = max(self._org.at() - _LOG_LIFE, self.log_since or self._org.at() - _LOG_LIFE)
        if self.log_refuses and first < earliest:
            raise ApiError("INVALID_REPLICATION_DATE", "startDate before org replication enabled date")
        since, until = moment(max(first, earliest)), moment(last)
        parts = ['SELECT "id", "at" FROM "_purged" WHERE "object" = ? AND "at" >= ? AND "at" < ?']
        params = [schema.name, since, until]
        if schema.any_field("IsDeleted") is not None:
            parts.append(
                f'SELECT "Id", "SystemModstamp" FROM "{schema.name}" '
                'WHERE "IsDeleted" = \'true\' AND "SystemModstamp" >= ? AND "SystemModstamp" < ?'
            )
            params += [since, until]
        rows = self._limited(f"{' UNION ALL '.join(parts)} ORDER BY 2, 1", params)
        return {
            "deletedRecords": [{"deletedDate": rest_moment(at), "id": record_id} for record_id, at in rows],
            "earliestDateAvailable": rest_moment(moment(earliest)),
            "latestDateCovered": rest_moment(until),
        }

    def updated(self, schema: ObjectSchema, start: str, end: str) -> dict[str, Any]:
        """getUpdated: what was made or changed in a window, at most 30 days back."""
        first, last = self._window(schema, start, end)
        living = " AND \"IsDeleted\" = 'false'" if schema.any_field("IsDeleted") else ""
        rows = self._limited(
            f'SELECT "Id" FROM "{schema.name}" WHERE "SystemModstamp" >= ? AND "SystemModstamp" < ?{living} '
            'ORDER BY "SystemModstamp", "Id"',
            [moment(first), moment(last)],
        )
        return {"ids": [row[0] for row in rows], "latestDateCovered": rest_moment(moment(last))}

    def _window(self, schema: ObjectSchema, start: str, end: str) -> tuple[datetime, datetime]:
        """The window; its seconds are ignored, as Salesforce does."""
        if not schema.can("replicateable") or schema.any_field("SystemModstamp") is None:
            raise ApiError("INVALID_TYPE_FOR_OPERATION", f"entity type {schema.name} is not replicateable")
        found = []
        for name, text in (("start", start), ("end", end)):
            try:
                at = parsed_moment(text.replace(" ", "+"))  # a plus sign that nobody encoded
            except NotOfType:
                raise ApiError("INVALID_REPLICATION_DATE", f"{name}: not a dateTime: {text[:40]}") from None
            found.append(at.replace(second=0, microsecond=0))
        first, last = found
        now = self._org.at()
        if first < now - _WINDOW - timedelta(minutes=1):
            raise ApiError("INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
        if last - first < timedelta(minutes=1):
            raise ApiError("INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate")
        last = min(last, now, max(first, self.unfinished_since or now))
        return first, last

    def _limited(self, sql: str, params: Iterable[str]) -> list[tuple[Any, ...]]:
        rows = self._org.store.rows(f"{sql} LIMIT {self.ids_most + 1}", list(params))
        if len(rows) > self.ids_most:
            raise ApiError("EXCEEDED_ID_LIMIT", "Too many records returned. Restrict the date range.")
        return rows

    # several at once

    def several(self, works: Iterable[Callable[[], Done]], *, all_or_none: bool) -> list[Done | ApiError]:
        """Does things one after the other in one transaction; what goes wrong with one stops no other.

        Args:
            all_or_none: one error undoes everything; the others then say so.
        """
        found: list[Done | ApiError] = []
        try:
            with self._org.store.writing():
                for work in works:
                    try:
                        found.append(work())
                    except ApiError as error:
                        found.append(error)
                if all_or_none and any(isinstance(one, ApiError) for one in found):
                    raise _Undone
        except _Undone:
            undone = ApiError(
                "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "Record rolled back because not all records were valid and the request was using AllOrNone header",
            )
            return [one if isinstance(one, ApiError) else undone for one in found]
        return found


class _Undone(Exception):
    """Takes a transaction back."""


def _defaults(schema: ObjectSchema, user_id: str) -> Texts:
    found: Texts = {}
    if schema.any_field("OwnerId"):
        found["OwnerId"] = user_id
    for entry in schema.stored:
        if entry["defaultValue"] is not None and entry["createable"]:
            found[entry.name] = stored(entry.type, entry["defaultValue"])
    return found


def _named(schema: ObjectSchema, texts: Texts, there: Texts) -> Texts:
    """With `Name` where it is made of first and last name."""
    name, parts = schema.any_field("Name"), ("FirstName", "LastName")
    if name is None or schema.any_field("LastName") is None or not any(part in texts for part in parts):
        return texts
    both = [texts.get(part, there.get(part)) for part in parts]
    return texts | {name.name: " ".join(itertools.compress(map(str, both), both)) or None}
