"""One call as the services see it: its transaction, who calls, and what the audit is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.api.callers import Caller
from common.api.transaction import Transaction
from common.audit import Entry, changed, masked
from rest_api.objects import KnownObject


@dataclass(frozen=True)
class Asking:
    """One call."""

    transaction: Transaction
    caller: Caller

    def entry(
        self,
        verb: str,
        one: KnownObject,
        record_id: str,
        before: Mapping[str, Any] = {},
        after: Mapping[str, Any] = {},
    ) -> Entry:
        """The audit's entry of a change: the fields that differ, those with personal data masked."""
        old, new = changed(before, after)
        return Entry(
            f"{verb}_{one.name.upper()}",
            one.name,
            record_id,
            self.caller.id,
            self.transaction.application_label,
            self.transaction.correlation_id,
            masked(old, one.personal),
            masked(new, one.personal),
        )
