"""Processes that outlive the command that started them, and how exactly those are ended again.

Each has a file `<name>.json` with its id and when it started: an id that the system has given to another process since
is never ended. Each leads a session of its own, and all that it starts ends with it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from forceglue.errors import SetupError

_END_SECONDS = 15.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Kept:
    """A process that was started.

    Attributes:
        started: when, as the system says it; empty for one that had ended at once.
        url: where it answers.
        log: the file with what it prints.
    """

    name: str
    pid: int
    started: str
    url: str
    log: str

    @property
    def alive(self) -> bool:
        """Whether it runs, and is the one that was started."""
        return self.started != "" and started(self.pid) == self.started


class Processes:
    """The processes of one folder.

    Args:
        folder: has a file and a log for each.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], *, url: str, folder: Path
    ) -> Kept:
        """Starts one and writes down which it is.

        Args:
            command: the program and its arguments.
            environment: all of it, but for where temporary files are.
            url: where it will answer.
            folder: its working directory.
        """
        scratch, log = self._scratch(name), self._folder / f"{name}.log"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                env={**environment, "TMPDIR": str(scratch)},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        kept = Kept(name, process.pid, started(process.pid), url, str(log))
        part = self._folder / f".{name}.json"
        part.write_text(json.dumps(asdict(kept)), "utf-8")
        part.replace(self._folder / f"{name}.json")
        return kept

    def running(self, name: str) -> Kept | None:
        """One that was started and still runs."""
        kept = self._read(self._folder / f"{name}.json")
        return kept if kept is not None and kept.alive else None

    def last(self, name: str) -> Kept | None:
        """One that was started and not yet ended by `end`, whether it runs or not."""
        return self._read(self._folder / f"{name}.json")

    def names(self) -> list[str]:
        """Those that were started and not yet ended by `end`."""
        return sorted(path.stem for path in self._folder.glob("[!.]*.json"))

    def end(self, name: str) -> Kept | None:
        """Ends one with all that it started; what it was, None where it did not run any more."""
        path = self._folder / f"{name}.json"
        kept = self._read(path)
        running = kept if kept is not None and kept.alive else None
        if running is not None:
            _end_group(running.pid)
        path.unlink(missing_ok=True)
        shutil.rmtree(self._scratch(name), ignore_errors=True)
        return running

    def _scratch(self, name: str) -> Path:
        """What it writes and does not clear away when it is ended."""
        return self._folder / f"{name}.tmp"

    @staticmethod
    def _read(path: Path) -> Kept | None:
        try:
            return Kept(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def started(pid: int) -> str:
    """When a process started, as the system says it; empty for one that is not there, or that has ended."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        # the name, in brackets, may hold blanks
        fields = stat.read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _by_ps(pid)
    return "" if fields[0] in "ZX" else fields[19]


def _by_ps(pid: int) -> str:
    """On systems without /proc."""
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, when = done.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else when.strip()


def _end_group(pid: int) -> None:
    """Asks the whole group, waits, and then insists."""
    for how, patience in ((signal.SIGTERM, _END_SECONDS), (signal.SIGKILL, _END_SECONDS)):
        with suppress(ProcessLookupError):
            os.killpg(pid, how)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            _collect(pid)
            if not _group_lives(pid):
                return
            time.sleep(_LOOK_SECONDS)
    raise SetupError(f"the process group {pid} does not end; see what holds it, and end it by hand.")


def _collect(pid: int) -> None:
    """Where this very process started it, the system waits for it to be told that it ended."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # some systems answer so for a group of ended processes
        return False
    return True
