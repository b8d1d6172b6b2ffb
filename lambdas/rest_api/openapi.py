"""The API's own description: OpenAPI 3.1 as Powertools makes it of the routes, and a page to try it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from rest_api.models import Failure
from rest_api.settings import VERSION

_REFUSALS = {
    400: "The request is wrong: what is told, with the field",
    403: "The caller has not the scope for it",
    404: "There is no such record or object",
    405: "The path does not take this method; `Allow` says which it takes",
    409: "It is there already, or under way",
    412: "The record was changed meanwhile",
    413: "The request is too large",
    415: "The request is not JSON",
    429: "The calls of the org are used up; `Retry-After` says when to come again",
    500: "Salesforce refuses the service, or an error of its own",
    503: "Salesforce is busy; `Retry-After` says when to come again",
    504: "Salesforce's answer was lost: the change may have been made",
}
_ABOUT = "Records, queries and batches of Salesforce. Answers come in an envelope; refusals name what is wrong."
_SWAGGER = ("swagger-ui-bundle.min.js", "swagger-ui.min.css")


def spec(app: APIGatewayRestResolver, base: str) -> dict[str, Any]:
    """The description; `base` is the path of the API's stage."""
    told: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(title="Salesforce REST API", version=VERSION, description=_ABOUT)
    )
    told["servers"] = [{"url": base or "/"}]
    schemas = told.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(unused, None)
    schemas["Failure"] = Failure.model_json_schema()
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    for operations in told["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            for status, words in _REFUSALS.items():
                operation["responses"].setdefault(str(status), {"description": words, "content": content})
    batch = told["paths"]["/batch/accounts"]["post"]["responses"]
    batch["202"] = {**batch["201"], "description": "More than 2,000 records: Salesforce works them off as a job"}
    return told


def page(told: dict[str, Any]) -> str:
    """Swagger UI with the description in it; it loads nothing from elsewhere."""
    from aws_lambda_powertools.event_handler import openapi
    from aws_lambda_powertools.event_handler.openapi.swagger_ui import generate_swagger_html

    folder = Path(openapi.__path__[0]) / "swagger_ui"
    script, style = ((folder / name).read_text("utf-8") for name in _SWAGGER)
    return generate_swagger_html(json.dumps(told).replace("</", "<\\/"), script, style, "", None, False)
