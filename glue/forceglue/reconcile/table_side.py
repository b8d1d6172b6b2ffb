"""The table's side, by DataFusion through delta-rs: it knows deletion vectors and column mapping, and needs no JVM."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from forceglue.errors import LandingError
from forceglue.reconcile.measures import Measures, day_sql, sql_name
from forceglue.reconcile.sides import NOTHING, Side, Version

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

_TRUE = "('true', '1', 't', 'yes', 'y')"


@dataclass(frozen=True)
class TableSide:
    """One version of a table.

    Args:
        columns: `{column: Spark SQL type}`.
        position: of the files that it has loaded (see `landing.position`).
    """

    table: DeltaTable
    columns: Mapping[str, str]
    measures: Measures
    position: int | None = None

    def amounts(self, since: date | None = None) -> Side:
        """The amounts of each day, from `since` on.

        Raises:
            LandingError: the table cannot be read.
        """
        sums = [f"sum({one.sql}) AS s{at}" for at, one in enumerate(self.measures.sums)]
        text = (
            f"SELECT {self._day} AS day, count(*) AS n{''.join(', ' + one for one in sums)} FROM t WHERE {self._counts}"  # noqa: S608  # quoted names
        )
        if since is not None and self.measures.day is not None:
            text += f" AND coalesce({self._day} >= '{since.isoformat()}', true)"  # rows without a day are told
        found = {}
        for row in self._rows(f"{text} GROUP BY 1"):
            values = [_decimal(row[f"s{at}"]) or NOTHING for at in range(len(sums))]
            found[_date(row["day"])] = (Decimal(row["n"]), *values)
        return found

    def versions(self, keys: Collection[str]) -> dict[str, Version]:
        """What the table holds of these records, by their short Ids; one scan of the key, whatever the number."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not keys:
            return {}
        wanted = pa.array(sorted(keys), pa.string())
        m = self.measures
        order = f"CAST({sql_name(m.order)} AS VARCHAR)" if m.order else "CAST(NULL AS VARCHAR)"
        parts = [f"{one.sql} AS s{at}" for at, one in enumerate(m.sums)]
        columns = [f"{self._key} AS key", f"{self._counts} AS counts", f"{self._day} AS day", f"{order} AS stamp"]
        text = f"SELECT {', '.join([*columns, *parts])} FROM t WHERE {self._current}"  # noqa: S608
        found: dict[str, Version] = {}
        for batch in self.batches(text):
            few = batch.filter(pc.is_in(batch["key"], value_set=wanted))
            for row in few.to_pylist():
                values = tuple(_decimal(row[f"s{at}"]) for at in range(len(parts)))
                found[row["key"]] = Version(
                    row["key"], bool(row["counts"]), _date(row["day"]), values, moment(row["stamp"])
                )
        return found

    def keys(self) -> Iterator[pa.RecordBatch]:
        """`key` (the short Id), `id` (as the table has it), `counts`, `stamp` of every record, batch by batch."""
        m = self.measures
        order = f"CAST({sql_name(m.order)} AS VARCHAR)" if m.order else "CAST(NULL AS VARCHAR)"
        identity = f"CAST({sql_name(m.id)} AS VARCHAR)"
        columns = f"{self._key} AS key, {identity} AS id, {self._counts} AS counts, {order} AS stamp"
        yield from self.batches(f"SELECT {columns} FROM t WHERE {self._current}")  # noqa: S608

    @property
    def _key(self) -> str:
        name = f"CAST({sql_name(self.measures.id)} AS VARCHAR)"
        return f"CASE WHEN length({name}) = 18 THEN substr({name}, 1, 15) ELSE {name} END"

    @property
    def _day(self) -> str:
        day = self.measures.day
        return day_sql(day, self.columns[day]) if day is not None else "CAST(NULL AS VARCHAR)"

    @property
    def _current(self) -> str:
        return f"coalesce({sql_name(self.measures.current)}, false)" if self.measures.current else "true"

    @property
    def _counts(self) -> str:
        """The rows that are compared: of each record the version in force, not deleted ones."""
        m = self.measures
        if m.flag is None or m.keeps:
            return self._current
        flag = sql_name(m.flag)
        said = flag if self.columns[m.flag] == "boolean" else f"lower(CAST({flag} AS VARCHAR)) IN {_TRUE}"
        return f"({self._current} AND NOT coalesce({said}, false))"

    def _rows(self, text: str) -> Iterator[dict[str, Any]]:
        for batch in self.batches(text):
            yield from batch.to_pylist()

    def batches(self, text: str) -> Iterator[pa.RecordBatch]:
        """The answer to a query, in a stream.

        Raises:
            LandingError: DataFusion cannot read the table.
        """
        import pyarrow as pa
        from deltalake import QueryBuilder
        from deltalake.exceptions import DeltaError

        try:
            answer = QueryBuilder().register("t", self.table).execute(text)
            yield from map(_plain, pa.RecordBatchReader.from_stream(answer))
        except (DeltaError, pa.ArrowException, OSError) as error:
            raise LandingError(f"the table {self.table.table_uri} cannot be read: {error}") from error


def moment(text: str | None) -> datetime | None:
    """A stamp as any of our files has it: ISO with or without a zone (then UTC), or epoch milliseconds."""
    if not text:
        return None
    if text.isdigit() and 11 <= len(text) <= 14:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """With texts as they are for everybody else: DataFusion's own form of them has few functions yet."""
    import pyarrow as pa

    columns = [one.cast(pa.string()) if one.type == pa.string_view() else one for one in batch.columns]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else value if isinstance(value, Decimal) else Decimal(str(value))
