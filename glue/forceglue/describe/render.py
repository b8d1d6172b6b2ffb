"""A made mapping as text: one line a column."""

from __future__ import annotations

import json
import re

from forceglue.describe.columns import MadeColumn, MadeMapping

_PLAIN = re.compile(r"[A-Za-z_]\w*(?:\([^,()]*\))?", re.ASCII)
_WORDS = frozenset({"null", "true", "false"})
REFRESH_HINT = "formula fields change without their record: never, every_run, daily, weekly or {every: 3 days}"
_PARAM = re.compile(r"\$(?=\{[A-Za-z_]\w*\})")


def mapping_text(made: MadeMapping, *, schema: bool) -> str:
    """The file of a mapping that nobody has touched.

    Args:
        schema: the first line names the JSON Schema, for editors.
    """
    lines = ["# yaml-language-server: $schema=../mapping.schema.json"] if schema else []
    lines += [
        f"# Made by `forceglue scaffold {made.source}`; made again, it keeps what you have changed.",
        f"mapping: {scalar(made.name)}",
        f"source: {scalar(made.source)}",
        *(word_line(word, value) for word, value in made.words.items()),
        *(f"# not read: {name} ({why})" for name, why in made.left_out.items()),
        "columns:",
        *(f"  {column_line(column)}" for column in made.columns),
    ]
    return "\n".join(lines) + "\n"


def word_line(word: str, value: str) -> str:
    """`refresh: daily  # …`."""
    line = f"{word}: {scalar(as_written(value))}"
    return f"{line}  # {REFRESH_HINT}" if word == "refresh" else line


def column_line(column: MadeColumn) -> str:
    """`amount: {from: Amount, type: "decimal(18,2)"}  # …`."""
    line = f"{scalar(column.name)}: {column_value(column)}"
    comment = comment_of(column)
    return f"{line}  # {comment}" if comment else line


def comment_of(column: MadeColumn) -> str | None:
    """What stands behind a column, without what YAML takes in no comment."""
    if not column.comment:
        return None
    return "".join(c for c in " ".join(column.comment.split()) if c.isprintable())


def column_value(column: MadeColumn) -> str:
    """What stands behind the column's name."""
    if column.type is None and column.description is None:
        return scalar(column.field)
    parts = [f"from: {scalar(column.field)}"]
    parts += [f"type: {scalar(column.type)}"] if column.type else []
    parts += [f"description: {quoted(as_written(column.description))}"] if column.description else []
    return f"{{{', '.join(parts)}}}"


def scalar(text: str) -> str:
    """A text as YAML, quoted where it must be."""
    return text if _PLAIN.fullmatch(text) and text not in _WORDS else quoted(text)


def quoted(text: str) -> str:
    """A text in double quotes, in one line."""
    told = json.dumps(" ".join(text.split()), ensure_ascii=False)
    # JSON leaves them as they are, and YAML does not
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in told)


def as_written(text: str) -> str:
    """A text of Salesforce as it stands in a mapping: `${NAME}` in it is no parameter."""
    return _PARAM.sub("$$", " ".join(text.split()))
