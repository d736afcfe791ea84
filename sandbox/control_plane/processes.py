"""Server processes that end with the process that started them, however that ends."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.engine.errors import SandboxError

# Below the range from which Linux takes the ports of outgoing connections (32768 and up).
PORTS = range(20000, 32000)
STOP_TIMEOUT_S = 10.0
POLL_S = 0.05
LOG_LINES_SHOWN = 15
# Go collects garbage less often than by default, which saves these servers a quarter of their processor time.
ENVIRONMENT = {"GOGC": "400"}

# Reads "+PID", "-PID" and "rm FOLDER" until the writer is gone, then ends the processes that are left, each
# of which leads a group of its own, and removes the folders.
WATCHER = """
import os, shutil, signal, sys, time
pids, folders = [], []
for line in sys.stdin:
    word = line.strip()
    if word.startswith("+"): pids.append(int(word[1:]))
    elif word.startswith("-"): pids.remove(int(word[1:]))
    elif word.startswith("rm "): folders.append(word[3:])
for number in (signal.SIGTERM, signal.SIGKILL):
    for pid in reversed(pids):
        try: os.killpg(pid, number)
        except OSError: pass
    if pids and number == signal.SIGTERM: time.sleep(1)
for folder in folders: shutil.rmtree(folder, ignore_errors=True)
"""


class Watch:
    """Ends what is registered with it as soon as this process is gone, be it by SIGKILL."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", "-c", WATCHER]
        # In a session of its own, so that Ctrl-C in the terminal does not end it first.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)

    def add(self, pid: int) -> None:
        """End this process, with its group, when this one has gone."""
        self._say(f"+{pid}")

    def remove(self, pid: int) -> None:
        """Forget a process that has ended."""
        self._say(f"-{pid}")

    def remove_folder_later(self, folder: Path) -> None:
        """Remove this folder when this process has gone."""
        self._say(f"rm {folder}")

    def close(self) -> None:
        """End everything that is still registered, and wait for it."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()

    def _say(self, line: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


class Server:
    """One server process, its log file, and the question whether it is ready."""

    def __init__(self, name: str, log: Path, watch: Watch, is_ready: Callable[[], bool]) -> None:
        self.name = name
        self.log = log
        self._watch = watch
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, command: Sequence[str]) -> None:
        """Start the process; its output is added to the log."""
        if self.is_running:
            raise SandboxError(f"{self.name} runs already: stop it first")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**ENVIRONMENT, **os.environ},
                start_new_session=True,
            )
        self._watch.add(self._process.pid)

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until the server answers; raises SandboxError with the end of its log where it does not."""
        deadline = time.monotonic() + timeout_s
        while not self._is_ready():
            if not self.is_running:
                raise SandboxError(f"{self.name} ended before it was ready. {self.explain()}")
            if time.monotonic() > deadline:
                raise SandboxError(f"{self.name} was not ready after {timeout_s:.0f} s. {self.explain()}")
            time.sleep(POLL_S)

    def explain(self) -> str:
        """Where the log is, and its last lines."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        return "\n  ".join([f"The end of {self.log}:", *(line[:400] for line in lines)])

    def stop(self, *, kill: bool = False) -> None:
        """End the process and wait for its end: at once where `kill`, else as its own shutdown has it."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._watch.remove(self._process.pid)
        self._process = None


def find_free_ports(count: int) -> list[int]:
    """Different ports of the loopback address on which nothing listens now."""
    found: list[int] = []
    for port in random.sample(PORTS, k=len(PORTS)):
        with socket.socket() as candidate:
            if candidate.connect_ex(("127.0.0.1", port)) == 0:
                continue
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise SandboxError(f"no {count} free ports between {PORTS.start} and {PORTS.stop} on 127.0.0.1")


def is_listening(port: int) -> bool:
    """Whether something accepts connections on this port of the loopback address."""
    with socket.socket() as candidate:
        candidate.settimeout(1.0)
        return candidate.connect_ex(("127.0.0.1", port)) == 0
