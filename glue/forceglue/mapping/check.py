"""The static checks of a whole project: no JVM, no data, no Great Expectations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forceglue.mapping.checks.datasets import check_dataset
from forceglue.mapping.checks.examples import check_examples
from forceglue.mapping.checks.objects import check_object
from forceglue.mapping.checks.quality import check_expectations, check_rules
from forceglue.mapping.checks.report import Report
from forceglue.mapping.checks.tables import Tables
from forceglue.mapping.checks.targets import check_deliveries, check_name, check_target
from forceglue.mapping.load import Loaded, read_project
from forceglue.mapping.model import DatasetMapping, ObjectMapping
from forceglue.mapping.problems import DocPath, Problem, in_order
from forceglue.mapping.project import Project

_PASSWORD_IN_URL = re.compile(r"://[^/@:]+:[^/@]+@|[?&](password|user)=", re.IGNORECASE)


@dataclass(frozen=True)
class Checked:
    """The outcome of a check: how many files were looked at, and every problem in the order of files and lines."""

    files: int
    problems: tuple[Problem, ...]


def check_folder(
    folder: Path, *, env: str | None = None, params: Mapping[str, str] = {}, names: Sequence[str] = ()
) -> Checked:
    """Checks all files of `folder` together; with `names`, only the problems of these mappings are given.

    Without `env`, and with files that use its params, every environment of project.yaml is tried in turn:
    a param that only one of them lacks is found too.

    Raises:
        UsageError: the folder, the environment or one of the names does not exist.
    """
    first = read_project(folder, env=env, params=params)
    project = first.project
    runs = [first]
    if any(problem.code == "FG-PRM-002" for problem in first.problems):
        runs = [read_project(folder, env=name, params=params) for name in project.settings.environments]
    problems = in_order([p for run in runs for p in (*run.problems, *check_project(run.project, run.unread))])
    if names:
        wanted = _files_of(names, first)
        problems = tuple(p for p in problems if p.file in wanted or p.file.startswith("project."))
    return Checked(len(first.files), problems)


def _files_of(names: Sequence[str], loaded: Loaded) -> set[str]:
    """The files of these mappings; one that cannot be read is found by its file name or by what it calls itself."""
    project, found = loaded.project, set[str]()
    for name in names:
        unread = [file for file, called in loaded.unread_files.items() if name.lower() in called]
        found.update(unread or (project.sources[project.mapping(name).mapping].file,))
    return found


def check_project(project: Project, unread: frozenset[str] = frozenset()) -> tuple[Problem, ...]:
    """What is wrong between the files: references, types, rules, cycles, deliveries.

    Args:
        unread: lower-case names of mappings whose file could not be read; reads of them are not judged.
    """
    tables = Tables(project, unread)
    problems = list(_connections(project))
    written: dict[str, str] = {}
    reports = {name: Report(source) for name, source in project.sources.items()}
    for name, report in reports.items():
        m = project.objects.get(name) or project.datasets[name]
        check_name(m, report)
        if isinstance(m, ObjectMapping):
            check_object(m, tables, report)
        else:
            check_dataset(m, tables, report)
        check_rules(m, tables, report)
        check_expectations(m, tables, report)
        check_target(m, tables, report)
        for place, path in check_deliveries(m, tables, report):
            first = written.setdefault(place, f"{report.source.file}:{report.source.document.line(path)}")
            if not first.startswith(f"{report.source.file}:{report.source.document.line(path)}"):
                report.add(
                    "FG-DLV-005",
                    path,
                    f"{first} delivers to the same {place.split(' ')[0]}",
                    found=place.split(" ", 1)[1],
                )
        check_examples(m, tables, report)
    _cycles(project, reports)
    for report in reports.values():
        problems += report.problems
    return in_order(problems)


def _cycles(project: Project, reports: dict[str, Report]) -> None:
    for circle in project.cycles():
        name, following = circle[0], circle[1]
        way = " → ".join(circle)
        reports[name].add(
            "FG-MAP-016", _read_place(project, name, following), f"mappings wait for each other: {way}", found=way
        )


def _read_place(project: Project, name: str, target: str) -> DocPath:
    """Where mapping `name` reads the table of `target`."""
    m = project.objects.get(name) or project.datasets[name]
    if isinstance(m, DatasetMapping):
        for at, join in enumerate(m.joins):
            found = project.table(join.table)
            if found is not None and found.mapping == target:
                return ("joins", at, "table")
        return ("from",)
    for alias, lookup in m.lookups.items():
        found = project.looked_up(lookup.object)
        if found is not None and found.mapping == target:
            return ("lookups", alias, "object")
    return ("lookups",)


def _connections(project: Project) -> list[Problem]:
    """No user or password in a URL: the file is in version control."""
    message = "the URL holds a user or password; name a secret instead"
    allowed = "secret: <name in Secrets Manager>, or user_env and password_env"
    return [
        Problem("FG-PRJ-001", "project.yaml", 1, f"connections.{name}.url", message, None, allowed)
        for name, connection in project.settings.connections.items()
        if _PASSWORD_IN_URL.search(connection.url)
    ]
