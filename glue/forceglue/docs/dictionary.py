"""The data dictionary as a folder of static HTML: an index with search, a page a mapping, a page of all columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from markupsafe import Markup

from forceglue.docs.facts import MappingFacts, facts
from forceglue.docs.graph import Node, draw
from forceglue.run.pages import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forceglue.mapping.project import Project

PACKAGE = "forceglue.docs"
SIGNATURE = "data dictionary, written by <code>forceglue docs</code>"


def write_dictionary(project: Project, out: Path) -> Path:
    """Writes the dictionary of a project into the folder `out` and returns its index page.

    A page of an earlier writing whose mapping is gone is taken away; what `forceglue docs` did not write stays.
    """
    found = render_dictionary(project)
    for folder in ("objects", "datasets"):
        for page in (out / folder).glob("*.html"):
            if f"{folder}/{page.name}" not in found and SIGNATURE in page.read_text(encoding="utf-8", errors="replace"):
                page.unlink()
    for name, text in found.items():
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    return out / "index.html"


def render_dictionary(project: Project) -> dict[str, str]:
    """Every file of the dictionary: path relative to its folder → text. The same project gives the same text."""
    told = facts(project)
    feeds = project.dependencies()
    name = project.settings.name
    columns = [(m, c) for m in told for c in m.columns]
    pages = {
        "index.html": _page(
            "index.html.j2",
            project=name,
            title=f"{name}: data dictionary",
            datasets=[m for m in told if m.kind == "dataset"],
            objects=[m for m in told if m.kind == "object"],
            column_count=len(columns),
            alone=[m for m in told if not feeds[m.name] and not m.readers],
            graph=_graph([m for m in told if feeds[m.name] or m.readers], feeds, "", f"What feeds what in {name}"),
        ),
        "columns.html": _page(
            "columns.html.j2",
            project=name,
            title=f"{name}: all columns",
            columns=sorted(columns, key=lambda pair: (pair[1].name.lower(), pair[0].name.lower())),
        ),
        "search.js": environment(PACKAGE).get_template("search.js.j2").render(index=_search_index(told)),
    }
    for m in told:
        near = _around(m.name, feeds)
        graph = _graph(
            [t for t in told if t.name in near], feeds, "../", f"What feeds {m.name}, and what it feeds", m.name
        )
        pages[m.page] = _page(
            "mapping.html.j2", project=name, title=f"{m.name} - {name}", m=m, graph=graph if len(near) > 1 else None
        )
    return pages


def _page(template: str, **values: object) -> str:
    return environment(PACKAGE).get_template(template).render(**values)


def _graph(
    shown: Sequence[MappingFacts], feeds: Mapping[str, Sequence[str]], up: str, label: str, here: str | None = None
) -> Markup:
    nodes = [
        Node(
            m.name,
            m.name,
            f"{m.kind}{' here' if m.name == here else ''}",
            up + m.page,
            m.description or m.grain or m.name,
        )
        for m in sorted(shown, key=lambda m: m.name.lower())
    ]
    return Markup(draw(nodes, feeds, label=label))  # noqa: S704 - draw escapes every text in it


def _around(name: str, feeds: Mapping[str, Sequence[str]]) -> set[str]:
    """The mapping, everything that it is built from however far back, and what reads it."""
    near, waiting = {name}, [name]
    while waiting:
        for source in feeds[waiting.pop()]:
            if source not in near:
                near.add(source)
                waiting.append(source)
    return near | {reader for reader, reads in feeds.items() if name in reads}


def _search_index(told: Sequence[MappingFacts]) -> Markup:
    """`[[page, name, what it is], ...]` as a JavaScript value that may stand in a script."""
    entries: list[tuple[str, str, str]] = []
    for m in told:
        said = m.description or m.grain or ""
        entries.append((m.page, m.name, f"{m.kind}: {said}" if said else m.kind))
        for c in m.columns:
            origin = ", ".join(c.origins) or c.sql or ("constant" if c.constant is not None else "empty")
            entries.append(
                (f"{m.page}#{c.anchor}", c.name, " · ".join(p for p in (m.name, origin, c.description) if p))
            )
    text = json.dumps(entries, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - no `<` of it is left
