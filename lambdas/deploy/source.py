"""What the Glue job reads: `job.py`, the wheel and the mappings, below a prefix of the source bucket.

The mappings there are exactly those here: files that are gone here go there too, after the new ones have come. Wheels
of other versions stay, since a stack that is rolled back names one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.artefacts import Artefact
from deploy.templates import ROOT

WHEELS = ROOT / "out" / "wheel"
# connections that boto3's client keeps
_AT_ONCE = 10


@dataclass(frozen=True)
class Source:
    """Files of this machine.

    Attributes:
        mappings: the folder of the mappings.
        job: the entry script.
        wheels: the folder with the one wheel that was built.
    """

    mappings: Path = ROOT / "mappings"
    job: Path = ROOT / "glue" / "job.py"
    wheels: Path = WHEELS

    def problems(self, version: str) -> Iterator[str]:
        """What is not there; `version` is the one that the stack will ask for."""
        wheel = self.wheels / f"forceglue-{version}-py3-none-any.whl"
        if not wheel.is_file():
            yield f"glue: {wheel} is not there; `make package` makes it, or ForceglueVersion is another version's"
        if not (self.mappings / "project.yaml").is_file():
            yield f"glue: {self.mappings} holds no mappings: there is no project.yaml in it"

    def artefacts(self, prefix: str) -> list[Artefact]:
        """Every file with its key."""
        found = [Artefact(f"{prefix}job.py", self.job.read_bytes())]
        found += [Artefact(f"{prefix}{wheel.name}", wheel.read_bytes()) for wheel in sorted(self.wheels.glob("*.whl"))]
        for path in sorted(self.mappings.rglob("*")):
            inner = path.relative_to(self.mappings)
            if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in inner.parts):
                found.append(Artefact(f"{prefix}mappings/{inner.as_posix()}", path.read_bytes()))
        return found


def put(s3: Any, bucket: str, files: list[Artefact]) -> int:
    """Sends what is not there with the same content, side by side; how many were sent."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(pool.map(lambda file: _put(s3, bucket, file), files))


def _put(s3: Any, bucket: str, file: Artefact) -> bool:
    digest = hashlib.sha256(file.data).hexdigest()
    if _stored(s3, bucket, file.key) == digest:
        return False
    s3.put_object(Bucket=bucket, Key=file.key, Body=file.data, Metadata={"sha256": digest})
    return True


def _stored(s3: Any, bucket: str, key: str) -> str | None:
    from botocore.exceptions import ClientError

    try:
        found: str | None = s3.head_object(Bucket=bucket, Key=key)["Metadata"].get("sha256")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return found


def remove_others(s3: Any, bucket: str, prefix: str, kept: set[str]) -> int:
    """Removes every object below the prefix that is not one of `kept`; how many there were."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    gone = [one["Key"] for page in pages for one in page.get("Contents", []) if one["Key"] not in kept]
    for start in range(0, len(gone), 1000):
        keys = [{"Key": key} for key in gone[start : start + 1000]]
        said = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        if errors := said.get("Errors"):
            raise OSError(f"{bucket}: {len(errors)} files were not removed, {errors[0]['Key']}: {errors[0]['Message']}")
    return len(gone)
