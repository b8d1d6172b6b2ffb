# ruff: noqa: S608 - names come from the schema and are quoted, values are parameters
"""The org: its objects, their records, and everything that an administrator or a user can do to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from forceglue.errors import UsageError
from forceglue.simulated.salesforce.access import Access
from forceglue.simulated.salesforce.changes import Transaction
from forceglue.simulated.salesforce.clock import Clock, real_clock
from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.ids import KEY_PREFIXES, custom_prefix, new_id
from forceglue.simulated.salesforce.records import Records
from forceglue.simulated.salesforce.rows import batches
from forceglue.simulated.salesforce.schema import ObjectSchema, schema_of
from forceglue.simulated.salesforce.store import Store
from forceglue.simulated.salesforce.wire import moment

BIN_LIFE = timedelta(days=15)
_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


class Org:
    """A Salesforce org without a network; see `server.serve` for that.

    Args:
        folder: where the records are kept; without it in a temporary folder that `close` removes.
        clock: the org's time; the real one unless a test sets it.

    Attributes:
        id: the org's own 18-character id.
        access: users, apps and sessions.
        records: changes that clients make, with Salesforce's checks; what follows here is not checked.
    """

    def __init__(self, folder: Path | None = None, *, clock: Clock = real_clock) -> None:
        self.clock = clock
        self.store = Store(folder)
        self.id = new_id("00D", 1)
        self.access = Access(self.id, clock)
        self._objects: dict[str, ObjectSchema] = {}
        self._serials: dict[str, int] = {}
        self.records = Records(self)

    def close(self) -> None:
        """Ends the org; a folder that was not given goes with it."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def now(self) -> str:
        """The org's time as it is stored in records."""
        return moment(self.clock())

    # objects

    def define(self, *said: Mapping[str, Any], prefix: str | None = None) -> ObjectSchema:
        """Makes objects from describes or catalog entries (`schema.schema_of`); references find each other.

        Args:
            prefix: the key prefix, of a single object; else what its describe says, Salesforce's own, or a free one.

        Returns:
            The last of them.
        """
        names = [*(entry.name for entry in self._objects.values()), *(entry["name"] for entry in said)]
        found = None
        for entry in said:
            key = prefix or entry.get("keyPrefix") or KEY_PREFIXES.get(entry["name"]) or self._free_prefix()
            found = schema_of(entry, prefix=None if entry["name"].endswith("__e") else key, objects=names)
            self._keep(found)
        if found is None:
            raise UsageError("no object to define: give at least one describe.")
        return found

    def _free_prefix(self) -> str:
        taken = {entry.prefix for entry in self._objects.values()}
        return next(prefix for number in range(62 * 62) if (prefix := custom_prefix(number)) not in taken)

    def _keep(self, schema: ObjectSchema) -> None:
        self.store.define(schema)
        self._objects[schema.name.lower()] = schema
        self.store.version += 1

    @property
    def objects(self) -> tuple[ObjectSchema, ...]:
        return tuple(self._objects.values())

    def find(self, name: str) -> ObjectSchema | None:
        """The object of that API name, in any case."""
        return self._objects.get(name.lower())

    def object(self, name: str) -> ObjectSchema:
        """The object of that API name. Raises UsageError when the org has none."""
        found = self.find(name)
        if found is None:
            raise UsageError(f"the org has no object {name!r}: define it, or mend the name.")
        return found

    def owner_of(self, record_id: str) -> ObjectSchema | None:
        """The object that an id belongs to, by its key prefix."""
        return next((entry for entry in self.objects if entry.prefix == record_id[:3]), None)

    # what an administrator does

    def add_field(self, name: str, said: Mapping[str, Any]) -> None:
        """A new field; old records have nothing in it, and their SystemModstamp stays."""
        schema = self.object(name)
        again = schema.any_field(said["name"]) is None
        self._keep(schema.with_field(said))
        if again and (made := self.object(name).known(said["name"])) and not made.compound:
            self.store.blank(self.object(name), made.name)

    def remove_field(self, name: str, field: str) -> None:
        """Deletes a field with its values."""
        self._keep(self.object(name).without_field(field))

    def change_field(self, name: str, field: str, **facts: Any) -> None:
        """Changes what describe says of a field: `type`, `length`, `precision`, `picklistValues`, `label`, ..."""
        self._keep(self.object(name).with_changed(field, **facts))

    def hide_field(self, name: str, field: str, *, hidden: bool = True) -> None:
        """Field-level security: the field is gone from describe and from every query, and says nothing."""
        self._keep(self.object(name).with_hidden(field, hidden=hidden))

    # records

    def new_id(self, schema: ObjectSchema) -> str:
        """A new record's id."""
        with self.store.writing():
            serial = self._serials.get(schema.name, 0)
            if not serial:
                made = f"{schema.prefix or '0e0'}Sm0"
                (serial,) = self.store.rows(f'SELECT count(*) FROM "{schema.name}" WHERE "Id" GLOB ?', [f"{made}*"])[0]
            self._serials[schema.name] = serial + 1
            return new_id(schema.prefix or "0e0", serial + 1)

    def load(self, name: str, rows: Any) -> int:
        """Puts records in as they are, fast: with their own ids and stamps where they have any.

        Nothing is checked but that the values fit their types; a record whose id is there is changed.

        Args:
            rows: an iterable of dictionaries by field name, or an Arrow table, reader or iterable of its batches.

        Returns:
            How many there were.

        Raises:
            UsageError: a field that the object does not have, or a value that does not fit.
        """
        schema, count = self.object(name), 0
        with self.store.writing():
            for batch in batches(schema, rows):
                columns = dict(batch.columns)
                self._complete(schema, columns, batch.size)
                count += self.store.load(schema, list(columns), zip(*columns.values(), strict=True))
        return count

    def _complete(self, schema: ObjectSchema, columns: dict[str, Any], size: int) -> None:
        """Ids, stamps and the other things that every record has."""
        first: dict[str, Any] = {"Id": columns.pop("Id", None)}
        if first["Id"] is None:
            first["Id"] = [self.new_id(schema) for _ in range(size)]
        now = self.now()
        stamps = next((columns[name] for name in _STAMPS if name in columns), [None] * size)
        filled = [now if stamp is None else stamp for stamp in stamps]
        user = [self.access.administrator.id] * size
        there = {"IsDeleted": ["false"] * size, "CreatedById": user, "LastModifiedById": user}
        for name, values in {**dict.fromkeys(_STAMPS, filled), **there}.items():
            field = schema.any_field(name)
            if field is None:
                continue
            if field.name not in columns:
                columns[field.name] = values
            elif None in columns[field.name] and (name in _STAMPS or name == "IsDeleted"):
                given = columns[field.name]
                columns[field.name] = [new if old is None else old for old, new in zip(given, values, strict=True)]
        columns.update(first | columns)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Several changes that become visible together at the end.

        Each is stamped when it is made, so that what commits late has an older SystemModstamp than what came between.
        """
        with self.begin() as made:
            yield made

    def begin(self) -> Transaction:
        """A transaction that is open until its `commit`."""
        return Transaction(self)

    def insert(self, name: str, values: Mapping[str, Any]) -> str:
        """A new record; its id."""
        with self.transaction() as now:
            return now.insert(name, values)

    def update(self, name: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Changes some fields; SystemModstamp and LastModifiedDate move."""
        with self.transaction() as now:
            now.update(name, record_id, values)

    def delete(self, name: str, record_id: str) -> None:
        """Puts a record into the recycle bin: `IsDeleted`, and SystemModstamp moves."""
        with self.transaction() as now:
            now.delete(name, record_id)

    def undelete(self, name: str, record_id: str) -> None:
        """Takes a record out of the recycle bin."""
        with self.transaction() as now:
            now.undelete(name, record_id)

    def purge(self, name: str, record_id: str) -> None:
        """Deletes for good: queryAll does not see it any more."""
        with self.transaction() as now:
            now.purge(name, record_id)

    def merge(self, name: str, master_id: str, loser_ids: Iterable[str]) -> None:
        """The losers go to the recycle bin with MasterRecordId; what pointed to them points to the master."""
        with self.transaction() as now:
            now.merge(name, master_id, loser_ids)

    def recalculate(self, name: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Changes formula and roll-up fields; no stamp moves."""
        with self.transaction() as now:
            now.recalculate(name, record_id, values)

    def empty_recycle_bin(self, older_than: timedelta = BIN_LIFE) -> int:
        """Purges what has been in the recycle bin so long, as Salesforce does after 15 days; how many that were."""
        since, count = moment(self.clock() - older_than), 0
        for schema in self.objects:
            if schema.any_field("IsDeleted") is None or schema.any_field("SystemModstamp") is None:
                continue
            where = '"IsDeleted" = \'true\' AND "SystemModstamp" <= ?'
            for record_id in self.store.ids(schema, where, [since]):
                self.purge(schema.name, record_id)
                count += 1
        return count

    def get(self, name: str, record_id: str) -> dict[str, str | None]:
        """All stored texts of a record, deleted or not. Raises ApiError when there is none."""
        found = self.store.get(self.object(name), record_id)
        if found is None:
            raise ApiError("NOT_FOUND", f"{name} has no record {record_id}", status=404)
        return found

    def count(self, name: str, *, deleted: bool = False) -> int:
        """How many records there are, those in the recycle bin only if asked for."""
        schema = self.object(name)
        all_of_them = deleted or schema.any_field("IsDeleted") is None
        where = "" if all_of_them else " WHERE \"IsDeleted\" = 'false'"
        return int(self.store.rows(f'SELECT count(*) FROM "{schema.name}"{where}')[0][0])

    def rows(self, name: str, fields: Iterable[str] | None = None) -> Iterator[dict[str, str | None]]:
        """All records as stored texts, deleted ones too, in the order in which they came."""
        schema = self.object(name)
        names = list(fields) if fields is not None else [entry.name for entry in schema.stored]
        asked = ", ".join(f'"{schema.known(entry).name}"' for entry in names)
        with self.store.reading() as db:
            for row in db.execute(f'SELECT {asked} FROM "{schema.name}" ORDER BY "_row"'):
                yield dict(zip(names, row, strict=True))

    def at(self) -> datetime:
        """The org's time."""
        return self.clock()
