"""`forceglue scaffold`: mapping files from snapshots, and from snapshots again without touching what a person wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from forceglue.describe import record
from forceglue.describe.choice import did_you_mean, in_project
from forceglue.describe.columns import free_name, made
from forceglue.describe.merge import Note, merge
from forceglue.describe.record import Record
from forceglue.describe.render import mapping_text
from forceglue.errors import LandingError, UsageError
from forceglue.landing.store import Store
from forceglue.mapping import yaml
from forceglue.mapping.catalog import CatalogObject
from forceglue.mapping.load import Loaded
from forceglue.mapping.model import ObjectDefaults, ObjectMapping
from forceglue.mapping.names import table_name
from forceglue.mapping.project import Project

Outcome = Literal["new", "changed", "same", "left", "failed"]


@dataclass(frozen=True)
class Scaffolded:
    """What became of one object's mapping.

    Attributes:
        file: relative to the mappings folder.
        outcome: `left`: a person's own file, which only `force` adds to.
        columns: how many the describe makes.
        untyped: fields whose type the snapshot does not know.
        error: why nothing was written.
    """

    object: str
    outcome: Outcome
    file: str | None = None
    columns: int = 0
    notes: tuple[Note, ...] = ()
    untyped: tuple[str, ...] = ()
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def without_snapshot(loaded: Loaded, names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` (objects, mappings or tables) whose describe is not kept, by API name."""
    asked = [in_project(loaded.project, name, _known(loaded)) for name in names]
    return tuple(name for name in asked if loaded.project.catalog.get(name) is None)


def scaffold(
    loaded: Loaded,
    names: Sequence[str] = (),
    *,
    everything: bool = False,
    force: bool = False,
    prune: bool = False,
) -> Iterator[Scaffolded]:
    """The mappings of these objects, one by one.

    Args:
        loaded: the project with the snapshots that are to count.
        names: objects, mappings or tables.
        everything: every object that has a snapshot.
        force: columns are added to files that scaffold did not make, too.
        prune: columns that nobody touched go with their field.

    Raises:
        UsageError: no object is meant.
        LandingError: the mappings folder cannot be written.
    """
    project = loaded.project
    asked = [in_project(project, name, _known(loaded)) for name in names]
    asked += project.catalog.names if everything else ()
    if not asked:
        raise UsageError("no object is meant: name objects, or say --all for every object that has a snapshot.")
    taken = {name.lower() for name in (*project.mappings, *loaded.unread)}
    for name in {name.lower(): name for name in asked}.values():
        known = project.catalog.get(name)
        if known is None:
            near = did_you_mean(name, project.catalog.names)
            told = f"no snapshot is kept of it{near}: `forceglue catalog pull {name}` makes one"
            yield Scaffolded(name, "failed", error=told)
            continue
        yield _one(loaded, known, taken, force=force, prune=prune)


def _known(loaded: Loaded) -> set[str]:
    return {name.lower() for name in loaded.project.catalog.names}


def _one(loaded: Loaded, known: CatalogObject, taken: set[str], *, force: bool, prune: bool) -> Scaffolded:
    project, folder = loaded.project, loaded.project.folder
    mapping = _own(project, known.name)
    if mapping is None and {known.name.lower(), table_name(known.name)} & loaded.unread:
        return Scaffolded(known.name, "failed", error="its mapping cannot be read: `forceglue check` tells why")
    name = mapping.mapping if mapping else free_name(table_name(known.name), taken)
    try:
        now = made(known, name, _conventions(project, mapping), naming=mapping.naming if mapping else None)
        base = record.read(folder, known.name)
    except ValueError as error:
        return Scaffolded(known.name, "failed", error=str(error))
    if mapping is None:
        file = f"objects/{name}.yaml"
        text = mapping_text(now, schema=(folder / "mapping.schema.json").is_file())
        Store.made(folder).write_bytes(file, text.encode())
        record.write(folder, Record.of(now))
        return Scaffolded(known.name, "new", file, len(now.columns), untyped=now.untyped)
    source = project.sources[name]
    if base is None and not force:
        return Scaffolded(known.name, "left", source.file, len(now.columns))
    broken = [problem for problem in loaded.problems if problem.file == source.file]
    if broken:
        told = f"{source.file}:{broken[0].line} {broken[0].message}: mend it first, `forceglue check` tells all"
        return Scaffolded(known.name, "failed", source.file, error=told)
    before = _text(source.path)
    merged = merge(before, now, base, prune=prune)
    outcome: Outcome = "same" if merged.text == before else "changed"
    if outcome == "changed":
        if wrong := yaml.read(merged.text, source.file).problems:  # its YAML is of a kind that edits do not know
            told = f"{source.file} would not be sound in line {wrong[0].line} ({wrong[0].message}); nothing was written"
            return Scaffolded(known.name, "failed", source.file, error=told)
        Store.made(folder).write_bytes(source.file, merged.text.encode())
    if merged.record != base:
        record.write(folder, merged.record)
    return Scaffolded(known.name, outcome, source.file, len(now.columns), merged.notes, now.untyped)


def _own(project: Project, source: str) -> ObjectMapping | None:
    """The mapping that is scaffold's; of several of one object, that of the table with the object's own name."""
    found = [m for m in project.objects.values() if m.source.lower() == source.lower()]
    return next((m for m in found if m.mapping.lower() == table_name(source)), found[0] if found else None)


def _conventions(project: Project, mapping: ObjectMapping | None) -> ObjectDefaults:
    """The project's, with what the mapping never reads."""
    defaults = project.settings.objects
    if mapping is None or not mapping.exclude:
        return defaults
    return defaults.model_copy(update={"never_read": (*defaults.never_read, *mapping.exclude)})


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise LandingError(f"{path}: {error.strerror}. Give the right to read it.") from error
