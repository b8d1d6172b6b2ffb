from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from forceglue.errors import MappingErrors, UsageError
from forceglue.mapping.load import load_project
from forceglue.mapping.project import Project
from mapping.samples import SOUND

Write = Callable[[Mapping[str, Any]], Path]
Load = Callable[..., Project]
LEAD = "mapping: lead\nsource: Lead\n"


def test_the_sound_project(load: Load) -> None:
    project = load(SOUND)
    assert list(project.objects) == ["account", "opportunity"]
    assert list(project.datasets) == ["Deals"]
    assert project.sources["Deals"].file == "datasets/deals.yaml"
    assert project.order() == ("account", "opportunity", "Deals")
    assert project.dependencies() == {"account": (), "opportunity": ("account",), "Deals": ("opportunity", "account")}
    assert project.catalog.get("ACCOUNT") is not None


def test_files_may_lie_in_the_folder_itself_and_end_in_yml(load: Load) -> None:
    project = load(
        {"lead.yml": LEAD, "d.yaml": "mapping: d\nfrom: lead\ncolumns: {a: b}\n", "README.md": "x", ".hidden.yaml": "["}
    )
    assert list(project.objects) == ["lead"]
    assert list(project.datasets) == ["d"]


def test_a_project_needs_no_file_at_all(load: Load) -> None:
    project = load({})
    assert project.mappings == {}
    assert project.settings.unmapped == "load"


def test_all_problems_are_in_the_error(write: Write) -> None:
    folder = write({"objects/a.yaml": LEAD + "a: 1\nb: 2\n", "objects/b.yaml": "mapping: [\n"})
    with pytest.raises(MappingErrors) as caught:
        load_project(folder)
    assert [p.file for p in caught.value.problems] == ["objects/a.yaml", "objects/a.yaml", "objects/b.yaml"]  # type: ignore[attr-defined]
    assert str(caught.value).startswith("3 problems in the mappings\nobjects/a.yaml:3  FG-MAP-001  a\n")


def test_without_checks_only_the_files_themselves_are_judged(write: Write) -> None:
    folder = write({"d.yaml": "mapping: d\nfrom: nothing_at_all\ncolumns: {a: b}\n"})
    assert list(load_project(folder, checked=False).datasets) == ["d"]
    with pytest.raises(MappingErrors):
        load_project(folder)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--mappings"):
        load_project(tmp_path / "nothing")


def test_names_are_found_in_any_case_and_near_ones_are_told(load: Load) -> None:
    project = load(SOUND)
    assert project.mapping("deals").mapping == "Deals"
    with pytest.raises(UsageError, match='did you mean "opportunity"'):
        project.mapping("oportunity")
    with pytest.raises(UsageError, match="No mapping"):
        project.order(["xyz"])


def test_order_takes_what_the_named_need(load: Load) -> None:
    project = load(SOUND)
    assert project.order(["opportunity"]) == ("account", "opportunity")


def test_order_refuses_a_cycle(write: Write) -> None:
    files = {"a.yaml": "mapping: a\nfrom: b\ncolumns: {x: x}\n", "b.yaml": "mapping: b\nfrom: a\ncolumns: {x: x}\n"}
    with pytest.raises(UsageError, match="a → b → a"):
        load_project(write(files), checked=False).order()


def test_defaults_come_from_the_project(load: Load) -> None:
    settings = "objects: {key: [Id, Lang__c], order_by: LastModifiedDate, naming: lower, on_drift: freeze, never_read: [A__c]}\n"
    project = load({"project.yaml": settings, "lead.yaml": LEAD + "never_read: [B__c, a__c]\norder_by: X\n"})
    full = project.with_defaults(project.objects["lead"])
    assert (full.key, full.order_by, full.deleted, full.naming, full.on_drift) == (
        ("Id", "Lang__c"),
        "X",
        "IsDeleted",
        "lower",
        "freeze",
    )
    assert full.exclude == ("B__c", "a__c")


def test_an_object_without_a_file(load: Load) -> None:
    project = load({"project.yaml": "objects: {naming: lower}\n"})
    m = project.unmapped("AccountContactRelation")
    assert (m.mapping, m.source, m.naming, m.keeps_rest) == (
        "account_contact_relation",
        "AccountContactRelation",
        "snake",
        True,
    )
    assert m.key == ("Id",)


def test_object_for_goes_by_the_salesforce_name(load: Load) -> None:
    project = load({"lead.yaml": "mapping: prospects\nsource: Lead\n"})
    assert project.object_for("LEAD") is project.objects["prospects"]
    assert project.object_for("prospects") is None
    assert project.table("lead") is project.objects["prospects"]
    assert project.table("Prospects") is project.objects["prospects"]


def test_a_reference_that_shares_all_letters_is_found(load: Load) -> None:
    project = load(
        {
            "o.yaml": "mapping: order_item\nsource: OrderItem\n",
            "d.yaml": "mapping: d\nfrom: orderitem\ncolumns: {a: b}\n",
        }
    )
    assert project.dependencies()["d"] == ("order_item",)


def test_params_and_roots_of_an_environment(load: Load) -> None:
    settings = """
        params: {A: base, B: base}
        roots: {landing: "s3://${A}-landing", warehouse: "w/${B}"}
        environments:
          dev:
            params: {A: dev, N: 10}
            roots: {warehouse: "dev-${N}"}
    """
    files = {"project.yaml": settings, "lead.yaml": LEAD + "description: ${A} ${B} $${A}\n"}
    plain = load(files)
    assert (plain.settings.roots.landing, plain.settings.roots.warehouse) == ("s3://base-landing", "w/base")
    dev = load(files, env="dev", params={"B": "given"})
    assert (dev.settings.roots.landing, dev.settings.roots.warehouse) == ("s3://dev-landing", "dev-10")
    assert dev.objects["lead"].description == "dev given ${A}"
    assert dev.settings.params == {"A": "dev", "B": "given", "N": "10"}


def test_a_param_that_only_environments_have_leaves_roots_alone_but_not_mappings(write: Write) -> None:
    settings = "roots: {landing: 's3://${BUCKET}'}\nenvironments: {dev: {params: {BUCKET: b}}}\n"
    assert load_project(write({"project.yaml": settings})).settings.roots.landing == "s3://${BUCKET}"
    with pytest.raises(MappingErrors, match="FG-PRM-002"):
        load_project(write({"lead.yaml": LEAD + "description: ${BUCKET}\n"}))


def test_text_stays_as_written_where_text_belongs(load: Load) -> None:
    body = "description: 2024\ngrain: 1.50\ncolumns: {on: Name, no: {value: 12:30}, n: {value: 1.5}, t: {value: true}, z: {value: '0010'}}\n"
    m = load({"lead.yaml": LEAD + body}).objects["lead"]
    assert (m.description, m.grain) == ("2024", "1.50")
    (block,) = m.columns or ()
    columns = block.columns  # type: ignore[union-attr]
    assert list(columns) == ["on", "no", "n", "t", "z"]
    assert [columns[name].value for name in ("no", "n", "t", "z")] == ["12:30", 1.5, True, "0010"]


def test_example_values_are_text(load: Load) -> None:
    body = "examples: [{name: x, given: {Lead: [{Id: 0010e5, A: 12, B: true, C: null, D: 1.50}]}, dropped: 1}]\n"
    (example,) = load({"lead.yaml": LEAD + body}).objects["lead"].examples
    assert example.given["Lead"] == ({"Id": "0010e5", "A": "12", "B": "true", "C": None, "D": "1.50"},)
    assert example.dropped == 1


def test_the_written_forms_of_columns(load: Load) -> None:
    files = {
        "a.yaml": "mapping: a\nsource: A\ncolumns: {all: A, except: [x]}\n",
        "b.yaml": "mapping: b\nsource: B\ncolumns: {all: Kind__c, other: X}\n",
        "c.yaml": "mapping: c\nsource: C\ncolumns: [{all: C}, {x: Y}, {empty: [z]}]\n",
        "d.yaml": "mapping: d\nsource: D\ncolumns: {empty: [z]}\n",
    }
    kinds = {n: [type(b).__name__ for b in m.columns or ()] for n, m in load(files).objects.items()}
    assert kinds == {
        "a": ["AllColumns"],
        "b": ["NamedColumns"],
        "c": ["AllColumns", "NamedColumns", "EmptyColumns"],
        "d": ["EmptyColumns"],
    }


def test_blanks_of_a_constant_are_kept(load: Load) -> None:
    deliver = 'deliver: [{csv: {file: a.csv, delimiter: "\\t"}}]\n'
    m = load(
        {"lead.yaml": LEAD, "d.yaml": 'mapping: d\nfrom: lead\ncolumns: {a: {value: " x "}}\n' + deliver}
    ).datasets["d"]
    (block,) = m.columns
    assert block.columns["a"].value == " x "  # type: ignore[union-attr]
    assert m.deliver[0].csv is not None
    assert m.deliver[0].csv.delimiter == "\t"
