"""`forceglue profile-lint`: the static checks of file profiles, all problems at once, no JVM; AWS only when asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forceglue.cli.options import json_option, mappings_option, told_errors

if TYPE_CHECKING:
    from forceglue.mapping.problems import Problem
    from forceglue.profiles.stored import StoredProfiles


@click.command()
@click.argument("sources", nargs=-1, metavar="[FILE|SOURCE]...")
@click.option("--ssm", is_flag=True, help="Also check what SSM holds, and whether it is what the file says.")
@click.option("--env", default="dev", show_default=True, help="With --ssm: the environment in the parameter's name.")
@mappings_option
@json_option
def profile_lint(sources: Sequence[str], ssm: bool, env: str, mappings: Path, as_json: bool) -> None:
    """Check file profiles: every problem of each, with its line, what is allowed and how to mend it.

    A SOURCE is the file `profiles/SOURCE.json` of the mappings folder; with --ssm, without such a file, the parameter
    `/crm/file-profiles/ENV/SOURCE.json`. Without a name: all of them.

    Exit code 0: no problem, or warnings only; 2: problems, or nothing to check.
    """
    from forceglue.cli.problems import show

    with told_errors():
        stored = _stored(env) if ssm else None
        checked = list(_checked(sources, mappings / "profiles", stored, env))
    problems = [problem for _, found in checked for problem in found]
    if as_json:
        shown = {"files": len(checked), "problems": [problem.to_dict() for problem in problems]}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        show(problems, len(checked), Path(), noun="profile")
    if any(not problem.warning for problem in problems):
        sys.exit(2)


def _stored(env: str) -> StoredProfiles:
    import boto3

    from forceglue.profiles.stored import StoredProfiles

    return StoredProfiles(boto3.client("ssm"), env)


def _checked(
    sources: Sequence[str], folder: Path, stored: StoredProfiles | None, env: str
) -> Iterator[tuple[str, tuple[Problem, ...]]]:
    """Each profile, file or parameter, with its problems.

    Raises:
        UsageError: a name that is neither, or nothing at all to check.
    """
    from forceglue.errors import UsageError
    from forceglue.profiles.load import read_profile, source_of
    from forceglue.profiles.stored import parameter_name

    for given in sources or _all(folder, stored):
        file = _file(given, folder)
        source = source_of(str(file or given))
        kept = stored.text(source) if stored is not None else None
        if file is None and kept is None:
            where = f" nor the parameter {parameter_name(env, source)}" if stored is not None else ""
            raise UsageError(_nowhere(given, folder, where))
        if file is not None:
            text = file.read_bytes()
            problems = read_profile(text, str(file)).problems
            if stored is not None:
                problems += _difference(text, kept, str(file), parameter_name(env, source))
            yield str(file), problems
        if kept is not None:
            name = parameter_name(env, source)
            yield name, read_profile(kept, name).problems


def _all(folder: Path, stored: StoredProfiles | None) -> list[str]:
    from forceglue.errors import UsageError

    names = {path.stem for path in folder.glob("*.json")} | set(stored.names() if stored is not None else ())
    if not names:
        raise UsageError(f"there is no profile in {folder}: name a file.")
    return sorted(names)


def _file(given: str, folder: Path) -> Path | None:
    return next((path for path in (Path(given), folder / f"{given}.json") if path.is_file()), None)


def _nowhere(given: str, folder: Path, more: str) -> str:
    from forceglue.mapping.names import nearest

    near = nearest(Path(given).stem, [path.stem for path in folder.glob("*.json")])
    hint = f" Did you mean {near}?" if near else ""
    return f"there is neither a file {given} nor {folder / given}.json{more}.{hint}"


def _difference(text: bytes, kept: str | None, file: str, name: str) -> tuple[Problem, ...]:
    from forceglue.mapping.problems import Problem

    if kept is None:
        return (Problem("FG-PRO-007", file, 1, "", f"nothing is stored as {name}"),)
    try:
        same = json.loads(text) == json.loads(kept)
    except ValueError:
        return ()  # told already
    return () if same else (Problem("FG-PRO-007", file, 1, "", f"{name} holds another profile than this file"),)
