"""`forceglue extract`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import json_option, landing_option, project_options, request_of, told_errors

if TYPE_CHECKING:
    from forceglue.extract.request import Since


@click.command()
@click.argument("objects", nargs=-1, metavar="[OBJECT]...")
@landing_option
@project_options
@click.option("--all", "everything", is_flag=True, help="Every object of the org that can be queried, mapping or not.")
@click.option("--since", metavar="T", help="An ISO time (UTC without a zone), or `start`: everything again.")
@click.option("--budget", type=click.FloatRange(1, 100), default=80.0, show_default=True, metavar="%",
              help="Stop when so much of the org's API calls of 24 hours is used.")  # fmt: skip
@click.option("--overlap", default="10 minutes", show_default=True, help="How far before the bookmark to read again.")
@click.option("--lag", default="5 minutes", show_default=True, help="How far from now to stay away.")
@click.option("--at-once", type=click.IntRange(1, 32), default=4, show_default=True, help="Objects read at once.")
@click.option("--refresh/--no-refresh", default=None,
              help="Read the formula fields of all records again now, due or not; or not at all.")  # fmt: skip
@click.option("--no-deleted", is_flag=True, help="Do not ask Salesforce what was deleted for good.")
@click.option("--allow-empty", is_flag=True, help="An object without any row is right.")
@click.option("--allow-password", is_flag=True, help="Allow sign-in by user name and password, which is retired.")
@click.option("--status", "only_status", is_flag=True, help="Show how far each object is; call nothing.")
@json_option
def extract(
    objects: Sequence[str],
    landing: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    everything: bool,
    since: str | None,
    budget: float,
    overlap: str,
    lag: str,
    at_once: int,
    refresh: bool | None,
    no_deleted: bool,
    allow_empty: bool,
    allow_password: bool,
    only_status: bool,
    as_json: bool,
) -> None:
    """Read objects from Salesforce and land them: those named (OBJECT, mapping or table), else all mappings' sources.

    Only what has changed since the last time, in full the first time; what was deleted for good since; and the formula
    fields of all records as often as the mapping's `refresh` says. The connection comes from the environment:
    SF_TOKEN_URL, SF_CLIENT_ID and SF_PRIVATE_KEY_FILE with SF_USERNAME, or SF_CLIENT_SECRET; or SF_BROKER_URL.
    SF_SECRET names a secret of AWS Secrets Manager that has them.

    Exit code 0: all landed; 1: an object failed, or the API budget stopped it; 2: usage or settings.
    """
    from rich.console import Console

    from forceglue.extract.console import Shown, status_table, summary
    from forceglue.extract.extractor import extract as execute
    from forceglue.extract.extractor import report_key
    from forceglue.extract.request import ExtractRequest
    from forceglue.extract.standing import standings
    from forceglue.landing.store import Store
    from forceglue.mapping.load import load_project
    from forceglue.salesforce.budget import Budget
    from forceglue.salesforce.client import Salesforce
    from forceglue.salesforce.settings import from_environment

    console = Console(stderr=as_json, highlight=False)
    with told_errors():
        roots = request_of((), landing, None, None, mappings, env, given, needs=("landing",))
        if only_status:
            found = standings(Store(roots.landing))
            if as_json:
                told = [one.to_dict() for one in found]
                click.echo(json.dumps(told, indent=2, default=lambda moment: moment.isoformat()))
            else:
                console.print(status_table(found))
            return
        with Shown(console) as shown:
            request = ExtractRequest(
                landing=roots.landing,
                project=load_project(mappings, env=env, params=roots.params, checked=False),
                names=tuple(objects),
                everything=everything,
                since=_since(since),
                overlap=_span("--overlap", overlap),
                lag=_span("--lag", lag),
                refresh="due" if refresh is None else "now" if refresh else "never",
                deleted=not no_deleted,
                allow_empty=allow_empty,
                label=env or "org",
                objects_at_once=at_once,
                progress=shown.on_event,
            )
            connection = from_environment(allow_password=allow_password)
            connections = request.objects_at_once + request.pages_at_once
            with Salesforce(connection, budget=Budget(budget / 100), connections=connections) as org:
                report = execute(request, org)
    if as_json:
        click.echo(report.to_json())
    else:
        console.print(summary(report, Store(roots.landing).uri(report_key(report.run_id))))
    sys.exit(0 if report.status == "succeeded" else 1)


def _since(text: str | None) -> Since:
    if text is None:
        return "bookmark"
    if text == "start":
        return "start"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither an ISO time such as 2026-01-31T12:00:00 nor `start`", param_hint="--since"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _span(option: str, text: str) -> timedelta:
    """`10 minutes`, `36 hours`, `2 days`, `90 seconds`, `0`."""
    number, _, unit = text.strip().partition(" ")
    seconds = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}.get(unit.strip().lower().rstrip("s"))
    if number.isdigit() and (seconds or number == "0"):
        return timedelta(seconds=int(number) * (seconds or 0))
    raise click.BadParameter(f"{text!r} is no span of time such as `10 minutes`", param_hint=option)
