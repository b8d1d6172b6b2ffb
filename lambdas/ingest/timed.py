"""A store whose files are read for so long and no longer: a function must end before it is ended."""

from __future__ import annotations

import copy
import io
import time
from typing import BinaryIO

from forceglue.landing.store import Store

_BUFFER = 1 << 20


class OutOfTime(Exception):
    """A file takes longer to read than the function may run."""


class TimedStore(Store):
    """Reads of it end at a moment, by `time.monotonic`, with `OutOfTime`."""

    _until = float("inf")

    def ending(self, until: float) -> TimedStore:
        """The same store with a moment of its own."""
        other = copy.copy(self)
        other._until = until  # noqa: SLF001
        return other

    def open_input(self, path: str) -> BinaryIO:
        stream: BinaryIO = io.BufferedReader(_Ending(super().open_input(path), self._until), _BUFFER)
        return stream


class _Ending(io.RawIOBase):
    """Passes a stream through, up to a moment."""

    def __init__(self, inner: BinaryIO, until: float) -> None:
        self._inner, self._until = inner, until

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed asks for any buffer; BufferedReader gives this
        if time.monotonic() > self._until:
            raise OutOfTime
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()
