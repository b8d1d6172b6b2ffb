"""The mappings that come with forceglue, against an org that has all of their objects."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from forceglue.describe.drift import drift
from forceglue.describe.pull import pull
from forceglue.mapping.check import check_folder
from forceglue.mapping.load import load_project, read_project
from forceglue.salesforce.client import Salesforce
from forceglue.simulated.salesforce import Org

MAPPINGS = Path(__file__).parents[2] / "mappings"


def test_names_without_types_learn_them_and_the_mappings_stay_sound(
    tmp_path: Path, org: Org, client: Salesforce
) -> None:
    org.define(*(json.loads(path.read_bytes()) for path in sorted((MAPPINGS / "catalog").glob("*.json"))))
    folder = tmp_path / "shipped"
    shutil.copytree(MAPPINGS, folder)
    found = list(pull(read_project(folder).project, client))
    assert len(found) == 36 and {one.outcome for one in found} == {"changed"}
    assert sum(one.learnt for one in found) > 1500
    known = {field for one in found for field in one.changes}
    assert {str(change) for change in known if change.kind != "field_new"} == set()
    assert check_folder(folder).problems == ()
    compared = list(drift(load_project(folder), client))
    assert {one.object: one.findings for one in compared if one.findings} == {}
