from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from forceglue.docs.graph import Node, draw, layers_of

SVG = "{http://www.w3.org/2000/svg}"
names = [f"n{i}" for i in range(8)]
graphs = st.dictionaries(st.sampled_from(names), st.lists(st.sampled_from(names), max_size=5))


@given(graphs)
def test_any_graph_is_well_formed_and_complete(feeds: dict[str, list[str]]) -> None:
    svg = etree.fromstring(draw([Node(n, n) for n in names], feeds, label="all"))
    assert [t.text for t in svg.iter(f"{SVG}text")].count("n0") == 1
    assert {t.text for t in svg.iter(f"{SVG}text")} == set(names)
    edges = {(source, target) for target, sources in feeds.items() for source in sources if source != target}
    assert len(list(svg.iter(f"{SVG}path"))) == len(edges)


@given(graphs)
def test_no_two_boxes_overlap_and_all_are_inside(feeds: dict[str, list[str]]) -> None:
    svg = etree.fromstring(draw([Node(n, n) for n in names], feeds, label="all"))
    boxes = sorted(tuple(float(r.get(k, "")) for k in ("x", "y", "width", "height")) for r in svg.iter(f"{SVG}rect"))
    assert all(x + w <= float(svg.get("width", "")) and y + h <= float(svg.get("height", "")) for x, y, w, h in boxes)
    for (x, y, w, h), (other_x, other_y, _, _) in pairwise(boxes):
        assert other_x >= x + w or (other_x == x and other_y >= y + h)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda e: e[0] < e[1]), max_size=20))
def test_without_cycles_every_edge_goes_to_the_right(edges: list[tuple[int, int]]) -> None:
    feeds = {names[b]: [names[a] for a, to in edges if to == b] for _, b in edges}
    layers = layers_of(names, feeds)
    assert all(layers[names[a]] < layers[names[b]] for a, b in edges)


def test_a_cycle_is_drawn_all_the_same() -> None:
    assert layers_of(["a", "b"], {"a": ["b"], "b": ["a"]}) == {"a": 1, "b": 0}
    svg = etree.fromstring(draw([Node("a", "a"), Node("b", "b")], {"a": ["b", "a"], "b": ["a"]}, label="cycle"))
    assert len(list(svg.iter(f"{SVG}path"))) == 2


def test_a_chain_of_thousands_is_no_matter() -> None:
    chain = [f"c{i}" for i in range(5_000)]
    assert layers_of(chain[::-1], {b: [a] for a, b in pairwise(chain)})["c4999"] == 4_999


def test_text_is_escaped_and_long_labels_are_cut_with_the_whole_in_the_title() -> None:
    nasty = '<script>"&' + "x" * 100
    svg = etree.fromstring(draw([Node("a", nasty, href='a".html')], {}, label=nasty))
    assert [t.text for t in svg.iter(f"{SVG}title")] == [nasty]
    assert len("".join(t.text or "" for t in svg.iter(f"{SVG}text"))) < 40
    assert [a.get("href") for a in svg.iter(f"{SVG}a")] == ['a".html']


def test_nothing_to_draw() -> None:
    assert draw([], {}, label="x") == ""
