"""A layered drawing of a directed graph as inline SVG: what feeds stands left of what it feeds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.run.pages import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NODE_HEIGHT, ROW, GAP, MARGIN = 26, 34, 110, 8
CHARACTER, PADDING = 7.2, 24
LABEL_SHOWN = 34
SWEEPS = 8


@dataclass(frozen=True)
class Node:
    """A box of the drawing; `kind` becomes a CSS class, `href` a link."""

    id: str
    label: str
    kind: str = ""
    href: str | None = None
    title: str | None = None


@dataclass(frozen=True)
class _Slot:
    """A place in a layer: a node, or (node None) where a long edge passes through."""

    edge: tuple[str, str] | None
    node: str | None
    layer: int


def layers_of(nodes: Sequence[str], feeds: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The layer of each node: 0 when nothing feeds it, else one more than the last that does.

    `feeds` is node → the nodes that feed it. An edge that would close a cycle does not count.
    """
    layers: dict[str, int] = {}
    for start in nodes:
        if start in layers:
            continue
        stack, on_path = [(start, iter(feeds.get(start, ())))], {start}
        while stack:
            node, inputs = stack[-1]
            below = next((i for i in inputs if i not in layers and i not in on_path), None)
            if below is not None:
                stack.append((below, iter(feeds.get(below, ()))))
                on_path.add(below)
                continue
            layers[node] = 1 + max((layers[i] for i in feeds.get(node, ()) if i in layers and i != node), default=-1)
            on_path.discard(node)
            stack.pop()
    return {node: layers[node] for node in nodes}


def draw(nodes: Sequence[Node], feeds: Mapping[str, Sequence[str]], *, label: str) -> str:
    """The graph as an `<svg>` element; every text is escaped. An empty string when there is nothing to draw."""
    if not nodes:
        return ""
    known = {n.id: n for n in nodes}
    kept = {n.id: tuple(dict.fromkeys(i for i in feeds.get(n.id, ()) if i in known and i != n.id)) for n in nodes}
    layers = layers_of(list(known), kept)
    columns, paths = _slots(layers, kept)
    _untangle(columns, paths)
    widths = [_width(column, known) for column in columns]
    lefts = [MARGIN + sum(widths[:i]) + GAP * i for i in range(len(columns))]
    tallest = max(len(column) for column in columns)
    tops = {
        slot: MARGIN + ROW * (at + (tallest - len(column)) / 2) for column in columns for at, slot in enumerate(column)
    }
    boxes = [
        {
            "node": known[s.node],
            "shown": _shown(known[s.node].label),
            "x": lefts[s.layer],
            "y": tops[s],
            "width": widths[s.layer],
        }
        for column in columns
        for s in column
        if s.node is not None
    ]
    number = {n.id: i for i, n in enumerate(nodes)}
    edges = [
        {"from": number[source], "to": number[target], "d": _path(path, lefts, widths, tops)}
        for (source, target), path in paths.items()
    ]
    return (
        environment("forceglue.docs")
        .get_template("graph.svg.j2")
        .render(
            boxes=boxes,
            edges=edges,
            number=number,
            label=label,
            node_height=NODE_HEIGHT,
            width=round(lefts[-1] + widths[-1] + MARGIN),
            height=round(2 * MARGIN + ROW * tallest),
        )
    )


_Paths = dict[tuple[str, str], list[_Slot]]


def _slots(layers: Mapping[str, int], feeds: Mapping[str, Sequence[str]]) -> tuple[list[list[_Slot]], _Paths]:
    """The layers with their slots, and per edge the slots it runs through; an edge against the flow is straight."""
    columns: list[list[_Slot]] = [[] for _ in range(max(layers.values()) + 1)]
    places = {node: _Slot(None, node, layer) for node, layer in layers.items()}
    for slot in places.values():
        columns[slot.layer].append(slot)
    paths: _Paths = {}
    for target, sources in feeds.items():
        for source in sources:
            between = [_Slot((source, target), None, layer) for layer in range(layers[source] + 1, layers[target])]
            for slot in between:
                columns[slot.layer].append(slot)
            paths[source, target] = [places[source], *between, places[target]]
    return columns, paths


def _untangle(columns: list[list[_Slot]], paths: _Paths) -> None:
    """Order each layer by the mean place of its neighbours, from left to right and back, so that few edges cross."""
    neighbours: dict[_Slot, list[_Slot]] = {slot: [] for column in columns for slot in column}
    for path in paths.values():
        for one, other in itertools.pairwise(path):
            neighbours[one].append(other)
            neighbours[other].append(one)
    place = {slot: float(at) for column in columns for at, slot in enumerate(column)}
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for column in columns if forth else reversed(columns):
            for slot in column:
                seen = [place[n] for n in neighbours[slot] if (n.layer < slot.layer) == forth and n.layer != slot.layer]
                place[slot] = sum(seen) / len(seen) if seen else place[slot]
            column.sort(key=place.__getitem__)
            middle = (len(column) - 1) / 2
            place.update({slot: at - middle for at, slot in enumerate(column)})


def _path(path: Sequence[_Slot], lefts: Sequence[float], widths: Sequence[float], tops: Mapping[_Slot, float]) -> str:
    """A smooth SVG path from the right edge of the first slot to the left edge of the last."""
    x, y = lefts[path[0].layer] + widths[path[0].layer], tops[path[0]] + NODE_HEIGHT / 2
    d = f"M{x:.0f} {y:.0f}"
    for slot in path[1:]:
        to_x, to_y = lefts[slot.layer], tops[slot] + NODE_HEIGHT / 2
        bend = (to_x - x) / 2
        d += f"C{x + bend:.0f} {y:.0f} {to_x - bend:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
        x, y = to_x, to_y
        if slot.node is None:
            x += widths[slot.layer]
            d += f"H{x:.0f}"
    return d


def _shown(label: str) -> str:
    return label if len(label) <= LABEL_SHOWN else label[: LABEL_SHOWN - 1] + "…"


def _width(column: Sequence[_Slot], known: Mapping[str, Node]) -> float:
    return PADDING + CHARACTER * max((len(_shown(known[s.node].label)) for s in column if s.node), default=1)
