"""What a SOQL query says, before anybody knows whether its objects and fields exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["ASC", "DESC"]
Nulls = Literal["FIRST", "LAST"]


@dataclass(frozen=True)
class Path:
    """A field, or a field of a record that it points to: `Account.Owner.Name`.

    Attributes:
        at: where it stands in the query's text.
    """

    text: str
    at: int

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.text.split("."))


@dataclass(frozen=True)
class Call:
    """A function of a field: `COUNT(Id)`, `DAY_ONLY(CreatedDate)`; `COUNT()` has no field."""

    function: str
    path: Path | None
    at: int
    more: int = 0


Operand = Path | Call


@dataclass(frozen=True)
class Given:
    """A value as it is written.

    Attributes:
        kind: `text`, `number`, `date`, `datetime`, or `word` for null, true, TODAY, LAST_N_DAYS:3, ...
        text: what it says; a text without its quotes and escapes.
    """

    kind: str
    text: str
    at: int


@dataclass(frozen=True)
class Compared:
    """`operand operator value`; the operator may be LIKE."""

    operand: Operand
    operator: str
    value: Given


@dataclass(frozen=True)
class Within:
    """`IN` and `NOT IN`: a list of values, or a query."""

    operand: Operand
    members: tuple[Given, ...] | Query
    negated: bool


@dataclass(frozen=True)
class Includes:
    """`INCLUDES` and `EXCLUDES` of multi-select picklists."""

    operand: Operand
    members: tuple[Given, ...]
    negated: bool


@dataclass(frozen=True)
class AllOf:
    """AND."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """OR."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class NoneOf:
    """NOT."""

    part: Condition


Condition = Compared | Within | Includes | AllOf | AnyOf | NoneOf


@dataclass(frozen=True)
class Item:
    """A field or function that is selected, and its name in the answer where one is given."""

    operand: Operand
    alias: str | None = None


@dataclass(frozen=True)
class FieldsOf:
    """`FIELDS(ALL)`, `FIELDS(STANDARD)`, `FIELDS(CUSTOM)`."""

    which: str
    at: int


@dataclass(frozen=True)
class Children:
    """A query in brackets among the fields: records that point to this one. `query.target` is the relationship."""

    query: Query
    at: int


@dataclass(frozen=True)
class TypeOf:
    """`TYPEOF … WHEN …`; what it chooses is not kept."""

    at: int


@dataclass(frozen=True)
class Ordered:
    """One key of ORDER BY."""

    operand: Operand
    direction: Direction = "ASC"
    nulls: Nulls = "FIRST"


@dataclass(frozen=True)
class Query:
    """A whole query.

    Attributes:
        text: as it was sent, for messages.
        words: of USING SCOPE, WITH and FOR, in capitals: `("FOR", "VIEW")`.
    """

    text: str
    items: tuple[Item | FieldsOf | Children | TypeOf, ...]
    target: Path
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Operand, ...] = ()
    having: Condition | None = None
    order: tuple[Ordered, ...] = ()
    limit: int | None = None
    offset: int | None = None
    all_rows: bool = False
    words: tuple[tuple[str, str], ...] = ()
