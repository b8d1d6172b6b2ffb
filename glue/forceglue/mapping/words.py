"""The words that a model of the language knows at a place."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from forceglue.mapping.problems import DocPath


def model_keys(root: type[BaseModel], loc: DocPath) -> tuple[str, ...]:
    """The words that the model at a pydantic location knows, as the files write them."""
    annotations: list[Any] = [root]
    for step in loc:
        annotations = [inner for annotation in annotations for inner in _into(annotation, step)] or annotations
    keys = [
        field.alias or name
        for annotation in annotations
        for option in _options(annotation)
        if isinstance(option, type) and issubclass(option, BaseModel)
        for name, field in option.model_fields.items()
    ]
    return tuple(dict.fromkeys(keys))


def _options(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _options(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for option in get_args(annotation):
            yield from _options(option)
    else:
        yield annotation


def _into(annotation: Any, step: str | int) -> Iterator[Any]:
    """What stands below a type at one step of a location."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        tags = [note.tag for note in arguments[1:] if isinstance(note, Tag)]
        if not tags:
            yield from _into(arguments[0], step)
        elif step in tags:
            yield arguments[0]
    elif origin in (Union, types.UnionType):
        for option in arguments:
            yield from _into(option, step)
    elif origin in (tuple, dict):
        yield arguments[0 if origin is tuple else 1]
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from (f.annotation for name, f in annotation.model_fields.items() if step == (f.alias or name))
