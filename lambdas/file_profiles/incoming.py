"""A file that came in: which one, of which source, and the names that are made from it.

    <source>/<env>/<file>                                          where a sender puts it
    processed|error/<source>/<YYYY>/<MM>/<DD>/<HH>/<run>/<file>    where it goes, by the rules of the landing
    work/<run>/…                                                   what is kept while its rows are worked through

The run's name is made from what S3 says of this one upload: the same event again is the same run, and the same key
uploaded anew is another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from forceglue.landing.layout import Stage, hidden, kept_key, landed_key

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class IncomingFile:
    """One upload of one file.

    Attributes:
        run: the name of its run; also the correlation id.
        version: S3's id of this version; None where the bucket keeps none.
        size: bytes.
    """

    run: str
    bucket: str
    key: str
    etag: str
    version: str | None
    size: int
    source: str
    env: str
    file: str

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def rest(self) -> dict[str, str]:
        """How S3 is told which upload is meant."""
        return {"Bucket": self.bucket, "Key": self.key} | ({"VersionId": self.version} if self.version else {})

    def kept(self, stage: Stage, at: datetime) -> str:
        """The key that the file gets; the same whenever it is asked for."""
        return kept_key(stage, self.source, at, self.run, self.file)

    def work(self, kind: str, number: int) -> str:
        """A key below the run's own folder; `kind` is `rows`, `rejects` or `landed`."""
        return f"work/{self.run}/{kind}/{number}.jsonl"

    def landed(self, object_name: str, number: int) -> str:
        """The key of the landing that the rows of one part get."""
        stem = _UNFIT.sub("_", self.file.rpartition(".")[0] or self.file)[:100]
        return landed_key(object_name, self.run, f"{stem}-{number:05d}.jsonl", env=self.env)


def incoming(detail: Mapping[str, Any], env: str) -> IncomingFile | None:
    """The file of S3's event `Object Created`; None for a key that is no file of a source in this environment."""
    bucket, told = str(detail["bucket"]["name"]), detail["object"]
    parts = str(told["key"]).split("/")
    if len(parts) != 3 or not all(parts) or parts[1] != env or hidden(parts[2]):
        return None
    etag, version = str(told.get("etag") or "").strip('"'), told.get("version-id") or None
    upload = "\n".join(map(str, (bucket, told["key"], version or "", told.get("sequencer") or "", etag)))
    run = f"{_UNFIT.sub('-', parts[0])[:40]}-{sha256(upload.encode()).hexdigest()[:24]}"
    return IncomingFile(
        run, bucket, "/".join(parts), etag, version, int(told.get("size") or 0), parts[0], env, parts[2]
    )
