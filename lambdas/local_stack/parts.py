"""The three processes of the stack: how each is started, and how one sees that it is ready."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from forceglue.errors import SetupError
from local_stack.ports import HOST
from local_stack.processes import Kept, Processes

LAMBDAS = Path(__file__).parents[1]
REGION = "us-east-1"
# the emulator takes any; twelve digits would be an account of their own
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# of this shell's own variables no process gets others: functions of the emulator see what it sees
_KEPT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "JAVA_HOME", "FORCEGLUE_HOME",
         "FORCEGLUE_IVY_SETTINGS", "FORCEGLUE_SPARK_CONF", "FORCEGLUE_SPARK_LOG",
         "HTTPS_PROXY", "https_proxy")  # fmt: skip
_LAST_LINES = 12
_ASK_SECONDS = 5


@dataclass(frozen=True)
class Part:
    """A process of the stack.

    Attributes:
        name: of its files.
        what: for whoever reads along.
        path: of its address, asked to see whether it is ready; None where its own `ready` must be true.
        patience: seconds until it must be ready.
    """

    name: str
    what: str
    path: str
    patience: float


AWS = Part("aws", "the emulated AWS", "/_ministack/health", 60)
ORG = Part("salesforce", "the simulated Salesforce org", "/services/data", 120)
SPARK = Part("spark", "the warm Spark", "/", 900)
PARTS = (AWS, ORG, SPARK)


def base(environ: Mapping[str, str]) -> dict[str, str]:
    """What every process gets of the environment."""
    return {name: environ[name] for name in _KEPT if environ.get(name)}


def aws_settings(endpoint: str, region: str = REGION) -> dict[str, str]:
    """What an AWS SDK needs."""
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def start_aws(
    processes: Processes, python: Path, port: int, runner: str, region: str, *, enforced: bool = False
) -> Kept:
    """The emulated AWS.

    Args:
        python: of the environment that has ministack.
        runner: the address of the Spark runner.
        enforced: whether calls are asked for their rights, those of functions for the rights of their roles.
    """
    url = f"http://{HOST}:{port}"
    environment = {
        **base(os.environ),
        **aws_settings(url, region),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": region,
        # listeners that nobody here needs
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOCAL_GLUE_RUNNER": runner,
        "AUTH": str(enforced).lower(),
    }
    command = [str(python), "-m", "local_stack.emulator"]
    return processes.start(AWS.name, command, environment, url=url, folder=LAMBDAS)


def start_org(processes: Processes, port: int) -> Kept:
    """The simulated org."""
    environment = {**base(os.environ), "LOCAL_ORG_PORT": str(port), "PYTHONPATH": str(LAMBDAS)}
    command = [sys.executable, "-m", "local_stack.org"]
    return processes.start(ORG.name, command, environment, url=f"http://{HOST}:{port}", folder=LAMBDAS)


def start_spark(processes: Processes, port: int, endpoint: str, region: str) -> Kept:
    """The Spark runner; `endpoint` is that of the AWS whose files it reads."""
    environment = {
        **base(os.environ),
        **aws_settings(endpoint, region),
        "GLUE_RUNNER_PORT": str(port),
        "PYTHONPATH": str(LAMBDAS),
    }
    command = [sys.executable, "-m", "local_stack.glue_runner"]
    return processes.start(SPARK.name, command, environment, url=f"http://{HOST}:{port}", folder=LAMBDAS)


def wait(part: Part, kept: Kept, pause: Callable[[float], None] = time.sleep) -> None:
    """Until it is ready.

    Raises:
        SetupError: it ended, or is not ready in time; with the last lines that it printed.
    """
    until = time.monotonic() + part.patience
    while time.monotonic() < until:
        if why := ready(part, kept.url):
            if why != "ready":
                raise SetupError(f"{part.what}: {why}\nAll that it printed: {kept.log}")
            return
        if not kept.alive:
            break
        pause(0.1)
    ended = "is not ready in time" if kept.alive else "ended"
    lines = Path(kept.log).read_text("utf-8", "replace").splitlines()[-_LAST_LINES:]
    said = "\n  ".join(lines) or "nothing"
    raise SetupError(f"{part.what} {ended}. The last that it printed, in {kept.log}:\n  {said}")


def ready(part: Part, url: str) -> str:
    """`ready`, empty while it is not, or why it never will be."""
    try:
        with urllib.request.urlopen(url + part.path, timeout=_ASK_SECONDS) as answer:  # noqa: S310  # our own address
            body = answer.read()
    except urllib.error.HTTPError:
        return "ready" if part is not SPARK else ""
    except OSError:
        return ""
    if part is not SPARK:
        return "ready"
    told = json.loads(body)
    return str(told["failed"]) or ("ready" if told["ready"] else "")


def machine() -> str:
    """This machine's processor as Lambda calls it."""
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
