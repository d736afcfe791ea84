"""A headless Chromium, spoken to by its DevTools protocol."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from websocket import WebSocket, create_connection

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_S = 60
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
)


def find_chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def read_axe() -> str | None:
    """The script of axe-core, as a distribution ships it; the package itself is not run."""
    spec = find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")


class Page:
    """A tab, and all that it said and asked for since it was opened."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._session: str | None = None
        self._number = 0
        self.events: list[tuple[str, dict[str, Any]]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method and wait for its answer; events that come before it are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while (answer := self._receive()).get("id") != self._number:
            pass
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        end = time.monotonic() + PATIENCE_S
        while not any(name == "Page.loadEventFired" for name, _ in self.events):
            assert time.monotonic() < end, f"{url} was not loaded"
            self._receive()

    def evaluate(self, script: str) -> Any:
        """The value of an expression, or what its promise comes to."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def show(self, width: int, scheme: str = "light", media: str = "") -> None:
        """Be so wide, in that colour scheme; `media` is print, or empty for a screen."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def press(self, key: str, code: int) -> None:
        for kind in ("rawKeyDown", "char", "keyUp"):
            text = {"text": "\r"} if kind == "char" and key == "Enter" else {}
            if kind != "char" or text:
                self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a picture."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the console, exceptions, and what the security policy refused."""
        found = []
        for name, event in self.events:
            if name == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning", "assert"):
                found.append(json.dumps(event["args"]))
            if name == "Runtime.exceptionThrown":
                found.append(json.dumps(event["exceptionDetails"]))
            if name == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
                found.append(event["entry"]["text"])
        return found

    @property
    def requests(self) -> list[str]:
        """The URLs that were asked for."""
        return [event["request"]["url"] for name, event in self.events if name == "Network.requestWillBeSent"]

    def _receive(self) -> dict[str, Any]:
        answer = json.loads(self._socket.recv())
        if "method" in answer:
            self.events.append((answer["method"], answer["params"]))
        return answer


@contextmanager
def running(program: str, folder: Path) -> Iterator[str]:
    """The address of a browser that keeps what it keeps in `folder`, ended on the way out."""
    command = [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    with (folder / "said").open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
        try:
            yield _address(folder, process)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def open_page(address: str) -> Iterator[Page]:
    # Chromium refuses sockets that say which page they come from.
    socket = create_connection(address, timeout=PATIENCE_S, suppress_origin=True, enable_multithread=False)
    try:
        yield Page(socket)
    finally:
        socket.close()


def _address(folder: Path, process: subprocess.Popen[bytes]) -> str:
    file = folder / "DevToolsActivePort"
    end = time.monotonic() + PATIENCE_S
    while not (file.is_file() and len(lines := file.read_text().split()) == 2):
        said = (folder / "said").read_text(errors="replace")
        assert process.poll() is None, f"Chromium ended: {said}"
        assert time.monotonic() < end, f"Chromium does not answer: {said}"
        time.sleep(0.1)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
