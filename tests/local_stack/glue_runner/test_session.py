"""A script as Glue runs it; Spark stands for itself in the end-to-end test."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_stack.glue_runner import glue_job, session


class Conf:
    """Spark's settings, of which some cannot be changed."""

    def __init__(self, **values: str) -> None:
        self.values = dict(values)

    def isModifiable(self, name: str) -> bool:  # noqa: N802
        return not name.startswith("fixed")

    def set(self, name: str, value: str) -> None:
        assert self.isModifiable(name)
        self.values[name] = value

    def unset(self, name: str) -> None:
        del self.values[name]


class Spark:
    def __init__(self) -> None:
        self.conf = Conf(a="1", fixed="x")

    def sql(self, _: str) -> Any:
        rows = [SimpleNamespace(key=key, value=value) for key, value in self.conf.values.items()]
        return SimpleNamespace(collect=lambda: rows)


def run(folder: Path, code: str, *arguments: str, spark: Spark | None = None) -> dict[str, str]:
    script = folder / "job.py"
    script.write_text(code)
    return session.run(spark or Spark(), str(script), list(arguments))


def test_the_script_is_the_main_program_with_the_arguments_of_glue(tmp_path: Path) -> None:
    before = sys.argv
    code = "import sys; assert __name__ == '__main__' and sys.argv[1:] == ['--JOB_NAME', 'x'] and sys.argv[0].endswith('job.py')"
    assert run(tmp_path, code, "--JOB_NAME", "x") == {"state": "SUCCEEDED", "message": ""}
    assert sys.argv is before


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("class JobFailed(Exception): pass\nraise JobFailed('account failed')", "JobFailed: account failed"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import sys; sys.exit('no')", "SystemExit: no"),
        ("raise ValueError('x' * 9000)", f"ValueError: {'x' * 1988}"),
        ("def", "SyntaxError: "),
    ],
)
def test_what_a_script_raises_is_its_failure(tmp_path: Path, code: str, message: str) -> None:
    told = run(tmp_path, code)
    assert told["state"] == "FAILED" and told["message"].startswith(message) and len(told["message"]) <= 2000


@pytest.mark.parametrize("code", ["import sys; sys.exit(0)", "import sys; sys.exit()"])
def test_a_script_may_end_early(tmp_path: Path, code: str) -> None:
    assert run(tmp_path, code)["state"] == "SUCCEEDED"


def test_settings_of_a_run_are_gone_with_it(tmp_path: Path) -> None:
    spark = Spark()
    with session.settings_kept(spark):
        spark.conf.values |= {"a": "2", "b": "3"}
    assert spark.conf.values == {"a": "1", "fixed": "x"}


def test_a_job_that_commits_before_it_began_is_told() -> None:
    job = glue_job.Job("session")
    with pytest.raises(RuntimeError, match="before Job"):
        job.commit()
    job.init("main", {})
    assert job.isInitialized()
    job.commit()
