from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forceglue.errors import SetupError
from forceglue.runtime import jars
from forceglue.runtime.stacks import STACKS, Jar, Stack, stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forceglue.runtime.java import Java

BYTES = b"a jar"
GOOD = Jar("org.example", "thing", "1.0", hashlib.sha256(BYTES).hexdigest())
OTHER = Jar("org.example", "driver", "2.0", hashlib.sha256(BYTES).hexdigest())


class FakeIvy:
    """Puts the named files where Ivy would, from the given try on."""

    def __init__(self, content: bytes | None = BYTES, from_try: int = 0) -> None:
        self.content, self.from_try = content, from_try
        self.asked: list[list[str]] = []
        self.trust: list[list[str]] = []

    def __call__(self, wanted: Sequence[Jar], parts: Path, java: Java, trust: Sequence[str]) -> str:
        self.asked.append([jar.file for jar in wanted])
        self.trust.append(list(trust))
        if self.content is None or len(self.asked) <= self.from_try:
            return "javax.net.ssl.SSLHandshakeException: PKIX path building failed"
        (parts / "out").mkdir(exist_ok=True)
        for jar in wanted:
            (parts / "out" / jar.file).write_bytes(self.content)
        return ""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of kept JARs for a stack with two needs."""
    monkeypatch.setenv("FORCEGLUE_HOME", str(tmp_path))
    known = Stack("9.9", "1", {"delta": (GOOD,), "postgresql": (OTHER,)})
    monkeypatch.setattr("forceglue.runtime.jars.stack", lambda _version: known)
    monkeypatch.setattr("forceglue.runtime.jars.truststores", lambda _folder: iter([[], ["-Dtrust"]]))
    return tmp_path / "jars" / "spark-9.9-delta-1"


def use(monkeypatch: pytest.MonkeyPatch, ivy: FakeIvy) -> FakeIvy:
    monkeypatch.setattr("forceglue.runtime.jars._ivy", ivy)
    return ivy


def test_fetched_once_then_the_network_is_not_asked_again(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ivy = use(monkeypatch, FakeIvy())
    assert jars.ensure("9.9.1") == (kept / GOOD.file,)
    assert jars.ensure("9.9.1") == (kept / GOOD.file,)
    assert ivy.asked == [[GOOD.file]]
    assert [entry.name for entry in kept.iterdir()] == [GOOD.file]


def test_only_what_is_asked_for_and_in_a_fixed_order(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ivy = use(monkeypatch, FakeIvy())
    jars.ensure("9.9.1")
    assert jars.ensure("9.9.1", ("postgresql", "delta")) == (kept / GOOD.file, kept / OTHER.file)
    assert ivy.asked == [[GOOD.file], [OTHER.file]]


def test_a_damaged_file_is_fetched_again(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.mkdir(parents=True)
    (kept / GOOD.file).write_bytes(BYTES[:-1])
    use(monkeypatch, FakeIvy())
    (found,) = jars.ensure("9.9.1")
    assert found.read_bytes() == BYTES


def test_a_file_with_another_hash_is_never_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeIvy(content=b"something else"))
    with pytest.raises(SetupError, match=GOOD.sha256):
        jars.ensure("9.9.1")
    assert list(kept.iterdir()) == []


def test_the_next_truststore_is_tried(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ivy = use(monkeypatch, FakeIvy(from_try=1))
    jars.ensure("9.9.1")
    assert ivy.trust == [[], ["-Dtrust"]]


def test_without_the_network_it_says_what_to_put_where(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeIvy(content=None))
    with pytest.raises(SetupError) as told:
        jars.ensure("9.9.1")
    message = str(told.value)
    for fact in (str(GOOD), GOOD.file, GOOD.sha256, str(kept), "PKIX", "FORCEGLUE_IVY_SETTINGS", "FORCEGLUE_HOME"):
        assert fact in message
    kept.mkdir(exist_ok=True)
    (kept / GOOD.file).write_bytes(BYTES)
    assert jars.ensure("9.9.1") == (kept / GOOD.file,)


def test_several_at_once_end_with_whole_files(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeIvy())
    found: list[tuple[Path, ...]] = []
    workers = [threading.Thread(target=lambda: found.append(jars.ensure("9.9.1"))) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [(kept / GOOD.file,)] * 8
    assert (kept / GOOD.file).read_bytes() == BYTES
    assert [entry.name for entry in kept.iterdir()] == [GOOD.file]


def test_a_home_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FORCEGLUE_HOME", str(tmp_path / "file"))
    with pytest.raises(SetupError, match="FORCEGLUE_HOME"):
        jars.ensure("3.5.6")


def test_an_unknown_need_names_the_known_ones(kept: Path) -> None:
    with pytest.raises(SetupError, match="oracle; allowed: delta, postgresql"):
        jars.ensure("9.9.1", ("oracle",))


@pytest.mark.parametrize(("version", "delta"), [("3.5.6", "3.3.2"), ("4.1.1", "4.2.0")])
def test_each_line_of_spark_has_its_delta(version: str, delta: str) -> None:
    assert stack(version).delta == delta


def test_another_spark_is_refused_with_the_allowed_lines() -> None:
    with pytest.raises(SetupError, match=r"Spark 3\.4\.1 .*3\.5, 4\.1"):
        stack("3.4.1")


def test_every_jar_is_pinned() -> None:
    for known in STACKS:
        assert set(known.jars) == {"delta", "postgresql", "s3"}
        for pinned in (jar for listed in known.jars.values() for jar in listed):
            assert len(bytes.fromhex(pinned.sha256)) == 32
            assert pinned.version[0].isdigit()


def test_the_delta_of_the_jars_is_the_delta_of_the_python_package() -> None:
    from importlib.metadata import version

    assert stack(version("pyspark")).delta == version("delta-spark")


@pytest.mark.parametrize(
    ("told", "options"),
    [
        ("http://proxy.example:8080", ["-Dhttps.proxyHost=proxy.example", "-Dhttps.proxyPort=8080"]),
        ("", []),
    ],
)
def test_javas_proxy_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch, told: str, options: list[str]) -> None:
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", told)
    assert jars._proxy() == options
