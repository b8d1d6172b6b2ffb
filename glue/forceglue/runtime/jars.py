"""Delta's JARs (and a few others on demand): resolved once by coordinates, checked by SHA-256, kept.

The resolver is the Ivy that Spark itself carries, run on its own: it takes exactly the named JARs and no more
(a session with `spark.jars.packages` takes up to 32, and asks again at every start).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from forceglue.errors import SetupError
from forceglue.runtime.home import HOME_VARIABLE, home, workshop
from forceglue.runtime.java import Java, find, truststores
from forceglue.runtime.stacks import Jar, stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SETTINGS_VARIABLE = "FORCEGLUE_IVY_SETTINGS"
FETCH_SECONDS = 1800


def folder(spark_version: str) -> Path:
    """Where the JARs of this Spark are kept."""
    return home() / "jars" / stack(spark_version).label


def ensure(spark_version: str, needs: Iterable[str] = (), *, java: Java | None = None) -> tuple[Path, ...]:
    """The JARs for Delta and for `needs` (`postgresql`, `s3`), fetched if they are not kept yet.

    Every kept JAR is checked against its SHA-256, one that was put there by hand too. Two processes may do this at
    the same time: each file appears in one step and both write the same bytes.

    Returns:
        The files, Delta's first, always in the same order (the class archive depends on it).

    Raises:
        SetupError: a JAR is missing and cannot be fetched, with what to put where.
    """
    chosen = stack(spark_version)
    wanted = ["delta", *sorted(set(needs) - {"delta"})]
    unknown = [need for need in wanted if need not in chosen.jars]
    if unknown:
        raise SetupError(f"No JARs are known for {', '.join(unknown)}; allowed: {', '.join(sorted(chosen.jars))}.")
    jars = [jar for need in wanted for jar in chosen.jars[need]]
    kept = folder(spark_version)
    missing = [jar for jar in jars if not is_whole(kept / jar.file, jar)]
    if missing:
        fetch(missing, kept, java or find())
    return tuple(kept / jar.file for jar in jars)


def is_whole(file: Path, jar: Jar) -> bool:
    """Whether `file` is there with the bytes that `jar` must have."""
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == jar.sha256


def fetch(jars: Sequence[Jar], kept: Path, java: Java) -> None:
    """Resolves `jars` through Spark's Ivy into `kept`.

    Ivy's usual place for artifacts is used, or the settings file named by `FORCEGLUE_IVY_SETTINGS` (a mirror).

    Raises:
        SetupError: one cannot be had, or has another SHA-256 than it must.
    """
    with workshop(kept) as parts:
        told = ""
        for trust in truststores(parts):
            told = _ivy(jars, parts, java, trust)
            missing = [jar for jar in jars if not (parts / "out" / jar.file).is_file()]
            if not missing:
                break
        else:
            raise SetupError(_not_had(missing, kept, told))
        for jar in jars:
            if not is_whole(parts / "out" / jar.file, jar):
                raise SetupError(
                    f"{jar}: the file that came has another SHA-256 than {jar.sha256}; it was thrown away. "
                    "Ask whoever runs your artifact mirror, then try again."
                )
        for jar in jars:
            (parts / "out" / jar.file).replace(kept / jar.file)


def _not_had(missing: Sequence[Jar], kept: Path, told: str) -> str:
    listed = "\n".join(f"  {jar}  as {jar.file}  (SHA-256 {jar.sha256})" for jar in missing)
    cause = next((line.strip() for line in told.splitlines() if "xception" in line or "PKIX" in line), "no answer")
    return (
        f"Cannot fetch (needed once, network or mirror: {cause[:200]}):\n{listed}\n"
        f"Put these files into {kept} and try again; or set {SETTINGS_VARIABLE} to an Ivy settings file of your "
        f"mirror; or copy the folder of a machine that has them and set {HOME_VARIABLE}."
    )


def _ivy(jars: Sequence[Jar], parts: Path, java: Java, trust: Sequence[str]) -> str:
    """One run of Ivy, everything inside `parts`: a half-filled cache of another tool must not spoil it."""
    import pyspark

    found = sorted((Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar"))
    if not found:
        raise SetupError(
            "The installed pyspark has no Ivy JAR. Reinstall it with `pip install --force-reinstall pyspark`."
        )
    wanted = "".join(
        f"<dependency org={quoteattr(jar.group)} name={quoteattr(jar.name)} rev={quoteattr(jar.version)} "
        'transitive="false" conf="default->master"/>'
        for jar in jars
    )
    described = parts / "ivy.xml"
    described.write_text(
        '<ivy-module version="2.0"><info organisation="forceglue" module="jars"/>'
        f'<configurations><conf name="default"/></configurations><dependencies>{wanted}</dependencies></ivy-module>',
        "utf-8",
    )
    settings = os.environ.get(SETTINGS_VARIABLE)
    command = [
        *(str(java.program), f"-Duser.home={parts}", f"-Divy.default.ivy.user.dir={parts / 'ivy'}"),
        *_proxy(),
        *trust,
        *("-jar", str(found[0]), "-error", "-ivy", str(described), "-confs", "default"),
        *("-cache", str(parts / "cache"), "-retrieve", f"{parts}/out/[artifact]-[revision].[ext]"),
        *(("-settings", settings) if settings else ()),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"TimeoutException: no end after {FETCH_SECONDS} s"
    return done.stdout + done.stderr


def _proxy() -> list[str]:
    """Java does not read the proxy variables that pip and curl read."""
    told = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    place = urlsplit(told) if told else None
    if place is None or place.hostname is None:
        return []
    return [f"-Dhttps.proxyHost={place.hostname}", f"-Dhttps.proxyPort={place.port or 3128}"]
