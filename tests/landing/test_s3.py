"""The S3 side against moto's server on the loopback interface: no network, no AWS account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from forceglue.errors import LandingError, UsageError
from forceglue.landing import position
from forceglue.landing.ingest import IngestReport
from forceglue.landing.inventory import inventory, load_facts
from forceglue.landing.position import propose, read
from forceglue.landing.retry import retry, set_aside
from forceglue.landing.store import FileChanged, Store
from forceglue.mapping.project import Project
from landing.kit import ACCOUNTS, NOON, ONE

moto_server = pytest.importorskip("moto.server")
REGION = "ap-southeast-2"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    import boto3

    for name, value in {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", region_name=REGION)
    client.create_bucket(Bucket="landing", CreateBucketConfiguration={"LocationConstraint": REGION})
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="landing"):
        for item in page.get("Contents", ()):
            client.delete_object(Bucket="landing", Key=item["Key"])
    client.delete_bucket(Bucket="landing")


@pytest.fixture
def store(client: Any) -> Store:
    return Store.for_root("s3://landing/some/prefix/")


def keys(client: Any) -> list[str]:
    return [item["Key"] for item in client.list_objects_v2(Bucket="landing").get("Contents", ())]


def test_a_file_is_filled_and_appears_whole(store: Store) -> None:
    with store.filled("a/b.bin") as file:
        file.write_bytes(b"x" * 9_000_000)  # in parts
        assert not store.exists("a/b.bin")
    assert store.read_bytes("a/b.bin") == b"x" * 9_000_000
    with pytest.raises(ZeroDivisionError), store.filled("a/c.bin") as file:
        file.write_bytes(b"half")
        raise ZeroDivisionError
    assert not store.exists("a/c.bin") and not file.exists()


def test_a_file_is_written_listed_read_moved_and_deleted(store: Store, client: Any) -> None:
    odd = "in/Account/e 1/it's a=b,50%:ü.csv"
    store.write_bytes(odd, b"one")
    (entry,) = store.list()
    assert (entry.path, entry.size) == (odd, 3)
    assert store.stat(odd) == entry
    assert store.read_bytes(odd) == b"one"
    store.move(odd, "b")
    assert keys(client) == ["some/prefix/b"]  # and no folder markers
    store.delete("b")
    store.delete("b")
    assert not store.exists("b")
    assert store.uri("a/b") == "s3://landing/some/prefix/a/b"


def test_listings_are_whole_and_of_one_level(store: Store, client: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.write_bytes(f"a/{n:04}", b""), range(1_050)))
    store.write_bytes("ab/1", b"")
    client.put_object(Bucket="landing", Key="some/prefix/a/marker/", Body=b"")
    assert len(store.list("a")) == 1_050
    assert [e.path for e in store.list("ab", recursive=False)] == ["ab/1"]
    assert store.list(recursive=False) == []
    assert store.list("nothing") == []


def test_a_stream_can_be_searched(store: Store) -> None:
    store.write_bytes("a", bytes(range(256)) * 20_000)
    with store.open_input("a") as stream:
        stream.seek(1_000_001)
        assert stream.read(3) == bytes([65, 66, 67])


def test_of_many_exclusive_writers_one_wins(store: Store) -> None:
    def write(number: int) -> bool:
        try:
            store.write_bytes("a", str(number).encode(), exclusive=True)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(24))) == 1


def test_what_is_not_there(store: Store) -> None:
    for call in (store.open_input, store.read_bytes):
        with pytest.raises(FileNotFoundError):
            call("nothing")
    with pytest.raises(FileNotFoundError):
        store.move("nothing", "somewhere")
    with pytest.raises(LandingError, match="no bucket nowhere"):
        Store("s3://nowhere/x").list()
    with pytest.raises(UsageError, match="names no bucket"):
        Store("s3://")


def test_no_permission_says_which_rights_are_needed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    monkeypatch.setattr(store._backend._client, "put_object", refuse)  # type: ignore[attr-defined]  # the S3 backend
    with pytest.raises(LandingError, match=r"no permission.*s3:PutObject"):
        store.write_bytes("a", b"")


def test_an_endpoint_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, client: Any) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(LandingError, match="AWS_ENDPOINT_URL"):
        Store("s3://landing").list()


def test_from_landing_to_position_and_back(
    store: Store, client: Any, project: Project, run: Callable[..., IngestReport]
) -> None:
    good, bad = "in/dev-Salesforce-Account/e1/a.csv", "in/dev-Salesforce-Order-Product/e1/0001"
    store.write_bytes(good, ACCOUNTS)
    store.write_bytes(bad, b"PAR1 and no more")
    report = run(store)
    assert ([f.key for f in report.passed], [f.path for f in report.rejected]) == ([good], [bad])
    assert store.list("in") == []
    assert keys(client) == [
        "some/prefix/error/Order-Product/2024/05/06/12/e1/0001",
        "some/prefix/error/Order-Product/2024/05/06/12/e1/0001.reason.json",
        "some/prefix/processed/Account/2024/05/06/12/e1/_a.csv.facts.json",
        "some/prefix/processed/Account/2024/05/06/12/e1/a.csv",
    ]
    (file,) = load_facts(store, project, inventory(store, project).files).files
    assert (file.rows, file.uri) == (2, "s3://landing/some/prefix/processed/Account/2024/05/06/12/e1/a.csv")
    assert file.source_uri == f"s3://landing/some/prefix/{good}"

    made = propose(store, position.Position("account"), [file.identity], at=NOON)
    assert read(store, "account", made.version).loaded == {file.identity}

    assert [f.code for f in set_aside(store)] == ["unreadable"]
    assert [r.moved_to for r in retry(store)] == [bad]
    store.write_bytes(bad, b"Id\n1\n")
    assert [f.object for f in run(store, ONE).passed] == ["OrderItem"]
    assert set_aside(store) == ()


def test_a_copy_left_by_a_run_that_died_in_a_move(
    store: Store, project: Project, run: Callable[..., IngestReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = "in/dev-Salesforce-Account/e1/a.csv"
    store.write_bytes(good, ACCOUNTS)

    class Killed(BaseException):
        pass

    def die(**_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(store._backend._client, "delete_object", die)  # type: ignore[attr-defined]  # the S3 backend
        with pytest.raises(Killed):
            run(store)
    assert store.exists(good)
    run(store, ONE)
    assert not store.exists(good)
    found = load_facts(store, project, inventory(store, project).files)
    assert (len(found.files), len(found.repeated)) == (1, 1)


def test_only_what_was_looked_at_is_moved(store: Store, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written anew before or while it is copied stays where it is; nothing of it is lost."""
    for size in (3, 300):  # at once, and in parts
        monkeypatch.setattr("forceglue.landing.s3._AT_ONCE", 100)
        store.write_bytes("a", b"o" * size)
        seen = store.stat("a")
        moved = store._backend._client.delete_object  # type: ignore[attr-defined]

        def late(moved: Any = moved, **more: Any) -> Any:
            client.put_object(Bucket="landing", Key="some/prefix/a", Body=b"anew")
            return moved(**more)

        with monkeypatch.context() as patched:
            patched.setattr(store._backend._client, "delete_object", late)  # type: ignore[attr-defined]
            store.move("a", "b", seen=seen)
        assert (store.read_bytes("a"), store.read_bytes("b")) == (b"anew", b"o" * size)
        store.move("a", "b", seen=store.stat("a"))
        assert keys(client) == ["some/prefix/b"]


def test_a_copy_of_what_was_written_anew_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    asked = []

    def refuse(**more: Any) -> None:  # as S3 answers; moto takes no such condition for a copy
        asked.append(more["CopySourceIfMatch"])
        raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "CopyObject")

    store.write_bytes("a", b"old")
    seen = store.stat("a")
    assert seen
    monkeypatch.setattr(store._backend._client, "copy_object", refuse)  # type: ignore[attr-defined]
    with pytest.raises(FileChanged, match="written anew"):
        store.move("a", "b", seen=seen)
    assert asked == [f'"{seen.version}"']
    assert store.exists("a")


def test_a_store_without_conditional_deletes_deletes_as_ever(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    real = store._backend._client.delete_object  # type: ignore[attr-defined]

    def delete(**more: Any) -> Any:
        if "IfMatch" in more:
            raise ClientError({"Error": {"Code": "NotImplemented"}}, "DeleteObject")
        return real(**more)

    store.write_bytes("a", b"x")
    monkeypatch.setattr(store._backend._client, "delete_object", delete)  # type: ignore[attr-defined]
    store.move("a", "b", seen=store.stat("a"))
    assert [entry.path for entry in store.list()] == ["b"]


def test_a_file_that_is_deleted_while_it_is_open_is_not_there(store: Store) -> None:
    for size in (10, 10_000):  # shorter than S3's answer, and longer
        store.write_bytes("a", b"x" * size)
        with store.open_input("a") as stream:
            store.delete("a")
            with pytest.raises(FileNotFoundError, match="not there any more"):
                stream.read(1)
