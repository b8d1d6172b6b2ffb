"""What the two READMEs say of profiles is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

from forceglue.mapping.model.profile import FileProfile, Limits
from forceglue.profiles.check import ADVANCED_TIER
from forceglue.profiles.reasons import FileReason, RowReason

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "mappings" / "profiles" / "README.md").read_text("utf-8")
LAMBDAS = (ROOT / "lambdas" / "README.md").read_text("utf-8").partition("\n## File profiles\n")[2].partition("\n## ")[0]


def told(table: str) -> set[str]:
    """The words in the first column of a table."""
    return {
        word
        for line in table.splitlines()
        if line.startswith("| `")
        for word in re.findall(r"`([^`]+)`", line.split(" | ")[0])
    }


def test_every_word_of_a_profile_is_told_and_no_other() -> None:
    words = {field.alias or name for name, field in FileProfile.model_fields.items()} - {"$schema"}
    assert told(GUIDE) == words
    assert all(f"`{field.alias or name}`" in GUIDE for name, field in Limits.model_fields.items())


def test_every_reason_is_told_and_no_other() -> None:
    codes = LAMBDAS.partition("| code | the file |")[2].partition("| variable |")[0]
    files, _, rows = codes.partition("| code | the row |")
    assert told(files) == {reason.value for reason in FileReason}
    assert told(rows) == {reason.value for reason in RowReason}


def test_the_sample_fits_into_the_smaller_parameter() -> None:
    assert len((ROOT / "mappings" / "profiles" / "flood_qns.json").read_text("utf-8")) < ADVANCED_TIER / 2


def test_the_result_is_the_one_that_is_shown() -> None:
    from file_profiles.concluding import Conclusion
    from file_profiles.incoming import IncomingFile

    (shown,) = map(json.loads, re.findall(r"```json\n(.*?)```", LAMBDAS, re.DOTALL))
    file = IncomingFile("run", "b", "k", "e", None, 1, "s", "dev", "f")
    made = Conclusion(file, "success", 1, 1, 0, 0, 0, {}, None, None)
    assert list(shown) == list(made.told())
    assert shown["rows"] == sum(
        shown[part] for part in ("RowsProcessed", "RowsFailed", "RowsDropped", "RowsNotStarted")
    )
