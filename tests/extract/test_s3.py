"""A landing root in S3 (moto's server on the loopback interface): pages go there as they are done."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extract.kit import ACCOUNT, Dying, Killed, accounts, client, expected, one, run
from forceglue.extract import extractor
from forceglue.extract.ids import all_ids
from forceglue.extract.reading import working
from forceglue.landing.patch import patch_of
from forceglue.landing.store import Store

moto_server = pytest.importorskip("moto.server")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    import boto3

    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
        "AWS_REGION": "ap-southeast-2",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", region_name="ap-southeast-2")
    client.create_bucket(Bucket="extracted", CreateBucketConfiguration={"LocationConstraint": "ap-southeast-2"})
    yield "s3://extracted/sf"
    for item in client.list_objects_v2(Bucket="extracted").get("Contents", ()):
        client.delete_object(Bucket="extracted", Key=item["Key"])
    client.delete_bucket(Bucket="extracted")  # what moto holds is shared by all its servers
    server.stop()


def names(store: Store) -> list[str]:
    return sorted(name for table in tables(store) for name in table["Name"].to_pylist())


def tables(store: Store, kind: str | None = None) -> list[pa.Table]:
    """What has landed: whole records, or the patches of a kind."""
    found = []
    for entry in store.list("in"):
        file = pq.ParquetFile(io.BytesIO(store.read_bytes(entry.path)))
        patch = patch_of(file.metadata.metadata)
        if (patch and patch.kind) == kind:
            found.append(file.read())
    return found


def test_refreshes_deletions_and_ids(org: Any, server: Any, root: str, clock: Any) -> None:
    org.load("Account", accounts(20))
    run(server, root, "Account")
    gone = next(iter(expected(org, ACCOUNT)))
    org.purge("Account", gone)
    clock.advance(timedelta(days=1))
    done, store = one(run(server, root, "Account")), Store(root)
    assert (done.refreshed, done.deleted, done.error) == (19, 1, None)
    (notices,), (refreshed,) = tables(store, "deleted"), tables(store, "refresh")
    assert notices["Id"].to_pylist() == [gone] and refreshed.num_rows == 19
    with (
        client(server) as session,
        working(session, store, "run", pages_at_once=1, piece=1 << 16) as work,
        all_ids(work, session.describe("Account"), session.now()) as ids,
    ):
        assert sum(batch.num_rows for batch in ids.batches()) == 19
    left = [entry.path for entry in store.list("_extract") if "/_runs/" not in entry.path]
    assert left == ["_extract/Account.json", "_extract/Account/deleted.json", "_extract/Account/refresh.json"]


def test_killed_and_gone_on(org: Any, server: Any, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    org.load("Account", accounts(120))
    wanted = sorted(f"Account {n}" for n in range(120))
    for step in (7, 11, 12):
        store = Store(root)
        store._backend = Dying(store._backend, step, after=True, copies=True)  # type: ignore[assignment]
        with monkeypatch.context() as patched:
            patched.setattr(extractor.Store, "made", lambda _, store=store: store)
            with pytest.raises(Killed):
                run(server, root, "Account", since="start")
        done = one(run(server, root, "Account"))
        assert done.resumed and done.rows == 120
        store = Store(root)
        assert names(store) == wanted
        left = [entry.path for entry in store.list("_extract") if "/_runs/" not in entry.path]
        assert left == ["_extract/Account.json"]
        for entry in store.list():
            store.delete(entry.path)
