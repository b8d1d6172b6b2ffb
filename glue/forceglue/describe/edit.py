"""Changes in the text of a mapping file: what is not changed stays byte for byte.

A YAML library that writes a file again (ruamel.yaml keeps comments and order) loses how a person has aligned and
wrapped it; here the parser only tells where each value stands, and the text is changed at these places.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml as pyyaml

from forceglue.describe.render import scalar
from forceglue.mapping import yaml

Place = tuple[str | int, ...]


@dataclass
class Edits:
    """A file's text, and the changes to come; `result` makes them.

    Args:
        text: of one YAML mapping without fault (`mapping.yaml.read`).
    """

    text: str
    _changes: list[tuple[int, int, int, str]] = field(default_factory=list)
    _added: dict[Place, list[tuple[str, str, str | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._mark = "\ufeff" if self.text.startswith("\ufeff") else ""
        self.text = self.text.removeprefix("\ufeff")
        self._newline = "\r\n" if "\r\n" in self.text else "\n"
        self._root = yaml.tree(self.text)

    def replace(self, place: Place, value: str) -> None:
        """Another value (as YAML) for what stands at a place."""
        node = self._node(place)
        self._changes.append((node.start_mark.index, 0, _end(node, self.text), value))

    def add(self, place: Place, key: str, value: str, comment: str | None = None) -> None:
        """A further entry at the end of the mapping at a place; the value, in one line, as YAML."""
        self._added.setdefault(place, []).append((key, value, comment))

    def remove(self, place: Place) -> bool:
        """Takes an entry of a block out with its lines and what stands behind it; False where it shares them."""
        parent = self._node(place[:-1])
        if parent.flow_style:
            return False
        key, value = next(entry for entry in parent.value if entry[0].value == place[-1])
        start = self.text.rfind("\n", 0, key.start_mark.index) + 1
        if self.text[start : key.start_mark.index].strip():  # the first of a list's entry, behind its dash
            return False
        end = self.text.find("\n", _end(value, self.text)) + 1
        self._changes.append((start, 0, end or len(self.text), ""))
        return True

    def append(self, place: Place, entries: list[tuple[str, str, str | None]]) -> None:
        """A further mapping of such entries at the end of the list at a place."""
        node = self._node(place)
        if node.flow_style:
            inside = ", ".join(f"{scalar(key)}: {value}" for key, value, _ in entries)
            self._insert_within(node, f"{{{inside}}}")
            return
        indent = " " * node.start_mark.column
        told = [_line(f"{indent}{'  ' if at else '- '}", *entry) for at, entry in enumerate(entries)]
        self._insert_below(node, told, depth=len(place))

    def result(self) -> str:
        """The changed text."""
        for place, entries in self._added.items():
            self._add(place, entries)
        text = self.text
        # from the end to the start; of two at one place the inner block's comes to stand first
        for start, _, end, new in sorted(self._changes, key=lambda change: change[:2], reverse=True):
            text = text[:start] + new + text[end:]
        return self._mark + text

    def _add(self, place: Place, entries: list[tuple[str, str, str | None]]) -> None:
        node = self._node(place)
        if node.flow_style:
            self._insert_within(node, ", ".join(f"{scalar(key)}: {value}" for key, value, _ in entries))
            return
        indent = " " * node.value[0][0].start_mark.column
        self._insert_below(node, [_line(indent, *entry) for entry in entries], depth=len(place))

    def _insert_within(self, node: Any, inside: str) -> None:
        """Before the closing bracket."""
        bare = self.text[node.start_mark.index + 1 : node.end_mark.index - 1].rstrip()
        at = node.start_mark.index + 1 + len(bare)
        comma = "" if not node.value else " " if bare.endswith(",") else ", "
        self._changes.append((at, 0, at, f"{comma}{inside}"))

    def _insert_below(self, node: Any, lines: list[str], *, depth: int) -> None:
        """Behind the last line of a block."""
        end = _end(node, self.text)
        line_end = self.text.find("\n", end)
        told = self._newline.join(lines) + self._newline
        at = len(self.text) if line_end < 0 else line_end + 1
        self._changes.append((at, -depth, at, told if line_end >= 0 else self._newline + told))

    def _node(self, place: Place) -> Any:
        node = self._root
        for step in place:
            if isinstance(node, pyyaml.SequenceNode):
                node = node.value[step]
            else:
                node = next(value for key, value in node.value if key.value == step)
        return node


def _line(indent: str, key: str, value: str, comment: str | None) -> str:
    return f"{indent}{scalar(key)}: {value}" + (f"  # {comment}" if comment else "")


def _end(node: Any, text: str) -> int:
    """Where the text of a node ends: a block's own end is where the next thing starts."""
    while isinstance(node, pyyaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end: int = node.end_mark.index
    if isinstance(node, pyyaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[:end].rstrip())
    return end
