"""The main job with all three roots in S3: Spark's own client and delta-rs against a server on the loopback interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import deltalake
import pytest
from moto.server import ThreadedMotoServer

from e2e.org import ACCOUNT, only, record
from forceglue.run.report import MappingReport, RunReport

pytestmark = pytest.mark.slow  # Hadoop's S3 client is 280 MB that no other test needs
REGION = "ap-southeast-2"
ALL = "mapping: All\nfrom: account\ncolumns: {id: id, name: name}\nkey: id\ndeliver: [csv: {file: all.csv}]\n"


class Lake:
    """A bucket with the three roots in it; each run is a process of its own, as on a machine of its own."""

    def __init__(self, client: Any, env: dict[str, str], mappings: Path) -> None:
        self.client, self.env, self.mappings = client, env, mappings

    def land(self, execution: str, rows: list[dict[str, Any]]) -> None:
        lines = "\n".join(json.dumps(row) for row in rows)
        key = f"landing/in/dev-Salesforce-Account/{execution}/part.json"
        self.client.put_object(Bucket="lake", Key=key, Body=lines.encode())

    def run(self) -> RunReport:
        roots = [f"--{name}=s3://lake/{name}" for name in ("landing", "warehouse", "delivery")]
        program = "from forceglue.cli.main import main; main()"
        command = [sys.executable, "-c", program, "run", "--json", "--quick", *roots]
        done = subprocess.run(
            [*command, f"--mappings={self.mappings}"], env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return RunReport.from_json(done.stdout.encode())

    def keys(self, prefix: str) -> list[str]:
        return [o["Key"] for o in self.client.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", ())]

    def table(self) -> list[tuple[str, str]]:
        options = {"AWS_ENDPOINT_URL": self.env["AWS_ENDPOINT_URL"], "AWS_ALLOW_HTTP": "true", "AWS_REGION": REGION}
        options |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        found = deltalake.DeltaTable("s3://lake/warehouse/account", storage_options=options)
        return sorted((row["id"], row["name"]) for row in found.to_pyarrow_table().to_pylist())


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        env = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip
        client = boto3.client(
            "s3", region_name=REGION, endpoint_url=env["AWS_ENDPOINT_URL"],
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip
        client.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
        (tmp_path / "project.yaml").write_text("version: 1\nname: small\n")
        (tmp_path / "account.yaml").write_text(ACCOUNT + "quality: {quarantine: {named: name is not null}}\n")
        (tmp_path / "all.yaml").write_text(ALL)
        yield Lake(client, {**os.environ, **env}, tmp_path)
    finally:
        server.stop()


def counts(report: RunReport, name: str = "account") -> tuple[str, int, int, int]:
    found: MappingReport = only(report, name)
    return found.status, found.landed, found.written, found.quarantined


def test_a_load_an_hour_and_nothing_new(lake: Lake) -> None:
    lake.land("e1", [record("A", 1, Name="a1"), record("B", 1, Name="b1"), record("Q", 1)])
    assert counts(lake.run()) == ("written", 3, 2, 1)
    lake.land("e2", [record("A", 2, Name="a2"), record("C", 2, Name="c2")])
    report = lake.run()
    assert counts(report) == ("written", 2, 2, 0)
    assert counts(report, "All") == ("written", 3, 3, 0)
    assert lake.table() == [("A", "a2"), ("B", "b1"), ("C", "c2")]
    delivered = lake.client.get_object(Bucket="lake", Key="delivery/all.csv")["Body"].read().decode()
    assert sorted(delivered.splitlines()) == ["A,a2", "B,b1", "C,c2", "id,name"]
    assert {m.status for m in lake.run().mappings} == {"unchanged"}
    assert lake.keys("landing/in/") == []
    assert lake.keys("warehouse/_staging/") == []
    assert lake.keys("delivery/") == ["delivery/all.csv"]
