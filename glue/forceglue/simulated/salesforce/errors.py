"""An answer that refuses: Salesforce's code, its text, and the HTTP status that goes with them."""

from __future__ import annotations

from typing import Any

from forceglue.errors import ForceglueError


class ApiError(ForceglueError, ValueError):
    """What a client did wrong, as Salesforce tells it.

    Attributes:
        code: such as `INVALID_FIELD`.
        message: Salesforce's text.
        fields: the fields that are to blame; None where Salesforce sends no such list.
        status: the HTTP status of a call that ends with it.
    """

    def __init__(self, code: str, message: str, fields: tuple[str, ...] | None = None, status: int = 400) -> None:
        self.code, self.message, self.fields, self.status = code, message, fields, status
        super().__init__(f"{code}: {message}")

    def shown(self) -> list[dict[str, Any]]:
        """The body of the answer: a list of one error."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return [error if self.fields is None else error | {"fields": list(self.fields)}]

    def of_record(self) -> dict[str, Any]:
        """The error inside the answer to one record of many."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields or ())}


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    """Nothing is at that address."""
    return ApiError("NOT_FOUND", message, status=404)
