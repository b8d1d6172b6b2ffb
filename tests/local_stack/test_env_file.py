from __future__ import annotations

import stat
import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from local_stack import env_file

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=30)


@given(st.dictionaries(st.sampled_from(["A", "B_URL", "C"]), TEXT))
def test_what_was_written_is_read(tmp_path_factory, values: dict[str, str]) -> None:
    folder = tmp_path_factory.mktemp("stack")
    env_file.write(folder, values)
    assert env_file.read(folder) == values


def test_a_shell_hands_the_values_on_to_its_programs(tmp_path: Path) -> None:
    path = env_file.write(tmp_path, {"SALESFORCE_URL": "http://x?a=b&c", "OTHER": "it's $HOME"})
    said = subprocess.run(
        ["sh", "-c", f". {path}; env"], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    ).stdout.splitlines()
    assert {"SALESFORCE_URL=http://x?a=b&c", "OTHER=it's $HOME"} <= {*said}


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    assert stat.S_IMODE(env_file.write(tmp_path, {"A": "b"}).stat().st_mode) == 0o600


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    assert env_file.read(tmp_path) == {}
