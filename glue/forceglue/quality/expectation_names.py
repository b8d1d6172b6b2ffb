"""The names and arguments of every core expectation of the installed Great Expectations, for the check without it.

`python -m forceglue.quality.expectation_names` writes expectation_names.json beside this module.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

from forceglue.quality.expectations.quiet import quiet

Arguments = dict[str, list[str]]
FILE = "expectation_names.json"
# set by the run, or of no use in a mapping
_OURS = frozenset({"id", "batch_id", "result_format", "catch_exceptions", "rendered_content", "windows", "meta"})


@cache
def known() -> dict[str, Arguments]:
    """`{expectation: {"required": [...], "optional": [...]}}` as generated; needs no Great Expectations."""
    names: dict[str, Arguments] = json.loads(files("forceglue.quality").joinpath(FILE).read_text("utf-8"))
    return names


def generated() -> dict[str, Arguments]:
    """The same, read from the installed Great Expectations (seconds)."""
    quiet()
    from forceglue.quality.expectations.build import classes

    names = {}
    for name, cls in sorted(classes().items()):
        fields = {field: cls.__fields__[field].required for field in cls.__fields__ if field not in _OURS}
        names[name] = {
            "required": sorted(field for field, required in fields.items() if required),
            "optional": sorted(field for field, required in fields.items() if not required),
        }
    return names


def main() -> None:
    """Write the file."""
    lines = [f"{json.dumps(name)}: {json.dumps(arguments)}" for name, arguments in generated().items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    Path(__file__).with_name(FILE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
