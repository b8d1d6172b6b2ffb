"""`forceglue docs` and `forceglue lineage`: what the data means and where it comes from, from the mappings alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.text import Text
    from rich.tree import Tree

    from forceglue.mapping.lineage import Lineage
    from forceglue.mapping.project import Project

PIPE_WIDTH = 4000


class _WrongMappings(click.ClickException):
    exit_code = 2


def _project_options(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option(
            "--mappings",
            type=click.Path(path_type=Path, file_okay=False),
            default=Path("mappings"),
            show_default=True,
            help="The mappings folder.",
        ),
        click.option("--env", help="An environment of project.yaml."),
        click.option(
            "--param", "given", multiple=True, metavar="K=V", help="A parameter for ${K}; wins over the environment's."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("docs/dictionary"),
    show_default=True,
    help="The folder to write into.",
)
@_project_options
def docs(out: Path, mappings: Path, env: str | None, given: Sequence[str]) -> None:
    """Write the data dictionary as HTML: what each table and column means and where it comes from.

    With a search and a graph of what feeds what; it opens from the disk, without a server or a network.
    """
    from forceglue.docs.dictionary import write_dictionary

    project = _load(mappings, env, given)
    try:
        index = write_dictionary(project, out)
    except OSError as error:
        raise click.UsageError(f"{out} cannot be written: {error.strerror}; name another folder with --out.") from None
    columns = sum(len(project.columns(name)) for name in project.mappings)
    click.echo(f"{len(project.mappings)} mappings with {columns:,} columns. Open {index}")


@click.command()
@click.argument("target", metavar="[NAME.COLUMN]", required=False)
@click.option("--json", "as_json", is_flag=True, help="The trees as JSON.")
@_project_options
def lineage(target: str | None, *, as_json: bool, mappings: Path, env: str | None, given: Sequence[str]) -> None:
    """Show where a column comes from, down to the Salesforce field.

    With NAME alone, every column of that mapping and its Salesforce fields; without an argument, those of all mappings.
    """
    from forceglue.errors import UsageError
    from forceglue.mapping.lineage import all_lineage, trace

    project = _load(mappings, env, given)
    name, dot, column = (target or "").partition(".")
    try:
        if dot:
            found = trace(project, name, column)
            _print_json(found.to_dict()) if as_json else _print_tree(found)
            return
        wanted = [project.mapping(name).mapping] if name else list(project.mappings)
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    every = all_lineage(project)
    shown = {mapping: every[mapping] for mapping in wanted}
    if as_json:
        _print_json({mapping: [entry.to_dict() for entry in columns] for mapping, columns in shown.items()})
    else:
        _print_list(shown)


def lineage_tree(node: Lineage) -> Tree:
    """The tree of a column for the terminal."""
    from rich.tree import Tree

    tree = Tree(_node(node), guide_style="dim")
    waiting = [(tree, node)]
    while waiting:
        branch, parent = waiting.pop()
        waiting += [(branch.add(_node(child)), child) for child in parent.inputs]
    return tree


def _node(node: Lineage) -> Text:
    from rich.text import Text

    from forceglue.run.wording import clean

    said = {
        "empty": "nothing feeds it",
        "constant": "constant ",
        "technical": "written by the run: ",
        "field": "Salesforce ",
    }
    text = Text(said.get(node.kind, ""), "dim")
    if node.kind != "empty":
        text.append(clean(node.title), {"field": "green", "column": "bold"}.get(node.kind, ""))
    notes = [f"= {node.sql}" if node.sql else None, node.through, f"as {node.type}" if node.type else None]
    return text.append("".join(f"  {clean(note)}" for note in notes if note), "dim")


def _print_tree(node: Lineage) -> None:
    from rich.console import Console

    # On a terminal a long line is wrapped beside its branch; in a file or a pipe it stays one line.
    Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH).print(lineage_tree(node))


def _print_list(shown: Mapping[str, Sequence[Lineage]]) -> None:
    from rich.console import Console
    from rich.text import Text

    from forceglue.run.wording import clean

    console = Console(highlight=False)
    for columns in shown.values():
        for column in columns:
            leaves = ", ".join(dict.fromkeys(_node(leaf).plain.removeprefix("Salesforce ") for leaf in column.leaves()))
            line = Text(clean(column.title), "bold").append("  ←  ", "dim").append(leaves)
            console.print(line, soft_wrap=True)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _load(mappings: Path, env: str | None, given: Sequence[str]) -> Project:
    from forceglue.errors import MappingErrors, UsageError
    from forceglue.mapping.load import load_project

    pairs = [entry.partition("=") for entry in given]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise click.BadParameter(f"{name!r} is not of the form K=V", param_hint="--param")
    try:
        return load_project(mappings, env=env, params={name: value for name, _, value in pairs})
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except MappingErrors as errors:
        raise _WrongMappings(str(errors)) from None
