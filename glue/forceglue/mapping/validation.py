"""A document against its model: every complaint as a problem, and the part of the document that is sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from forceglue.mapping.names import nearest
from forceglue.mapping.problems import DocPath, Problem, dotted, shown
from forceglue.mapping.words import model_keys
from forceglue.mapping.yaml import Document

M = TypeVar("M", bound=BaseModel)
_GONE = object()
_MAX_ROUNDS = 100

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "model_attributes_type": "a mapping (`key: value`)",
    "tuple_type": "a list",
    "list_type": "a list",
    "union_tag_not_found": "a mapping of columns, `all: input`, or `empty: [names]`",
    "union_tag_invalid": "a mapping of columns, `all: input`, or `empty: [names]`",
}


@dataclass(frozen=True)
class Validated(Generic[M]):
    """What a document holds.

    Attributes:
        model: the sound part; None where too much is missing to speak of a mapping.
        problems: every complaint.
        pruned: the places that `model` was made without; nothing is said about what depends on them.
    """

    model: M | None
    problems: tuple[Problem, ...]
    pruned: frozenset[DocPath] = frozenset()


def validate(model: type[M], document: Document, value: Any, file: str) -> Validated[M]:
    """Validates `value` (the document's value, params filled).

    After the first complaint the unsound places are left out and the rest is validated again,
    so that one typo hides neither the other complaints nor the checks of what is sound.
    """
    return _Validation(model, document, file).run(value)


class _Validation(Generic[M]):
    def __init__(self, model: type[M], document: Document, file: str) -> None:
        self.model, self.document, self.file = model, document, file
        self.written = dict(document.written)
        self.problems: list[Problem] = []
        self.pruned: set[DocPath] = set()
        self.renamed: set[DocPath] = set()
        self.value: Any = None

    def run(self, value: Any) -> Validated[M]:
        self.value = _copy(value)
        for _ in range(_MAX_ROUNDS):
            try:
                # Only the file's own words: the Python names of the fields are no second spelling.
                model = self.model.model_validate(_without_gone(self.value), by_alias=True, by_name=False)
            except ValidationError as error:
                if not self._round(error):
                    return Validated(None, tuple(self.problems), frozenset(self.pruned))
            else:
                return Validated(model, tuple(self.problems), frozenset(self.pruned))
        return Validated(None, tuple(self.problems), frozenset(self.pruned))

    def _round(self, error: ValidationError) -> bool:
        """Takes the complaints of one round; False where the document cannot be mended by leaving parts out."""
        by_path: dict[DocPath, list[tuple[DocPath, Any]]] = {}
        for entry in error.errors(include_url=False):
            loc: DocPath = tuple(entry["loc"])
            by_path.setdefault(_document_path(self.value, loc, missing=entry["type"] == "missing"), []).append(
                (loc, entry)
            )
        mended = False
        self.renamed = {
            (*path[:-1], near)
            for path, entries in by_path.items()
            if path
            and entries[0][1]["type"] == "extra_forbidden"
            and (near := nearest(str(path[-1]), model_keys(self.model, entries[0][0][:-1]))) is not None
        }
        for path, entries in by_path.items():
            if all(e["type"] == "string_type" for _, e in entries) and path in self.written:
                _put(self.value, path, self.written.pop(path))  # a number where text belongs: as it was written
                mended = True
                continue
            self._complain(path, entries)
            mended |= self._prune(path, entries)
        return mended

    def _prune(self, path: DocPath, entries: list[tuple[DocPath, Any]]) -> bool:
        if any(entry["type"] == "missing" for _, entry in entries):
            path = path[:-1]
        if not path or not _holds(self.value, path):
            return False
        self.pruned.add(path)
        if _is_column(path):
            _put(self.value, path, None)
        else:
            _put(self.value, path, _GONE)
        return True

    def _complain(self, path: DocPath, entries: list[tuple[DocPath, Any]]) -> None:
        loc, entry = entries[0]
        kind, ctx = entry["type"], entry.get("ctx", {})
        found = shown(entry["input"])
        last = str(path[-1]) if path else ""
        if kind == "extra_forbidden":
            keys = model_keys(self.model, loc[:-1])
            self._add(
                "FG-MAP-001",
                path,
                f"`{last}` is no word of the language here",
                last,
                ", ".join(keys),
                nearest(last, keys),
            )
        elif kind == "missing":
            if path not in self.pruned and path not in self.renamed:  # else told already
                self._add("FG-MAP-002", path, f"`{last}` is missing", None, None, None)
        elif kind == "literal_error" and len(entries) == 1:
            allowed = tuple(str(ctx["expected"]).replace(" or ", ", ").replace("'", "").split(", "))
            self._add(
                "FG-MAP-004",
                path,
                f"`{last}` does not take this value",
                found,
                ", ".join(allowed),
                nearest(found, allowed),
            )
        elif kind == "value_error":
            if not any(p[: len(path)] == path for p in self.pruned):
                self._add("FG-MAP-006", path, str(ctx["error"]), None, None, None)
        elif all(
            e["type"] in _KINDS or e["type"] in ("literal_error", "extra_forbidden", "missing") for _, e in entries
        ):
            allowed = tuple(dict.fromkeys(_allowed(e) for _, e in entries))
            self._add("FG-MAP-003", path, f"`{last}` takes another kind of value", found, " or ".join(allowed), None)
        else:
            self._add("FG-MAP-005", path, f"`{last}`: {entry['msg'][:1].lower()}{entry['msg'][1:]}", found, None, None)

    def _add(
        self, code: str, path: DocPath, message: str, found: str | None, allowed: str | None, near: str | None
    ) -> None:
        line = self.document.line(path)
        self.problems.append(Problem(code, self.file, line, dotted(path), message, found, allowed, near))


def _allowed(entry: Any) -> str:
    if entry["type"] == "literal_error":
        return str(entry["ctx"]["expected"]).replace("'", "")
    return _KINDS.get(entry["type"], "a mapping (`key: value`)")


def _is_column(path: DocPath) -> bool:
    """A place like `columns.amount` or `columns[1].amount`."""
    if not path or path[0] != "columns" or not isinstance(path[-1], str):
        return False
    return len(path) == 2 or (
        len(path) == 3 and isinstance(path[1], int) and path[2] not in ("all", "empty", "only", "except", "named")
    )


def _document_path(value: Any, loc: DocPath, *, missing: bool) -> DocPath:
    """A pydantic location as a place in the document: short forms, tags and left out entries make them differ."""
    path: list[str | int] = []
    for at, step in enumerate(loc):
        if isinstance(value, dict) and isinstance(step, str) and step in value and value[step] is not _GONE:
            value = value[step]
            path.append(step)
        elif isinstance(value, list) and isinstance(step, int):
            there = [place for place, entry in enumerate(value) if entry is not _GONE]
            if step < len(there):
                value = value[there[step]]
                path.append(there[step])
        elif missing and at == len(loc) - 1:
            path.append(step)
    return tuple(path)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(entry) for key, entry in value.items()}
    return [_copy(entry) for entry in value] if isinstance(value, list) else value


def _without_gone(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_gone(entry) for key, entry in value.items() if entry is not _GONE}
    if isinstance(value, list):
        return [_without_gone(entry) for entry in value if entry is not _GONE]
    return value


def _holds(value: Any, path: DocPath) -> bool:
    for step in path:
        inside = step in value if isinstance(value, dict) else isinstance(value, list) and step in range(len(value))
        if not inside:
            return False
        value = value[step]
    return value is not _GONE


def _put(value: Any, path: DocPath, new: Any) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = new
