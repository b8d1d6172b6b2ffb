"""One problem in a mapping file: where it is, what was found, what is allowed, what is near."""

from __future__ import annotations

from dataclasses import dataclass

from forceglue.mapping.codes import CODES

DocPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of the mapping files; `str()` gives one readable block.

    Attributes:
        code: a key of `forceglue.mapping.codes.CODES`; the docs explain each.
        file: the file, relative to the mappings folder.
        line: 1-based line in that file.
        path: the place in the document, for example `columns.amount.type`.
        message: what is wrong, in a sentence.
        found: what the file says there.
        allowed: what may stand there.
        nearest: the known name that is most like the found one.
    """

    code: str
    file: str
    line: int
    path: str
    message: str
    found: str | None = None
    allowed: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        lines = [f"{self.file}:{self.line}  {self.code}  {self.path or '(file)'}", f"    {self.message}"]
        lines += [f"    {label}: {text}" for label, text in self.details()]
        return "\n".join(lines)

    def details(self) -> tuple[tuple[str, str], ...]:
        """What the block adds below the message, as label and text."""
        given = (("found", self.found), ("allowed", self.allowed), ("did you mean", self.nearest), ("mend", self.mend))
        return tuple((label, text) for label, text in given if text)

    @property
    def mend(self) -> str:
        return CODES[self.code].mend

    @property
    def warning(self) -> bool:
        """Whether it is only told: nothing stops for it."""
        return CODES[self.code].warning

    def to_dict(self) -> dict[str, str | int | None]:
        return {
            "code": self.code,
            "level": "warning" if self.warning else "error",
            "file": self.file,
            "line": self.line,
            "path": self.path,
            "message": self.message,
            "found": self.found,
            "allowed": self.allowed,
            "nearest": self.nearest,
        }


def dotted(path: DocPath) -> str:
    """A document path as people write it: `expectations[0].on_failure`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "").replace("-", "").isalnum() or not text:
            text += f".{step}" if text else step
        else:
            text += f"[{step!r}]"
    return text


def shown(value: object, limit: int = 80) -> str:
    """A found value in one short line, as YAML would write it."""
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    if isinstance(value, dict):
        text = "a mapping with " + (", ".join(map(str, value)) or "no keys")
    elif isinstance(value, (list, tuple)):
        text = f"a list of {len(value)}"
    else:
        text = " ".join(str(value).split()) or '""'
    return text if len(text) <= limit else text[: limit - 1] + "…"


def in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """Without repeats, by file and line."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.path, p.code)))
