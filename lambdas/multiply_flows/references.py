"""References to what was multiplied: each copy's own where there is one, all copies where a list has room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from multiply_flows.words import VARIABLE, rewritten


class References:
    """Rewrites the references of one place of a template.

    Args:
        copies: marked resource → logical ids of all its copies.
        own: marked resource → the one copy that is meant here; another resource's place has none.
        problems: what cannot be rewritten is added.
    """

    def __init__(self, copies: Mapping[str, list[str]], own: Mapping[str, str], problems: list[str]) -> None:
        self._copies, self._own, self._problems = copies, own, problems

    def rewrite(self, value: Any, place: str) -> Any:
        """A copy of the value; `place` says where it stands, for problems."""
        if isinstance(value, dict):
            return self._dict(value, place)
        if isinstance(value, list):
            return self._list(value, place)
        return value

    def depends(self, value: Any) -> Any:
        """`DependsOn`: all copies in the place of what was multiplied."""
        listed = value if isinstance(value, list) else [value]
        if not any(one in self._copies for one in listed):
            return value
        made: list[Any] = []
        for one in listed:
            made += [self._own[one]] if one in self._own else self._copies.get(one, [one])
        return made

    def _dict(self, value: dict[str, Any], place: str) -> Any:
        match value:
            case {"Ref": str(name), **more} if not more:
                return {"Ref": self._one(name, place)}
            case {"Fn::GetAtt": str(text), **more} if not more:
                name, dot, attribute = text.partition(".")
                return {"Fn::GetAtt": self._one(name, place) + dot + attribute}
            case {"Fn::GetAtt": [str(name), *attribute], **more} if not more:
                return {"Fn::GetAtt": [self._one(name, place), *attribute]}
            case {"Fn::Sub": str(text), **more} if not more:
                return {"Fn::Sub": self._sub(text, (), place)}
            case {"Fn::Sub": [str(text), dict(own)], **more} if not more:
                return {"Fn::Sub": [self._sub(text, tuple(own), place), self.rewrite(own, f"{place}.Fn::Sub")]}
        made = {}
        for key, one in value.items():
            here = f"{place}.{key}"
            if key.startswith("Fn::") and isinstance(one, list):  # its items are arguments, not a list of things
                made[key] = [self.rewrite(item, here) for item in one]
            else:
                made[key] = self.rewrite(one, here)
        return made

    def _list(self, value: list[Any], place: str) -> list[Any]:
        made: list[Any] = []
        for number, item in enumerate(value):
            meant = {*_named(item)} & self._copies.keys() - self._own.keys()
            if len(meant) == 1 and isinstance(item, dict):
                (name,) = meant
                each = (References(self._copies, {**self._own, name: c}, self._problems) for c in self._copies[name])
                made += (one.rewrite(item, place) for one in each)
            else:
                made.append(self.rewrite(item, f"{place}[{number}]"))
        return made

    def _one(self, name: str, place: str) -> str:
        if name in self._own:
            return self._own[name]
        if name in self._copies:
            self._problems.append(
                f"{place} refers to {name}, which is {len(self._copies[name])} resources now: "
                "there is room for all of them in a list only"
            )
        return name

    def _sub(self, text: str, hidden: tuple[str, ...], place: str) -> str:
        def change(variable: str) -> str:
            if variable in hidden:
                return variable
            name, dot, attribute = variable.partition(".")
            return self._one(name, place) + dot + attribute

        if not any(name in self._copies for name in _variables(text)):
            return text
        return rewritten(text, change)


def _named(value: Any) -> set[str]:
    """The names that an item refers to, by whatever function; a list inside it has room of its own and is left out."""
    match value:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": str(text)}:
            return {text.partition(".")[0]}
        case {"Fn::GetAtt": [str(name), *_]}:
            return {name}
        case {"Fn::Sub": str(text)}:
            return _variables(text)
        case {"Fn::Sub": [str(text), dict(own)]}:
            return (_variables(text) - own.keys()) | _named(own)
        case dict():
            found = set[str]()
            for key, one in value.items():
                if isinstance(one, list) and not key.startswith("Fn::"):
                    continue
                for item in one if isinstance(one, list) else [one]:
                    found |= _named(item)
            return found
        case _:
            return set()


def _variables(text: str) -> set[str]:
    return {found.partition(".")[0] for found in VARIABLE.findall(text)}
