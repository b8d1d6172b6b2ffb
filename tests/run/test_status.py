from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from forceglue.errors import UsageError
from forceglue.run.status import status
from run.desk import Desk


def test_before_anything_landed(desk: Desk) -> None:
    (desk.root / "warehouse").mkdir()
    desk.say_dataset()
    account, named = status(desk.request()).mappings
    assert asdict(account) == {
        "name": "account", "kind": "object", "table": False, "version": None, "position": None, "loaded_at": None,
        "files_loaded": 0, "files_waiting": 0, "quarantined": 0, "rejected": 0, "due": False,
    }  # fmt: skip
    assert (named.kind, named.position, named.quarantined) == ("dataset", None, 0)


@pytest.mark.usefixtures("spark")
def test_what_is_loaded_waits_and_was_set_aside(desk: Desk) -> None:
    desk.say_dataset()
    desk.land("e1", "A,Anna,1,1", "B,,1,1")
    desk.land("e2", "a", head="Name")  # no key: rejected
    desk.land("r1", "R1,y,1,1", token="Region__c")
    (desk.root / "landing" / "in" / "dev-Salesforce-no-such").mkdir()
    (desk.root / "landing" / "in" / "dev-Salesforce-no-such" / "x.csv").write_text("Id\n1\n")
    desk.run()
    desk.land("e3", "C,Carl,1,1")
    found = status(desk.request())
    account, named, region = sorted(found.mappings, key=lambda m: m.name.lower())
    assert (account.version, account.files_loaded, account.files_waiting) == (0, 1, 1)
    assert (account.quarantined, account.rejected) == (1, 1)
    assert account.loaded_at is not None
    assert (named.due, named.table, named.position is not None) == (False, False, True)
    assert (region.name, region.files_loaded, region.table) == ("region__c", 1, True)
    assert (found.rejected_elsewhere, found.waiting_elsewhere) == (1, 0)
    # ingested and not loaded yet is waiting too; of a dead run's set-aside rows none counts
    desk.say("quality: {fail: {no: name = 'x'}}")
    desk.run("account")
    (account,) = status(desk.request("account")).mappings
    assert (account.files_loaded, account.files_waiting, account.quarantined) == (1, 1, 1)
    assert status(desk.request("account")).rejected_elsewhere == 0


def test_an_unknown_name(desk: Desk) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        status(desk.request("acount"))


def test_no_jvm_and_no_spark(desk: Desk) -> None:
    (desk.root / "warehouse").mkdir()
    desk.land("e1", "A,Anna,1,1")
    code = (
        "import sys; from pathlib import Path; from forceglue.run.request import RunRequest;"
        "from forceglue.run.status import status;"
        f"status(RunRequest(Path({str(desk.root / 'mappings')!r}), *{list(desk.roots.values())!r}));"
        "assert 'pyspark.sql.session' not in sys.modules and 'great_expectations' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_position_that_lost_its_file_is_told(desk: Desk) -> None:
    request = replace(desk.request(), warehouse=str(desk.root / "elsewhere"))
    assert status(request).mappings[0].table is False
