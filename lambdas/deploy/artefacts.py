"""What a template names by a path of this machine, as objects of a bucket whose key is their content's hash.

The same content has the same address: what is there already is not sent again, and the same code is no change.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from deploy.templates import Template

# Type to property, as `aws cloudformation package` has them. Folders are zipped, files go as they are.
NAMED_BY_PATH = {
    "AWS::Serverless::Function": ("CodeUri",),
    "AWS::Serverless::LayerVersion": ("ContentUri",),
    "AWS::Serverless::Api": ("DefinitionUri",),
    "AWS::Serverless::HttpApi": ("DefinitionUri",),
    "AWS::Serverless::StateMachine": ("DefinitionUri",),
}
# of a function with its layers, unpacked; more is refused by Lambda
MOST_BYTES = 262_144_000


@dataclass(frozen=True)
class Artefact:
    """Bytes, and the key that they are to have."""

    key: str
    data: bytes


def artefacts(template: Template) -> Iterator[tuple[str, Path]]:
    """Every path that the template names: where in it, and the path."""
    shared = template.body.get("Globals", {}).get("Function", {}).get("CodeUri")
    if _is_local(shared):
        yield "Globals.Function.CodeUri", (template.path.parent / shared).resolve()
    for name, resource in template.body["Resources"].items():
        for key in NAMED_BY_PATH.get(resource["Type"], ()):
            value = resource.get("Properties", {}).get(key)
            if _is_local(value):
                yield f"Resources.{name}.{key}", (template.path.parent / value).resolve()


def _is_local(value: Any) -> bool:
    return isinstance(value, str) and not value.startswith(("s3://", "https://"))


def located(template: Template, bucket: str) -> dict[str, Any]:
    """The template's body with addresses in the bucket in place of paths."""
    body: dict[str, Any] = dict(template.body)

    def address(value: Any) -> Any:
        return f"s3://{bucket}/{packed((template.path.parent / value).resolve()).key}" if _is_local(value) else value

    if function := body.get("Globals", {}).get("Function", {}):
        body["Globals"] = {**body["Globals"], "Function": _replaced(function, ("CodeUri",), address)}
    body["Resources"] = {
        name: {**one, "Properties": _replaced(one["Properties"], NAMED_BY_PATH[one["Type"]], address)}
        if one["Type"] in NAMED_BY_PATH and "Properties" in one
        else one
        for name, one in body["Resources"].items()
    }
    return body


def _replaced(properties: Mapping[str, Any], keys: tuple[str, ...], address: Any) -> dict[str, Any]:
    return {name: address(value) if name in keys else value for name, value in properties.items()}


@cache
def packed(path: Path) -> Artefact:
    """A folder as a ZIP that is the same wherever and whenever it is made; a file as it is."""
    data = _zipped(path) if path.is_dir() else path.read_bytes()
    suffix = ".zip" if path.is_dir() else path.suffix
    return Artefact(f"lambdas/{hashlib.sha256(data).hexdigest()[:32]}{suffix}", data)


def _zipped(folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
                # Lambda runs as another user than whoever made the file
                entry.external_attr = 0o644 << 16
                entry.create_system = 3
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return out.getvalue()


@cache
def built_for(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """The Pythons and machines that the compiled modules of a folder are for, as Lambda calls them."""
    pythons, machines = set[str](), set[str]()
    for path in folder.rglob("*.so"):
        if told := re.search(r"\.cpython-3(\d+)-(x86_64|aarch64)-linux-gnu\.so$", path.name):
            pythons.add(f"python3.{told[1]}")
            machines.add("arm64" if told[2] == "aarch64" else told[2])
    return frozenset(pythons), frozenset(machines)


def problems(template: Template, values: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the paths that a template names: nothing is there, it is too large, or for another Python."""
    for path in sorted({path for _, path in artefacts(template)}):
        if not path.exists():
            yield f"{template.name}: {path} is not there; `make package` makes it"
        elif path.is_dir():
            size = sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
            if size > MOST_BYTES:
                yield f"{template.name}: {path} has {size:,} bytes, and Lambda takes {MOST_BYTES:,} at most"
            for name, allowed in zip(("Runtime", "Architecture"), built_for(path), strict=True):
                if allowed and values.get(name, *allowed) not in allowed:
                    yield (
                        f"{template.name}: {name} is {values[name]}, but {path} was made for {', '.join(allowed)}; "
                        f"`make package LAMBDA_PYTHON=… LAMBDA_MACHINE=…` makes it anew"
                    )
