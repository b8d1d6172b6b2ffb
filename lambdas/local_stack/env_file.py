"""`stack.env`: where everything is, for a shell (`. .local/stack.env`) and for programs that read `NAME=value`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

NAME = "stack.env"


def write(folder: Path, values: Mapping[str, str]) -> Path:
    """Writes the values and, as the last line, what hands them on to the programs that the shell starts."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
    lines.append(f"export {' '.join(values)}")
    path = folder / NAME
    part = folder / f".{NAME}"
    part.write_text("\n".join(lines) + "\n", "utf-8")
    # the credentials of an emulator are no secret, those of a server that was named may be
    part.chmod(0o600)
    part.replace(path)
    return path


def read(folder: Path) -> dict[str, str]:
    """The values; none where the stack is not up."""
    path = folder / NAME
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text("utf-8").splitlines() if not line.startswith("export "))
    return {name: shlex.split(value)[0] if value else "" for name, _, value in pairs}
