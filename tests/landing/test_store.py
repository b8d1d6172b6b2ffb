from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.errors import LandingError, UsageError
from forceglue.landing.store import Store, checked


def test_a_file_is_written_listed_read_moved_and_deleted(store: Store) -> None:
    store.write_bytes("a/b/c.txt", b"one")
    (entry,) = store.list()
    assert (entry.path, entry.size) == ("a/b/c.txt", 3)
    assert abs((datetime.now(UTC) - entry.mtime).total_seconds()) < 3600
    assert store.stat("a/b/c.txt") == entry
    assert store.read_bytes("a/b/c.txt") == b"one"
    store.move("a/b/c.txt", "d/e.txt")
    assert [e.path for e in store.list()] == ["d/e.txt"]
    store.delete("d/e.txt")
    store.delete("d/e.txt")
    assert not store.exists("d/e.txt")


def test_a_file_is_filled_piece_by_piece_and_appears_whole(store: Store) -> None:
    with store.filled("a/b.bin") as file:
        file.write_bytes(b"half")
        assert store.list() == []
        with file.open("ab") as out:
            out.write(b" and half")
    assert store.read_bytes("a/b.bin") == b"half and half"
    with pytest.raises(ZeroDivisionError), store.filled("a/b.bin") as file:
        file.write_bytes(b"other")
        raise ZeroDivisionError
    assert store.read_bytes("a/b.bin") == b"half and half"
    assert [p.name for p in Path(store.uri("a")).iterdir()] == ["b.bin"]


def test_what_a_killed_writer_left_is_replaced(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.filled("a/b.bin") as file:
        left = file
        raise ZeroDivisionError
    left.write_bytes(b"of a process that was killed")
    with store.filled("a/b.bin") as file:
        file.write_bytes(b"whole")
    assert store.read_bytes("a/b.bin") == b"whole" and not left.exists()


def test_a_listing_below_a_prefix_and_of_one_level(store: Store) -> None:
    for path in ("a/1", "a/b/2", "ab/3", "4"):
        store.write_bytes(path, b"")
    assert [e.path for e in store.list("a")] == ["a/1", "a/b/2"]
    assert [e.path for e in store.list("a/", recursive=False)] == ["a/1"]
    assert [e.path for e in store.list(recursive=False)] == ["4"]
    assert store.list("nothing/here") == []
    assert store.list("4") == []


def test_a_write_replaces_and_an_exclusive_one_does_not(store: Store) -> None:
    store.write_bytes("a", b"1")
    store.write_bytes("a", b"2")
    with pytest.raises(FileExistsError):
        store.write_bytes("a", b"3", exclusive=True)
    assert store.read_bytes("a") == b"2"
    assert [e.path for e in store.list()] == ["a"]


def test_of_many_exclusive_writers_one_wins(store: Store) -> None:
    def write(number: int) -> bool:
        try:
            store.write_bytes("a", str(number).encode() * 1000, exclusive=True)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, first in enumerate(pool.map(write, range(40))) if first]
    assert len(won) == 1
    assert store.read_bytes("a") == str(won[0]).encode() * 1000


def test_without_hard_links_one_writer_still_wins(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    store.write_bytes("a", b"1", exclusive=True)
    with pytest.raises(FileExistsError):
        store.write_bytes("a", b"2", exclusive=True)
    assert store.read_bytes("a") == b"1"


def test_a_move_to_another_file_system(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write_bytes("a", b"1")
    real, calls = os.replace, []

    def replace(old: Path, new: Path) -> None:
        calls.append(old)
        if len(calls) == 1:
            raise OSError(errno.EXDEV, "cross-device")
        real(old, new)

    monkeypatch.setattr(os, "replace", replace)
    store.move("a", "b/c")
    assert [(e.path, e.size) for e in store.list()] == [("b/c", 1)]


def refusing(code: int) -> Any:
    def call(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return call


@pytest.mark.parametrize("call", ["open_input", "read_bytes"])
def test_a_file_that_is_not_there(store: Store, call: str) -> None:
    with pytest.raises(FileNotFoundError):
        getattr(store, call)("nothing")
    with pytest.raises(FileNotFoundError):
        store.move("nothing", "somewhere")
    assert not store.exists("nothing")
    assert not store.exists("nothing/below")


@pytest.mark.parametrize("path", ["..", "a/../b", "../a", "/etc/passwd", "a//b", "./a", "a/", "", "a\0b"])
def test_a_path_that_leaves_the_root_is_refused(store: Store, path: str) -> None:
    for call in (store.stat, store.open_input, store.delete, store.exists):
        with pytest.raises(UsageError, match="refused"):
            call(path)
    with pytest.raises(UsageError, match="refused"):
        store.move("a", path)
    with pytest.raises(UsageError, match="refused"):
        store.write_bytes(path, b"")


@given(st.lists(st.sampled_from(["a", "..", ".", "", "b c", "...", "x..y"]), min_size=1, max_size=5))
def test_what_is_let_through_stays_below_the_root(parts: list[str]) -> None:
    path = "/".join(parts)
    try:
        assert os.path.normpath(f"/root/{checked(path)}") == f"/root/{path}"
    except UsageError:
        assert {"..", ".", ""} & set(parts)


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LandingError, match=r"is not there.*create it"):
        Store.for_root(tmp_path / "nothing").list()


def test_a_root_of_an_unknown_kind() -> None:
    with pytest.raises(UsageError, match="s3://"):
        Store("gs://bucket/x")


@pytest.mark.parametrize(
    ("code", "said"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "no permission")]
)
def test_what_the_system_says_comes_with_what_to_do(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    store.write_bytes("a", b"old")
    monkeypatch.setattr(os, "fsync", refusing(code))
    with pytest.raises(LandingError, match=said):
        store.write_bytes("a", b"new")
    monkeypatch.undo()
    assert store.read_bytes("a") == b"old"
    assert [p.name for p in Path(store.root).iterdir()] == ["a"]  # nothing half-written is left


def test_no_permission_to_list(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # not by chmod: the tests may run as root, who may read everything
    monkeypatch.setattr(os, "scandir", refusing(errno.EACCES))
    with pytest.raises(LandingError, match="no permission"):
        store.list()


def test_a_half_written_file_of_a_killed_process_is_not_listed(store: Store) -> None:
    (Path(store.root) / ".forceglue-0123.tmp").write_bytes(b"half")
    assert store.list() == []


def test_uris_for_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Store("x").uri("a/b c.csv") == str(tmp_path / "x" / "a/b c.csv")
    assert Store(f"{tmp_path}/").uri() == str(tmp_path)
