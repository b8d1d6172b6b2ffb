"""A Delta table as this package sees it: version, columns, position, and files taken over without being read again.

Commits that add whole files go through delta-rs: they need no Spark job, take milliseconds, and carry the position in
the same transaction. What must look into rows (MERGE) is Spark's (`delta_merge`). Both use one log.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from forceglue.errors import ConcurrentRunError, LandingError, UsageError
from forceglue.landing.store import Store
from forceglue.write.delta_stats import file_stats

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable
    from pyspark.sql.types import StructType

    from forceglue.write.staged import StagedFile


def app_id(mapping: str) -> str:
    """Under which name a mapping's position stands in its table's transactions."""
    return f"forceglue/{mapping}"


@dataclass(frozen=True)
class TableState:
    """A table at one moment.

    Attributes:
        version: of the Delta log.
        position: the version of the batch committed last; None where no run of ours has written.
        columns: `{name: Spark SQL type}` in order.
        files: paths of the live data files, relative to the table.
        plain: the rows are just those of the files, under these column names.
        mapped: Delta keeps the columns under names of its own. partitions: columns that the files are kept apart by.
        size: of the live data files together, in bytes.
        rows: that they hold together, marked ones too; None where the log does not say.
        properties: of the table, as its owner or we have set them.
    """

    version: int
    position: int | None
    columns: Mapping[str, str]
    files: tuple[str, ...] = ()
    plain: bool = True
    mapped: bool = False
    partitions: tuple[str, ...] = ()
    size: int = 0
    rows: int | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def change_feed(self) -> bool:
        """Whether Delta keeps which rows each commit changed."""
        return self.properties.get("delta.enableChangeDataFeed") == "true"


class Table:
    """A Delta table at a path below a root; it need not be there yet."""

    def __init__(self, store: Store, path: str, mapping: str) -> None:
        self.store, self.path, self.mapping = store, path, mapping
        self.uri = usable(store.uri(path))
        self._options = storage_options(self.uri)

    def open(self) -> DeltaTable | None:
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        if "://" not in self.uri and not Path(self.uri, "_delta_log").is_dir():
            return None
        try:
            return DeltaTable(self.uri, storage_options=self._options)
        except TableNotFoundError:
            return None

    def state(self) -> TableState | None:
        """What the table is now, from its log alone; None where there is no table."""
        table = self.open()
        if table is None:
            return None
        fields = json.loads(table.schema().to_json())["fields"]
        columns = {f["name"]: _spark_type(f["type"]) for f in fields}
        position = table.transaction_version(app_id(self.mapping))
        metadata = table.metadata()
        parts, mapped = tuple(metadata.partition_columns), _mapped(metadata.configuration)
        plain = not (parts or mapped or "deletionVectors" in (table.protocol().reader_features or ()))
        files = self.files_of(table)
        size = sum(size for size, _ in files.values())
        counts = [rows for _, rows in files.values() if rows is not None]
        rows = sum(counts) if len(counts) == len(files) else None
        return TableState(
            table.version(),
            position,
            columns,
            tuple(files),
            plain,
            mapped,
            parts,
            size=size,
            rows=rows,
            properties=dict(metadata.configuration),
        )

    def expect(self, at: TableState | None) -> None:
        """Raises `ConcurrentRunError` where the table has other rows than in the state on which the plan was made."""
        table = self.open()
        if (table.version() if table else None) == (at.version if at else None):
            return
        if table is None or at is None or not only_tidied(table, at.version):
            raise self._overtaken()

    def adopt(
        self,
        files: Iterable[StagedFile],
        schema: StructType,
        *,
        position: int,
        at: TableState | None,
        replace: bool = False,
        partition_by: Sequence[str] = (),
        remove_below: Iterable[str] = (),
        properties: Mapping[str, str] | None = None,
        comment: str | None = None,
    ) -> None:
        """Makes staged files part of the table and sets the position, in one transaction.

        Args:
            files: Parquet files below the table's folder.
            schema: of the table; columns that it lacks are added first.
            at: the state on which the plan was made; a commit in between is a `ConcurrentRunError`.
            partition_by: of a new table; one that is there keeps its own, and the files are laid out by those.
            replace: the files are all that the table holds afterwards.
            remove_below: live files to take out in the same transaction.
        """
        from deltalake import Schema
        from deltalake.exceptions import CommitFailedError, DeltaError
        from deltalake.transaction import AddAction, create_table_with_add_actions

        prefix = f"{self.path}/"
        parts = list(partition_by if at is None else at.partitions)
        names = [f.name for f in schema.fields if f.name not in parts]
        adds = [
            AddAction(
                path=f.path.removeprefix(prefix),
                size=f.size,
                partition_values={name: f.partition.get(name) for name in parts},
                modification_time=f.modified_ms,
                data_change=True,
                stats=file_stats(f.footer, names),
            )
            for f in files
        ]
        delta_schema = Schema.from_json(nullable(schema).json())
        commit = self._commit(position)
        try:
            if at is None:
                create_table_with_add_actions(
                    self.uri,
                    delta_schema,
                    adds,
                    mode="error",
                    partition_by=parts or None,
                    name=self.mapping,
                    description=comment,
                    configuration=dict(properties or {}),
                    storage_options=self._options,
                    commit_properties=commit,
                )
                return
            table, gone = self.open(), set(remove_below)
            # files that were joined meanwhile cannot be taken out one by one
            moved_on = table is None or (table.version() != at.version and (gone or not only_tidied(table, at.version)))
            if table is None or moved_on:
                raise self._overtaken()
            if not replace:
                self._widen(table, schema, at)
            removes = self._removals(table, gone)
            mode = "overwrite" if replace else "append"
            table.create_write_transaction([*adds, *removes], mode, delta_schema, parts, commit_properties=commit)
        except CommitFailedError as error:
            raise self._overtaken() from error
        except DeltaError as error:
            if "already exists" in str(error).lower() or "conflict" in str(error).lower():
                raise self._overtaken() from error
            raise LandingError(f"the table {self.uri} could not be committed: {error}") from error
        except OSError as error:
            raise LandingError(f"the table {self.uri} could not be committed: {error}; nothing was changed") from error

    def _widen(self, table: DeltaTable, schema: StructType, at: TableState) -> None:
        from deltalake import Schema

        known = {name.lower() for name in at.columns}
        fresh = [f for f in Schema.from_json(nullable(schema).json()).fields if f.name.lower() not in known]
        if fresh:
            table.alter.add_columns(fresh)

    def _removals(self, table: DeltaTable, paths: set[str]) -> list[Any]:
        if not paths:
            return []
        from deltalake.transaction import RemoveAction

        moment = int(time.time() * 1000)
        return [
            RemoveAction(path=p, deletion_timestamp=moment, data_change=True, partition_values={})
            for p in sorted(paths)
        ]

    def advance(self, position: int, at: TableState) -> None:
        """Commits the position alone: no row changes.

        Raises:
            ConcurrentRunError: another run committed since the state `at`.
        """
        from deltalake.exceptions import CommitFailedError

        table = self.open()
        if table is None or not only_tidied(table, at.version):
            raise self._overtaken()
        commit = self._commit(position, {_ROWS: _SAME})
        parts = list(at.partitions) or None
        try:
            table.create_write_transaction([], "append", table.schema(), parts, commit_properties=commit)
        except CommitFailedError as error:
            raise self._overtaken() from error

    def _commit(self, position: int, told: Mapping[str, str] | None = None) -> CommitProperties:
        from deltalake import CommitProperties, Transaction

        return CommitProperties(
            app_transactions=[Transaction(app_id(self.mapping), position, int(time.time() * 1000))],
            custom_metadata={"forceglue.position": str(position), **(told or {})},
            max_commit_retries=0,
        )

    def confirm(self, position: int) -> None:
        """Raises `ConcurrentRunError` unless the table's position is the given one."""
        table = self.open()
        if table is None or table.transaction_version(app_id(self.mapping)) != position:
            raise self._overtaken()

    def live_files(self) -> list[str]:
        """Paths of the data files that the table holds now, relative to the table."""
        table = self.open()
        return [] if table is None else list(self.files_of(table))

    def files_of(self, table: DeltaTable) -> dict[str, tuple[int, int | None]]:
        """The live files as they are named on the disk (the log holds them in URI form), each with bytes and rows."""
        import pyarrow as pa

        told = pa.table(table.get_add_actions())
        rows = told["num_records"].to_pylist() if "num_records" in told.column_names else [None] * len(told)
        paths = (unquote(path) for path in told["path"].to_pylist())
        return {p: (size, n) for p, size, n in zip(paths, told["size_bytes"].to_pylist(), rows, strict=True)}

    def holds_rows_of(self, version: int) -> bool:
        """Whether the table has the rows that it had at that version of its log."""
        table = self.open()
        return table is not None and _only(table, version, lambda e: e.get("operation") in TIDYING or _ROWS in e)

    def metrics(self) -> dict[str, int]:
        """The operation metrics of the last commit."""
        table = self.open()
        if table is None:
            return {}
        found = table.history(1)[0].get("operationMetrics") or {}
        return {name: int(value) for name, value in found.items() if str(value).lstrip("-").isdigit()}

    def _overtaken(self) -> ConcurrentRunError:
        return ConcurrentRunError(
            f"{self.mapping}: another run wrote {self.uri} meanwhile; nothing of this run was "
            "committed to it. Run again."
        )


_ROWS, _SAME = "forceglue.rows", "same"
"""What a commit says of itself that moves the position and changes no row."""
TIDYING = frozenset({"OPTIMIZE", "VACUUM START", "VACUUM END"})
"""Operations of the log that change no row."""


def only_tidied(table: DeltaTable, since: int) -> bool:
    """Whether nothing but maintenance, which changes no row, was committed after that version of the log."""
    return _only(table, since, lambda entry: entry.get("operation") in TIDYING)


def _only(table: DeltaTable, since: int, harmless: Callable[[Mapping[str, Any]], bool]) -> bool:
    """Whether nothing but such commits came after that version of the log."""
    behind = table.version() - since
    if behind <= 0:
        return behind == 0
    told = table.history(behind)
    return len(told) == behind and all(map(harmless, told))


def usable(root: str) -> str:
    """The folder as it is, where delta-rs can open tables in it: it takes `%41` in a local path for an `A`.

    Raises:
        UsageError: the path has such a sequence.
    """
    found = re.search(r"%[0-9A-Fa-f]{2}", root)
    if found and "://" not in root:
        raise UsageError(
            f"the folder {root} is refused: no Delta table can be kept below `{found[0]}`. Give another folder."
        )
    return root


def _mapped(configuration: Mapping[str, str]) -> bool:
    return configuration.get("delta.columnMapping.mode", "none") != "none"


def storage_options(uri: str) -> dict[str, str] | None:
    """Options of delta-rs for a URI: an endpoint of the environment (an emulator) may speak plain http."""
    if not uri.startswith("s3"):
        return None
    options: dict[str, str] = {}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        options |= {"AWS_ENDPOINT_URL": endpoint, "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false"}
        options |= {"AWS_ALLOW_HTTP": "true"} if endpoint.startswith("http://") else {}
    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        options["AWS_REGION"] = region
    return options


def nullable(schema: StructType) -> StructType:
    """The schema with every column nullable: what no file carries today may be null tomorrow."""
    from pyspark.sql.types import StructField, StructType

    return StructType([StructField(f.name, f.dataType, True, f.metadata) for f in schema.fields])


_NAMES = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint"}


def _spark_type(kind: Any) -> str:
    """A type of the log as Spark SQL text."""
    if isinstance(kind, str):
        return _NAMES.get(kind, re.sub(r"\s", "", kind))
    if kind["type"] == "array":
        return f"array<{_spark_type(kind['elementType'])}>"
    if kind["type"] == "map":
        return f"map<{_spark_type(kind['keyType'])},{_spark_type(kind['valueType'])}>"
    inner = ",".join(f"{f['name']}:{_spark_type(f['type'])}" for f in kind["fields"])
    return f"struct<{inner}>"
