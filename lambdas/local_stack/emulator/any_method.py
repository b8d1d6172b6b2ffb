"""An API may have one word for all methods of a path, which ministack passes over: it would answer 403 there."""

from __future__ import annotations

from typing import Any

from ministack.services import apigateway_v1

_SAID = "x-amazon-apigateway-any-method"


def apply() -> None:
    """Corrects it."""
    import_operation = apigateway_v1._import_operation

    def imported(api_id: str, resource_id: str, http_method: str, *more: Any) -> None:
        import_operation(api_id, resource_id, "ANY" if http_method == _SAID.upper() else http_method, *more)

    apigateway_v1._OPENAPI_HTTP_METHODS = frozenset({*apigateway_v1._OPENAPI_HTTP_METHODS, _SAID})
    apigateway_v1._import_operation = imported
