"""`forceglue flows`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forceglue.cli.options import pairs, project_options, told_errors

if TYPE_CHECKING:
    from forceglue.flows.flow import Every
    from forceglue.mapping.project import Project

_PREFIX = re.compile(r"[a-z][a-z0-9]{1,15}")


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("flows.yaml"), show_default=True,
              help="The template; several are flows-1.yaml, flows-2.yaml, …")  # fmt: skip
@click.option("--every", default="1 hour", show_default=True, help="How often what has changed is read.")
@click.option("--stacks", type=click.IntRange(1, 50), default=1, show_default=True,
              help="Into how many templates; CloudFormation takes 500 resources each.")  # fmt: skip
@click.option("--check", "only_check", is_flag=True, help="Write nothing; say which flows differ from the file.")
@project_options
def flows(
    out: Path,
    every: str,
    stacks: int,
    only_check: bool,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
) -> None:
    """Write the AppFlow flows of all mappings as a CloudFormation template.

    For each object one that reads every hour what has changed, and one that reads all of it when it is started; by
    Bulk API 2.0, deleted records with them. Nothing is called; which fields there are is what catalog/ says.
    lambdas/README.md tells how they are deployed.

    Exit code 0: written, or with --check as they are; 1: with --check, flows differ; 2: usage or mapping errors.
    """
    from forceglue.errors import UsageError
    from forceglue.flows.difference import differences
    from forceglue.flows.objects import flow_objects
    from forceglue.flows.template import Request, templates, text
    from forceglue.mapping.load import load_project

    with told_errors():
        schedule = _every(every)
        project = load_project(mappings, env=env, params=pairs(given))
        objects, left_out = flow_objects(project)
        made = templates(objects, left_out, Request(_prefix(project, env), schedule, stacks))
        files = [out] if stacks == 1 else [out.with_stem(f"{out.stem}-{number + 1}") for number in range(stacks)]
        told = []
        for file, template in zip(files, made, strict=True):
            if only_check:
                told += [f"{file}: {line}" for line in differences(_there(file), template)]
                continue
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text(template), "utf-8")
            except OSError as error:
                raise UsageError(f"{file} cannot be written: {error.strerror}; name another file with --out.") from None
    if only_check:
        for line in told:
            click.echo(line)
        click.echo("`forceglue flows` makes it again." if told else f"{_count(objects)} as in the file.")
        sys.exit(1 if told else 0)
    for one in objects:
        for note in one.notes:
            click.echo(f"{one.name}: {note}", err=True)
    for none in left_out:
        click.echo(f"{none.name}: no flow: {none}", err=True)
    click.echo(f"{_count(objects)}, written to {', '.join(map(str, files))}")


def _count(objects: Sequence[Any]) -> str:
    return f"{2 * len(objects)} flows of {len(objects)} object{'s' if len(objects) != 1 else ''}"


def _prefix(project: Project, env: str | None) -> str | None:
    """What EnvPrefix is unless the deployment says otherwise: the project's own parameter, else the environment."""
    if env is None:
        return None
    said = project.settings.params.get("EnvPrefix", env)
    return said if _PREFIX.fullmatch(said) else None


def _every(text: str) -> Every:
    """`1 hour`, `15 minutes`, `1 day`."""
    from forceglue.flows.flow import Every

    found = re.fullmatch(r"(\d{1,4}) *(minute|hour|day)s?", text.strip())
    if found and (every := Every(int(found[1]), f"{found[2]}s")) and 60 <= every.seconds <= 60 * 86_400:
        return every
    raise click.BadParameter(
        f"{text!r} is no span of a minute to 60 days, such as `1 hour` or `15 minutes`", param_hint="--every"
    )


def _there(file: Path) -> Any:
    """The template in a file; None where there is no file, or none that is YAML."""
    import yaml

    from forceglue.errors import UsageError

    try:
        return yaml.safe_load(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is no template: {error}. Name another with --out, or make it again.") from None
