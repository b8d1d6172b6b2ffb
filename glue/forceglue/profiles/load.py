"""From the text of a profile to its model, with every problem of it at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from forceglue.mapping import yaml
from forceglue.mapping.model.profile import FileProfile
from forceglue.mapping.problems import Problem, in_order
from forceglue.mapping.project import SourceFile
from forceglue.mapping.validation import Validated, validate

_STAND_INS: dict[str, Any] = {"parserId": "csv", "maxBytes": 1, "mappings": {"column": None}}


@dataclass(frozen=True)
class LoadedProfile:
    """What a text holds.

    Attributes:
        source: the name of the source, which is that of its file or parameter.
        profile: the sound part; None where too much is missing to speak of a profile.
        problems: every problem, in the order of lines.
    """

    source: str
    profile: FileProfile | None
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether files can be judged by it: there are warnings at most."""
        return self.profile is not None and all(problem.warning for problem in self.problems)


def read_profile(text: str | bytes, file: str) -> LoadedProfile:
    """Reads and checks one profile.

    Args:
        file: its path or the name of its parameter, as problems name it.
    """
    from forceglue.profiles.check import check_profile

    source = source_of(file)
    document = _document(text, file)
    if document.value is None:
        return LoadedProfile(source, None, document.problems)
    if not isinstance(document.value, dict):
        said = Problem("FG-MAP-003", file, 1, "", "a profile is a JSON object", type(document.value).__name__)
        return LoadedProfile(source, None, (said,))
    checked = validate(FileProfile, document, document.value, file)
    rest = checked if checked.model is not None else _rest(document, checked, file)
    problems = [*document.problems, *checked.problems]
    place = SourceFile(file, PurePath(file), document, rest.pruned)  # type: ignore[arg-type]  # nothing opens it
    problems += check_profile(text, source, rest.model, place)
    return LoadedProfile(source, checked.model, in_order(problems))


def _rest(document: yaml.Document, first: Validated[FileProfile], file: str) -> Validated[FileProfile]:
    """With stand-ins for words that must be there and are not, so that the others are checked too."""
    value = dict(document.value)
    gone = {word for word in _STAND_INS if word not in value or (word,) in first.pruned}
    value |= {word: _STAND_INS[word] for word in gone}
    again = validate(FileProfile, document, value, file)
    return Validated(again.model, (), again.pruned | {(word,) for word in gone})


def source_of(file: str) -> str:
    """The name of the source: `/crm/file-profiles/dev/flood_qns.json` → `flood_qns`."""
    return PurePath(file).name.removesuffix(".json")


def _document(text: str | bytes, file: str) -> yaml.Document:
    """JSON, by the reader of the mappings, which knows lines and keys that stand twice: all JSON is YAML."""
    try:
        text = text if isinstance(text, str) else text.decode("utf-8")
        json.loads(text)
    except UnicodeDecodeError:
        return _broken(file, 1, "the file is not UTF-8 text")
    except json.JSONDecodeError as error:
        return _broken(file, error.lineno, f"{error.msg} (column {error.colno})")
    except RecursionError:
        return _broken(file, 1, "it is nested too deeply")
    read = yaml.read(text, file)
    if read.value is None and read.problems:  # an escape that JSON has and YAML has not, such as a surrogate pair
        return yaml.read(json.dumps(json.loads(text), indent=1, ensure_ascii=False), file)
    return read


def _broken(file: str, line: int, message: str) -> yaml.Document:
    return yaml.Document(None, {(): 1}, {}, (Problem("FG-PRO-001", file, line, "", message),))
