"""A small client of the Kubernetes API: applies manifests, reads objects, waits for what it is told."""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sandbox.engine.errors import SandboxError

FIELD_MANAGER = "headroom-sandbox"
TIMEOUT_S = 30.0
POLL_S = 0.02

Manifest = Mapping[str, Any]


class ApiError(Exception):
    """The API server's answer was not a success; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Speaks to the API server on `port` of the loopback address as the user of the certificate."""

    def __init__(self, port: int, authority: Path, certificate: Path, key: Path) -> None:
        self._port = port
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.load_cert_chain(str(certificate), str(key))
        self._connection: http.client.HTTPSConnection | None = None
        self._resources: dict[tuple[str, str], tuple[str, bool]] = {}

    def call(self, method: str, path: str, body: Manifest | None = None, content: str = "json") -> Any:
        """What the API server answers, parsed; raises ApiError, or OSError where nothing answers."""
        payload = None if body is None else json.dumps(body)
        headers = {"Accept": "application/json", "Content-Type": f"application/{content}"}
        status, is_json, text = self._send(method, path, payload, headers)
        answer = json.loads(text) if is_json else text
        if status >= http.HTTPStatus.BAD_REQUEST:
            message = answer.get("message", text) if isinstance(answer, dict) else text
            raise ApiError(status, message or http.client.responses.get(status, ""))
        return answer

    def close(self) -> None:
        """Close the connection that is kept between calls."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def is_ready(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            return self.call("GET", "/readyz") == "ok"
        except (ApiError, OSError, http.client.HTTPException):
            return False

    def exists(self, path: str) -> bool:
        """Whether there is an object at this path."""
        try:
            self.call("GET", path)
        except ApiError as refusal:
            if refusal.status == http.HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def create(self, manifest: Manifest) -> Any:
        """Create the object; raises ApiError where that is refused or the object is there."""
        collection = self.path_of(manifest).rpartition("/")[0]
        return self.call("POST", f"{collection}?fieldManager={FIELD_MANAGER}", manifest)

    def apply(self, manifest: Manifest, *, dry_run: bool = False) -> Any:
        """Create the object or change it to what the manifest says; raises ApiError if that is refused."""
        query = f"?fieldManager={FIELD_MANAGER}&force=true{'&dryRun=All' if dry_run else ''}"
        return self.call("PATCH", self.path_of(manifest) + query, manifest, "apply-patch+yaml")

    def path_of(self, manifest: Manifest) -> str:
        """The path of the object that the manifest describes."""
        version, kind, metadata = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
        plural, namespaced = self._find_resource(version, kind)
        root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        place = f"/namespaces/{metadata.get('namespace', 'default')}" if namespaced else ""
        return f"{root}{place}/{plural}/{metadata['name']}"

    def wait_established(self, definitions: Iterable[Manifest], timeout_s: float) -> None:
        """Wait until the API server serves these custom resource definitions; raises SandboxError."""
        for definition in definitions:
            path = self.path_of(definition)
            wait_until(lambda path=path: self._is_established(path), timeout_s, f"{path} is not served")

    def _is_established(self, path: str) -> bool:
        conditions = self.call("GET", path).get("status", {}).get("conditions") or []
        return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)

    def _find_resource(self, version: str, kind: str) -> tuple[str, bool]:
        if (version, kind) not in self._resources:
            root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
            for each in self.call("GET", root)["resources"]:
                if "/" not in each["name"]:
                    self._resources[version, each["kind"]] = each["name"], each["namespaced"]
        if (version, kind) not in self._resources:
            raise SandboxError(f"the API server knows no {kind} in {version}")
        return self._resources[version, kind]

    def _send(
        self, method: str, path: str, payload: str | None, headers: Mapping[str, str]
    ) -> tuple[int, bool, str]:
        for attempt in ("kept connection", "new connection"):
            if self._connection is None:
                self._connection = http.client.HTTPSConnection(
                    "127.0.0.1", self._port, timeout=TIMEOUT_S, context=self._context
                )
            try:
                self._connection.request(method, path, payload, dict(headers))
                answer = self._connection.getresponse()
                is_json = answer.getheader("Content-Type", "").startswith("application/json")
                return answer.status, is_json, answer.read().decode()
            except (OSError, http.client.HTTPException):
                # The server may have closed a connection that was kept from the call before.
                self.close()
                if attempt == "new connection":
                    raise
        raise AssertionError("not reached")


def wait_until(is_done: Callable[[], bool], timeout_s: float, complaint: str) -> None:
    """Ask until `is_done`; raises SandboxError with `complaint` once the time is up."""
    deadline = time.monotonic() + timeout_s
    while not is_done():
        if time.monotonic() > deadline:
            raise SandboxError(f"{complaint} after {timeout_s:.0f} s")
        time.sleep(POLL_S)
