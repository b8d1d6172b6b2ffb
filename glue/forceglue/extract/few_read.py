"""A window of changes with few rows: one call of REST, where Bulk makes a job.

    the query fits a URL → its first page tells how many there are → few: they are read → else Bulk reads the window

The rows, their values and their proof are the same whichever reads them. What REST does not do, Bulk does, as if REST
had not been asked; only a token, the day's calls, a field that is gone and a busy org are the same for both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from forceglue.errors import ForceglueError, SalesforceBusyError, SalesforceError
from forceglue.extract.plan import Plan, Segment
from forceglue.extract.reading import SegmentRead, TimedOutError, UnprovedError, UnreadableError, Work
from forceglue.extract.rest_read import RestReader, TooManyError
from forceglue.salesforce.client import Salesforce

FEW_PAGES = 3
"""A Bulk job takes three calls (made, looked at, its result), more where it runs for seconds: so many pages are never
dearer. Of more, the first one is a call for nothing. A page has 2,000 rows, of wide rows or long texts fewer."""
LONGEST_URL = 6_000
"""Salesforce takes 16,384 bytes with the headers, many servers and proxies 8,192, of which a token may have 2,000."""


class ForBulkError(ForceglueError):
    """Bulk is to read the window.

    Attributes:
        reason: what a person should know; empty where there are just too many rows.
    """

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        super().__init__(reason)


def may_be_few(org: Salesforce, plan: Plan) -> bool:
    """Whether REST is worth asking: not for a reading of all records, nor for a query that makes too long a URL."""
    if plan.api != "bulk" or plan.whole:
        return False
    return len(org.query_path(plan.query(plan.window), deleted=True)) <= LONGEST_URL


@dataclass(frozen=True)
class FewReader:
    """Reads the one segment of a plan that is `few`; as `bulk_read.BulkReader`."""

    work: Work
    plan: Plan
    keep: Callable[[Segment], None]

    def read(self, segment: Segment) -> SegmentRead:
        """Reads the window, if its rows are few.

        Raises:
            ForBulkError: they are not, or REST does not read them.
            SalesforceError: a field is gone, or a call failed for a reason that Bulk would meet too.
            StoppedError: the extract is to end.
        """
        try:
            return RestReader(self.work, self.plan, self.keep, FEW_PAGES).read(segment)
        except TooManyError:
            raise ForBulkError from None
        except (UnreadableError, UnprovedError) as error:
            raise ForBulkError(_told(error.reason)) from error
        except TimedOutError as error:
            raise ForBulkError(_told(str(error))) from error
        except SalesforceError as error:
            if not _may_be_better(error):
                raise
            said = ": ".join(filter(None, (error.code, error.reason)))
            raise ForBulkError(_told(said or "no answer came whole")) from error


def _may_be_better(error: SalesforceError) -> bool:
    """Whether Bulk may read what REST does not: it is refused, or no answer comes that is whole."""
    if isinstance(error, SalesforceBusyError):
        return error.status == 0
    return type(error) is SalesforceError and error.code != "INVALID_FIELD"


def _told(why: str) -> str:
    return f"REST did not read its changes ({why.rstrip('.')}), Bulk did"
