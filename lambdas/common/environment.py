"""Settings of a function, from its environment: every problem at once, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping

from forceglue.errors import UsageError


class Settings:
    """Reads variables and collects what is wrong with them.

    Args:
        environ: the variables.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def text(self, name: str, what: str, default: str | None = None) -> str:
        """A text; without a default it must be there. `what` says what it is, for whoever has to set it."""
        value = self._environ.get(name, "").strip() or default
        if value is None:
            self._problems.append(f"{name} is not set: {what}")
        return value or ""

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        """A number between two bounds, both allowed."""
        said = self._environ.get(name, "").strip()
        try:
            value = float(said) if said else default
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            self._problems.append(f"{name} is {said!r}, and is a number from {least:g} to {most:g}")
        return value

    def complain(self, problem: str) -> None:
        """A problem that the caller found."""
        self._problems.append(problem)

    def done(self) -> None:
        """Raises `UsageError` with every problem, if there is one."""
        if self._problems:
            told = "\n  ".join(self._problems)
            raise UsageError(f"the function's environment is not complete:\n  {told}")
