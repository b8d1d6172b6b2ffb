"""Objects of S3 as this task needs them: read from any byte on, written whole, copied, moved once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from botocore.exceptions import ClientError

from file_profiles.incoming import IncomingFile
from forceglue.profiles.reasons import FileReason, FileRefused

_CHUNK = 1 << 18
_GONE = {"404", "NoSuchKey", "NoSuchVersion", "NotFound", "412", "PreconditionFailed"}


class Objects:
    """Reads and writes.

    Args:
        s3: a client of S3.
    """

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def size(self, file: IncomingFile) -> int:
        """The bytes of the upload that the event told of.

        Raises:
            FileRefused: another one lies under its key now, or none.
        """
        try:
            found = self._s3.head_object(**file.rest)
        except ClientError as error:
            raise _refused(error) from None
        if file.etag and str(found["ETag"]).strip('"') != file.etag:
            raise _replaced()
        return int(found["ContentLength"])

    def chunks(self, file: IncomingFile, offset: int) -> Iterator[bytes]:
        """Its bytes from `offset` on, as they come; raises as `size`."""
        only = {"IfMatch": f'"{file.etag}"'} if file.etag else {}
        try:
            body = self._s3.get_object(**file.rest, **only, **({"Range": f"bytes={offset}-"} if offset else {}))["Body"]
        except ClientError as error:
            if _code(error) == "InvalidRange":  # the last part ended where the file does
                return
            raise _refused(error) from None
        with body:
            yield from body.iter_chunks(_CHUNK)

    def write(self, bucket: str, key: str, body: bytes | IO[bytes]) -> None:
        """Writes an object; what is there is replaced, so that doing it again does no harm."""
        self._s3.put_object(Bucket=bucket, Key=key, Body=body)

    def lines(self, bucket: str, key: str) -> Iterator[bytes]:
        """The lines of an object; none where there is no such object."""
        try:
            body = self._s3.get_object(Bucket=bucket, Key=key)["Body"]
        except self._s3.exceptions.NoSuchKey:
            return
        with body:
            yield from body.iter_lines()

    def there(self, bucket: str, key: str) -> bool:
        """Whether there is such an object."""
        return self._etag(bucket, key) is not None

    def copy(self, bucket: str, key: str, to_bucket: str, to_key: str) -> None:
        """Copies within S3; at most 5 GB."""
        self._s3.copy_object(Bucket=to_bucket, Key=to_key, CopySource={"Bucket": bucket, "Key": key})

    def move(self, file: IncomingFile, key: str) -> bool:
        """Moves the upload to another key of its bucket.

        Whoever was stopped between copy and delete ends it with the next call. What was uploaded to the same key since
        then is not touched.

        Returns:
            False where the upload is gone, and not by an earlier call.
        """
        there = self._etag(file.bucket, file.key)
        if there is None or (file.etag and there != file.etag and file.version is None):
            return self.there(file.bucket, key)
        try:
            self._s3.copy_object(Bucket=file.bucket, Key=key, CopySource=file.rest)
        except ClientError as error:
            if _code(error) not in _GONE:
                raise
            return False
        if not file.etag or there == file.etag:
            self._s3.delete_object(Bucket=file.bucket, Key=file.key)
        return True

    def _etag(self, bucket: str, key: str) -> str | None:
        try:
            return str(self._s3.head_object(Bucket=bucket, Key=key)["ETag"]).strip('"')
        except ClientError as error:
            if _code(error) not in _GONE:
                raise
            return None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _refused(error: ClientError) -> FileRefused | ClientError:
    return _replaced() if _code(error) in _GONE else error


def _replaced() -> FileRefused:
    return FileRefused(
        FileReason.REPLACED, "another upload took its place, or it was removed, before it was read whole"
    )
