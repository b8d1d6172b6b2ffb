"""YAML as the mappings use it: YAML 1.2 scalars, no surprise types, every place with its line.

`true`, `false`, `null`, nothing at all, and numbers as JSON writes them (without exponent) are what they look like;
everything else is text: `on`, `no`, `12:30`, `2024-01-01`, `0010`, `1e5`. Quoted is always text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from forceglue.mapping.problems import DocPath, Problem, dotted, shown

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "": None}
_UNTAGGED = "?"
_MAX_NODES = 200_000
_TEXT_ONLY = "examples"


class _Loader(_BASE):  # type: ignore[misc]  # PyYAML has no types
    """Composes nodes; leaves the meaning of plain scalars to us (PyYAML would read them by YAML 1.1)."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return _UNTAGGED

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        return None

    def ascend_resolver(self) -> None:
        return None


@dataclass(frozen=True)
class Document:
    """A file's value, where each place of it stands, and what is wrong with its YAML.

    Attributes:
        value: plain dict, list, str, int, float, bool, None.
        lines: document path → 1-based line, for keys and list entries.
        written: document path → the text as written, for numbers, true and false.
    """

    value: Any
    lines: dict[DocPath, int] = field(default_factory=dict)
    written: dict[DocPath, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line(self, path: DocPath) -> int:
        """The line of the nearest place at or above `path`."""
        for length in range(len(path), -1, -1):
            found = self.lines.get(path[:length])
            if found is not None:
                return found
        return 1


def read(text: str | bytes, file: str) -> Document:
    """One YAML document. What is wrong with it becomes problems, never an exception."""
    try:
        loader = _Loader(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return _broken(error, file, text)
    try:
        node = loader.get_single_node()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return _broken(error, file, text)
    finally:
        loader.dispose()
    if node is None:
        return Document(None, {(): 1}, {}, (Problem("FG-YML-002", file, 1, "", "the file is empty"),))
    builder = _Builder(file)
    builder.lines[()] = node.start_mark.line + 1
    value = builder.value(node, (), text_only=False)
    return Document(value, builder.lines, builder.written, tuple(builder.problems))


def tree(text: str) -> Any:
    """The nodes of one document, with `start_mark` and `end_mark` (`index` counts characters); None for no document.

    For those that change a file in its place; the text is one that `read` finds no fault with.
    """
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


class _Builder:
    """Walks the nodes once: values, lines, and the problems on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[DocPath, int] = {}
        self.written: dict[DocPath, str] = {}
        self.problems: list[Problem] = []
        self._open: set[int] = set()
        self._nodes = 0

    def value(self, node: Any, path: DocPath, *, text_only: bool) -> Any:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            if self._nodes == _MAX_NODES + 1:
                self._problem("FG-YML-005", node, path, f"the file unfolds to more than {_MAX_NODES:,} values")
            return None
        if node.tag != _UNTAGGED:
            self._problem("FG-YML-004", node, path, "tags are not part of the language", found=str(node.tag))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path, text_only)
        if id(node) in self._open:
            self._problem("FG-YML-005", node, path, "an alias stands inside its own anchor")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return self._list(node, path, text_only)
            return self._dict(node, path, text_only)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: Any, path: DocPath, text_only: bool) -> Any:
        text: str = node.value
        if node.style:
            return text
        if text_only:
            return None if text in ("null", "") else text
        if text in _WORDS:
            if text in ("true", "false"):
                self.written[path] = text
            return _WORDS[text]
        if _NUMBER.fullmatch(text):
            self.written[path] = text
            return float(text) if "." in text else int(text)
        return text

    def _list(self, node: Any, path: DocPath, text_only: bool) -> list[Any]:
        result: list[Any] = []
        entries = list(node.value)
        while entries:
            entry = entries.pop(0)
            here = (*path, len(result))
            self.lines[here] = entry.start_mark.line + 1
            if node.flow_style and (whole := _rejoined(entry, entries, lambda e: e)):
                self._unquoted(whole, entry, here)
                result.append(whole)
            else:
                result.append(self.value(entry, here, text_only=text_only))
        return result

    def _dict(self, node: Any, path: DocPath, text_only: bool) -> dict[str, Any]:
        result: dict[str, Any] = {}
        entries = list(node.value)
        while entries:
            key_node, value_node = entries.pop(0)
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem("FG-YML-006", key_node, path, "a key is a list or a mapping; keys are plain words")
                continue
            key: str = key_node.value
            here = (*path, key)
            if key in result:
                first = self.lines[here]
                self._problem(
                    "FG-YML-003", key_node, here, f"the key `{key}` stands twice; first in line {first}", found=key
                )
                continue
            self.lines[here] = key_node.start_mark.line + 1
            if node.flow_style and (whole := _rejoined(value_node, entries, _bare_key)):
                self._unquoted(whole, value_node, here)
                result[key] = whole
            else:
                result[key] = self.value(value_node, here, text_only=text_only or (not path and key == _TEXT_ONLY))
        return result

    def _unquoted(self, whole: str, node: Any, path: DocPath) -> None:
        message = f'inside braces a comma ends the value; quote it: "{whole}"'
        self._problem("FG-YML-007", node, path, message, found=whole, allowed=f'"{whole}"')

    def _problem(
        self, code: str, node: Any, path: DocPath, message: str, *, found: str | None = None, allowed: str | None = None
    ) -> None:
        # An alias stands elsewhere than its node; a key that stands twice is told where it stands again.
        line = self.lines.get(path, 0) if code == "FG-YML-005" else node.start_mark.line + 1
        self.problems.append(Problem(code, self.file, line, dotted(path), message, found and shown(found), allowed))


def _bare_key(entry: Any) -> Any:
    """The key node of a flow entry without a value, as `2)` is after `{type: decimal(18`."""
    key, value = entry
    bare = isinstance(value, yaml.ScalarNode) and value.value == "" and not value.style
    return key if bare else None


def _rejoined(node: Any, following: list[Any], as_scalar: Any) -> str | None:
    """The whole of a plain scalar that a comma inside round brackets has split; takes the pieces from `following`."""
    if not _is_plain(node) or node.value.count("(") <= node.value.count(")"):
        return None
    whole: str = node.value
    for taken, entry in enumerate(following, start=1):
        piece = as_scalar(entry)
        if not _is_plain(piece):
            return None
        whole = f"{whole}, {piece.value}" if " " in _between(node, piece) else f"{whole},{piece.value}"
        if whole.count("(") <= whole.count(")"):
            del following[:taken]
            return whole
    return None


def _is_plain(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style


def _between(before: Any, after: Any) -> str:
    return " " if after.start_mark.index - before.end_mark.index > 1 else ""


def _broken(error: Exception, file: str, text: str | bytes) -> Document:
    line, message = 1, str(error)
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        message = ", ".join(part for part in (error.context, error.problem) if part)
        if "mapping values are not allowed" in message:
            message = "a second `: ` stands in this line; a value that holds `: ` must be quoted"
        elif "cannot start any token" in message:
            message = "a value cannot start with this character (a tab, `@`, `%` or a back-tick); quote the value"
        elif "but found another document" in message:
            message = "a second document (`---`) starts here; one file holds one mapping"
    elif isinstance(error, yaml.reader.ReaderError):
        head = text[: error.position] if isinstance(error.position, int) else text[:0]
        line = head.count("\n" if isinstance(head, str) else b"\n") + 1  # type: ignore[arg-type]  # one kind at a time
        message = f"the file holds what is no text: {error.reason}"
    elif isinstance(error, UnicodeDecodeError):
        line = error.object[: error.start].count(b"\n") + 1
        message = "the file is not UTF-8 text"
    return Document(None, {(): 1}, {}, (Problem("FG-YML-001", file, line, "", message),))
