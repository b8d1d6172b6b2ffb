"""Words of an entry put into a resource: by `Ref` and in the texts of `Fn::Sub`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

VARIABLE = re.compile(r"\$\{(?!!)\s*([^}]+?)\s*\}")
"""A variable of `Fn::Sub`; `${!Literal}` is none."""


def replaced(value: Any, words: Mapping[str, str]) -> Any:
    """A copy with the words in the place of their names; everything else as it was."""
    match value:
        case {"Ref": str(name), **more} if not more and name in words:
            return words[name]
        case {"Fn::Sub": str(text), **more} if not more:
            return _sub(text, words)
        case {"Fn::Sub": [str(text), dict(own)], **more} if not more:
            # a variable of the Sub's own hides the word
            known = {name: word for name, word in words.items() if name not in own}
            return {"Fn::Sub": [_words_in(text, known), replaced(own, words)]}
        case dict():
            return {key: replaced(one, words) for key, one in value.items()}
        case list():
            return [replaced(one, words) for one in value]
        case _:
            return value


def rewritten(text: str, change: Callable[[str], str]) -> str:
    """A Sub's text with each variable's name changed."""
    return VARIABLE.sub(lambda found: "${" + change(found[1]) + "}", text)


def _words_in(text: str, words: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: words.get(found[1], found[0]), text)


def _sub(text: str, words: Mapping[str, str]) -> Any:
    made = _words_in(text, words)
    return made if "${" not in made else {"Fn::Sub": made}
