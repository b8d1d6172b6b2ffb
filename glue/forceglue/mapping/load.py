"""From a folder of files to a project; all problems of all files at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forceglue.errors import MappingErrors, UsageError
from forceglue.mapping import params as parameters
from forceglue.mapping import yaml
from forceglue.mapping.catalog import load_catalog
from forceglue.mapping.model import AnyMapping, DatasetMapping, ObjectMapping
from forceglue.mapping.problems import Problem, dotted, in_order
from forceglue.mapping.project import Project, SourceFile
from forceglue.mapping.settings import PROJECT_FILES, read_document, read_settings, unknown_param
from forceglue.mapping.validation import validate

__all__ = ("Loaded", "Project", "SourceFile", "load_project", "read_project")

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Loaded:
    """What a folder holds, sound or not.

    Attributes:
        project: every mapping that could be read, those with wrong places without these.
        problems: what is wrong with the files themselves; `check.check_project` adds what is wrong between them.
        files: every file that was read, relative to the folder.
        unread_files: file of which no mapping could be made → the names (lower case) that others may call it by.
    """

    project: Project
    problems: tuple[Problem, ...]
    files: tuple[str, ...] = ()
    unread_files: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def unread(self) -> frozenset[str]:
        """Nothing is said about reads of these names."""
        return frozenset(name for names in self.unread_files.values() for name in names)


def load_project(
    folder: Path, *, env: str | None = None, params: Mapping[str, str] = {}, checked: bool = True
) -> Project:
    """The project in `folder`.

    Args:
        env: an environment of project.yaml: its params and roots count.
        params: further params; they win over the environment's.
        checked: also run the static checks (`mapping.check`), not only those of each file by itself.

    Raises:
        MappingErrors: with every problem of every file; warnings are left to `forceglue check`.
        UsageError: the folder or the environment is not there.
    """
    loaded = read_project(folder, env=env, params=params)
    problems = list(loaded.problems)
    if checked:
        from forceglue.mapping.check import check_project

        problems += check_project(loaded.project, loaded.unread)
    if errors := [problem for problem in problems if not problem.warning]:
        raise MappingErrors(in_order(errors))
    return loaded.project


def read_project(folder: Path, *, env: str | None = None, params: Mapping[str, str] = {}) -> Loaded:
    """What `folder` holds, with the problems beside it instead of raised (see `load_project`)."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"The mappings folder {folder} is not there; name it with --mappings.")
    problems: list[Problem] = []
    settings, values, elsewhere = read_settings(folder, env, params, problems)
    catalog, broken = load_catalog(folder / "catalog")
    problems += broken
    objects: dict[str, ObjectMapping] = {}
    datasets: dict[str, DatasetMapping] = {}
    sources: dict[str, SourceFile] = {}
    unread: dict[str, frozenset[str]] = {}
    files: list[str] = [name for name in PROJECT_FILES if (folder / name).is_file()][:1]
    for path in _mapping_files(folder):
        file = path.relative_to(folder).as_posix()
        files.append(file)
        document = read_document(path, file)
        found = _mapping(path, file, document, values, elsewhere, env, problems)
        if found is None:
            unread[file] = frozenset(_names_in(document.value, path))
            continue
        mapping, source = found
        first = next((name for name in sources if name.lower() == mapping.mapping.lower()), None)
        if first is not None:
            problems.append(_twice(mapping, source, sources[first]))
            continue
        sources[mapping.mapping] = source
        if isinstance(mapping, ObjectMapping):
            objects[mapping.mapping] = mapping
        else:
            datasets[mapping.mapping] = mapping
    project = Project(folder, settings, objects, datasets, catalog, sources, env)
    return Loaded(project, in_order(problems), tuple(files), unread)


def _mapping_files(folder: Path) -> Iterator[Path]:
    for place in (folder / "objects", folder / "datasets", folder):
        if place.is_dir():
            files = (path for path in sorted(place.iterdir()) if path.suffix in _SUFFIXES and path.is_file())
            yield from (
                path
                for path in files
                if not path.name.startswith(".") and (place != folder or path.name not in PROJECT_FILES)
            )


def _mapping(
    path: Path,
    file: str,
    document: yaml.Document,
    values: Mapping[str, str],
    elsewhere: frozenset[str],
    env: str | None,
    problems: list[Problem],
) -> tuple[AnyMapping, SourceFile] | None:
    problems += document.problems
    if document.value is None:
        return None
    kind = _kind(document, path, file, problems)
    if kind is None:
        return None
    for place, name in parameters.unknown(document.value, values):
        if env is None and name in elsewhere:
            message = f"`${{{name}}}` has a value only in an environment; give --env or --param {name}=…"
            problems.append(Problem("FG-PRM-002", file, document.line(place), dotted(place), message, name))
        else:
            problems.append(unknown_param(document, file, place, name, values))
    checked = validate(kind, document, parameters.fill(document.value, values), file)
    problems += checked.problems
    if checked.model is None:
        return None
    return checked.model, SourceFile(file, path, document, checked.pruned)


def _kind(
    document: yaml.Document, path: Path, file: str, problems: list[Problem]
) -> type[ObjectMapping | DatasetMapping] | None:
    """Which kind of mapping it is: `source` makes an object, `from` a dataset; with neither, the folder decides."""
    value = document.value
    if not isinstance(value, dict):
        problems.append(
            Problem("FG-MAP-003", file, 1, "", "a mapping file is a mapping (`key: value`)", type(value).__name__)
        )
        return None
    has = {word for word in ("source", "from") if word in value}
    if len(has) == 1:
        return ObjectMapping if "source" in has else DatasetMapping
    if has:
        message = "`source` and `from` both stand here; `source` makes an object mapping, `from` a dataset"
        problems.append(Problem("FG-FIL-002", file, document.line(("from",)), "from", message))
        return None
    if path.parent.name in ("objects", "datasets"):
        return ObjectMapping if path.parent.name == "objects" else DatasetMapping
    message = "neither `source` (an object mapping) nor `from` (a dataset) stands here"
    problems.append(Problem("FG-FIL-002", file, 1, "", message))
    return None


def _twice(mapping: AnyMapping, source: SourceFile, first: SourceFile) -> Problem:
    return Problem(
        "FG-MAP-010",
        source.file,
        source.document.line(("mapping",)),
        "mapping",
        f"the name `{mapping.mapping}` is taken by {first.file} (tables have no two names that differ in case only)",
        mapping.mapping,
    )


def _names_in(value: Any, path: Path) -> Iterator[str]:
    """What other files may call a mapping that could not be read."""
    yield path.stem.lower()
    if isinstance(value, dict):
        yield from (str(value[word]).lower() for word in ("mapping", "source") if isinstance(value.get(word), str))
