"""`forceglue status`, `retry` and `rewind`: where everything stands, rejected files again, and going back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forceglue.cli.options import (
    json_option,
    landing_option,
    project_options,
    request_of,
    root_options,
    told_errors,
    warehouse_option,
)
from forceglue.cli.tables import show, table

if TYPE_CHECKING:
    from forceglue.run.rewind import Point, Rewinding
    from forceglue.run.status import MappingStatus, Status

FILES_SHOWN = 10


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@root_options
@json_option
def status(
    names: Sequence[str],
    landing: str | None,
    warehouse: str | None,
    delivery: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    as_json: bool,
) -> None:
    """Up to where each table is loaded, what waits, and what was set aside. No JVM."""
    from forceglue.run.status import status as look

    with told_errors():
        request = request_of(names, landing, warehouse, delivery, mappings, env, given, needs=("landing", "warehouse"))
        found = look(request)
    if as_json:
        click.echo(_json(asdict(found)))
    else:
        _show_status(found)


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@landing_option
@project_options
@click.option("--object", "object_name", metavar="NAME", help="Only files of this object: API name or folder.")
@click.option("--list", "only_list", is_flag=True, help="Show the rejected files; move nothing.")
@json_option
def retry(
    paths: Sequence[str],
    landing: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    object_name: str | None,
    only_list: bool,
    as_json: bool,
) -> None:
    """Land rejected files again: all of them, or the PATHs as --list shows them. The next run judges them anew."""
    from forceglue.landing.retry import retry as again
    from forceglue.landing.retry import set_aside
    from forceglue.landing.store import Store

    with told_errors():
        request = request_of((), landing, None, None, mappings, env, given, needs=("landing",))
        store = Store(request.landing)
        if only_list:
            wanted = {name.casefold() for name in (object_name,) if name}
            chosen = set(paths)
            files = [
                asdict(file)
                for file in set_aside(store)
                if (not wanted or file.object.casefold() in wanted) and (not chosen or file.path in chosen)
            ]
        else:
            files = [asdict(file) for file in again(store, paths or None, object_name=object_name)]
    if as_json:
        click.echo(_json({"files": files}))
    elif only_list:
        _show_rejected(files)
    else:
        for file in files:
            click.echo(f"{file['path']} → {file['moved_to']}")
        said = "1 file is" if len(files) == 1 else f"{len(files)} files are"
        click.echo(f"{said} back under in/; the next run judges them anew." if files else "No file to land again.")


@click.command()
@click.argument("name")
@warehouse_option
@project_options
@click.option("--to", metavar="T", help="An ISO time (UTC without a zone), a version that --list shows, or `start`.")
@click.option("--list", "only_list", is_flag=True, help="Show what there is to go back to.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def rewind(
    name: str,
    warehouse: str | None,
    mappings: Path,
    env: str | None,
    given: Sequence[str],
    to: str | None,
    only_list: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring the table of NAME back to an earlier time; the next run loads the later files again.

    With --json nothing is asked, so it needs --yes.
    """
    from forceglue.errors import UsageError
    from forceglue.landing.store import Store
    from forceglue.mapping.load import load_project
    from forceglue.run.rewind import plan_rewind, points
    from forceglue.run.rewind import rewind as go_back

    with told_errors():
        request = request_of((), None, warehouse, None, mappings, env, given, needs=("warehouse",))
        project = load_project(mappings, env=env, params=request.params)
        store = Store(request.warehouse)
        if only_list:
            _show_points(points(store, project, name), as_json)
            return
        if to is None:
            raise UsageError(
                f"no --to: say a time, a version or start, as `forceglue rewind {name} --list` shows them."
            )
        if as_json and not yes:
            raise UsageError("--json asks nothing: say --yes too.")
        plan = plan_rewind(store, project, name, to)
        if not as_json:
            _show_plan(plan)
        if plan.nothing:
            done = go_back(store, project, name, to)
        else:
            if not yes:
                click.confirm("Go back?", abort=True)
            done = go_back(store, project, name, to)
    if as_json:
        click.echo(_json(asdict(done)))
    elif not done.nothing:
        click.echo(f"{done.mapping} is back. `forceglue run` loads the later files again.")


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=_text)


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _show_status(found: Status) -> None:
    numbers = ("Version", "Files loaded", "Waiting", "Quarantined", "Rejected")
    made = table("Mapping", "Version", "Loaded last", *numbers[1:], numbers=numbers)
    for m in found.mappings:
        made.add_row(*_status_row(m))
    show(made)
    if found.waiting_elsewhere or found.rejected_elsewhere:
        click.echo(
            f"Of no object here: {found.waiting_elsewhere} files waiting under in/, "
            f"{found.rejected_elsewhere} rejected under error/."
        )
    if any(m.quarantined for m in found.mappings):
        click.echo("Set-aside rows: `forceglue quarantine show`.")
    if found.rejected_elsewhere or any(m.rejected for m in found.mappings):
        click.echo("Rejected files: `forceglue retry --list`.")


def _status_row(m: MappingStatus) -> list[str]:
    version = str(m.version) if m.version is not None else ("delivered" if m.position is not None else "none yet")
    loaded = f"{m.loaded_at:%Y-%m-%d %H:%M:%S}" if m.loaded_at else "never"
    if m.kind == "dataset":
        counts = ["", "to build" if m.due else "", str(m.quarantined or ""), ""]
    else:
        counts = [str(m.files_loaded), str(m.files_waiting or ""), str(m.quarantined or ""), str(m.rejected or "")]
    return [m.name, version, loaded, *counts]


def _show_rejected(files: Sequence[dict[str, Any]]) -> None:
    if not files:
        click.echo("No rejected file.")
    for file in files:
        click.echo(f"{file['path']}\n    {file['at']:%Y-%m-%d %H:%M}  {file['code']}: {file['message']}")


def _show_points(found: Sequence[Point], as_json: bool) -> None:
    if as_json:
        click.echo(_json({"points": [asdict(point) for point in found]}))
        return
    for point in found:
        now = "  now" if point.current else ""
        click.echo(f"{point.version}  {point.at:%Y-%m-%dT%H:%M:%SZ}  {point.files} files{now}")
    click.echo("start" + " " * 20 + "without a row")


def _show_plan(plan: Rewinding) -> None:
    where = f"the position of {plan.at:%Y-%m-%dT%H:%M:%SZ} ({plan.to})" if plan.at else "the start, without a row"
    if plan.nothing:
        click.echo(f"{plan.mapping} stands at {where} already.")
        return
    click.echo(f"{plan.mapping} goes back to {where}.")
    click.echo(f"The next run loads {len(plan.again)} files again" + (":" if plan.again else "."))
    for path in plan.again[:FILES_SHOWN]:
        click.echo(f"  {path}")
    if len(plan.again) > FILES_SHOWN:
        click.echo(f"  and {len(plan.again) - FILES_SHOWN} more")
    if plan.quarantined:
        click.echo(f"{plan.quarantined} rows are in quarantine now; it goes back too.")
