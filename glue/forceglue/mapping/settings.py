"""project.yaml: the settings with an environment's params and roots merged in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from forceglue.errors import UsageError
from forceglue.mapping import params as parameters
from forceglue.mapping import yaml
from forceglue.mapping.model import Environment, ProjectSettings, Roots
from forceglue.mapping.names import nearest
from forceglue.mapping.problems import DocPath, Problem, dotted
from forceglue.mapping.validation import validate

PROJECT_FILES = ("project.yaml", "project.yml")


def read_settings(
    folder: Path, env: str | None, params: Mapping[str, str], problems: list[Problem]
) -> tuple[ProjectSettings, dict[str, str], frozenset[str]]:
    """The settings, the params in force, and the params that only other environments define."""
    path = next((folder / name for name in PROJECT_FILES if (folder / name).is_file()), None)
    settings = ProjectSettings()
    if path is not None:
        document = read_document(path, path.name)
        problems += document.problems
        if document.value is not None:
            settings = _checked_settings(document, path.name, env, params, problems)
    environment = _environment(settings, env)
    values = {**settings.params, **environment.params, **params}
    elsewhere = frozenset(name for other in settings.environments.values() for name in other.params)
    roots = {**settings.roots.model_dump(), **environment.roots.model_dump(exclude_none=True)}
    return settings.model_copy(update={"roots": Roots(**roots), "params": values}), values, elsewhere


def _checked_settings(
    document: yaml.Document, file: str, env: str | None, params: Mapping[str, str], problems: list[Problem]
) -> ProjectSettings:
    first = validate(ProjectSettings, document, document.value, file)
    settings = first.model or ProjectSettings()
    environment = _environment(settings, env)
    values = {**settings.params, **environment.params, **params}
    # Without an environment its params have no value yet: roots and connections that hold one may never be used.
    known = {*values, *(() if env else (n for other in settings.environments.values() for n in other.params))}
    for place, name in parameters.unknown(document.value, known):
        if "params" not in place:
            problems.append(unknown_param(document, file, place, name, known))
    filled = validate(ProjectSettings, document, parameters.fill(document.value, values), file)
    problems += filled.problems
    return filled.model or settings


def _environment(settings: ProjectSettings, env: str | None) -> Environment:
    if env is None:
        return Environment()
    if env not in settings.environments:
        near = nearest(env, settings.environments)
        hint = f'did you mean "{near}"?' if near else f"there are: {', '.join(settings.environments) or 'none'}."
        raise UsageError(f'No environment is named "{env}" in project.yaml; {hint}')
    return settings.environments[env]


def read_document(path: Path, file: str) -> yaml.Document:
    try:
        return yaml.read(path.read_bytes(), file)
    except OSError as error:
        problem = Problem("FG-FIL-001", file, 1, "", f"the file cannot be read: {error.strerror or error}")
        return yaml.Document(None, problems=(problem,))


def unknown_param(document: yaml.Document, file: str, place: DocPath, name: str, known: Iterable[str]) -> Problem:
    names = tuple(known)
    return Problem(
        "FG-PRM-001",
        file,
        document.line(place),
        dotted(place),
        f"nothing gives `${{{name}}}` a value",
        name,
        ", ".join(names) or "no params are defined",
        nearest(name, names),
    )
