"""Requests and answers, as pydantic checks them and OpenAPI tells of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Generic, Literal, NotRequired, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from typing_extensions import TypedDict

from common.api.problems import Problem, of_validation
from rest_api.objects import KnownObject

Data = TypeVar("Data")
ID = r"^[0-9A-Za-z]{15}([0-9A-Za-z]{3})?$"
RecordId = Annotated[str, Field(pattern=ID, description="A record's Id: 15 or 18 characters.")]
Text = Annotated[str, Field(max_length=255)]
Required = Annotated[str, Field(min_length=1, max_length=255)]
Money = Annotated[float, Field(allow_inf_nan=False)]


class Envelope(BaseModel, Generic[Data]):
    """Every answer that is not a refusal."""

    success: Literal[True]
    data: Data
    timestamp: str


class Failure(BaseModel):
    """Every refusal."""

    success: Literal[False]
    error: str = Field(description="For a person: what is wrong, and with which field.")
    error_code: str = Field(description="For a program, such as NOT_FOUND.")
    timestamp: str


class Given(BaseModel):
    """Fields of a record; those of the mapping that are not named here may be given too."""

    model_config = ConfigDict(extra="allow", str_strip_whitespace=False)
    __pydantic_extra__: dict[str, JsonValue]

    def values(self) -> dict[str, Any]:
        """What was given, as Salesforce takes it."""
        return self.model_dump(mode="json", exclude_unset=True)


class _Account(Given):
    Phone: Annotated[str, Field(max_length=40)] | None = None
    Website: Text | None = None
    Industry: Text | None = None
    BillingCity: Annotated[str, Field(max_length=40)] | None = None
    BillingCountry: Annotated[str, Field(max_length=80)] | None = None


class NewAccount(_Account):
    """An account to be made."""

    Name: Required


class AccountChange(_Account):
    """What becomes different of an account."""

    Name: Required = ""


class _Contact(Given):
    FirstName: Annotated[str, Field(max_length=40)] | None = None
    Email: Annotated[str, Field(max_length=80)] | None = None
    Phone: Annotated[str, Field(max_length=40)] | None = None
    AccountId: RecordId | None = None


class NewContact(_Contact):
    """A contact to be made."""

    LastName: Annotated[str, Field(min_length=1, max_length=80)]


class ContactChange(_Contact):
    """What becomes different of a contact."""

    LastName: Annotated[str, Field(min_length=1, max_length=80)] = ""


class NewOpportunity(Given):
    """An opportunity to be made."""

    Name: Annotated[str, Field(min_length=1, max_length=120)]
    StageName: Required
    CloseDate: date
    Amount: Money | None = None
    AccountId: RecordId | None = None


class OpportunityChange(Given):
    """What becomes different of an opportunity."""

    Name: Annotated[str, Field(min_length=1, max_length=120)] = ""
    StageName: Required = ""
    CloseDate: date = date.min
    Amount: Money | None = None
    AccountId: RecordId | None = None


class AnyRecord(Given):
    """Fields of a record of any object that has a mapping."""


class AccountMade(BaseModel):
    """A new account."""

    record_id: str
    account_name: str


class ContactMade(BaseModel):
    """A new contact."""

    record_id: str
    contact_name: str


class OpportunityMade(BaseModel):
    """A new opportunity."""

    record_id: str
    opportunity_name: str
    amount: float | None


class Made(BaseModel):
    """A new record."""

    record_id: str


class Upserted(BaseModel):
    """A record that an upsert changed, or made."""

    record_id: str
    status: Literal["created", "updated"]


class Done(BaseModel):
    """What became of a record."""

    record_id: str
    status: Literal["updated", "deleted"]


class Ask(BaseModel):
    """A query, or the next page of one."""

    model_config = ConfigDict(extra="forbid")
    soql: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    cursor: Annotated[str, Field(min_length=1, max_length=4_000)] | None = None


class Account(TypedDict, total=False):
    """An account; other fields of the mapping where they were asked for."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    Id: str
    Name: str | None
    Phone: str | None
    Website: str | None
    Industry: str | None
    BillingCity: str | None
    BillingCountry: str | None
    CreatedDate: str | None


class Contact(TypedDict, total=False):
    """A contact; other fields of the mapping where they were asked for."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    Id: str
    FirstName: str | None
    LastName: str | None
    Email: str | None
    Phone: str | None
    AccountId: str | None
    CreatedDate: str | None


class Opportunity(TypedDict, total=False):
    """An opportunity; other fields of the mapping where they were asked for."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    Id: str
    Name: str | None
    Amount: float | None
    StageName: str | None
    CloseDate: str | None
    AccountId: str | None
    Probability: float | None
    CreatedDate: str | None


class Page(TypedDict):
    """Records of a query.

    Attributes:
        total_size: rows of the whole query.
        next_cursor: asks for the next page; not there at the end.
        limited_to: rows that the query was limited to, where it gave no LIMIT of its own and there may be more.
    """

    total_size: int
    done: bool
    records: list[dict[str, Any]]
    next_cursor: NotRequired[str]
    limited_to: NotRequired[int]


class Result(TypedDict):
    """What became of one record of a batch."""

    success: bool
    record_id: str | None
    error: str | None


class Batch(TypedDict):
    """What became of a batch."""

    total: int
    successful: int
    failed: int
    results: list[Result]


class Job(TypedDict):
    """A batch that Salesforce works off by itself.

    Attributes:
        results: once the job has ended, what became of its records; those that failed first.
    """

    job_id: str
    state: str
    total: NotRequired[int]
    processed: NotRequired[int]
    failed: NotRequired[int]
    error: NotRequired[str | None]
    results: NotRequired[list[Result]]


class Health(TypedDict):
    """Whether Salesforce can be reached."""

    status: Literal["healthy", "degraded"]
    salesforce_connected: bool
    function: NotRequired[str]
    version: NotRequired[str]
    error: NotRequired[str]


def checked(model: type[Given], given: dict[str, Any], one: KnownObject) -> dict[str, Any] | str:
    """The values of a record of a batch, or what is wrong with it."""
    try:
        values = model.model_validate(given).values()
        return dict(zip(one.must_know(values), values.values(), strict=True))
    except ValidationError as error:
        # as in a request, where `body` comes first
        return of_validation([{**found, "loc": ("body", *found["loc"])} for found in error.errors()]).message
    except Problem as problem:
        return problem.message
