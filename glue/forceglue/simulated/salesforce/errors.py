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
        others: what else is wrong with the same record.
    """

    def __init__(
        self,
        code: str,
        message: str,
        fields: tuple[str, ...] | None = None,
        status: int = 400,
        others: tuple[ApiError, ...] = (),
    ) -> None:
        self.code, self.message, self.fields, self.status, self.others = code, message, fields, status, others
        super().__init__(f"{code}: {message}")

    @classmethod
    def all_of(cls, found: list[ApiError]) -> ApiError:
        """Several errors of one record as one."""
        first = found[0]
        return cls(first.code, first.message, first.fields, first.status, tuple(found[1:]))

    def shown(self) -> list[dict[str, Any]]:
        """The body of the answer: a list of errors."""
        told = []
        for one in (self, *self.others):
            error: dict[str, Any] = {"message": one.message, "errorCode": one.code}
            told.append(error if one.fields is None else error | {"fields": list(one.fields)})
        return told

    def of_record(self) -> list[dict[str, Any]]:
        """The errors inside the answer to one record of many."""
        return [
            {"statusCode": one.code, "message": one.message, "fields": list(one.fields or ())}
            for one in (self, *self.others)
        ]

    def of_row(self) -> str:
        """The error in a row of a Bulk job's failed results."""
        return f"{self.code}:{self.message}:{','.join(self.fields or ())} --"


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    """Nothing is at that address."""
    return ApiError("NOT_FOUND", message, status=404)
