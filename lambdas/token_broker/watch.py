"""What the broker tells of itself, as metrics and log lines; alarms stand on the metrics."""

from __future__ import annotations

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from token_broker.record import Failure


class Watch:
    """Tells what happens. Nothing secret is handed to it."""

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        self._logger, self._metrics = logger, metrics

    def refreshed(self, fence: int, *, rotated: bool) -> None:
        """Salesforce gave a token, and it is stored."""
        self._count("TokenRefreshCount")
        self._logger.info("token refreshed", extra={"fence": fence, "rotated": rotated})

    def failed(self, failure: Failure) -> None:
        """Salesforce, or the way to it, gave none."""
        self._count("TokenRefreshFailed")
        more = {"code": failure.code, "count": failure.count, "passes": failure.passes}
        tell = self._logger.warning if failure.passes else self._logger.error
        tell("no token: %s", failure.said, extra=more)

    def refused(self, failure: Failure) -> None:
        """A caller was refused because of what a person has to mend; a refresh token in doubt is one of these."""
        self._count("CallerRefused")
        self._logger.error("a caller got no token: %s", failure.said, extra={"code": failure.code})

    def fenced_off(self, fence: int) -> None:
        """A token came so late that another holder had the lease: it is not stored."""
        self._count("LateHolder")
        self._logger.warning("a token that came after its lease was dropped", extra={"fence": fence})

    def in_doubt(self, failure: Failure) -> None:
        """It is not known whether a refresh token is spent. Told each time that it is met: the time to mend it runs."""
        self._count("RefreshTokenInDoubt")
        self._logger.critical("a person is needed: %s", failure.said, extra={"code": failure.code})

    def _count(self, name: str) -> None:
        self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
