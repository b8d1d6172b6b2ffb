"""The ASGI side: bytes to calls, answers to bytes. Starlette reads requests and routes; uvicorn has the sockets."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from forceglue.simulated.salesforce.http import Answer, Call, Slice

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from forceglue.simulated.salesforce.desk import Desk

_CHUNK = 1 << 20
_WORTH_ZIPPING = 1_024


class App:
    """Answers for one desk; calls run in threads, so that a long one holds up no other."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        raw = scope.get("raw_path", scope["path"].encode()).decode("ascii", "replace").partition("?")[0]
        text = scope["query_string"].decode("latin-1")
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = dict(parse_qsl(text, keep_blank_values=True))
        sent = await request.body()
        if headers.get("content-encoding") == "gzip":
            sent = gzip.decompress(sent)
        base = f"{scope['scheme']}://{headers.get('host', '')}"
        call = Call(scope["method"], raw.rstrip("/") or "/", query, headers, sent, base=base)
        for rule in self._desk.faults.struck(call, "slow"):
            await asyncio.sleep(rule.number)
        answer = await run_in_threadpool(self._desk.answer, call, url_size=len(raw) + len(text) + bool(text))
        self._desk.usage.note(call.method, call.path, answer.status)
        await self._send(call, answer, send)
        for rule in self._desk.faults.struck(call, "act"):
            if rule.action is not None:
                await run_in_threadpool(rule.action)

    async def _send(self, call: Call, answer: Answer, send: Send) -> None:
        for rule in self._desk.faults.struck(call, "count"):
            if count := answer.headers.get("Sforce-NumberOfRecords"):
                answer.headers["Sforce-NumberOfRecords"] = str(int(count) + int(rule.number))
        lost = {name for rule in self._desk.faults.struck(call, "strip") for name in rule.names}
        cut = next((int(rule.number) for rule in self._desk.faults.struck(call, "cut")), None)
        content = answer.content() if answer.file is None else answer.file
        zips = self._desk.gzip and "gzip" in call.headers.get("accept-encoding", "")
        if zips and size_of(content) > _WORTH_ZIPPING:
            content = await run_in_threadpool(_zipped, content)
            answer.headers["Content-Encoding"] = "gzip"
        size = size_of(content)
        shown = {
            "Content-Type": answer.type,
            "Date": format_datetime(self._desk.org.at(), usegmt=True),
            **answer.headers,
        }
        if answer.status != 204:
            shown["Content-Length"] = str(size)
        told = [(name.encode(), value.encode()) for name, value in shown.items() if name.lower() not in lost]
        await send({"type": "http.response.start", "status": answer.status, "headers": told})
        if call.method == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        left = size if cut is None else min(cut, size)
        if cut is not None and left < size:
            await _send_body(content, left, send, whole=False)
            return  # uvicorn closes a connection whose body is not whole
        await _send_body(content, left, send, whole=True)


def size_of(content: bytes | Slice) -> int:
    """Bytes of a body."""
    return content.size if isinstance(content, Slice) else len(content)


async def _send_body(content: bytes | Slice, left: int, send: Send, *, whole: bool) -> None:
    if isinstance(content, bytes):
        await send({"type": "http.response.body", "body": content[:left], "more_body": not whole})
        return
    head = content.head[:left]
    await send({"type": "http.response.body", "body": head, "more_body": True})
    left -= len(head)
    with content.path.open("rb") as stream:
        stream.seek(content.start)
        while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
            left -= len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if whole:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _zipped(content: bytes | Slice) -> bytes | Slice:
    """The body compressed: quick, not small. A part of a file is kept beside it for whoever asks again."""
    if isinstance(content, bytes):
        return gzip.compress(content, compresslevel=1)
    beside = content.path.with_name(f"{content.path.name}.{content.start}-{content.end}.gz")
    if not beside.exists():
        packer = zlib.compressobj(1, wbits=31)
        part = beside.with_name(f"{beside.name}.{id(packer)}")
        with content.path.open("rb") as stream, part.open("wb") as out:
            out.write(packer.compress(content.head))
            stream.seek(content.start)
            left = content.end - content.start
            while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
                left -= len(chunk)
                out.write(packer.compress(chunk))
            out.write(packer.flush())
        part.replace(beside)
    return Slice(beside, 0, beside.stat().st_size)
