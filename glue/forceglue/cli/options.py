"""Options that several commands share, and how their errors become exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from forceglue.run.request import RunRequest
    from forceglue.salesforce.client import Salesforce

Command = Callable[..., Any]

mappings_option = click.option(
    "--mappings",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("mappings"),
    show_default=True,
    help="The mappings folder.",
)
env_option = click.option("--env", help="An environment of project.yaml.")
param_option = click.option("--param", "given", multiple=True, metavar="K=V", help="A parameter for ${K}.")
json_option = click.option("--json", "as_json", is_flag=True, help="The answer as JSON.")
landing_option = click.option("--landing", help="Where files land: a folder or s3:// URI.")
warehouse_option = click.option("--warehouse", help="Where tables, quarantine and reports are: a folder or s3:// URI.")
delivery_option = click.option("--delivery", help="Where datasets are delivered: a folder or s3:// URI.")


def project_options(command: Command) -> Command:
    """`--mappings --env --param`."""
    return mappings_option(env_option(param_option(command)))


def root_options(command: Command) -> Command:
    """`--landing --warehouse --delivery`, and the project's."""
    return landing_option(warehouse_option(delivery_option(project_options(command))))


def org_options(command: Command) -> Command:
    """`--allow-password`; everything else of a connection comes from the environment."""
    return click.option(
        "--allow-password", is_flag=True, help="Allow sign-in by user name and password, which is retired."
    )(command)


@contextmanager
def signed_in(allow_password: bool) -> Iterator[Salesforce]:
    """The org that the environment describes.

    Raises:
        UsageError: with all that is wrong with the variables.
    """
    from forceglue.salesforce.client import Salesforce
    from forceglue.salesforce.settings import from_environment

    with Salesforce(from_environment(allow_password=allow_password)) as org:
        yield org


def pairs(given: Sequence[str]) -> dict[str, str]:
    """`K=V` texts as a dictionary."""
    found = [entry.partition("=") for entry in given]
    for name, equals, _ in found:
        if not (name and equals):
            raise click.BadParameter(f"{name!r} is not of the form K=V", param_hint="--param")
    return {name: value for name, _, value in found}


@contextmanager
def told_errors() -> Iterator[None]:
    """Usage and mapping errors end with exit code 2, everything else of ours with 1; the message says what to do."""
    from forceglue.errors import ForceglueError, MappingErrors, UsageError

    try:
        yield
    except (MappingErrors, UsageError) as error:
        click.echo(f"forceglue: {error}", err=True)
        sys.exit(2)
    except ForceglueError as error:
        click.echo(f"forceglue: {error}", err=True)
        sys.exit(1)


def request_of(
    names: Sequence[str],
    landing: str | None,
    warehouse: str | None,
    delivery: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    *,
    needs: Sequence[str] = ("landing", "warehouse", "delivery"),
    **more: Any,
) -> RunRequest:
    """The request of a command; a root that is not given comes from project.yaml.

    Args:
        needs: the roots that the command uses; another may be given nowhere, it is empty then.

    Raises:
        UsageError: a root that is needed is given nowhere.
    """
    from forceglue.errors import UsageError
    from forceglue.mapping.load import read_project
    from forceglue.run.request import RunRequest

    params = pairs(given)
    roots = {"landing": landing, "warehouse": warehouse, "delivery": delivery}
    if None in roots.values():
        said = read_project(mappings, env=env, params=params).project.settings.roots
        roots = {name: value or getattr(said, name) for name, value in roots.items()}
    missing = [name for name in needs if not roots[name]]
    if missing:
        told = " and ".join(f"--{name}" for name in missing)
        raise UsageError(f"no {told}: give it on the command line, or under `roots` of {mappings / 'project.yaml'}.")
    return RunRequest(
        mappings=mappings,
        landing=roots["landing"] or "",
        warehouse=roots["warehouse"] or "",
        delivery=roots["delivery"] or "",
        names=tuple(names),
        env=env,
        params=params,
        **more,
    )
