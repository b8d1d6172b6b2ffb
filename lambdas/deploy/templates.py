"""Templates as values, and the order of their stacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "lambdas" / "templates"
MADE = ROOT / "out"
"""Where `make flows` puts the templates of AppFlow's flows (flows.yaml, or flows-1.yaml, …)."""

# A stack may read the outputs of those before it. Templates that are not named come between these two, by their names.
FIRST = ("storage", "glue", "tokens", "ingest", "job_trigger", "file_profiles", "appflow")
LAST = ("monitoring",)


@dataclass(frozen=True)
class Template:
    """A template.

    Attributes:
        name: the stack's name without the environment.
        path: the file; what it names by a relative path lies beside it.
        body: all of it, with short forms (`!Sub`) written out.
        if_named: it is deployed when somebody names it, and not with all.
    """

    name: str
    path: Path
    body: Mapping[str, Any]
    if_named: bool = False

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """Name to declaration."""
        found: Mapping[str, Mapping[str, Any]] = self.body.get("Parameters") or {}
        return found

    @property
    def outputs(self) -> Sequence[str]:
        """The names of what it gives to later stacks."""
        return tuple(self.body.get("Outputs") or {})

    def stack(self, environment: str) -> str:
        """The stack's name: letters, digits and hyphens are all that one may have."""
        return f"{environment}-{self.name.replace('_', '-')}"


def templates(
    folder: Path = FOLDER, glue: Path = ROOT / "glue" / "template.yaml", made: Path = MADE
) -> dict[str, Template]:
    """Every template by its name, in the order of deployment; those that were made of the mappings come last."""
    paths = {path.stem: path for path in folder.glob("*.yaml")}
    if glue.is_file():
        paths["glue"] = glue
    others = sorted(paths.keys() - {*FIRST, *LAST})
    found = {
        name: Template(name, paths[name], load(paths[name].read_text("utf-8")))
        for name in (*FIRST, *others, *LAST)
        if name in paths
    }
    for path in sorted(made.glob("flows*.yaml")):
        found[path.stem] = Template(path.stem, path, load(path.read_text("utf-8")), if_named=True)
    return found


def load(text: str) -> dict[str, Any]:
    """A template's text as plain values."""
    body: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    return body


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, and dates as the texts that they are there."""


def _short(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - there are three kinds of nodes
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


def _date(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_multi_constructor("!", _short)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _date)
