"""The one tree of errors.

Every error derives from the nearest builtin, carries its facts as attributes and ends with what to do next.
`TransientError` may be tried again as it is; everything else needs a person or another input.
"""

from __future__ import annotations


class ForceglueError(Exception):
    """Base of every error that this package raises on purpose."""


class TransientError(ForceglueError):
    """Something that another try may mend (another run's commit, a busy store)."""


class UsageError(ForceglueError, ValueError):
    """The call itself is wrong: an unknown mapping, a root that is not there. Exit code 2."""


class MappingErrors(ForceglueError, ValueError):
    """All problems found in all mapping files at once. Exit code 2.

    Attributes:
        problems: every problem, in the order of files and lines (`forceglue.mapping.problems.Problem`).
    """

    def __init__(self, problems: tuple[object, ...]) -> None:
        self.problems = problems
        noun = "problem" if len(problems) == 1 else "problems"
        super().__init__("\n".join([f"{len(problems)} {noun} in the mappings", *(str(p) for p in problems)]))


class LandingError(ForceglueError, OSError):
    """A landing area that cannot be read or written."""


class GateStopped(ForceglueError):
    """A `fail` rule or a batch-level expectation stopped a mapping before anything was written.

    Attributes:
        mapping: the mapping's name.
        rules: `{rule name: rows that failed}`.
    """

    def __init__(self, mapping: str, rules: dict[str, int]) -> None:
        self.mapping, self.rules = mapping, rules
        told = ", ".join(f"{name} ({failed} rows)" for name, failed in rules.items())
        super().__init__(
            f"{mapping}: stopped by {told}; nothing was written. "
            f"See the rows with `forceglue preview {mapping}`, mend the data or the rule, and run again."
        )


class BalanceError(ForceglueError, RuntimeError):
    """Rows in and rows out of a mapping do not add up; nothing was committed."""


class ConcurrentRunError(TransientError, RuntimeError):
    """Another run committed to the same table first."""
