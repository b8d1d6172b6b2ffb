"""The lock as a value: which packages, in which version, for which Python."""

from __future__ import annotations

from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def pins(name: str, python: str) -> dict[str, str]:
    """Package to version in `requirements/<name>` on Linux, for a Python such as `3.11`."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    found: dict[str, str] = {}
    for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines():
        if not line or line[0] in " #":
            continue
        wanted = Requirement(line.removesuffix("\\").strip())
        if wanted.marker is None or wanted.marker.evaluate(environment):
            found[wanted.name] = str(wanted.specifier).removeprefix("==")
    return found


def glue_modules(python: str) -> str:
    """What `--additional-python-modules` must name on Glue, in the order of the lock."""
    return ",".join(f"{name}=={version}" for name, version in pins("glue.txt", python).items())
