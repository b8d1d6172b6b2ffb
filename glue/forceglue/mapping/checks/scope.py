"""What an expression of a mapping can see, as far as mappings and catalog tell."""

from __future__ import annotations

from forceglue.mapping.catalog import CatalogField
from forceglue.mapping.checks.report import Report
from forceglue.mapping.checks.tables import Table, Tables
from forceglue.mapping.expand import OutputColumn
from forceglue.mapping.model import DatasetMapping, ObjectMapping
from forceglue.mapping.names import NameIndex
from forceglue.mapping.problems import DocPath
from forceglue.mapping.standard import is_salesforce_name


class Scope:
    """The names that the expressions of one mapping may use: fields and lookups, or the columns of its inputs."""

    def __init__(self, report: Report, base: Table, aliases: dict[str, Table | None], base_alias: str | None) -> None:
        """`aliases`: name → table; None where the table is unknown and has been reported already."""
        self.report, self.base, self.base_alias = report, base, base_alias
        self.aliases = aliases
        self._index = NameIndex(aliases)
        self._fields = NameIndex([c.field or c.name for c in base.columns])

    def check(self, written: str, path: DocPath) -> CatalogField | None:
        """Reports a reference that finds nothing; gives the Salesforce field where it is known."""
        head, dot, tail = written.partition(".")
        alias = self._index.match(head) if dot else None
        if alias is not None:
            table = self.aliases[alias]
            return None if table is None else self._in_table(table, tail, path, alias)
        if dot and self._fields.match(written) is None and not self.base_alias_is(head):
            if not (self.base.open and not self.aliases):
                what = "lookup" if self.base_alias is None else "input"
                names = self._index.names
                self.report.add(
                    "FG-REF-002",
                    path,
                    f"no {what} here is called `{head}`",
                    found=written,
                    names=names,
                    allowed=", ".join(names) or f"there is no {what}",
                    near=self._index.nearest(head),
                )
                return None
            return None
        return self._plain(written, path)

    def base_alias_is(self, head: str) -> bool:
        return self.base_alias is not None and head.lower() == self.base_alias.lower()

    def _plain(self, name: str, path: DocPath) -> CatalogField | None:
        if self.base_alias is None:
            return self._in_source(name, path)
        if self.base.find(name) is not None:
            return None
        owners = [
            alias
            for alias, table in self.aliases.items()
            if table is not None and alias.lower() != self.base_alias.lower() and table.find(name)
        ]
        if len(owners) == 1 or (not owners and any(t is None or t.open for t in (self.base, *self.aliases.values()))):
            return None
        if owners:
            allowed = ", ".join(f"{alias}.{name}" for alias in owners)
            self.report.add(
                "FG-REF-004", path, f"`{name}` is in several inputs; say which", found=name, allowed=allowed
            )
            return None
        names = [
            *self.base.names,
            *(f"{a}.{n}" for a, t in self.aliases.items() if t and a != self.base_alias for n in t.names),
        ]
        self.report.add(
            "FG-REF-003",
            path,
            f"no input has a column `{name}`",
            found=name,
            allowed=f"a column of {self.base.title} or `alias.column`",
            names=names,
        )
        return None

    def _in_source(self, name: str, path: DocPath) -> CatalogField | None:
        """A field of the object itself."""
        if name.lower() in self.base.never_read:
            self.report.add("FG-REF-010", path, f"`{name}` is under never_read: nothing may read it", found=name)
            return None
        known = self.base.salesforce
        if known is None:
            return None
        field = known.field(name)
        if field is None:
            self.report.add(
                "FG-REF-001",
                path,
                f"{known.name} has no field `{name}`",
                found=name,
                allowed=f"a field of catalog/{known.name}.json",
                near=known.index.nearest(name),
                names=known.field_names,
            )
        return field

    def _in_table(self, table: Table, name: str, path: DocPath, alias: str) -> CatalogField | None:
        field = table.salesforce.field(name) if table.salesforce is not None else None
        if name.lower() in table.never_read:
            self.report.add("FG-REF-010", path, f"`{name}` is under never_read: nothing may read it", found=name)
        elif table.find(name) is None and not table.open:
            hint = f"; add it to {table.file}" if field is not None and table.file else ""
            self.report.add(
                "FG-REF-003",
                path,
                f"{table.title} has no column `{name}`{hint}",
                found=f"{alias}.{name}",
                allowed=f"a column of {table.title}",
                near=_nearest_in(table, alias, name),
            )
        return field if self.base_alias is None else None


def _nearest_in(table: Table, alias: str, name: str) -> str | None:
    fields = [column.field for column in table.columns if column.field]
    near = NameIndex([*table.names, *fields]).nearest(name)
    return None if near is None else f"{alias}.{near}"


def object_scope(m: ObjectMapping, tables: Tables, report: Report) -> Scope:
    """Fields of the object, and the tables of its lookups. Reports lookups into nothing."""
    own = tables.own(m)
    known = own.salesforce
    columns = tuple(OutputColumn(name, name) for name in known.field_names) if known else ()
    base = Table(own.title, columns, known is None, known, own.file, own.never_read)
    aliases: dict[str, Table | None] = {}
    for alias, lookup in m.lookups.items():
        aliases[alias] = table = tables.looked_up(lookup.object)
        if table is None:
            _unknown_table(("lookups", alias, "object"), lookup.object, tables, report)
    for place in report.source.pruned:
        if place[0] == "lookups" and len(place) > 1:
            aliases.setdefault(str(place[1]), None)
    return Scope(report, base, aliases, None)


def dataset_scope(m: DatasetMapping, tables: Tables, report: Report) -> Scope:
    """The columns of the inputs. Reports inputs that nothing can make."""
    table = tables.table(m.source)
    if table is None:
        _unknown_table(("from",), m.source, tables, report)
    aliases: dict[str, Table | None] = {m.name: table}
    for at, join in enumerate(m.joins):
        path = join_path(report, at)
        if join.name.lower() in {alias.lower() for alias in aliases}:
            report.add(
                "FG-MAP-014",
                path,
                f"two inputs are called `{join.name}`; give one another name with `as`",
                found=join.name,
            )
        joined = tables.table(join.table)
        if joined is None:
            _unknown_table((*path, "table"), join.table, tables, report)
        aliases[join.name] = joined
    lost = any(place[0] == "joins" for place in report.source.pruned)
    base = table or Table(f"`{m.source}`", (), open=True)
    if lost:  # a join that could not be read may have any alias
        base = Table(base.title, base.columns, True, base.salesforce, base.file, base.never_read)
    return Scope(report, base, aliases, m.name)


def join_path(report: Report, at: int) -> DocPath:
    """The place of the `at`-th join that is left, in the document."""
    gone = {place[1] for place in report.source.pruned if place[0] == "joins" and len(place) == 2}
    there = [place for place in range(at + len(gone) + 1) if place not in gone]
    return ("joins", there[at])


def _unknown_table(path: DocPath, name: str, tables: Tables, report: Report) -> None:
    project = tables.project
    known = [*project.mappings, *(m.source for m in project.objects.values()), *project.catalog.names]
    names = tuple(dict.fromkeys(known))
    message = f"nothing makes a table `{name}`: no mapping has this name or source, and the catalog does not know it"
    if project.settings.unmapped != "load" and (project.catalog_table(name) or is_salesforce_name(name)):
        message = f"`{name}` has no mapping file, and with `unmapped: {project.settings.unmapped}` it gets no table"
    report.add("FG-REF-005", path, message, found=name, names=names)
