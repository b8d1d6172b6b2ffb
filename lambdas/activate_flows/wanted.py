"""What a template wants of its flows: the properties of the custom resource."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forceglue.errors import UsageError
from forceglue.mapping.names import nearest

_FLOW = re.compile(r"[a-zA-Z0-9][\w!@#.-]+", re.ASCII)
# ServiceToken and ServiceTimeout are CloudFormation's; a change of Made looks after all flows again
_PROPERTIES = ("Flows", "Prefix", "RunFull", "Made", "ServiceToken", "ServiceTimeout")


@dataclass(frozen=True)
class Wanted:
    """Flows that are to be active.

    Attributes:
        flows: by name.
        prefix: and all whose name begins with it; empty: none.
        run_full: flows on demand are run once.
    """

    flows: tuple[str, ...] = ()
    prefix: str = ""
    run_full: bool = False


def wanted(properties: Mapping[str, Any]) -> Wanted:
    """The properties, read.

    Raises:
        UsageError: with every problem.
    """
    problems = []
    for name in properties.keys() - set(_PROPERTIES):
        near = nearest(name, _PROPERTIES)
        problems.append(f"{name} is no property" + (f": is {near} meant?" if near else ""))
    flows, prefix = _listed(properties.get("Flows")), properties.get("Prefix", "")
    if flows is None or any(not _FLOW.fullmatch(name) for name in flows):
        problems.append("Flows is a list of flows' names (or a text with commas), as AppFlow allows them")
    if not isinstance(prefix, str) or (prefix and not _FLOW.fullmatch(prefix)):
        problems.append(f"Prefix is what flows' names begin with, two characters at least, not {prefix!r}")
    if not flows and not prefix:
        problems.append("neither Flows nor Prefix says which flows are meant")
    run_full = str(properties.get("RunFull", "false")).lower()
    if run_full not in ("true", "false"):
        problems.append(f"RunFull is true or false, not {run_full!r}")
    if problems:
        raise UsageError("; ".join(sorted(problems)) + ". Correct the properties in the template.")
    return Wanted(tuple(dict.fromkeys(flows or ())), prefix, run_full == "true")


def _listed(told: Any) -> tuple[str, ...] | None:
    if told is None:
        return ()
    if isinstance(told, str):
        told = [part.strip() for part in told.split(",") if part.strip()]
    if isinstance(told, list) and all(isinstance(one, str) for one in told):
        return tuple(told)
    return None
