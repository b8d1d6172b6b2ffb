"""What is known about one file: its facts when it is fit to be loaded, or the reason why it is not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from forceglue.errors import ForceglueError
from forceglue.landing.patch import Patch

Format = Literal["parquet", "json", "csv"]


class Reason(StrEnum):
    """Why a file is rejected. The values are kept in reason files and reports: never rename one."""

    EMPTY = "empty"
    TOO_SMALL = "too_small"
    TOO_FEW_ROWS = "too_few_rows"
    UNREADABLE = "unreadable"
    WRONG_FORMAT = "wrong_format"
    FORMAT_NOT_ALLOWED = "format_not_allowed"
    ENCODING = "encoding"
    UNKNOWN_OBJECT = "unknown_object"
    OTHER_OBJECT = "other_object"
    KEY_MISSING = "key_missing"
    DUPLICATE_COLUMN = "duplicate_column"
    COLUMN_TYPE = "column_type"
    BLANK_COLUMN = "blank_column"
    TOO_MANY_CELLS = "too_many_cells"
    NOT_AN_OBJECT = "not_an_object"
    BAD_NAME = "bad_name"
    UNKNOWN_PATCH = "unknown_patch"
    GONE = "gone"


@dataclass(frozen=True)
class FileFacts:
    """A file that is fit to be loaded.

    Attributes:
        rows: records; the header is none.
        fields: `(name, type)` in file order. Parquet: the Spark SQL type of what is stored; besides,
            `string:json` is a nested value (to be read as JSON text), `timestamp_ns` a timestamp stored as INT64
            nanoseconds (Spark reads it only as a number), `void` a column of nulls without a type (stored as INT32).
            JSON and CSV: `string`; JSON names in order of first appearance over all lines.
        size: bytes.
        patch: what the file completes; None where it brings records whole.
    """

    format: Format
    rows: int
    fields: tuple[tuple[str, str], ...]
    size: int
    patch: Patch | None = None


class FileRejected(ForceglueError, ValueError):
    """One file is not fit to be loaded. The message never holds a cell's value.

    Attributes:
        code: one of `Reason`.
        message: what is wrong, where, and what to do.
    """

    def __init__(self, code: Reason, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code.value}: {message}")


@dataclass(frozen=True)
class RejectedFile:
    """A rejected file in a report.

    Attributes:
        path: where it lay, relative to the landing root.
        moved_to: where it lies now; None where it stayed (an export read in place).
        object: the Salesforce API name, if one is known.
    """

    path: str
    moved_to: str | None
    code: str
    message: str
    object: str | None = None
