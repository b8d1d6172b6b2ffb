"""The command line. Each command is imported when it is called: `forceglue --help` and `check` start at once."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

COMMANDS = {
    "init": "init:init",
    "check": "check:check",
    "profile-lint": "profile_lint:profile_lint",
    "catalog": "catalog:catalog",
    "scaffold": "scaffold:scaffold",
    "drift": "drift:drift",
    "plan": "run:plan",
    "extract": "extract:extract",
    "run": "run:run",
    "reconcile": "reconcile:reconcile",
    "preview": "look:preview",
    "test": "look:test",
    "status": "state:status",
    "quarantine": "quarantine:quarantine",
    "retry": "state:retry",
    "rewind": "state:rewind",
    "maintain": "maintain:maintain",
    "lineage": "docs:lineage",
    "docs": "docs:docs",
    "flows": "flows:flows",
    "demo": "demo:demo",
}
SHORT = {
    "init": "Start a project of your own in an empty folder.",
    "check": "Check the mapping files; no JVM.",
    "profile-lint": "Check profiles of files that are not Salesforce's; no JVM.",
    "catalog": "Keep what Salesforce says about its objects: pull.",
    "scaffold": "Write mappings from what Salesforce says; edits stay.",
    "drift": "What has changed in Salesforce, and what a run would make of it.",
    "plan": "What a run would do, with numbers; writes nothing.",
    "extract": "Read objects from Salesforce and land them.",
    "run": "The main job: ingest, load, deliver, report.",
    "reconcile": "Do the tables hold what Salesforce holds? What has vanished?",
    "preview": "See rows of a mapping without writing.",
    "test": "Run the mappings' own examples.",
    "status": "Up to where each table is loaded, and what waits.",
    "quarantine": "Rows that were set aside: show, replay.",
    "retry": "Rejected files: list them, or land them again.",
    "rewind": "Bring a table back to an earlier time.",
    "maintain": "Join small files, remove what no table needs any more.",
    "lineage": "Where a column comes from, down to Salesforce.",
    "docs": "The data dictionary as HTML.",
    "flows": "The mappings' AppFlow flows, as a CloudFormation template.",
    "demo": "A demo org, loaded twice: a full load, then an hour's changes.",
}


class Commands(click.Group):
    """The group's commands by name, each behind its import."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: Any = getattr(import_module(f"forceglue.cli.{module}"), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list from the short texts: nothing is imported for `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SHORT.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from forceglue.mapping.names import nearest

            near = nearest(args[0], COMMANDS)
            hint = f'Did you mean "{near}"?' if near else f"There are: {', '.join(COMMANDS)}."
            raise click.UsageError(f'No command is named "{args[0]}". {hint}', ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="forceglue")
def main() -> None:
    """Salesforce data into the lakehouse and the warehouse, driven by mapping files."""
