"""So much of S3 as the ingest of one large file uses, over a folder: ranges, copies within S3, sparse files that take no room.

A copy of more than 5 GB in one call is refused, as S3 does. What is sent and received is counted.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

GIB = 1 << 30
_CHUNK = 1 << 20


class SparseS3:
    """The buckets below a folder.

    Attributes:
        calls: how often each kind was asked for.
        sent, received: bytes of bodies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls, self.sent, self.received, self.url = folder, Counter[str](), 0, 0, ""
        self.parts: dict[str, int] = {}
        self.lock = threading.Lock()

    def etag(self, path: Path) -> str:
        facts = path.stat()
        return hashlib.md5(f"{facts.st_size}-{facts.st_mtime_ns}".encode()).hexdigest()


@contextmanager
def sparse_s3(folder: Path) -> Iterator[SparseS3]:
    """A running server."""
    s3 = SparseS3(folder)

    class Answering(_Answering):
        store = s3

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    s3.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield s3
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: SparseS3

    def log_message(self, *_: object) -> None:
        pass

    def _asked(self, kind: str) -> tuple[Path, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        with self.store.lock:
            self.store.calls[kind] += 1
        return self.store.folder / unquote(parts.path).lstrip("/"), parse_qs(parts.query, keep_blank_values=True)

    def _body(self) -> bytes:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.store.received += len(data)
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):  # a length, the bytes, and a sum behind them
            length, _, rest = data.partition(b"\r\n")
            return rest[: int(length.partition(b";")[0], 16)]
        return data

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.store.sent += len(body)

    def _missing(self) -> None:
        self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def _facts(self, path: Path) -> dict[str, str]:
        return {"ETag": f'"{self.store.etag(path)}"', "Last_Modified": "Mon, 06 May 2024 12:30:00 GMT"}

    def do_HEAD(self) -> None:
        path, _ = self._asked("HeadObject")
        if not path.is_file():
            return self._missing()
        return self._answer(200, Content_Length=str(path.stat().st_size), Accept_Ranges="bytes", **self._facts(path))

    def do_GET(self) -> None:
        path, _ = self._asked("GetObject")
        if not path.is_file():
            return self._missing()
        size = path.stat().st_size
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or size - 1), size - 1)
        self.send_response(206)
        for name, value in self._facts(path).items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(end - start + 1))
        self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self.end_headers()
        with path.open("rb") as stream:
            stream.seek(start)
            left = end - start + 1
            while left:
                data = stream.read(min(_CHUNK, left))
                self.wfile.write(data)
                left -= len(data)
                self.store.sent += len(data)
        return None

    def do_PUT(self) -> None:
        source = self.headers.get("x-amz-copy-source")
        path, query = self._asked(
            "UploadPartCopy" if "uploadId" in query_of(self) else "CopyObject" if source else "Put"
        )
        data = self._body()
        path.parent.mkdir(parents=True, exist_ok=True)
        if source is None:
            path.write_bytes(data)
            return self._answer(200, **self._facts(path))
        origin = self.store.folder / unquote(source).lstrip("/")
        if not origin.is_file():
            return self._missing()
        wanted = self.headers.get("x-amz-copy-source-if-match", "").strip('"')
        if wanted and wanted != self.store.etag(origin):
            return self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        told = self._facts(origin)["ETag"]
        if "uploadId" in query:
            first, _, last = self.headers["x-amz-copy-source-range"].removeprefix("bytes=").partition("-")
            with self.store.lock:
                self.store.parts[query["uploadId"][0]] += int(last) - int(first) + 1
                (self.store.folder / query["uploadId"][0]).write_text(str(origin))
            return self._answer(200, f"<CopyPartResult><ETag>{told}</ETag></CopyPartResult>".encode())
        if origin.stat().st_size > 5 * GIB:
            return self._answer(400, b"<Error><Code>InvalidRequest</Code><Message>too large</Message></Error>")
        os.link(origin, path)
        return self._answer(200, f"<CopyObjectResult><ETag>{told}</ETag></CopyObjectResult>".encode())

    def do_POST(self) -> None:
        path, query = self._asked("Multipart")
        self._body()
        if "uploads" in query:
            upload = f"upload-{len(self.store.parts)}"
            self.store.parts[upload] = 0
            said = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            return self._answer(200, said.encode())
        upload = query["uploadId"][0]
        origin = Path((self.store.folder / upload).read_text())
        assert self.store.parts[upload] == origin.stat().st_size  # every byte once
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(origin, path)
        return self._answer(200, b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>")

    def do_DELETE(self) -> None:
        path, _ = self._asked("DeleteObject")
        wanted = self.headers.get("If-Match", "").strip('"')
        if path.is_file() and wanted and wanted != self.store.etag(path):
            return self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        path.unlink(missing_ok=True)
        return self._answer(204)


def query_of(asked: BaseHTTPRequestHandler) -> dict[str, list[str]]:
    return parse_qs(urlsplit(asked.path).query, keep_blank_values=True)
