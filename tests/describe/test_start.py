from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from forceglue import __version__
from forceglue.describe import snapshot
from forceglue.describe.scaffold import scaffold
from forceglue.describe.start import STARTER, start
from forceglue.errors import UsageError
from forceglue.mapping import schema
from forceglue.mapping.check import check_folder
from forceglue.mapping.load import load_project, read_project


def test_a_project_that_is_sound(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "our-org"
    made = start(folder)
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert set(made) == there and len(made) == 13
    assert check_folder(folder / "mappings").problems == ()
    project = load_project(folder / "mappings")
    assert (project.settings.name, project.settings.roots.landing) == ("our-org", "sample")
    assert load_project(folder / "mappings", env="org").settings.roots.landing == "out/org/landing"
    assert f"forceglue>={__version__}" in (folder / "requirements.txt").read_text()
    assert (folder / "README.md").read_text().startswith("# our-org\n")
    assert "{" not in (folder / "README.md").read_text()
    assert "out/" in (folder / ".gitignore").read_text().split()
    written = json.loads((folder / "mappings" / "mapping.schema.json").read_text())
    assert written == schema.mapping_schema()


def test_the_ci_file_runs_the_checks(tmp_path: Path) -> None:
    start(tmp_path / "x")
    flow = yaml.safe_load((tmp_path / "x" / ".github" / "workflows" / "mappings.yaml").read_text())
    steps = [step.get("run") for step in flow["jobs"]["check"]["steps"]]
    assert steps[2:] == ["pip install -r requirements.txt", "forceglue check", "forceglue test", "pytest"]
    assert flow["jobs"]["drift"]["steps"][-1] == {"run": "forceglue drift"}


def test_scaffold_goes_on_where_init_has_begun(tmp_path: Path) -> None:
    start(tmp_path / "x")
    mappings = tmp_path / "x" / "mappings"
    (found,) = scaffold(read_project(mappings), ["Account"])
    assert found.outcome == "same"
    kept = snapshot.find(mappings, "Account")
    assert kept is not None
    facts = {**kept.facts, "fields": [*kept.facts["fields"], {"name": "Region__c", "type": "string"}]}
    snapshot.write(mappings, facts)
    (found,) = scaffold(read_project(mappings), ["Account"])
    assert [note.field for note in found.notes] == ["Region__c"]
    assert check_folder(mappings).problems == ()


def test_the_snapshot_is_as_pull_writes_it(tmp_path: Path) -> None:
    start(tmp_path / "x")
    path = tmp_path / "x" / "mappings" / "catalog" / "Account.json"
    assert snapshot.as_text(json.loads(path.read_text())) == path.read_text()
    header = (tmp_path / "x" / "sample" / "Account.csv").read_text().splitlines()[0]
    fields = [f["name"] for f in json.loads(path.read_text())["fields"] if f["type"] != "address"]
    assert header == ",".join(f'"{name}"' for name in fields)


@pytest.mark.parametrize("name", ["it's: a # name", "true", "12", "ä b", "{x}"])
def test_any_name_of_a_folder(tmp_path: Path, name: str) -> None:
    start(tmp_path / name)
    assert load_project(tmp_path / name / "mappings").settings.name == name


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        (tmp_path / name).write_text("")
    with pytest.raises(UsageError, match=r"is not empty \(a, b, c and 1 more\), so nothing was written"):
        start(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_new_git_repository_is_empty_enough(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert "README.md" in start(tmp_path)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="Name another folder"):
        start(tmp_path / "file" / "below")


def test_every_file_of_the_starter_is_used() -> None:
    from forceglue.describe.start import FILES

    folder = Path(__file__).parents[2] / "glue" / "forceglue" / STARTER
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there == {*FILES.values(), "mappings/rules.yaml"}
