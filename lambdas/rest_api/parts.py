"""What an instance of the function keeps between calls: its settings, the org, the services."""

from __future__ import annotations

import os
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from common.aws import client
from common.connecting import way_in
from common.telling import Telling
from forceglue.salesforce.budget import Budget
from forceglue.salesforce.client import Salesforce
from forceglue.salesforce.retry import Pace
from forceglue.salesforce.session import Web
from forceglue.salesforce.sign_in import sign_in
from rest_api import objects
from rest_api.batches import BatchService
from rest_api.queries import QueryService
from rest_api.records import RecordService
from rest_api.settings import ApiSettings, api_settings

if TYPE_CHECKING:
    from common.sealed import Sealer

PACE = Pace(tries=2, factor=0.2, jitter=0.2, most=2.0)
"""API Gateway waits 29 seconds: what is busy for longer is the caller's to try again."""
_CONNECT, _READ = 3.0, 20.0
_FORGETS = 30.0
"""Seconds after which a token is asked for again where there was none to be had."""
_QUICK = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})


class Parts:
    """Made once in an instance; what needs Salesforce or AWS is made when it is first used."""

    def __init__(self, settings: ApiSettings, telling: Telling) -> None:
        from common.audit import Audit

        self.settings, self._telling = settings, telling
        known = objects.load(Path(settings.objects) if settings.objects else objects.COMPILED, settings.personal)
        audit = Audit(client("sqs", _QUICK), settings.audit_queue, self._audit_lost)
        self.objects = known
        self.records = RecordService(lambda: self._org, known, audit)
        self.batches = BatchService(lambda: self._org, known, audit)
        self.queries = QueryService(lambda: self._org, known, lambda: self.sealer, settings.query_rows)

    @cached_property
    def _org(self) -> Salesforce:
        connection = way_in(os.environ)
        web = Web(timeout=_READ, connect=_CONNECT)
        way = sign_in(connection, web, PACE, forgets=_FORGETS)
        # the budget never stops a call here: Salesforce itself says when its limit is reached, and when it no longer is
        unbounded = Budget(share=float("inf"))
        return Salesforce(connection, budget=unbounded, pace=PACE, sign_in_by=way, web=web)

    @cached_property
    def sealer(self) -> Sealer:
        # cryptography is needed by queries of several pages alone
        from common.sealed import Sealer

        return Sealer(client("kms"), self.settings.state_key)

    def probe(self) -> None:
        """Raises what a call to Salesforce raises."""
        self._org.transport.call("GET", self._org.path("limits"))

    def _audit_lost(self, body: str, why: str) -> None:
        self._telling.logger.error("the audit's queue did not take entries", extra={"entries": body, "why": why})
        self._telling.metrics.add_metric(name="AuditNotQueued", unit="Count", value=1)


@cache
def parts(telling: Any) -> Parts:
    """The parts of this instance."""
    return Parts(api_settings(os.environ), telling)
