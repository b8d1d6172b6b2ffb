"""Why a file or a row is set aside. The values are kept in files and events: never rename one."""

from __future__ import annotations

from enum import StrEnum

from forceglue.errors import ForceglueError


class FileReason(StrEnum):
    """Why a whole file is set aside."""

    NO_PROFILE = "no_profile"
    BAD_PROFILE = "bad_profile"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_FEW_ROWS = "too_few_rows"
    TOO_MANY_FAILURES = "too_many_failures"
    WRONG_FORMAT = "wrong_format"
    ENCODING = "encoding"
    COLUMN_MISSING = "column_missing"
    DUPLICATE_COLUMN = "duplicate_column"
    BLANK_COLUMN = "blank_column"
    RULE_BROKEN = "rule_broken"
    REPLACED = "replaced"


class RowReason(StrEnum):
    """Why one row is set aside."""

    MALFORMED = "malformed"
    ENCODING = "encoding"
    CELL_COUNT = "cell_count"
    TOO_LARGE = "too_large"
    COLUMN_MISSING = "column_missing"
    KEY_MISSING = "key_missing"
    CAST = "cast"
    RULE = "rule"
    ROW_MACHINE = "row_machine"


class FileRefused(ForceglueError, ValueError):
    """A file is set aside as a whole. The message holds no value of it.

    Attributes:
        code: one of `FileReason`.
        message: what is wrong, where, and what to do.
    """

    def __init__(self, code: FileReason, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code.value}: {message}")
