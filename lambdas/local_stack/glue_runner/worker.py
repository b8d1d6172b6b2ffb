"""The process with the JVM, from outside: started, given one run at a time, ended with all that it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import IO, Any

COMMAND = (sys.executable, "-m", "local_stack.glue_runner.session")
OUTPUT_ENDS = "\x1e"
"""A line on stderr: what a run printed comes before it."""
_LINES = 2000
_LATE_SECONDS = 2
_END_SECONDS = 10


class Worker:
    """Runs scripts one after another; a run that is ended from outside costs the JVM, and the next gets a new one.

    Args:
        command: what starts the process.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._one_at_a_time = threading.Lock()
        self._guard = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._ready = threading.Event()
        self._failure = ""
        self._run, self._ended = "", ""
        self._given_up: set[str] = set()
        self._output: deque[str] = deque(maxlen=_LINES)
        self._output_ended = threading.Event()

    def start(self) -> None:
        """Starts the JVM and returns at once."""
        self._ready.clear()
        self._failure = ""
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )  # fmt: skip
        self._process = process
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()

    def standing(self) -> dict[str, Any]:
        """`ready`; `failed`: why there is no JVM, empty while it starts; `run`: the one that is under way."""
        return {"ready": self._ready.is_set() and not self._failure, "failed": self._failure, "run": self._run}

    def run(self, run: str, script: str, arguments: list[str], timeout: float) -> dict[str, Any]:
        """Waits for its turn, runs the script.

        Args:
            script: a path or `s3://` URI.
            arguments: what comes after the script's name in `sys.argv`.
            timeout: seconds.

        Returns:
            `state` (SUCCEEDED, FAILED, TIMEOUT, STOPPED), `message` of a failure, `output`.
        """
        with self._one_at_a_time:
            self._ready.wait()
            if run in self._given_up:
                self._given_up.remove(run)
                return {"state": "STOPPED", "message": "", "output": ""}
            if self._failure:
                told = {"state": "FAILED", "message": self._failure, "output": ""}
                self.start()  # the next run may find what this one lacked
                return told
            with self._guard:
                self._run, self._ended = run, ""
                self._output.clear()
                self._output_ended.clear()
            late = threading.Timer(timeout, self._end_run, [run, "TIMEOUT"])
            late.daemon = True
            late.start()
            try:
                told = self._told(json.dumps({"run": run, "script": script, "arguments": arguments}))
            finally:
                late.cancel()
                with self._guard:
                    self._run = ""
            self._output_ended.wait(_LATE_SECONDS)
            return {**told, "output": "\n".join(self._output)}

    def stop(self, run: str) -> bool:
        """Stops a run, one that waits for its turn, too; whether it was under way."""
        under_way = self._end_run(run, "STOPPED")
        if not under_way:
            self._given_up.add(run)
        return under_way

    def end(self) -> None:
        """Ends the process and the JVM."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _end_run(self, run: str, state: str) -> bool:
        with self._guard:
            if self._run != run or self._ended:
                return False
            self._ended = state
        self.end()
        return True

    def _told(self, asked: str) -> dict[str, Any]:
        """The worker's own answer, or what became of it."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
        try:
            process.stdin.write(f"{asked}\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if line:
            told: dict[str, Any] = json.loads(line)
            return told
        process.wait()
        self._output_ended.set()
        self.start()
        if self._ended:
            return {"state": self._ended, "message": ""}
        return {"state": "FAILED", "message": f"Command failed with exit code {process.returncode}: the JVM is gone"}

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Hands on what the worker prints; its first answer says that it is ready."""
        assert process.stderr is not None and process.stdout is not None  # noqa: S101, PT018
        copying = threading.Thread(target=self._copy, args=(process.stderr,), daemon=True)
        copying.start()
        line = process.stdout.readline()
        if not line:
            process.wait()
            copying.join(_LATE_SECONDS)
            self._failure = f"Spark did not start: {self._output[-1] if self._output else 'no reason was given'}"
        self._ready.set()

    def _copy(self, said: IO[str]) -> None:
        for line in said:
            if line.rstrip("\n") == OUTPUT_ENDS:
                self._output_ended.set()
                continue
            self._output.append(line.rstrip("\n"))
            sys.stderr.write(line)
            sys.stderr.flush()
