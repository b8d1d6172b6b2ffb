"""One ephemeral Great Expectations context for a run: suites, checkpoints and validation results of its mappings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import great_expectations as gx
from great_expectations.checkpoint.actions import ValidationAction
from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier
from great_expectations.expectations.expectation import Expectation as GxExpectation
from pyspark.sql import DataFrame, SparkSession

from forceglue.quality.data_docs.site import build_site, page_of
from forceglue.quality.expectations.engine import FedEngine, MetricKey
from forceglue.quality.expectations.redact import redact

_ABOUT_THE_FRAME = ("batch_parameters", "batch_markers", "active_batch_definition", "batch_spec")
# never COMPLETE: it collects every index and value on the driver
RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}


class GxSession:
    """Suites are validated one after another or at the same time; `build_docs` comes last."""

    def __init__(self, name: str, run_id: str, docs_folder: Path | None) -> None:
        self._lock = Lock()
        self._docs_folder = docs_folder
        # its pages read a name as a time where they can, and one such as …T221419Z-8493ad as a time 84 hours off UTC
        self._run = RunIdentifier(run_name=f"run-{run_id}", run_time=datetime.now(UTC))
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]  # GX takes a plain dict
        self._results: dict[str, tuple[ValidationResultIdentifier, ExpectationSuiteValidationResult]] = {}
        self._title = name

    def validate(
        self,
        suite_name: str,
        expectations: Sequence[GxExpectation],
        frame: DataFrame,
        *,
        has_rows: bool,
        known: Mapping[MetricKey, Any],
        action: ValidationAction | None,
    ) -> ExpectationSuiteValidationResult:
        """Run a suite as a checkpoint.

        Args:
            frame: the rows, or an empty frame of their schema with `has_rows=False`.
            known: metrics that need no computing.
        """
        actions = [action] if action is not None else []
        with self._lock:  # the stores and the list of data sources are shared
            context = self._context
            self._forget(suite_name)
            suite = context.suites.add(gx.ExpectationSuite(suite_name, expectations=list(expectations)))
            source = context.data_sources.add_spark(suite_name, persist=False)
            source.get_execution_engine()  # settles the arguments that GX compares before it takes the engine from here
            engine = FedEngine(spark=frame.sparkSession, has_rows=has_rows)
            engine.known = dict(known)
            source._execution_engine = engine  # noqa: SLF001  # GX offers no other way to bring an engine of one's own
            asset = source.add_dataframe_asset(suite_name)
            data = asset.add_batch_definition_whole_dataframe("written")
            definition = context.validation_definitions.add(
                gx.ValidationDefinition(name=suite_name, data=data, suite=suite)
            )
            checkpoint = context.checkpoints.add(
                gx.Checkpoint(
                    name=suite_name,
                    validation_definitions=[definition],
                    actions=actions,
                    result_format=RESULT_FORMAT,
                )
            )
        # what the store gives back is a copy from JSON, which does not know where to send
        checkpoint.actions[:] = actions
        ran = checkpoint.run(batch_parameters={"dataframe": frame}, run_id=self._run)
        ((key, result),) = ran.run_results.items()
        redact(result)
        result.results.sort(key=_place)
        # what GX notes of the batch is about its stand-in frame, and of no use to a reader
        meta: dict[str, Any] = {k: v for k, v in result.meta.items() if k not in _ABOUT_THE_FRAME}
        result.meta = {**meta, "batch_spec": {"data_asset_name": "rows to be written"}}
        with self._lock:
            self._context.validation_results_store.set(key, result)
            self._results[suite_name] = (key, result)
        return result

    def _forget(self, suite_name: str) -> None:
        """A mapping that is judged again is judged anew: its last judgement is the one that counts."""
        if suite_name not in self._results:
            return
        key, _ = self._results.pop(suite_name)
        self._context.checkpoints.delete(suite_name)
        self._context.validation_definitions.delete(suite_name)
        self._context.suites.delete(suite_name)
        self._context.data_sources.delete(suite_name)
        self._context.validation_results_store.remove_key(key)  # type: ignore[no-untyped-call]  # untyped in GX

    def empty_frame(self) -> DataFrame:
        """A stand-in for rows that nothing needs to look at."""
        return SparkSession.builder.getOrCreate().range(0)

    def build_docs(self) -> Path:
        """Build Data Docs of all suites validated so far; the path of its index page.

        The validation results themselves are kept beside the pages, as `results/<suite>.json`.
        """
        if self._docs_folder is None:
            raise ValueError("Data Docs need a folder: none was given to this run")
        with self._lock:
            kept = self._docs_folder / "results"
            kept.mkdir(parents=True, exist_ok=True)
            for name, (_, result) in self._results.items():
                text = json.dumps(result.to_json_dict(), indent=1, default=str)  # type: ignore[no-untyped-call]  # untyped in GX
                (kept / f"{name}.json").write_text(text, encoding="utf-8")
            return build_site(self._context, self._title, self._docs_folder, list(self.pages().values()))

    def pages(self) -> dict[str, Path]:
        """The page of every suite validated so far, relative to the folder of Data Docs."""
        return {name: page_of(key) for name, (key, _) in self._results.items()}


def _place(result: Any) -> tuple[int, int]:
    """Rules first, then expectations, in the order of the mapping."""
    config = result.expectation_config
    mark = ((config.meta or {}) if config is not None else {}).get("forceglue", {})
    return (1, mark["index"]) if "index" in mark else (0, mark.get("place", 0))
