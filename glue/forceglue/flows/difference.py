"""What a template that stands in a file lacks: the flows that have come, gone and changed since it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ACTIVATION = "Activation"
"""The resource that follows from all flows."""


def differences(before: Any, after: Mapping[str, Any]) -> Iterator[str]:
    """A line for each flow that differs, and one for anything else.

    Args:
        before: the file as it was read; anything that is no template counts as an empty one.
    """
    old, new = _resources(before), _resources(after)
    for name in sorted({*old, *new}):
        if old.get(name) == new.get(name) or name == ACTIVATION:
            continue
        what = "new" if name not in old else "gone" if name not in new else "changed"
        yield f"{_flow(new.get(name) or old[name], name)}: {what}"
    rest = [{k: v for k, v in one.items() if k != "Resources"} for one in (_template(before), after)]
    if rest[0] != rest[1]:
        yield "the template's parameters or metadata: changed"


def _template(told: Any) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _resources(told: Any) -> dict[str, Any]:
    found = _template(told).get("Resources")
    return found if isinstance(found, dict) else {}


def _flow(resource: Any, name: str) -> str:
    try:
        said = resource["Properties"]["FlowName"]["Fn::Sub"]
    except (KeyError, TypeError):
        return name
    return str(said).replace("${EnvPrefix}-", "")
