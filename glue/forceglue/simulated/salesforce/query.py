# ruff: noqa: S608 - names come from the schema and are quoted, values are parameters
"""Queries of the REST API: pages of at most 2,000 records, and a cursor for the rest.

A cursor keeps which records were found; what they hold is read when a page is asked for, as in Salesforce, so a field
that goes away between two pages is missed.
"""

from __future__ import annotations

import json
import threading
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.ids import new_id
from forceglue.simulated.salesforce.render import record_writer
from forceglue.simulated.salesforce.soql.compile import AGGREGATE_ROWS, ChildQuery, Compiled, compile_query
from forceglue.simulated.salesforce.soql.parse import parse

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.org import Org

PAGE, PAGE_LEAST = 2_000, 200
_CURSORS = 200


@dataclass(frozen=True)
class _Cursor:
    """The rows that a query found; `text` is compiled anew for each page."""

    text: str
    deleted: bool
    rows: array[int]


class Queries:
    """Runs queries and keeps their cursors."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()
        self._serial = 0
        self._guard = threading.Lock()

    def start(self, text: str, *, version: str, deleted: bool, size: int = PAGE) -> bytes:
        """The first page, as the body of the answer.

        Raises:
            ApiError: what is wrong with the query.
        """
        compiled = compile_query(self._org, parse(text), deleted=deleted)
        if compiled.aggregated:
            return self._aggregated(compiled, version)
        with self._org.store.reading() as db:
            row_column = [f'{compiled.schema_table}."_row"']
            found = array("q", (row[0] for row in db.execute(compiled.select(row_column), compiled.all_params)))
        return self._page(_Cursor(text, deleted, found), compiled, None, 0, size, version)

    def more(self, locator: str, *, version: str, size: int = PAGE) -> bytes:
        """A further page.

        Args:
            locator: the last part of a nextRecordsUrl.

        Raises:
            ApiError: INVALID_QUERY_LOCATOR, or what is now wrong with the query.
        """
        key, _, offset = locator.rpartition("-")
        with self._guard:
            cursor = self._cursors.get(key)
        if cursor is None or not offset.isdigit() or int(offset) > len(cursor.rows):
            raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
        compiled = compile_query(self._org, parse(cursor.text), deleted=cursor.deleted)
        return self._page(cursor, compiled, key, int(offset), size, version)

    def _aggregated(self, compiled: Compiled, version: str) -> bytes:
        if compiled.counted and not compiled.query.order:
            (count,) = self._org.store.rows(compiled.select(["count(*)"]), compiled.all_params)[0]
            if compiled.query.limit is not None:
                count = min(count, compiled.query.limit)
            return json.dumps({"totalSize": count, "done": True, "records": []}).encode()
        rows = self._org.store.rows(compiled.select(compiled.columns), compiled.all_params)
        if len(rows) > AGGREGATE_ROWS:
            raise ApiError(
                "EXCEEDED_ID_LIMIT",
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch",
            )
        write = record_writer(compiled, version, self._type_of)
        return _body(len(rows), None, [write(row) for row in rows])

    def _page(
        self, cursor: _Cursor, compiled: Compiled, key: str | None, offset: int, size: int, version: str
    ) -> bytes:
        several = cursor.rows[offset : offset + size]
        rows = self._org.store.rows(compiled.by_row(), [json.dumps(several.tolist())])
        write = record_writer(compiled, version, self._type_of)
        texts = [write(row) for row in rows]
        for child in compiled.children:
            found = self._children(child, [row[0] for row in rows], version)
            texts = [f"{text[:-1]},{found[row[0]]}}}" for text, row in zip(texts, rows, strict=True)]
        following = None
        if offset + size < len(cursor.rows):
            key = key or self._keep(cursor)
            following = f"/services/data/v{version}/query/{key}-{offset + size}"
        return _body(len(cursor.rows), following, texts)

    def _children(self, child: ChildQuery, ids: list[str], version: str) -> dict[str, str]:
        """Of each record the member with those that point to it; LIMIT and OFFSET count for each by itself."""
        compiled = child.compiled
        where = f"{compiled.where} AND " if compiled.where else " WHERE "
        statement = (
            f"SELECT {', '.join([child.link, *compiled.columns])} FROM {compiled.source}{compiled.joins}"
            f"{where}{child.link} IN (SELECT value FROM json_each(?)){compiled.tail}"
        )
        rows = self._org.store.rows(statement, [*compiled.params, json.dumps(ids), *compiled.tail_params])
        write = record_writer(compiled, version, self._type_of)
        found: dict[str, list[str]] = {one: [] for one in ids}
        for parent, *row in rows:
            found[parent].append(write(row))
        first = compiled.query.offset or 0
        last = None if compiled.query.limit is None else first + compiled.query.limit
        kept = {one: texts[first:last] for one, texts in found.items()}
        key = json.dumps(child.key)
        return {
            one: f"{key}:{_body(len(texts), None, texts).decode()}" if texts else f"{key}:null"
            for one, texts in kept.items()
        }

    def _keep(self, cursor: _Cursor) -> str:
        with self._guard:
            self._serial += 1
            key = new_id("01g", self._serial)
            self._cursors[key] = cursor
            while len(self._cursors) > _CURSORS:
                self._cursors.popitem(last=False)
        return key

    def _type_of(self, record_id: str) -> str:
        found = self._org.owner_of(record_id)
        return "" if found is None else found.name


def _body(total: int, following: str | None, records: list[str]) -> bytes:
    more = f'"done":false,"nextRecordsUrl":"{following}"' if following else '"done":true'
    return f'{{"totalSize":{total},{more},"records":[{",".join(records)}]}}'.encode()
