"""Where rows go: the words of `target`, and the deliveries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from forceglue.mapping.checks.report import Report
from forceglue.mapping.checks.tables import Table, Tables
from forceglue.mapping.model import AnyMapping, DatasetMapping, Delivery, JdbcDelivery
from forceglue.mapping.problems import DocPath

_NOW = re.compile(r"\{now:[^{}]*%[^{}]*\}")
_TABLE = re.compile(r'("[^"]+"|[\w$]+)(\.("[^"]+"|[\w$]+)){0,2}')
_NAME_RULE = "letters, digits, `_`, `-`, `.` and blanks; not `..`, no slash, not beginning with `_` or `.`"


def check_name(m: AnyMapping, report: Report) -> None:
    """The mapping's name is a folder under the warehouse root."""
    name = m.mapping
    bad = not name.strip() or name != name.strip() or name.startswith(("_", ".")) or ".." in name
    if bad or re.search(r'[/\\:*?"<>|\x00-\x1f`]', name):
        report.add(
            "FG-MAP-015",
            ("mapping",),
            "the name becomes a folder of the warehouse and cannot be a path",
            found=name,
            allowed=_NAME_RULE,
        )


def check_target(m: AnyMapping, tables: Tables, report: Report) -> None:
    """What `track`, `partition_by` and `cluster_by` name are columns of the target."""
    table = tables.read(m)
    cluster_by = m.target.maintain.cluster_by if m.target.maintain else None
    named: tuple[tuple[DocPath, Sequence[str]], ...] = (
        (("target", "track"), m.target.track or ()),
        (("target", "partition_by"), m.target.partition_by),
        (("target", "maintain", "cluster_by"), cluster_by or ()),
    )
    for place, names in named:
        for at, name in enumerate(names):
            if table.find(name) is None and not table.open:
                report.add(
                    "FG-REF-008",
                    (*place, at),
                    f"`{place[-1]}` names `{name}`, which is no column of the target",
                    found=name,
                    names=table.names,
                )
    if (
        m.target.write in ("upsert", "scd2")
        and isinstance(m, DatasetMapping)
        and not m.key
        and m.target.write == "scd2"
    ):
        report.add(
            "FG-TGT-001",
            ("target", "write"),
            "scd2 of a dataset needs to know its `key`",
            found=m.target.write,
            allowed="key: [columns]",
        )


def check_deliveries(m: AnyMapping, tables: Tables, report: Report) -> Iterator[tuple[str, DocPath]]:
    """Reports what is wrong with the deliveries; gives each place that one writes, to find two that write the same."""
    if not isinstance(m, DatasetMapping):
        return
    gone = {place[1] for place in report.source.pruned if place[0] == "deliver" and len(place) == 2}
    places = [at for at in range(len(m.deliver) + len(gone)) if at not in gone]
    for at, delivery in zip(places, m.deliver, strict=False):
        path: DocPath = ("deliver", at)
        yield from _check_delivery(m, delivery, tables, path, report)


def _check_delivery(
    m: AnyMapping, delivery: Delivery, tables: Tables, path: DocPath, report: Report
) -> Iterator[tuple[str, DocPath]]:
    if delivery.csv is not None:
        _check_path(delivery.csv.file, (*path, "csv", "file"), report)
        yield f"file {delivery.csv.file.lower()}", (*path, "csv", "file")
    if delivery.parquet is not None:
        _check_path(delivery.parquet.folder, (*path, "parquet", "folder"), report)
        yield f"folder {delivery.parquet.folder.lower()}", (*path, "parquet", "folder")
    if delivery.delta is not None and delivery.delta.folder is not None:
        _check_path(delivery.delta.folder, (*path, "delta", "folder"), report)
        yield f"folder {delivery.delta.folder.lower()}", (*path, "delta", "folder")
    if delivery.jdbc is not None:
        _check_jdbc(m, delivery.jdbc, tables, (*path, "jdbc"), report)
        yield f"table {delivery.jdbc.connection}.{delivery.jdbc.table}".lower(), (*path, "jdbc", "table")


def _check_path(pattern: str, path: DocPath, report: Report) -> None:
    plain = _NOW.sub("", pattern)
    parts = re.split(r"[/\\]", pattern)
    said = None
    if "{" in plain or "}" in plain:
        said = "the only placeholder is `{now:…}` with a date format, for example {now:%Y-%m-%d}"
    elif pattern.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:|[a-z0-9]+://", pattern):
        said = "the name is taken under the delivery root and cannot be absolute"
    elif ".." in parts or "\\" in plain:
        said = "the name cannot lead out of the delivery root (`..`, `\\`)"
    elif not plain.strip("/. ") and not _NOW.search(pattern):
        said = "the name is empty"
    elif re.search(r"[\x00-\x1f]", pattern):
        said = "the name holds a control character"
    if said is not None:
        report.add(
            "FG-DLV-001", path, said, found=pattern, allowed="a relative name such as Orders_{now:%Y-%m-%d %H%M%S}.csv"
        )


def _check_jdbc(m: AnyMapping, jdbc: JdbcDelivery, tables: Tables, path: DocPath, report: Report) -> None:
    connections = tables.project.settings.connections
    if jdbc.connection not in connections:
        allowed = ", ".join(connections) or "none is defined under `connections` of project.yaml"
        report.add(
            "FG-DLV-002",
            (*path, "connection"),
            f"no connection is called `{jdbc.connection}`",
            found=jdbc.connection,
            allowed=allowed,
            names=connections,
        )
    if _TABLE.fullmatch(jdbc.table) is None:
        report.add(
            "FG-DLV-004",
            (*path, "table"),
            "this is no name of a database table",
            found=jdbc.table,
            allowed="schema.table",
        )
    if jdbc.write != "upsert":
        return
    table: Table = tables.read(m)
    if not jdbc.key and isinstance(m, DatasetMapping) and not m.key:
        report.add(
            "FG-DLV-003",
            path,
            "an upsert needs a key: rows are matched by it",
            found=f"write: {jdbc.write}",
            allowed="key: [columns] here or in the mapping, or write: append | replace",
        )
    for at, name in enumerate(jdbc.key):
        if table.find(name) is None and not table.open:
            report.add(
                "FG-REF-007", (*path, "key", at), f"`{name}` is no column of the target", found=name, names=table.names
            )
