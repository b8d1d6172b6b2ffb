"""Every problem code of the mapping language: what it means, why it comes, how to mend it.

`mappings/ERRORS.md` is made from this table (`python -m forceglue.mapping.codes FILE`).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Code:
    """One code: a title, the usual cause, the way to mend it.

    A warning is told, and stops nothing.
    """

    title: str
    cause: str
    mend: str
    warning: bool = False


CODES: dict[str, Code] = {
    "FG-YML-001": Code(
        "The file is no YAML",
        "A bracket, a quote or the indentation is not closed, or a value with `: ` or a special first character "
        "is not quoted.",
        "Look at the line named, and the one before it; quote the value.",
    ),
    "FG-YML-002": Code(
        "The file is empty",
        "There is nothing in the file but comments.",
        "Write the mapping, or delete the file.",
    ),
    "FG-YML-003": Code(
        "A key stands twice",
        "Two lines of one mapping have the same key; plain YAML would silently keep the last.",
        "Delete or rename one of them.",
    ),
    "FG-YML-004": Code(
        "A YAML tag",
        "`!!str`, `!name` and the like are not part of the language.",
        "Delete the tag; quote a value that must stay text.",
    ),
    "FG-YML-005": Code(
        "The file has no end",
        "An alias stands inside its own anchor, or aliases unfold to an enormous file.",
        "Write the part out instead of an alias.",
    ),
    "FG-YML-006": Code(
        "A key that is no word",
        "A key is a list or a mapping (`? [a]`, or `{{x}}` unquoted).",
        "Keys are plain words; quote a value that begins with `{` or `[`.",
    ),
    "FG-YML-007": Code(
        "A value that must be quoted",
        "Inside braces or brackets a comma ends a value: `{type: decimal(18,2)}` falls into two.",
        "Put double quotes around the whole value.",
    ),
    "FG-FIL-001": Code(
        "The file cannot be read",
        "No permission, or the file went away.",
        "Give the reader the right to read it.",
    ),
    "FG-FIL-002": Code(
        "Neither an object nor a dataset",
        "A mapping has `source` (a Salesforce object) or `from` (a table): this file has none of them, or both.",
        "Keep exactly one of `source` and `from`.",
    ),
    "FG-CAT-001": Code(
        "A catalog file cannot be used",
        "The JSON is broken, or not the shape of a Salesforce describe.",
        'Fetch the describe again, or mend the JSON: `{"name": …, "fields": [{"name": …}]}`.',
    ),
    "FG-PRM-001": Code(
        "A parameter without a value",
        "`${NAME}` stands in the file and nothing defines it.",
        "Define it under `params` of project.yaml or of the environment, or give `--param NAME=…`; a plain `${` "
        "is written `$${`.",
    ),
    "FG-PRM-002": Code(
        "A parameter that needs an environment",
        "`${NAME}` has a value only in an environment and none was chosen.",
        "Give `--env`, or `--param NAME=…`.",
    ),
    "FG-PRJ-001": Code(
        "A password in the project file",
        "The URL of a connection holds a user or a password; the file is in version control.",
        "Name a `secret`, or `user_env` and `password_env`.",
    ),
    "FG-MAP-001": Code(
        "An unknown key",
        "The language does not have this word at this place; most often a typo or a wrong indentation.",
        "Use one of the allowed words, or move the line to where it belongs.",
    ),
    "FG-MAP-002": Code(
        "A key is missing",
        "A word that must be there is not.",
        "Add it.",
    ),
    "FG-MAP-003": Code(
        "Another kind of value",
        "A list stands where a text belongs, a text where a mapping belongs, and so on.",
        "Write the value in the allowed form.",
    ),
    "FG-MAP-004": Code(
        "A word that is not among the allowed",
        "The key takes one of a few words.",
        "Use one of the allowed words.",
    ),
    "FG-MAP-005": Code(
        "A value out of bounds",
        "Too short, too long, too small, or not of the right form.",
        "Write a value within the bounds.",
    ),
    "FG-MAP-006": Code(
        "Words that contradict each other",
        "Each word is right by itself; together they make no sense.",
        "Keep one of them, as the message says.",
    ),
    "FG-MAP-010": Code(
        "Two mappings of one name",
        "Two files have the same `mapping`, which is also the name of the table.",
        "Rename one of them.",
    ),
    "FG-MAP-011": Code(
        "A column given twice",
        "Two blocks give the same column; case makes no difference.",
        "Take it out of one block (`except:` in an `all` block), or rename it (`named:`).",
    ),
    "FG-MAP-012": Code(
        "A column without a name",
        "The name of a column is empty.",
        "Name the column.",
    ),
    "FG-MAP-013": Code(
        "A pattern without `{name}`",
        "`named` would give every column the same name.",
        "Put `{name}` into the pattern.",
    ),
    "FG-MAP-014": Code(
        "Two inputs of one name",
        "A table is joined twice, or has the alias of another input.",
        "Give one of them another name with `as`.",
    ),
    "FG-MAP-015": Code(
        "A name that is a path",
        "The mapping's name becomes a folder under the warehouse root.",
        "Use a plain name.",
    ),
    "FG-MAP-016": Code(
        "A cycle",
        "Mappings read each other's tables in a circle, so that none can be first.",
        "Take one of the reads out, or move the shared columns to a third mapping.",
    ),
    "FG-REF-001": Code(
        "An unknown field",
        "The catalog knows the object, and it has no such field.",
        "Correct the name; if the field is new in Salesforce, refresh `catalog/<Object>.json`.",
    ),
    "FG-REF-002": Code(
        "An unknown lookup or input",
        "The part before the point is neither a lookup (object mapping) nor an input (dataset).",
        "Correct it, or add the lookup or join.",
    ),
    "FG-REF-003": Code(
        "An unknown column",
        "The table that is read does not have this column.",
        "Correct the name, or add the column to that table's mapping.",
    ),
    "FG-REF-004": Code(
        "A column of several inputs",
        "The name alone does not say which input is meant.",
        "Write `alias.column`.",
    ),
    "FG-REF-005": Code(
        "An unknown table or object",
        "No mapping makes this table, and nothing else that is known could.",
        "Correct the name, add a mapping for the object, or its describe to `catalog/`.",
    ),
    "FG-REF-006": Code(
        "An unknown input of `all`",
        "`all` takes the object itself (object mapping), or the table or alias of an input (dataset).",
        "Use one of the inputs.",
    ),
    "FG-REF-007": Code(
        "An unknown key, order or deleted column",
        "Rows are found by this column, and it is not there.",
        "Correct the name.",
    ),
    "FG-REF-008": Code(
        "An unknown column in `target`",
        "`track`, `partition_by` and `cluster_by` take columns of this mapping's own table.",
        "Use a column of the target.",
    ),
    "FG-REF-010": Code(
        "A field that nothing may read",
        "The field is under `never_read`, here or in project.yaml.",
        "Do not use it; or take it out of `never_read`, if it is no secret.",
    ),
    "FG-REF-011": Code(
        "A join that cannot be made",
        "`by` is empty, or uses an input that is joined later.",
        "Give the pairs of columns, and order the joins so that each sees what it needs.",
    ),
    "FG-REF-012": Code(
        "A lookup through a field that is no reference",
        "`by` holds the Id of the other record; describe says that this field is something else. It may hold Ids as "
        "text all the same.",
        "Take a reference field, or say under `key` by which field of the other object it is found.",
        warning=True,
    ),
    "FG-REF-013": Code(
        "A lookup into an object that the field does not point to",
        "The reference field holds Ids of other objects; nothing would ever be found.",
        "Take the field that points to the object, or look into the object that the field points to.",
    ),
    "FG-FLD-001": Code(
        "A compound field",
        "Address and location fields arrive in different forms from the two Salesforce APIs.",
        "Use the parts: `BillingStreet`, `BillingCity`, …",
    ),
    "FG-FLD-002": Code(
        "A formula field without a refresh policy",
        "When a formula's value changes, SystemModstamp does not: an incremental load never sees it.",
        "Say how often `forceglue extract` reads the formula fields of all records again: `refresh: daily`, `weekly`, "
        "`every_run` or `{every: 3 days}`; or `refresh: never` (values are as old as their record). In the mapping, or "
        "under `objects` of project.yaml.",
    ),
    "FG-FLD-003": Code(
        "A formula field under `also`",
        "`also` is for fields that behave like formulas and of which describe does not say so.",
        "Leave it out there: formula fields are refreshed without being named.",
        warning=True,
    ),
    "FG-TYP-001": Code(
        "An unknown type",
        "The type is no Spark SQL type for a single value.",
        "Use one of the allowed types.",
    ),
    "FG-TYP-002": Code(
        "A decimal out of bounds",
        "A decimal has up to 38 digits, and no more after the point than in all.",
        "Write `decimal(18,2)`, quoted inside braces.",
    ),
    "FG-TYP-003": Code(
        "A type that no value of the field fits",
        "The catalog knows the field's type, and a value of it never becomes one of the declared type: every row that "
        "has a value would be set aside.",
        "Take the type that the message names, or leave the type out: then it is text.",
    ),
    "FG-TYP-004": Code(
        "A type that may not hold every value of the field",
        "A text field is declared as a number, a date or a boolean; or the declared type has fewer digits than "
        "describe says. Rows with a value that does not fit are set aside (`on_cast_error`).",
        "Take the type that the message names; leave it, if no such value occurs.",
        warning=True,
    ),
    "FG-SQL-001": Code(
        "SQL that does not parse",
        "A bracket or an operator is missing, or it is more than one expression.",
        "Try the expression in any Spark SQL console as `SELECT <expression>`; quote unusual names with back-ticks.",
    ),
    "FG-SQL-002": Code(
        "SQL that reaches beyond its row",
        "Subqueries, aggregates, windows, generators, random values, the session and Java are refused: the same "
        "row must always give the same result.",
        "Use a lookup or a join for other tables, `expectations` for statements about many rows.",
    ),
    "FG-SQL-003": Code(
        "SQL that is no condition",
        "A rule or `where` must be true or false for each row.",
        "Compare the value with something: `amount >= 0`.",
    ),
    "FG-SQL-004": Code(
        "A function that Spark does not know",
        "An expression calls a function that is none of Spark SQL 3.5, which both Glue runtimes have.",
        "Correct the name; the nearest one is told. A function of your own cannot be called.",
    ),
    "FG-RUL-001": Code(
        "Two rules of one name",
        "Names of rules are unique in a mapping over all severities, and differ from the engine's own checks.",
        "Rename one of them.",
    ),
    "FG-RUL-002": Code(
        "A rule on an unknown column",
        "Rules see the columns of this mapping's own table, as they are spelled there (case does not matter), not "
        "the fields of the source.",
        "Use the column's name; add the column if it is not there.",
    ),
    "FG-RUL-003": Code(
        "A file is to be rejected where there is none",
        "Rules of severity `reject_file` set aside a whole landed file; a dataset is made of tables.",
        "Use `fail` or `quarantine`, or move the rule to the object mapping.",
    ),
    "FG-EXP-001": Code(
        "An unknown expectation",
        "Great Expectations has none of this name.",
        "Use its own name, for example `expect_column_values_to_not_be_null`.",
    ),
    "FG-EXP-002": Code(
        "An unknown argument",
        "The expectation does not take this argument.",
        "Use one of its arguments.",
    ),
    "FG-EXP-003": Code(
        "A missing argument",
        "The expectation cannot do without this argument.",
        "Add it.",
    ),
    "FG-EXP-004": Code(
        "An expectation on an unknown column",
        "The column is not in this mapping's own table.",
        "Use a column of the target.",
    ),
    "FG-DLV-001": Code(
        "A delivery name that cannot be used",
        "The name is absolute, leads out of the delivery root, or has another placeholder than `{now:…}`.",
        "Write a relative name, for example `Orders_{now:%Y-%m-%d}.csv`.",
    ),
    "FG-DLV-002": Code(
        "An unknown connection",
        "`connections` of project.yaml does not have it.",
        "Correct the name or define the connection.",
    ),
    "FG-DLV-003": Code(
        "An upsert without a key",
        "Nothing says by which columns rows of the database are matched.",
        "Give `key`, or another `write`.",
    ),
    "FG-DLV-004": Code(
        "A table name that is none",
        "Neither `table` nor `schema.table`.",
        "Correct the name.",
    ),
    "FG-DLV-005": Code(
        "Two deliveries to one place",
        "They would overwrite each other.",
        "Give one of them another name.",
    ),
    "FG-TGT-001": Code(
        "History without a key",
        "scd2 keeps a row a version of each key; this dataset has no key.",
        "Add `key`.",
    ),
    "FG-EXA-001": Code(
        "An unknown input in an example",
        "`given` takes the object, its lookups, or the tables and aliases of the dataset.",
        "Correct the name.",
    ),
    "FG-EXA-002": Code(
        "An unknown column in an example's input",
        "The input does not have it.",
        "Correct the name.",
    ),
    "FG-EXA-003": Code(
        "An unknown column in an example's result",
        "The target does not have it.",
        "Correct the name.",
    ),
    "FG-EXA-004": Code(
        "Two examples of one name",
        "Their results could not be told apart.",
        "Rename one of them.",
    ),
    "FG-EXA-005": Code(
        "An unknown rule in an example",
        "`rules` takes the names of rules.",
        "Correct the name.",
    ),
    "FG-PRO-001": Code(
        "The profile is no JSON",
        "A bracket, a comma or a quote is missing, or there is a comment: JSON has none.",
        "Look at the line named, and the one before it. An editor that knows JSON shows the place.",
    ),
    "FG-PRO-002": Code(
        "The profile is too large for SSM",
        "A parameter of the advanced tier holds 8 KB (8192 characters), and nothing larger exists.",
        "Leave out descriptions and blanks; split the source into two.",
    ),
    "FG-PRO-003": Code(
        "The profile needs the advanced tier of SSM",
        "A standard parameter holds 4 KB (4096 characters); an advanced one twice that, for a fee each month.",
        "Save it with `--tier Intelligent-Tiering`, or leave out descriptions and blanks.",
        warning=True,
    ),
    "FG-PRO-004": Code(
        "No ARN of a state machine",
        "`rowStateMachineArn` is the address of a standard state machine of Step Functions, without version, alias or "
        "execution.",
        "Copy the ARN from the machine's page: `arn:aws:states:<region>:<account>:stateMachine:<name>`.",
    ),
    "FG-PRO-005": Code(
        "A state machine that the file stack may not start",
        "The stack has the right to start machines whose names begin with its `RowMachinePrefix`, which is "
        "`<env>-file-row` unless it was deployed with another.",
        "Name the machine so, or deploy the stack with the prefix.",
        warning=True,
    ),
    "FG-PRO-006": Code(
        "The name of a source",
        "The name of the file is that of the source: it becomes a folder of the incoming bucket and part of the "
        "parameter's name.",
        "Name the file after the source: small letters, digits, `-` and `_`, `.json` at its end.",
    ),
    "FG-PRO-007": Code(
        "The stored profile is another",
        "What SSM holds is not what the file says, or SSM holds nothing: files are judged by what is stored.",
        "Save the file as the parameter, or bring the file up to date.",
        warning=True,
    ),
    "FG-PRO-008": Code(
        "A column that is not there",
        "`key` names columns of the row, as `mappings` calls them; `requiredColumns` and `from` names of the file's "
        "columns, which `fields` lists where there is no header.",
        "Correct the name; the nearest one is told.",
    ),
    "FG-PRO-009": Code(
        "A rule that needs Spark",
        "A profile's rules are judged without Spark: comparisons, `and`, `or`, `not`, `is null`, `in`, `between`, "
        "`like`, `rlike`, `+ - *`, `length`, `trim`, `upper`, `lower`, `coalesce`; like is compared with like.",
        "Write the rule with these, or let the rows land and put it into their mapping.",
    ),
    "FG-PRO-010": Code(
        "A format that no date has",
        "`format` is for columns of type date or timestamp, and is made of yyyy, yy, MM, M, dd, d, HH, H, mm, ss, "
        "SSS and what stands between them.",
        "Write it as `MM/dd/yyyy` or `dd.MM.yyyy HH:mm:ss`; quote plain letters: `yyyy-MM-dd'T'HH:mm`.",
    ),
    "FG-PRO-011": Code(
        "A constant that does not fit its type",
        "The `value` is the same in every row, so that every row would be set aside.",
        "Correct the value, or its type.",
    ),
    "FG-PRO-012": Code(
        "A column given twice",
        "Two names differ in case only, which neither a table nor a reader tells apart.",
        "Rename one of them.",
    ),
}

_ROOMS = {
    "YML": "YAML: the file itself",
    "FIL": "Files",
    "CAT": "The catalog",
    "PRM": "Parameters",
    "PRJ": "project.yaml",
    "MAP": "Words of the language",
    "REF": "References: what a mapping reads",
    "FLD": "Salesforce fields",
    "TYP": "Types",
    "SQL": "SQL expressions",
    "RUL": "Rules",
    "EXP": "Expectations",
    "DLV": "Deliveries",
    "TGT": "Targets",
    "EXA": "Examples",
    "PRO": "File profiles: what `forceglue profile-lint` tells",
}


def as_markdown() -> str:
    """The whole table as `mappings/ERRORS.md`."""
    lines = [
        "# What `forceglue check` tells, and how to mend it",
        "",
        "Made by `python -m forceglue.mapping.codes mappings/ERRORS.md`; a test keeps it fresh.",
        "A warning stops nothing.",
    ]
    room = ""
    for code, entry in CODES.items():
        if code.split("-")[1] != room:
            room = code.split("-")[1]
            lines += ["", f"## {_ROOMS[room]}"]
        lines += [
            "",
            f"### {code}: {entry.title}{' (warning)' if entry.warning else ''}",
            "",
            entry.cause,
            "",
            f"**Mend:** {entry.mend}",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_markdown(), encoding="utf-8")
