"""The `s3://` side of the store: boto3 lists, writes, copies and deletes; pyarrow reads in ranges.

pyarrow's S3 delete leaves an empty marker object for each folder, and it has no conditional write: hence two clients.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import pyarrow.fs

from forceglue.errors import LandingError, UsageError
from forceglue.landing.store import Entry, FileChanged, told

_ABSENT = {"404", "NoSuchKey", "NotFound"}
_TAKEN = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
_AT_ONCE, _PART = 256 << 20, 128 << 20
"""Bytes that one call copies, and of one part where a file has more."""
_REFUSED = {"403", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}


class S3Backend:
    """A bucket and a prefix. An endpoint of the environment (an emulator) is addressed by path."""

    def __init__(self, bucket: str, prefix: str) -> None:
        if not bucket:
            raise UsageError("the root s3:// names no bucket; write s3://bucket or s3://bucket/prefix.")
        import boto3
        from botocore.config import Config

        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        region = region or ("us-east-1" if endpoint else None)
        style = {"addressing_style": "path"} if endpoint else {}
        self._client: Any = boto3.client(
            "s3", endpoint_url=endpoint, region_name=region, config=Config(s3=style, max_pool_connections=32)
        )
        options: dict[str, str] = {"region": region or self._client.meta.region_name}
        if endpoint:
            parts = urlsplit(endpoint)
            options |= {"scheme": parts.scheme, "endpoint_override": parts.netloc}
        self._reader: Any = pyarrow.fs.S3FileSystem(**options)

    def uri(self, path: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{path}".rstrip("/")

    def entries(self, prefix: str, recursive: bool) -> list[Entry]:
        start = f"{self._prefix}{prefix}/" if prefix else self._prefix
        options = {} if recursive else {"Delimiter": "/"}
        found = []
        with self._told(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=start, **options
            ):
                items = (item for item in page.get("Contents", ()) if not item["Key"].endswith("/"))
                found += [self._entry(item["Key"], item["Size"], item) for item in items]
        return found

    def _entry(self, key: str, size: int, item: dict[str, Any]) -> Entry:
        return Entry(key[len(self._prefix) :], size, item["LastModified"].astimezone(UTC), item["ETag"].strip('"'))

    def stat(self, path: str) -> Entry | None:
        key = self._prefix + path
        try:
            with self._told(path):
                item = self._client.head_object(Bucket=self._bucket, Key=key)
        except FileNotFoundError:
            return None
        return self._entry(key, item["ContentLength"], item)

    def open_input(self, path: str) -> BinaryIO:
        with self._told(path):
            file = self._reader.open_input_file(f"{self._bucket}/{self._prefix}{path}")
            stream: BinaryIO = io.BufferedReader(_Reading(file, lambda: self.stat(path) is not None), 1 << 20)
            return stream

    def write_bytes(self, path: str, data: bytes, exclusive: bool) -> None:
        condition = {"IfNoneMatch": "*"} if exclusive else {}
        with self._told(path):
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + path, Body=data, **condition)

    @contextmanager
    def filled(self, path: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="forceglue-") as folder:
            temporary = Path(folder, "part")
            yield temporary
            with self._told(path):
                self._client.upload_file(
                    str(temporary), self._bucket, self._prefix + path
                )  # in parts where it is large

    def move(self, source: str, target: str, seen: Entry | None) -> None:
        origin = {"Bucket": self._bucket, "Key": self._prefix + source}
        with self._told(source):
            try:
                self._copy(origin, target, seen)
            except FileExistsError:  # how S3 says that a condition does not hold
                raise FileChanged(f"{self.uri(source)} was written anew since it was looked at") from None
            self._delete(origin, seen)

    def _copy(self, origin: dict[str, str], target: str, seen: Entry | None) -> None:
        """Within S3. One call copies at most 5 GB; what is large goes in parts, many at once."""
        place = {"Bucket": self._bucket, "Key": self._prefix + target}
        same = {} if seen is None else {"CopySourceIfMatch": f'"{seen.version}"'}
        with self._told(origin["Key"]):
            if seen is not None and seen.size <= _AT_ONCE:
                self._client.copy_object(CopySource=origin, **place, **same)
                return
            from boto3.s3.transfer import TransferConfig

            parts = TransferConfig(multipart_threshold=_AT_ONCE, multipart_chunksize=_PART)
            self._client.copy(origin, **place, ExtraArgs=same, Config=parts)

    def _delete(self, origin: dict[str, str], seen: Entry | None) -> None:
        """Deletes what was copied: what was written there meanwhile stays."""
        from botocore.exceptions import ClientError

        if seen is None:
            self._client.delete_object(**origin)
            return
        try:
            self._client.delete_object(**origin, IfMatch=f'"{seen.version}"')
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code == "NotImplemented":  # a store that knows no conditional delete
                self._client.delete_object(**origin)
            elif code not in _ABSENT | _TAKEN:
                raise

    def delete(self, path: str) -> None:
        with self._told(path):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + path)

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        where = self.uri(path)
        try:
            with told(where):
                yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _ABSENT:
                raise FileNotFoundError(f"{where} is not there") from error
            if code in _TAKEN:
                raise FileExistsError(f"{where} is there already") from error
            if code == "NoSuchBucket":
                raise LandingError(f"{where}: no bucket {self._bucket}; create it or give another root.") from error
            if code in _REFUSED:
                raise LandingError(
                    f"no permission at {where} ({code}): give the role s3:ListBucket on the bucket and s3:GetObject, "
                    f"s3:PutObject, s3:DeleteObject on its objects (and the use of its KMS key)."
                ) from error
            raise LandingError(f"{where} cannot be used: {error}; run again, or check the bucket.") from error
        except BotoCoreError as error:
            raise LandingError(
                f"{where} cannot be reached: {error}; check credentials, AWS_REGION and AWS_ENDPOINT_URL."
            ) from error


class _Reading(io.RawIOBase):
    """A file of pyarrow's, which has many errors for one that is deleted while it is open.

    Where S3's answer is longer than what was asked for, it even says that it failed by itself.
    """

    def __init__(self, file: Any, there: Callable[[], bool]) -> None:
        self._file, self._there = file, there

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        try:
            return int(self._file.readinto(buffer))
        except OSError as error:
            if self._there():
                raise
            raise FileNotFoundError("it is not there any more") from error

    def close(self) -> None:
        self._file.close()
        super().close()
