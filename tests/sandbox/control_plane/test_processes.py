import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.control_plane.processes import PORTS, Server, Watch, find_free_ports, is_listening
from sandbox.engine.errors import SandboxError
from sandbox.engine.workspace import SOURCE_ROOT

SLEEP = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)"]


@pytest.fixture
def watch() -> Iterator[Watch]:
    made = Watch()
    yield made
    made.close()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for(condition, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def _server(tmp_path: Path, watch: Watch, is_ready=lambda: True) -> Server:
    return Server("sleeper", tmp_path / "sleeper.log", watch, is_ready)


def test_server_starts_once_and_stops(tmp_path, watch):
    server = _server(tmp_path, watch)
    server.start(SLEEP)
    server.wait_ready(5)
    assert server.is_running
    with pytest.raises(SandboxError, match="sleeper runs already"):
        server.start(SLEEP)
    server.stop()
    assert not server.is_running
    server.stop()


def test_server_that_ends_early_is_explained_by_its_log(tmp_path, watch):
    server = _server(tmp_path, watch, is_ready=lambda: False)
    server.start([sys.executable, "-c", "raise SystemExit('no such option')"])
    with pytest.raises(SandboxError, match=r"(?s)sleeper ended before it was ready.*no such option"):
        server.wait_ready(10)


def test_server_that_is_never_ready_is_given_up(tmp_path, watch):
    log = tmp_path / "sleeper.log"
    server = _server(tmp_path, watch, is_ready=lambda: log.read_text() == "never")
    server.start(SLEEP)
    assert _wait_for(lambda: log.read_text() == "awake\n")
    with pytest.raises(SandboxError, match=r"(?s)sleeper was not ready after 0 s.*awake"):
        server.wait_ready(0.2)
    server.stop(kill=True)


def test_server_that_ignores_the_request_to_end_is_killed(tmp_path, watch, monkeypatch):
    monkeypatch.setattr("sandbox.control_plane.processes.STOP_TIMEOUT_S", 0.3)
    program = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    server = _server(tmp_path, watch)
    server.start([sys.executable, "-c", program])
    assert _wait_for(lambda: "deaf" in server.log.read_text())
    server.stop()
    assert not server.is_running


PARENT = """
import os, sys, time
from pathlib import Path
from sandbox.control_plane.processes import Server, Watch
folder = Path(sys.argv[1])
watch = Watch()
watch.remove_folder_later(folder / "data")
server = Server("sleeper", folder / "log", watch, lambda: True)
server.start([sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"])
(folder / "started").touch()
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_servers_and_their_folder_go_with_the_parent_however_it_ends(tmp_path, number):
    (tmp_path / "data").mkdir()
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path)]
    parent = subprocess.Popen(command, cwd=SOURCE_ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    log = tmp_path / "log"
    assert _wait_for(lambda: log.is_file() and log.read_text().endswith("\n"))
    pid = int(log.read_text())
    assert _is_alive(pid)
    parent.send_signal(number)
    parent.wait(10)
    assert _wait_for(lambda: not _is_alive(pid))
    assert _wait_for(lambda: not (tmp_path / "data").exists())


def test_stopped_server_is_none_of_the_watchs_business(tmp_path, watch):
    server = _server(tmp_path, watch)
    server.start(SLEEP)
    server.stop(kill=True)
    other = subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL)
    watch.close()
    assert other.poll() is None
    other.kill()
    other.wait()


def test_free_ports_are_different_and_not_taken():
    ports = find_free_ports(5)
    assert len(set(ports)) == 5
    assert all(port in PORTS and not is_listening(port) for port in ports)


def test_port_in_use_is_not_offered(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert is_listening(port)
        monkeypatch.setattr("sandbox.control_plane.processes.PORTS", range(port, port + 1))
        with pytest.raises(SandboxError, match="no 1 free ports"):
            find_free_ports(1)
