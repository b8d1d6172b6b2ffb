# ruff: noqa: S608 - names come from the schema and are quoted, values are parameters
"""Changes of records that become visible together: stamped when they are made, seen when they are committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from forceglue.errors import UsageError
from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.schema import ObjectSchema
from forceglue.simulated.salesforce.wire import NotOfType, stored

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.org import Org

_COLUMNS_OF_ALL = ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")


class Transaction:
    """Changes of one org that wait for `commit`; as a context manager it commits at the end, or forgets all.

    What is wrong with a change is told when it is made where that can be known, else at the commit, which then does
    nothing at all.
    """

    def __init__(self, org: Org, user_id: str | None = None) -> None:
        self._org = org
        self._user = user_id or org.access.administrator.id
        self._waiting: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.commit()

    def commit(self) -> None:
        """Makes everything visible at once, with the stamps of when it was made."""
        waiting, self._waiting = self._waiting, []
        with self._org.store.writing():
            for change in waiting:
                change()

    def insert(self, name: str, values: Mapping[str, Any], record_id: str | None = None) -> str:
        """A new record; its id."""
        schema = self._org.object(name)
        made = record_id or self._org.new_id(schema)
        now, texts = self._org.now(), texts_of(schema, values)
        system = dict(zip(_COLUMNS_OF_ALL, (now, self._user, now, self._user, now), strict=True))
        first = {key: text for key, text in (system | {"IsDeleted": "false"}).items() if schema.any_field(key)}
        blank = {entry.name: "false" for entry in schema.stored if entry.type == "boolean" and entry.name not in texts}
        self._waiting.append(lambda: self._org.store.put(schema, made, blank | first | texts, new=True))
        return made

    def update(self, name: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Changes some fields; the stamps move."""
        self._change(name, record_id, texts_of(self._org.object(name), values), {"IsDeleted": "false"})

    def delete(self, name: str, record_id: str) -> None:
        """Into the recycle bin."""
        self._change(name, record_id, {"IsDeleted": "true"}, {"IsDeleted": "false"})

    def undelete(self, name: str, record_id: str) -> None:
        """Out of the recycle bin."""
        back: dict[str, str | None] = {"IsDeleted": "false"}
        if self._org.object(name).any_field("MasterRecordId"):
            back["MasterRecordId"] = None
        self._change(name, record_id, back, {"IsDeleted": "true"})

    def purge(self, name: str, record_id: str) -> None:
        """Gone for good."""
        schema, now = self._org.object(name), self._org.now()

        def change() -> None:
            self._there(schema, record_id)
            self._org.store.purge(schema, record_id, now)

        self._waiting.append(change)

    def merge(self, name: str, master_id: str, loser_ids: Iterable[str]) -> None:
        """The losers go into the recycle bin, and what pointed to them points to the master."""
        schema = self._org.object(name)
        if schema.any_field("MasterRecordId") is None:
            raise UsageError(f"{name} records cannot be merged: it has no field MasterRecordId.")
        for loser in loser_ids:
            self._change(name, loser, {"IsDeleted": "true", "MasterRecordId": master_id}, {"IsDeleted": "false"})
            for other in self._org.objects:
                for field in other.stored:
                    if name in field.references and field.name != "MasterRecordId":
                        self._point_elsewhere(other, field.name, loser, master_id)
        self._change(name, master_id, {}, {"IsDeleted": "false"})

    def recalculate(self, name: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Other values of formula fields; no stamp moves."""
        schema = self._org.object(name)
        if typed := [field for field in values if not schema.known(field)["calculated"]]:
            raise UsageError(f"{name}.{', '.join(typed)}: no formula field; change it with `update`.")
        texts = texts_of(schema, values)

        def change() -> None:
            self._there(schema, record_id)
            self._org.store.put(schema, record_id, texts, new=False)

        self._waiting.append(change)

    def _change(
        self, name: str, record_id: str, texts: Mapping[str, str | None], must: Mapping[str, str | None]
    ) -> None:
        schema, now = self._org.object(name), self._org.now()
        stamps = {"LastModifiedDate": now, "LastModifiedById": self._user, "SystemModstamp": now}
        moved = {key: text for key, text in stamps.items() if schema.any_field(key)} | dict(texts)

        def change() -> None:
            there = self._there(schema, record_id)
            if any(there.get(key, text) != text for key, text in must.items()):
                gone = must["IsDeleted"] == "false"
                raise ApiError(
                    "ENTITY_IS_DELETED" if gone else "UNDELETE_FAILED",
                    "entity is deleted" if gone else "Entity is not in the recycle bin",
                    (),
                    status=404,
                )
            self._org.store.put(schema, record_id, moved, new=False)

        self._waiting.append(change)

    def _there(self, schema: ObjectSchema, record_id: str) -> dict[str, str | None]:
        table = f'"{schema.name}"'
        with self._org.store.writing() as db:
            found = db.execute(f'SELECT * FROM {table} WHERE "Id" = ?', (record_id,))
            row = found.fetchone()
            names = [entry[0] for entry in found.description]
        if row is None:
            raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (), status=404)
        return dict(zip(names, row, strict=True))

    def _point_elsewhere(self, other: ObjectSchema, field: str, old: str, new: str) -> None:
        now = self._org.now()

        def change() -> None:
            stamp = ', "SystemModstamp" = ?' if other.any_field("SystemModstamp") else ""
            with self._org.store.writing() as db:
                db.execute(
                    f'UPDATE "{other.name}" SET "{field}" = ?{stamp} WHERE "{field}" = ?',
                    (new, *([now] if stamp else []), old),
                )

        self._waiting.append(change)


def texts_of(schema: ObjectSchema, values: Mapping[str, Any]) -> dict[str, str | None]:
    """Values by field as the store keeps them. Raises UsageError for what the fields cannot hold."""
    found = {}
    for name, value in values.items():
        field = schema.known(name)
        try:
            found[field.name] = stored(field.type, value)
        except NotOfType as error:
            raise UsageError(f"{schema.name}.{field.name}: the value is {error}; mend it.") from None
    return found
