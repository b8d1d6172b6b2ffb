"""The JSON Schemas that give an editor completion and hover text; made from the models.

`python -m forceglue.mapping.schema DIR` writes mapping.schema.json, project.schema.json and profile_v2.schema.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from forceglue.mapping.model import DatasetMapping, ObjectMapping, ProjectSettings
from forceglue.mapping.model.profile import FileProfile

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string"}
_SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}


def mapping_schema() -> Schema:
    """The schema of a mapping file: an object (`source`) or a dataset (`from`), with every short form."""
    definitions: Schema = {}
    for model in (ObjectMapping, DatasetMapping):
        schema = model.model_json_schema(by_alias=True)
        definitions |= schema.pop("$defs", {})
        definitions[model.__name__] = schema
    _short_forms(definitions)
    return {
        "$schema": _DIALECT,
        "title": "A mapping of forceglue",
        "description": "One Salesforce object (`source`) or one dataset (`from`). See mappings/README.md.",
        "if": {"required": ["from"]},
        "then": {"$ref": "#/$defs/DatasetMapping"},
        "else": {"$ref": "#/$defs/ObjectMapping"},
        "$defs": _tidy(dict(sorted(definitions.items()))),
    }


def project_schema() -> Schema:
    """The schema of project.yaml."""
    schema = ProjectSettings.model_json_schema(by_alias=True)
    for definition in schema["$defs"].values():
        _names_or_one(definition, ("key",))
    for values in (schema["properties"], schema["$defs"]["Environment"]["properties"]):
        values["params"]["additionalProperties"] = {"type": ["string", "number", "boolean"]}
    schema["title"] = "The project file of forceglue"
    tidy: Schema = _tidy(schema)
    return {"$schema": _DIALECT, **tidy}


def profile_schema() -> Schema:
    """The schema of a file profile, version 2."""
    schema = FileProfile.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    column = definitions["ProfileColumn"]
    del column["properties"]["sql"]
    column["description"] = _first_line(column)
    column["properties"]["from"]["description"] = "A column of the file."
    column["properties"]["type"]["description"] = "A Spark SQL type, as in a mapping; without it: text as it was sent."
    schema["properties"]["mappings"]["additionalProperties"] = {
        "description": "A column of the file; `null`: nothing feeds it; or more in braces.",
        "anyOf": [_TEXT, {"type": "null"}, {"$ref": "#/$defs/ProfileColumn"}],
    }
    schema["properties"]["quote"]["type"] = ["string", "null"]
    _rules_in_short(definitions)
    _names_or_one(schema, ("key",))
    schema["description"] = "Files of one source that is not Salesforce. See mappings/profiles/README.md."
    schema["title"] = "A file profile of forceglue"
    tidy: Schema = _tidy(schema)
    return {"$schema": _DIALECT, **tidy, "oneOf": [{"required": ["rowStateMachineArn"]}, {"required": ["landing"]}]}


def _rules_in_short(definitions: Schema) -> None:
    """A rule may be its predicate alone."""
    rule = {
        "description": "A SQL predicate that good rows satisfy; or in braces with `nulls` and `description`.",
        "anyOf": [_TEXT, {"$ref": "#/$defs/Rule"}],
    }
    for severity in definitions["Quality"]["properties"].values():
        severity["additionalProperties"] = rule


def _short_forms(definitions: Schema) -> None:
    """The forms that people write and the models accept through their validators."""
    column = {
        "description": "A field of the source, or `alias.field`; `null`: nothing feeds it; or more in braces.",
        "anyOf": [_TEXT, {"type": "null"}, {"$ref": "#/$defs/Column"}],
    }
    columns = {"type": "object", "additionalProperties": column}
    for block in ("AllColumns", "EmptyColumns"):
        definitions[block]["description"] = _first_line(definitions[block])
    blocks = {
        "type": "array",
        "items": {
            "if": {"type": "object", "required": ["all"]},
            "then": {"$ref": "#/$defs/AllColumns"},
            "else": {
                "if": {"type": "object", "required": ["empty"]},
                "then": {"$ref": "#/$defs/EmptyColumns"},
                "else": columns,
            },
        },
    }
    definitions.pop("NamedColumns", None)
    definitions["Columns"] = {
        "description": "Target column: source field; or a list of such blocks, `all: input` and `empty: [names]`.",
        "anyOf": [columns, blocks],
    }
    _rules_in_short(definitions)
    definitions["Expectation"] = {
        "description": "Any Great Expectations expectation by its own name, `expect_…: {arguments}`, and `on_failure`.",
        "anyOf": [
            {"type": "string", "pattern": "^expect_"},
            {
                "type": "object",
                "properties": {"on_failure": definitions["Expectation"]["properties"]["on_failure"]},
                "patternProperties": {"^expect_": {"type": ["object", "null"], "description": "Its arguments."}},
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 2,
            },
            definitions["Expectation"],
        ],
    }
    delivery = definitions["Delivery"]
    for name, value in delivery["properties"].items():
        delivery["properties"][name] = next(option for option in value["anyOf"] if "$ref" in option)
    definitions["Delivery"] = {
        "description": delivery.get("description", ""),
        "anyOf": [{"const": "delta"}, {**delivery, "minProperties": 1, "maxProperties": 1}],
    }
    example = definitions["Example"]["properties"]
    row = {"type": "object", "additionalProperties": _SCALAR}
    example["given"]["additionalProperties"] = {"type": "array", "items": row}
    set_aside = {"type": "object", "properties": {"rules": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}}}
    for word, entry in (("expect", row), ("quarantined", set_aside)):
        example[word] = {"type": "array", "items": entry, "description": example[word].get("description", "")}
    for model in ("ObjectMapping", "DatasetMapping"):
        definitions[model]["properties"]["columns"] = {"$ref": "#/$defs/Columns"}
        _names_or_one(definitions[model], ("key", "folders"))


def _names_or_one(model: Schema, words: tuple[str, ...]) -> None:
    """Lists of names that may be written as one name."""
    for word in words:
        found = model.get("properties", {}).get(word)
        if found is not None and "string" not in json.dumps(found.get("type", "")):
            model["properties"][word] = {
                **({"description": found["description"]} if "description" in found else {}),
                "anyOf": [_TEXT, {"type": "array", "items": _TEXT}],
            }


def _first_line(schema: Schema) -> str:
    return str(schema.get("description", "")).split("\n\n", 1)[0]


def _tidy(value: Any) -> Any:
    """Without generated titles and without `null` where leaving the word out says it."""
    if isinstance(value, list):
        return [_tidy(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    options = value.get("anyOf")
    if options and {"type": "null"} in options and value.get("default", 0) is None:
        rest = [option for option in options if option != {"type": "null"}]
        value = {k: v for k, v in value.items() if k not in ("anyOf", "default")}
        value |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    return {
        key: _tidy(entry)
        for key, entry in value.items()
        if not (
            key == "title"
            and isinstance(entry, str)
            and not entry.startswith(("A mapping", "The project", "A file profile"))
        )
    }


def as_text(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    (folder / "mapping.schema.json").write_text(as_text(mapping_schema()), encoding="utf-8")
    (folder / "project.schema.json").write_text(as_text(project_schema()), encoding="utf-8")
    (folder / "profile_v2.schema.json").write_text(as_text(profile_schema()), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
