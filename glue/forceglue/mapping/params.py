"""`${PARAM}` in the files: filled from the environment's params and from what the call gives."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from forceglue.mapping.problems import DocPath

_PARAM = re.compile(r"\$(\$?)\{([A-Za-z_]\w*)\}")


def fill(value: Any, params: Mapping[str, str]) -> Any:
    """A document with every `${NAME}` in a text filled; names without a value stay. `$${NAME}` is a plain `${NAME}`."""
    if isinstance(value, str):
        return _PARAM.sub(lambda m: _one(m, params), value) if "${" in value else value
    if isinstance(value, dict):
        return {key: fill(entry, params) for key, entry in value.items()}
    if isinstance(value, list):
        return [fill(entry, params) for entry in value]
    return value


def _one(found: re.Match[str], params: Mapping[str, str]) -> str:
    escaped, name = found.groups()
    if escaped:
        return f"${{{name}}}"
    return params.get(name, found.group())


def unknown(value: Any, known: Collection[str], path: DocPath = ()) -> Iterator[tuple[DocPath, str]]:
    """Each `${NAME}` that is not among `known`, with its place."""
    if isinstance(value, str):
        if "${" in value:
            for found in _PARAM.finditer(value):
                escaped, name = found.groups()
                if not escaped and name not in known:
                    yield path, name
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from unknown(entry, known, (*path, key))
    elif isinstance(value, list):
        for at, entry in enumerate(value):
            yield from unknown(entry, known, (*path, at))
