"""The one tree of errors.

Every error derives from the nearest builtin, carries its facts as attributes and ends with what to do next.
`TransientError` may be tried again as it is; everything else needs a person or another input.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forceglue.run.report import ExpectationResult, RuleCount


class ForceglueError(Exception):
    """Base of every error that this package raises on purpose."""


class TransientError(ForceglueError):
    """Something that another try may mend (another run's commit, a busy store)."""


class UsageError(ForceglueError, ValueError):
    """The call itself is wrong: an unknown mapping, a root that is not there. Exit code 2."""


class SetupError(ForceglueError, RuntimeError):
    """The machine lacks something the Spark side needs (a Java, a JAR, the network once). Exit code 2."""


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


class SalesforceError(ForceglueError, RuntimeError):
    """Salesforce refuses a call for good; no token and no secret is in the message.

    Attributes:
        code: Salesforce's own (`INVALID_FIELD`), or the HTTP status as text where it gave none.
        status: the HTTP status; 0 where there was no answer.
        reason: Salesforce's own words.
        fields: the fields that are to blame, where it names them.
    """

    def __init__(
        self, message: str, *, code: str = "", status: int = 0, reason: str = "", fields: tuple[str, ...] = ()
    ) -> None:
        self.code, self.status, self.reason, self.fields = code, status, reason, fields
        super().__init__(message)


class SignInError(SalesforceError):
    """Salesforce, or the token broker, gives no token."""


class AnswerLostError(SignInError):
    """A refresh token was sent, and nothing tells whether it is spent: it must never be sent again."""


class SalesforceBusyError(SalesforceError, TransientError):
    """Salesforce, or the way to it, failed in a way that passes, and went on failing through every try."""


class OutcomeUnknownError(SalesforceError):
    """A change was sent and its answer was lost: it may have been made, and is not sent a second time."""


class LimitReachedError(SalesforceError, TransientError):
    """The day's calls are used up, wholly or to the share that may be used; what is done so far is kept.

    Attributes:
        used, allowed: calls of the last 24 hours, and how many there may be; None where Salesforce did not say.
    """

    def __init__(self, message: str, *, code: str = "", used: int | None = None, allowed: int | None = None) -> None:
        self.used, self.allowed = used, allowed
        super().__init__(message, code=code)


class ExtractError(ForceglueError, RuntimeError):
    """An object that could not be read whole, or whose rows are not proved; nothing of it has landed."""


class ReconcileError(ForceglueError, RuntimeError):
    """An object cannot be compared with its table."""


class GateStopped(ForceglueError):
    """A `fail` rule or a batch-level expectation stopped a mapping before anything was written.

    Attributes:
        mapping: the mapping's name.
        stopping: `{rule or expectation: rows that failed}`.
        rules, expectations: everything that was judged, for the report.
        held: rows that wait for the next run.
    """

    def __init__(
        self,
        mapping: str,
        stopping: dict[str, int],
        rules: tuple[RuleCount, ...] = (),
        expectations: tuple[ExpectationResult, ...] = (),
        held: int = 0,
    ) -> None:
        self.mapping, self.stopping, self.rules, self.expectations, self.held = (
            mapping,
            stopping,
            rules,
            expectations,
            held,
        )
        told = ", ".join(f"{name} ({failed} rows)" for name, failed in stopping.items())
        super().__init__(
            f"{mapping}: stopped by {told}; nothing was written. "
            f"See the rows with `forceglue preview {mapping}`, mend the data or the rule, and run again."
        )


class BalanceError(ForceglueError, RuntimeError):
    """Rows in and rows out of a mapping do not add up; nothing was committed."""


class ConcurrentRunError(TransientError, RuntimeError):
    """Another run committed to the same table first."""


class JudgeError(ForceglueError, RuntimeError):
    """Great Expectations did not arrive at the counts of the run; no verdict about the data follows from it.

    Attributes:
        mapping: the mapping's name.
        rules: the rules that were not judged by their counts.
    """

    def __init__(self, mapping: str, rules: list[str]) -> None:
        self.mapping, self.rules = mapping, tuple(rules)
        super().__init__(
            f"{mapping}: Great Expectations did not judge {', '.join(rules)} by the counts of the run; nothing was "
            "written. This is a fault of forceglue or of another version of Great Expectations, not of the data: "
            "install the versions that forceglue asks for, and report it."
        )


class DataDocsError(ForceglueError, OSError):
    """Data Docs that were not built whole; what was judged and written stands.

    Attributes:
        folder: the folder of the site.
        missing: the pages that are not there, relative to it.
        because: what went wrong in rendering and where in the code; no message, which may quote values.
    """

    def __init__(self, folder: Path, missing: list[Path], because: list[str] | None = None) -> None:
        self.folder, self.missing, self.because = folder, tuple(missing), tuple(because or ())
        why = f" ({'; '.join(self.because)})" if self.because else ""
        super().__init__(
            f"{folder}: Data Docs were built without {', '.join(map(str, missing))}{why}. Verdicts and tables stand; "
            "see that the folder can be written, and build them again with the next run."
        )


class PositionError(ForceglueError, RuntimeError):
    """A table holds a position whose manifest cannot be read; nothing is guessed."""


class DeliveryError(ForceglueError, RuntimeError):
    """A delivery that could not be made; what readers see is what they saw before.

    Attributes:
        target: the file, folder or table.
        reason: what went wrong, without any value of the data.
    """

    def __init__(self, target: str, reason: str, remedy: str) -> None:
        self.target, self.reason = target, reason
        super().__init__(f"{target}: {reason}; nothing was delivered. {remedy[:1].upper()}{remedy[1:]}.")
