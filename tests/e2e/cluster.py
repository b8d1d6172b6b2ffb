"""A Spark cluster of this machine's own: a master and two workers, each a process with its own folder and home."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import pyspark

import forceglue
from forceglue.runtime import java

HERE = "127.0.0.1"
STARTED_WITHIN = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Cluster:
    """A running one; `home` holds a folder for each worker, and the driver's."""

    home: Path
    url: str

    @property
    def workers(self) -> tuple[Path, ...]:
        return tuple(sorted(self.home.glob("worker-*")))

    def command(self, *words: str, settings: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """The command line in a process of its own, with this cluster's executors."""
        driver, events = self.home / "driver", self.home / "events"
        for folder in (driver / "tmp", events):
            folder.mkdir(parents=True, exist_ok=True)
        told = [
            f"spark.master={self.url}", "spark.cores.max=2", "spark.executor.cores=1", "spark.executor.memory=512m",
            f"spark.driver.host={HERE}", f"spark.driver.bindAddress={HERE}",
            "spark.eventLog.enabled=true", f"spark.eventLog.dir={events.as_uri()}", "spark.eventLog.compress=false",
            "spark.eventLog.rolling.enabled=false",
            "spark.executor.extraJavaOptions=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            # a result of rows would not fit: what comes to the driver is counts
            "spark.driver.maxResultSize=3m",
            *settings,
        ]  # fmt: skip
        env = os.environ | {
            "FORCEGLUE_SPARK_CONF": " ".join(map(quote, told)),
            "PYTHONPATH": str(Path(forceglue.__file__).parents[1]),
            "TMPDIR": str(driver / "tmp"),
        }
        start = "from forceglue.cli.main import main; main()"
        return subprocess.run(
            [sys.executable, "-c", start, *words],
            check=False,
            cwd=driver,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def tasks(self) -> dict[str, set[str]]:
        """`{event log: executors that ended a task}` over all commands; the driver is none of them."""
        found: dict[str, set[str]] = {}
        for log in (self.home / "events").iterdir():
            for line in log.read_text("utf-8").splitlines():
                event = json.loads(line)
                if event["Event"] == "SparkListenerTaskEnd":
                    found.setdefault(log.name, set()).add(event["Task Info"]["Executor ID"])
        return found


@contextmanager
def cluster(home: Path) -> Iterator[Cluster]:
    """Starts one; ends the processes that it started, and no others."""
    port, page = free_port(), free_port()
    url = f"spark://{HERE}:{port}"
    with ExitStack() as running:
        where = ["--host", HERE, "--port", str(port), "--webui-port", str(page)]
        running.enter_context(_daemon(home / "master", "master.Master", *where))
        for n in (1, 2):
            folder = home / f"worker-{n}"
            where = ["--host", HERE, "--port", str(free_port()), "--webui-port", str(free_port())]
            more = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / "work")]
            running.enter_context(_daemon(folder, "worker.Worker", *where, *more, url))
        _await(page)
        yield Cluster(home, url)


@contextmanager
def _daemon(folder: Path, name: str, *words: str) -> Iterator[None]:
    for part in ("tmp", "home"):
        (folder / part).mkdir(parents=True)
    java.prepare(java.find(), pyspark.__version__)
    spark = Path(pyspark.__file__).parent
    opens = [
        "java.base/java.lang",
        "java.base/java.nio",
        "java.base/java.util",
        "java.base/sun.nio.ch",
        "java.base/java.net",
    ]
    env = {
        "PATH": os.defpath,
        "JAVA_HOME": os.environ["JAVA_HOME"],
        "SPARK_HOME": str(spark),
        "SPARK_SCALA_VERSION": next(spark.glob("jars/spark-core_*.jar")).name.split("_")[1].split("-")[0],
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "SPARK_LOCAL_DIRS": str(folder / "tmp"),
        "SPARK_LOCAL_IP": HERE,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                f"{os.environ['JAVA_HOME']}/bin/java",
                "-Xmx256m",
                *(f"--add-opens={module}=ALL-UNNAMED" for module in opens),
                f"-Djava.io.tmpdir={folder / 'tmp'}",
                "-cp",
                f"{spark / 'jars'}/*",
                f"org.apache.spark.deploy.{name}",
                *words,
            ],
            cwd=folder / "home", env=env, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(page: int) -> None:
    """Until both workers are known to the master."""
    until = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://{HERE}:{page}/json/", timeout=5) as answer:
                if json.load(answer)["aliveworkers"] == 2:
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError("the workers did not come up; see the logs in their folders")
