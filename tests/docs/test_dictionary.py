from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import html5lib

from forceglue.docs.dictionary import render_dictionary, write_dictionary
from forceglue.docs.facts import pages
from forceglue.mapping.load import Project, load_project

if TYPE_CHECKING:
    from lxml import etree


def parsed(text: str) -> etree._Element:
    tree = html5lib.treebuilders.getTreeBuilder("lxml")
    return html5lib.HTMLParser(tree, strict=True, namespaceHTMLElements=False).parse(text).getroot()


def words(element: etree._Element) -> str:
    return re.sub(r"\s+", " ", " ".join(element.itertext())).strip()


def rows(page: etree._Element) -> list[str]:
    return [words(row) for row in page.iter("tr")]


def test_every_page_is_well_formed_and_every_link_leads_somewhere(project: Project) -> None:
    files = render_dictionary(project)
    ids = {
        name: {e.get("id") for e in parsed(text).iter() if e.get("id")}
        for name, text in files.items()
        if name.endswith("html")
    }
    for name in ids:
        for link in (*parsed(files[name]).iter("a"), *parsed(files[name]).iter("{http://www.w3.org/2000/svg}a")):
            path, _, anchor = unquote(link.get("href")).partition("#")
            there = str((Path("/") / Path(name).parent / path).resolve().relative_to("/"))
            assert there in ids, f"{name} links to {path}"
            assert not anchor or anchor in ids[there]


def test_a_dataset_column_is_told_down_to_the_salesforce_field(project: Project) -> None:
    told = rows(parsed(render_dictionary(project)["datasets/Sales.html"]))
    assert "1 Order_ID key text order.id Order.Id" in told
    assert "3 Creator text creator.name User.Name" in told
    assert "4 Both text concat(type, creator.name) Order.Type User.Name" in told
    assert "5 System text always SF" in told
    assert "6 Tax text empty: nothing feeds it" in told


def test_a_page_tells_grain_key_joins_rules_deliveries_and_examples(project: Project) -> None:
    files = render_dictionary(project)
    sales, order, user = (
        words(parsed(files[name])) for name in ("datasets/Sales.html", "objects/order.html", "objects/user.html")
    )
    for said in (
        "One row is One row an order.",
        "Key Order_ID",
        "creator user created_by_id = id left: rows without a match stay",
        "CSV Orders_{now:%Y}.csv with a header",
        "one order Given in order id 1 Given in user : nothing Written Order_ID 1",
    ):
        assert said in sales
    assert "has_account Someone pays account_id is not null quarantine the row is set aside with the reason" in order
    assert "Read by Sales" in order
    assert "One row is One Order record." in order
    assert "1 id key string Order.Id" in rows(parsed(files["objects/order.html"]))
    assert "First and last" in user


def test_the_graph_has_what_is_connected_and_the_rest_is_listed(project: Project) -> None:
    index = parsed(render_dictionary(project)["index.html"])
    drawn = {t.text for t in index.iter() if isinstance(t.tag, str) and t.tag.endswith("text") and t.text}
    assert drawn == {"order", "user", "Sales"}
    assert "read by no other mapping: case" in words(index)


def test_no_text_of_a_mapping_becomes_code(project: Project, nasty: str) -> None:
    files = render_dictionary(project)
    assert nasty in words(parsed(files["objects/order.html"])).replace(" < ", "<")
    assert [s.get("src") for s in parsed(files["index.html"]).iter("script")] == ["search.js"]
    assert "</script" not in files["search.js"]


def test_the_search_index_has_every_mapping_and_column(project: Project) -> None:
    text = render_dictionary(project)["search.js"]
    found = re.search(r"const index = (\[.*\]);\n", text)
    assert found
    entries = json.loads(found[1])
    assert ["datasets/Sales.html#c3", "Creator", "Sales · User.Name"] in entries
    names = [name for _, name, _ in entries]
    assert names.count("Sales") == 1
    assert len(entries) == sum(1 + len(project.columns(name)) for name in project.mappings)


def test_nothing_is_fetched_from_elsewhere(project: Project) -> None:
    for text in render_dictionary(project).values():
        assert "//" not in re.sub(r"http://www\.w3\.org/2000/svg", "", text)


def test_the_same_project_gives_the_same_pages(folder: Path) -> None:
    assert render_dictionary(load_project(folder)) == render_dictionary(load_project(folder))


def test_a_mapping_that_is_gone_loses_its_page_and_other_files_stay(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert write_dictionary(load_project(folder), out) == out / "index.html"
    (out / "objects" / "mine.html").write_text("my own notes")
    (folder / "objects" / "case.yaml").unlink()
    write_dictionary(load_project(folder), out)
    assert sorted(p.name for p in (out / "objects").iterdir()) == ["mine.html", "order.html", "user.html"]


def test_pages_of_mappings_with_like_names_do_not_meet(project: Project) -> None:
    like = dict.fromkeys(("a b", "A_B", "../a/b", "", "a" * 300), project.objects["case"])
    places = pages(Project(project.folder, project.settings, like, {}))
    assert len({p.lower() for p in places.values()}) == 5
    assert all(re.fullmatch(r"objects/[A-Za-z0-9_-]{1,90}\.html", p) for p in places.values())
