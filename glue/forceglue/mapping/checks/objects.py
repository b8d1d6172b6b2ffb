"""What only an object mapping has: source, lookups, key, order, deleted, never_read, formula fields."""

from __future__ import annotations

from forceglue.mapping.catalog import CatalogField
from forceglue.mapping.checks.expressions import REFRESH_WORDS, FieldUse, block_paths, check_columns, check_sql
from forceglue.mapping.checks.report import Report
from forceglue.mapping.checks.scope import Scope, object_scope
from forceglue.mapping.checks.tables import Tables
from forceglue.mapping.model import AllColumns, Lookup, ObjectMapping
from forceglue.mapping.model.refresh import acts_like_formula
from forceglue.mapping.names import match
from forceglue.mapping.problems import DocPath
from forceglue.mapping.standard import misspelt


def check_object(m: ObjectMapping, tables: Tables, report: Report) -> None:
    """Everything that the fields of the object and the tables of its lookups decide."""
    catalog = tables.project.catalog
    meant = misspelt(m.source, catalog.names) if catalog.get(m.source) is None else None
    if meant is not None:
        message = f"Salesforce has no object `{m.source}` that the catalog knows"
        allowed = "an API name; put the describe of an unusual object into catalog/"
        report.add("FG-REF-005", ("source",), message, found=m.source, allowed=allowed, near=meant)
    scope = object_scope(m, tables, report)
    said = tables.project.with_defaults(m).refresh is not None
    use = FieldUse(report, has_refresh=said or report.pruned("refresh"))
    check_columns(m, scope, use, report)
    _check_all(m, scope, use, report)
    _check_kept_formulas(m, tables, report, use)
    for alias, lookup in m.lookups.items():
        by = scope.check(lookup.by, ("lookups", alias, "by"))
        if by is not None and by.type is not None and lookup.key in (None, "Id"):
            _check_lookup_by(m, alias, lookup, by, tables, report)
        if lookup.key is not None:
            scope.check(f"{alias}.{lookup.key}", ("lookups", alias, "key"))
    _check_record_words(m, tables, scope, report)
    _check_also(m, scope, report)
    if m.where is not None:
        for read in check_sql(m.where, ("where",), report, predicate=True):
            use.note(scope.check(read, ("where",)), ("where",))


def _check_all(m: ObjectMapping, scope: Scope, use: FieldUse, report: Report) -> None:
    for place, block in block_paths(m, report):
        if not isinstance(block, AllColumns):
            continue
        if block.all.lower() not in (m.source.lower(), m.mapping.lower()):
            report.add(
                "FG-REF-006",
                (*place, "all"),
                "in an object mapping `all` takes the object itself",
                found=block.all,
                allowed=m.source,
            )
            continue
        for at, name in enumerate(block.only or ()):
            use.note(scope.check(name, (*place, "only", at)), (*place, "only", at))
        for at, name in enumerate(block.exclude):
            if name.lower() not in scope.base.never_read:
                scope.check(name, (*place, "except", at))


def _check_lookup_by(
    m: ObjectMapping, alias: str, lookup: Lookup, by: CatalogField, tables: Tables, report: Report
) -> None:
    """A lookup by Id goes through a reference, and to an object that it points to."""
    place = ("lookups", alias, "by")
    target = tables.project.looked_up(lookup.object)
    full = tables.project.with_defaults(target) if target else None
    if full is not None and full.key != ("Id",) and lookup.key is None:
        return  # it is found by something else than an Id
    into = target.source if target else lookup.object
    points_to = by.references or ((m.source,) if by.type == "id" else ())
    known = tables.own(m).salesforce
    others = [f for f in (known.fields if known else ()) if into.lower() in {name.lower() for name in f.references}]
    if by.type not in ("reference", "id"):
        message = f"`{by.name}` is no reference (describe: {by.type}): where it holds no Id of {into}, nothing is found"
        allowed = ", ".join(f.name for f in others[:6]) or f"a field that points to {into}, or `key:` with its field"
        report.add("FG-REF-012", place, message, found=lookup.by, allowed=allowed)
    elif points_to and into.lower() not in {name.lower() for name in points_to}:
        report.add(
            "FG-REF-013",
            place,
            f"`{by.name}` points to {', '.join(points_to)}, never to {into}",
            found=lookup.by,
            allowed=", ".join(f.name for f in others[:6]) or f"{known.name if known else m.source} has no such field",
        )


def _check_kept_formulas(m: ObjectMapping, tables: Tables, report: Report, use: FieldUse) -> None:
    """Formula fields that nobody names but that the table keeps."""
    known = tables.own(m).salesforce
    if known is None or use.has_refresh:
        return
    named = _written_fields(m)
    kept = [c.field for c in tables.own(m).columns if c.field and c.field.lower() not in named]
    formulas = [name for name in kept if (field := known.field(name)) is not None and field.calculated]
    if formulas:
        head = ", ".join(formulas[:3]) + (f" and {len(formulas) - 3} more" if len(formulas) > 3 else "")
        where: DocPath = ("rest",) if m.rest else ("columns",) if m.columns else ("source",)
        report.add(
            "FG-FLD-002",
            where,
            f"formula fields are kept: {head}; when one changes, Salesforce does not mark the record as changed",
            found=head,
            allowed=REFRESH_WORDS,
        )


def _check_also(m: ObjectMapping, scope: Scope, report: Report) -> None:
    """Fields that behave like formulas must be there; one that describe calls a formula is read without being named."""
    for at, name in enumerate(acts_like_formula(m.refresh)):
        place: DocPath = ("refresh", "also", at)
        found = scope.check(name, place)
        if found is not None and found.calculated:
            report.add(
                "FG-FLD-003", place, f"describe calls `{found.name}` a formula: it is refreshed anyway", found=name
            )


def _written_fields(m: ObjectMapping) -> set[str]:
    fields: set[str] = set()
    for block in m.columns or ():
        if isinstance(block, AllColumns):
            fields.update(name.lower() for name in block.only or ())
        elif hasattr(block, "columns"):
            fields.update(column.source.lower() for column in block.columns.values() if column.source)
    return fields


def _check_record_words(m: ObjectMapping, tables: Tables, scope: Scope, report: Report) -> None:
    """key, order_by, deleted: what the mapping says itself must exist; the project's key must, too."""
    known = tables.own(m).salesforce
    if known is None:
        return
    names = known.field_names
    full = tables.project.with_defaults(m)
    for at, field in enumerate(full.key or ()):
        if match(field, names) is None and not report.pruned("key"):
            path: DocPath = ("source",) if m.key is None else ("key", at) if len(m.key) > 1 else ("key",)
            whose = "the key of project.yaml, " if m.key is None else "the key field "
            report.add(
                "FG-REF-007",
                path,
                f"{known.name} has no field `{field}`, {whose}that rows are merged by",
                found=field,
                names=names,
            )
    for word, name in (("order_by", m.order_by), ("deleted", m.deleted)):
        if name is not None and match(name, names) is None:
            report.add("FG-REF-007", (word,), f"{known.name} has no field `{name}`", found=name, names=names)
    hidden = scope.base.never_read
    for field in (*(full.key or ()), full.order_by or "", full.deleted or ""):
        if field.lower() in hidden:
            report.add(
                "FG-REF-010", ("never_read",), f"`{field}` is under never_read, but rows are merged by it", found=field
            )
