"""All segments of a plan, read one after the other; the plan on disk tells at each moment how far that is."""

from __future__ import annotations

from dataclasses import replace

from forceglue.errors import ExtractError
from forceglue.extract.bulk_read import BulkReader, BulkRefusedError
from forceglue.extract.few_read import FewReader, ForBulkError
from forceglue.extract.plan import Api, Plan, Segment, write_plan
from forceglue.extract.reading import TIMEOUT, SegmentRead, TimedOutError, Work
from forceglue.extract.rest_read import RestReader


class Segments:
    """Reads a plan. A query that takes Salesforce too long is halved, an object that Bulk refuses is read by REST.

    What REST is asked first because it may have few rows, and then has many, is read by Bulk.
    """

    def __init__(self, work: Work, plan: Plan) -> None:
        self._work, self._plan = work, plan
        self._notes: list[str] = []

    def read(self) -> tuple[Plan, list[SegmentRead], list[str]]:
        """The plan as it became, its segments in the order of time, and what a person should know.

        Raises:
            ExtractError: a query failed, or its rows are not proved.
            SalesforceError: a call is refused.
            StoppedError: the extract is to end.
        """
        done: list[SegmentRead] = []
        while len(done) < len(self._plan.segments):
            self._work.proceed()
            segment = self._plan.segments[len(done)]
            try:
                done.append(self._reader().read(segment))
            except ForBulkError as better:
                self._notes += [better.reason] if better.reason else []
                self._anew("bulk")
                done = []
            except TimedOutError as error:
                self._halve(segment, str(error))
            except BulkRefusedError as refused:
                self._notes.append(f"Bulk does not query it ({refused.reason}); read by REST")
                self._anew("rest")
                done = []
        return self._plan, done, self._notes

    def _reader(self) -> BulkReader | RestReader | FewReader:
        kind = FewReader if self._plan.few else BulkReader if self._plan.api == "bulk" else RestReader
        return kind(self._work, self._plan, self._keep)

    def _anew(self, api: Api) -> None:
        """The whole window, by this API."""
        self._set(replace(self._plan, api=api, few=False, segments=(Segment(self._free(), self._plan.window),)))

    def _keep(self, segment: Segment) -> None:
        self._set(self._plan.with_segment(segment))

    def _halve(self, segment: Segment, why: str) -> None:
        halves = segment.window.halves(self._plan.started) if self._plan.cursor else None
        if halves is None:
            raise ExtractError(
                f"{self._plan.object}: the query takes Salesforce too long ({why or TIMEOUT}), and its window cannot "
                "be narrowed; nothing has landed. Let the mapping name fewer fields (formula fields cost most), or "
                "ask Salesforce for an index."
            )
        both = [Segment(self._free() + at, half) for at, half in enumerate(halves)]
        before = [s for s in self._plan.segments if s.number != segment.number]
        at = next(at for at, other in enumerate(self._plan.segments) if other.number == segment.number)
        self._set(replace(self._plan, segments=(*before[:at], *both, *before[at:])))

    def _free(self) -> int:
        return 1 + max(segment.number for segment in self._plan.segments)

    def _set(self, plan: Plan) -> None:
        self._plan = plan
        write_plan(self._work.store, plan)
