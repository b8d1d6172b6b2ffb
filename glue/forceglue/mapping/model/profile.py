"""A file profile: one source that is not Salesforce, from the bytes of its files to where each row goes.

What a mapping says too is spelled as there (`key`, `quality`, `on_cast_error`, `from`, `type`); words that only a
profile has are spelled as in its version 1 (`parserId`, `maxBytes`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from forceglue.mapping.model.base import Model
from forceglue.mapping.model.columns import Column
from forceglue.mapping.model.mapping import Names
from forceglue.mapping.model.quality import Quality, Severity

Parser = Literal["csv_pipe", "csv", "jsonl"]
Encoding = Literal["utf-8", "windows-1252", "iso-8859-1", "iso-8859-15"]
MOST_BYTES, MOST_ROWS = 5_000_000_000, 10_000_000
"""What S3 copies in one call; as many rows as one run of Step Functions is sensible for."""


class ProfileColumn(Column):
    """One column of a row: `from` a column of the file, or a constant `value`; with a `type`."""

    format: str | None = Field(
        None,
        description="How a date or timestamp is written, for example `MM/dd/yyyy`; without it: as ISO 8601 has it.",
    )

    @model_validator(mode="after")
    def _no_sql(self) -> ProfileColumn:
        if self.sql is not None:
            raise ValueError(
                "`sql` needs Spark, which no profile has; let the rows land (`landing`), and say it in their mapping"
            )
        return self


def _column(raw: Any) -> Any:
    if isinstance(raw, (bool, int, float)):
        said = str(raw).lower() if isinstance(raw, bool) else str(raw)
        raise ValueError(f'a plain value is the name of a column; a constant is written {{"value": {said}}}')
    return {"from": raw} if raw is None or isinstance(raw, str) else raw


ProfileColumnSpec = Annotated[ProfileColumn, BeforeValidator(_column)]


class Limits(Model):
    """What a file may be, and how fast its rows are worked through."""

    max_rows: int = Field(
        1_000_000, alias="maxRows", ge=1, le=MOST_ROWS, description="A file with more rows is set aside."
    )
    min_rows: int = Field(0, alias="minRows", ge=0, description="A file with fewer rows is set aside.")
    failure_share: float = Field(
        0.05,
        alias="failureShare",
        ge=0,
        le=1,
        description="The share of failed rows (0 to 1) above which the whole file counts as failed.",
    )
    concurrency: int = Field(
        40, ge=10, le=1000, multiple_of=10, description="So many row state machines run at a time, in tens."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Limits:
        if self.min_rows > self.max_rows:
            raise ValueError("minRows is more than maxRows: no file can meet both")
        return self


class Landing(Model):
    """Rows land as JSON lines, as if the object came from Salesforce: a mapping with this `source` loads them."""

    object: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$", description="The name of the object; `source` of its mapping."
    )


class FileProfile(Model):
    """One source: how its files are read, what a row is, what a good row is, and where rows go.

    Which words fit together is said by `forceglue.profiles.check`.
    """

    schema_: str | None = Field(None, alias="$schema", description="Where an editor finds this schema.")
    version: Literal[2] = Field(2, description="The version of the profile format.")
    description: str | None = Field(None, description="What the files hold, and who sends them.")
    grain: str | None = Field(None, description="What one row is.")
    parser: Parser = Field(
        alias="parserId", description="csv_pipe: `|` between values; csv: commas; jsonl: a JSON object a line."
    )
    encoding: Encoding = Field("utf-8", description="Of the text; with utf-8 a byte-order mark is passed over.")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="One character between the values, where the parser's is not it."
    )
    quote: str | None = Field(
        '"', min_length=1, max_length=1, description="Around values that hold a delimiter; null: none."
    )
    header: bool = Field(True, description="Whether the first line has the names of the columns.")
    fields: tuple[str, ...] = Field((), description="Without a header: the names of the file's columns, in order.")
    trim: bool = Field(False, description="Whether blanks around values are taken off.")
    null_values: tuple[str, ...] = Field(
        (), alias="nullValues", description="Texts that mean that there is no value, beside empty text."
    )
    max_bytes: int = Field(
        alias="maxBytes", ge=1, le=MOST_BYTES, description="A file with more bytes is set aside, and not read."
    )
    limits: Limits = Field(Limits(), description="What a file may be, and how fast it is worked through.")
    required_columns: tuple[str, ...] | None = Field(
        None,
        alias="requiredColumns",
        description="Columns that the file must have; default: all that `mappings` names.",
    )
    mappings: dict[str, ProfileColumnSpec] = Field(
        json_schema_extra={"minProperties": 1},
        description="Target column: column of the file; as `columns` of an object mapping.",
    )
    key: Names = Field((), description="The target columns that identify a row; none of them may be empty.")
    quality: Quality = Field(
        Quality(), description="Row rules by severity: `name: SQL predicate that good rows satisfy`."
    )
    on_cast_error: Severity = Field("quarantine", description="What becomes of a row with a value that does not cast.")
    row_machine: str | None = Field(
        None,
        alias="rowStateMachineArn",
        description="The standard state machine of Step Functions that each row is given to.",
    )
    landing: Landing | None = Field(None, description="Rows land for the main job, instead of a state machine.")

    @property
    def separator(self) -> str:
        """The character between values, of a CSV parser."""
        return self.delimiter or ("|" if self.parser == "csv_pipe" else ",")

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that a file must have."""
        if self.required_columns is not None:
            return self.required_columns
        return tuple(dict.fromkeys(c.source for c in self.mappings.values() if c.source is not None))
