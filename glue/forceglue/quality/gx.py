"""The judge and the report of a run: real Great Expectations suites, fed with what the run counted.

Great Expectations takes seconds to import, so nothing of it is imported before a mapping has something to judge;
`prefetch` imports it in the background meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from forceglue.errors import JudgeError, UsageError
from forceglue.mapping.model.quality import Expectation
from forceglue.quality.actions import Dispatcher, FailedCheck, find_actions
from forceglue.quality.expectations.quiet import quiet
from forceglue.quality.outcomes import ExpectationOutcome, RuleOutcome

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation as GxExpectation
    from pyspark.sql import DataFrame

    from forceglue.quality.expectations.one_pass import OnePass
    from forceglue.quality.expectations.session import GxSession

__all__ = ["ExpectationOutcome", "RuleOutcome", "Validations", "one_pass", "prefetch"]


def _import() -> None:
    import forceglue.quality.expectations.session  # noqa: F401


_importing = Thread(target=_import, name="forceglue-gx-import", daemon=True)
_starting = Lock()


def prefetch() -> None:
    """Import Great Expectations in the background, while Spark works; a later import waits for it."""
    quiet()
    with _starting:
        if _importing.ident is None:
            _importing.start()


def _ready() -> None:
    """Before the first import of a module that needs Great Expectations: two threads must not import it at once."""
    quiet()
    if _importing.ident is not None:
        _importing.join()


def one_pass(frame: DataFrame, expectations: Sequence[Expectation]) -> OnePass:
    """The flags that the run's pass must count for these expectations. Starts no Spark job.

    Args:
        frame: of the schema of the rows that would be written; it is not read.
    """
    _ready()
    from forceglue.quality.expectations.one_pass import plan

    return plan(frame, expectations)


class Validations:
    """The judgements of one run, one suite a mapping. Its methods may be called from several threads.

    Args:
        docs_folder: where Data Docs are built (a local folder); None for none.
        on_failure: the team's own actions as `module:function`.

    Raises:
        UsageError: an action cannot be loaded.
    """

    def __init__(
        self, docs_folder: Path | None, project_name: str, *, run_id: str = "run", on_failure: Sequence[str] = ()
    ) -> None:
        self._docs_folder, self._project, self._run_id = docs_folder, project_name, run_id
        self._dispatcher = Dispatcher(find_actions(on_failure))
        self._lock = Lock()
        self._session: GxSession | None = None

    def validate(
        self,
        mapping: str,
        rules: Sequence[RuleOutcome],
        expectations: Sequence[Expectation],
        rows: Callable[[], DataFrame] | None,
        row_count: int,
        *,
        answers: OnePass | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> tuple[ExpectationOutcome, ...]:
        """Judge one mapping; the outcomes are in the order of its expectations.

        Args:
            rules: with the counts of the run; each becomes an expectation and is not computed again.
            rows: the rows that would be written, called only when an expectation needs more than was counted.
            row_count: rows that would be written.
            answers, counts: what `one_pass` gave for these expectations, and for each of its flags the number of
                rows, of those that would be written, where it is true. Without them everything is computed on `rows`.

        Raises:
            JudgeError: Great Expectations did not arrive at the counts that it was fed.
        """
        if not rules and not expectations:
            return ()
        _ready()
        from forceglue.quality.expectations.build import build
        from forceglue.quality.expectations.engine import ROW_COUNT, metric_key
        from forceglue.quality.expectations.rule import expectation_of, fed_metric
        from forceglue.quality.expectations.team_action import TeamAction

        suite: list[GxExpectation] = [expectation_of(rule, place) for place, rule in enumerate(rules)]
        refused: dict[int, str] = {}
        unbuilt: list[FailedCheck] = []
        for index, expectation in enumerate(expectations):
            try:
                suite.append(build(expectation, index))
            except UsageError as error:
                refused[index] = str(error)
                unbuilt.append(
                    FailedCheck("expectation", expectation.name, expectation.on_failure, None, None, str(error))
                )
        known = {metric_key(ROW_COUNT, {}, None): row_count, **dict(fed_metric(rule) for rule in rules)}
        session = self._started()
        needs_rows = bool(expectations) and (answers is None or answers.needs_rows)
        stand_in = session.empty_frame() if answers is None else answers.empty
        frame = rows() if needs_rows and rows is not None else stand_in
        if answers is not None:
            # without the rows uniqueness is asked of them by Great Expectations, refused, and told as an error
            unique = answers.count_unique(frame) if frame is not stand_in else None
            known.update(answers.known(row_count, counts or {}, unique))
        action = TeamAction(name="team", project=self._project, run_id=self._run_id, mapping=mapping)
        result = session.validate(
            mapping,
            suite,
            frame,
            has_rows=frame is not stand_in,
            known=known,
            action=action.to(self._dispatcher, unbuilt),
        )
        _agree(mapping, rules, result)
        return _outcomes(expectations, refused, result)

    def build_docs(self) -> Path | None:
        """Build Data Docs of everything judged so far; its index page, or None when there is none to build."""
        if self._docs_folder is None or self._session is None:
            return None
        return self._session.build_docs()

    def pages(self) -> dict[str, Path]:
        """The page of each mapping judged so far, relative to the folder of Data Docs."""
        return {} if self._session is None else self._session.pages()

    def action_problems(self) -> tuple[str, ...]:
        """Wait for the team's actions; one line for each that raised."""
        return self._dispatcher.problems()

    def _started(self) -> GxSession:
        from forceglue.quality.expectations.session import GxSession

        with self._lock:
            if self._session is None:
                self._session = GxSession(self._project, self._run_id, self._docs_folder)
            return self._session


def _agree(mapping: str, rules: Sequence[RuleOutcome], result: ExpectationSuiteValidationResult) -> None:
    """Every rule must have been judged, and by the counts of the run: else the report would say something else."""
    seen = {}
    for one in result.results:
        mark = _mark(one)
        if "rule" in mark:
            seen[mark["rule"]] = (one.result or {}).get("unexpected_count")
    wrong = [rule.name for rule in rules if seen.get(rule.name) != rule.failed]
    if wrong:
        raise JudgeError(mapping, wrong)


def _mark(result: ExpectationValidationResult) -> dict[str, object]:
    config = result.expectation_config
    mark: dict[str, object] = ((config.meta if config is not None else None) or {}).get("forceglue", {})
    return mark


def _outcomes(
    expectations: Sequence[Expectation], refused: Mapping[int, str], result: ExpectationSuiteValidationResult
) -> tuple[ExpectationOutcome, ...]:
    from forceglue.quality.expectations.redact import cause

    judged = {_mark(one).get("index"): one for one in result.results}
    told = []
    for index, asked in enumerate(expectations):
        one = judged.get(index)
        if one is None:
            why = refused.get(index, "Great Expectations returned no result for it")
            told.append(ExpectationOutcome(asked.name, asked.arguments, asked.on_failure, False, None, None, why))
            continue
        seen = one.result or {}
        error = cause(one)
        told.append(
            ExpectationOutcome(
                name=asked.name,
                arguments=asked.arguments,
                on_failure=asked.on_failure,
                success=bool(one.success) and error is None,
                observed=seen.get("observed_value"),
                unexpected_count=seen.get("unexpected_count"),
                error=error,
            )
        )
    return tuple(told)
