"""The command line: `python -m deploy dev [STACK …]`, which `make deploy ENV=dev STACKS="…"` calls."""

from __future__ import annotations

from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from deploy.change import DeploymentFailed
from deploy.deploying import deploy
from deploy.source import Source
from forceglue.errors import UsageError


class Refused(click.ClickException):
    """Something is missing or wrong; nothing was changed."""

    exit_code = 2


@click.command()
@click.argument("environment")
@click.argument("stacks", nargs=-1)
@click.option("--parameter", "-p", "pairs", multiple=True, metavar="[STACK.]NAME=VALUE", help="Wins over the file.")
@click.option("--dry-run", is_flag=True, help="Show the change sets and change nothing.")
@click.option(
    "--mappings",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the mappings; unless given this checkout's.",
)
def main(
    environment: str, stacks: tuple[str, ...], pairs: tuple[str, ...], dry_run: bool, mappings: Path | None
) -> None:
    """Deploys STACKS (all, unless named) to ENVIRONMENT, of which lambdas/parameters/ENVIRONMENT.yaml tells.

    Exit codes: 0 deployed; 1 a stack failed; 2 something is missing or wrong, and nothing was changed.
    """
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise click.UsageError(f"{', '.join(wrong)}: write NAME=VALUE, or STACK.NAME=VALUE for one stack.")
    parameters = dict(pair.split("=", 1) for pair in pairs)
    source = Source(mappings=mappings) if mappings else Source()
    try:
        outputs = deploy(environment, stacks, parameters, source=source, dry_run=dry_run, tell=click.echo)
    except UsageError as error:
        raise Refused(str(error)) from error
    except DeploymentFailed as error:
        raise click.ClickException(str(error)) from error
    except (BotoCoreError, ClientError) as error:
        raise click.ClickException(f"AWS refuses: {error}") from error
    for stack, own in outputs.items():
        for name, value in own.items():
            click.echo(f"{stack}.{name}={value}")


if __name__ == "__main__":
    main()
