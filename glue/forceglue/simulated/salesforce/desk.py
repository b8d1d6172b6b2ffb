"""Everything that answers calls to one org, and the way from an address to what answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.routing import compile_path

from forceglue.simulated.salesforce.errors import ApiError, not_found
from forceglue.simulated.salesforce.faults import Faults
from forceglue.simulated.salesforce.http import VERSIONS, Answer, Call, refused
from forceglue.simulated.salesforce.oauth import OAuth, bearer
from forceglue.simulated.salesforce.query import Queries
from forceglue.simulated.salesforce.usage import Usage

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.org import Org

Handler = Callable[["Desk", Call], Answer]
Routes = Sequence[tuple[str, str, Handler]]
"""Methods (`GET,PATCH`), a path after `/services/data/vXX.0` with `{name}` for its parts, and what answers."""

_ROOT = "/services/data"
_LONGEST_URL = 16_384


class Desk:
    """Answers calls, with no network around.

    Attributes:
        failures: faults of the simulated org itself, which answered a call or ended a job; there should be none.
        versions: the API versions spoken.
        gzip: whether answers are compressed for clients that accept it.
    """

    def __init__(self, org: Org) -> None:
        from forceglue.simulated.salesforce import (
            routes_bulk,
            routes_composite,
            routes_meta,
            routes_query,
            routes_records,
        )
        from forceglue.simulated.salesforce.bulk_ingest import BulkIngest
        from forceglue.simulated.salesforce.bulk_query import BulkQuery

        self.org, self.faults, self.usage = org, Faults(), Usage()
        self.versions, self.gzip = VERSIONS, True
        self.failures: list[BaseException] = []
        self.queries, self.oauth = Queries(org), OAuth(org)
        self.bulk_query = BulkQuery(org, self.faults, self.failures)
        self.bulk_ingest = BulkIngest(org, self.failures)
        modules: Iterable[Routes] = (
            routes_meta.ROUTES,
            routes_query.ROUTES,
            routes_bulk.ROUTES,
            routes_composite.ROUTES,
            routes_records.ROUTES,
        )
        self._routes = [
            (set(methods.split(",")), compile_path(path)[0], handler)
            for routes in modules
            for methods, path, handler in routes
        ]

    def close(self) -> None:
        """Ends what runs in the background."""
        self.bulk_query.close()
        self.bulk_ingest.close()

    def answer(self, call: Call, *, url_size: int = 0) -> Answer:
        """The answer to a call from outside, faults included, its errors told as Salesforce tells them."""
        try:
            if url_size > _LONGEST_URL:
                raise ApiError("URI_TOO_LONG", "The URI of the request is too long", status=414)
            for rule in self.faults.struck(call, "refuse"):
                if rule.answer is not None:
                    return rule.answer()
            if call.path.startswith("/services/oauth2/"):
                return self._oauth(call)
            if call.path == _ROOT:
                self._only(call, "GET")
                return routes_versions(self.versions)
            if not call.path.startswith(f"{_ROOT}/v"):
                raise not_found()
            call.session = self.org.access.use(bearer(call))
            self.usage.count()
            answer = self.inside(call)
        except ApiError as error:
            answer = refused(error)
        except Exception as error:  # noqa: BLE001 - a client must be answered; whoever ends the server is told
            self.failures.append(error)
            answer = refused(ApiError("UNKNOWN_EXCEPTION", "An unexpected error occurred.", status=500))
        if call.session is not None:
            answer.headers["Sforce-Limit-Info"] = self.usage.header
        return answer

    def inside(self, call: Call) -> Answer:
        """The answer to a call whose session is known: from outside, or a part of a composite call.

        Raises:
            ApiError: the call is refused.
        """
        version, slash, rest = call.path.removeprefix(f"{_ROOT}/v").partition("/")
        if version not in self.versions:
            raise not_found()
        call.version, rest = version, slash + rest
        allowed: set[str] = set()
        for methods, pattern, handler in self._routes:
            if found := pattern.match(rest):
                if call.method in methods or (call.method == "HEAD" and "GET" in methods):
                    call.at = {name: unquote(part) for name, part in found.groupdict().items()}
                    return handler(self, call)
                allowed |= methods
        if allowed:
            self._only(call, *sorted(allowed))
        raise not_found()

    @staticmethod
    def _only(call: Call, *allowed: str) -> None:
        if call.method not in (*allowed, "HEAD"):
            raise ApiError(
                "METHOD_NOT_ALLOWED",
                f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(['HEAD', *allowed])}",
                status=405,
            )

    def _oauth(self, call: Call) -> Answer:
        offered = {
            "token": (self.oauth.token, ("POST",)),
            "revoke": (self.oauth.revoke, ("GET", "POST")),
            "introspect": (self.oauth.introspect, ("POST",)),
            "userinfo": (self.oauth.userinfo, ("GET", "POST")),
        }
        found = offered.get(call.path.rpartition("/")[2])
        if found is None:
            raise not_found()
        handler, methods = found
        self._only(call, *methods)
        return handler(call)


def routes_versions(versions: Iterable[str]) -> Answer:
    """`GET /services/data`: the API versions, for anybody."""
    from forceglue.simulated.salesforce.http import version_label

    told = [{"label": version_label(v), "url": f"{_ROOT}/v{v}", "version": v} for v in versions]
    return Answer(200, told)
