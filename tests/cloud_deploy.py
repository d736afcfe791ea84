"""A Cloud Deploy, its audit logs and metrics on this machine: lists, pages, remembers what it was asked."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

PIPELINE = "projects/acme-ml-prod/locations/europe-west4/deliveryPipelines/prod-fraud-serving"
STAGING, PRODUCTION = "prod-fraud-serving-staging", "prod-fraud-serving"
METHOD = "google.cloud.deploy.v1.CloudDeploy"


def phases_of(**states: str) -> list[dict[str, str]]:
    """Phases by their state: `p1="SUCCEEDED"` is `canary-1`, `stable` itself."""
    return [
        {"id": name if name == "stable" else f"canary-{name[1:]}", "state": state}
        for name, state in states.items()
    ]


@dataclass
class CloudDeploy:
    """What there is, what was asked, and how requests are answered in the place of what is right."""

    releases: list[dict[str, Any]] = field(default_factory=list)
    rollouts: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    page: int = 2
    asked: list[tuple[str, Any]] = field(default_factory=list)
    failures: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    """The end of a path, the status and the body with which the next request of it is answered."""

    def release(self, name: str, created: str, **fields: Any) -> None:
        """Add a release."""
        self.releases.append(
            {"name": f"{PIPELINE}/releases/{name}", "createTime": created, "renderState": "SUCCEEDED"}
            | fields
        )

    def rollout(
        self, release: str, rollout: str, target: str, state: str, created: str, **fields: Any
    ) -> str:
        """Add a rollout and return its full name."""
        name = f"{PIPELINE}/releases/{release}/rollouts/{rollout}"
        row = {"name": name, "targetId": target, "state": state, "createTime": created}
        self.rollouts.append(row | fields)
        return name

    def log(self, method: str, resource: str, who: str, when: str, **payload: Any) -> None:
        """Add an entry of the audit logs."""
        self.entries.append(
            {
                "timestamp": when,
                "protoPayload": {
                    "methodName": f"{METHOD}.{method}",
                    "resourceName": resource,
                    "authenticationInfo": {"principalEmail": who},
                }
                | payload,
            }
        )

    @property
    def written(self) -> list[dict[str, Any]]:
        """The time series that were written, point by point."""
        return [
            row for path, body in self.asked if path.endswith("/timeSeries") for row in body["timeSeries"]
        ]

    @property
    def changes(self) -> list[tuple[str, Any]]:
        """The requests that change something: their paths below the pipeline, and bodies."""
        return [
            (path.partition(PIPELINE)[2], body)
            for path, body in self.asked
            if path.startswith("/v1/") and body
        ]

    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, dict[str, Any]]:
        """Return the status and body of an answer."""
        self.asked.append((path, body))
        for number, (end, status, said) in enumerate(self.failures):
            if path.endswith(end):
                del self.failures[number]
                return status, said
        if path.endswith("/timeSeries"):
            return 200, {}
        if path == "/v2/entries:list":
            return 200, self._page("entries", self.entries, body.get("pageToken", ""))
        token = query.get("pageToken", [""])[0]
        if path == f"/v1/{PIPELINE}/releases":
            return 200, self._page("releases", self.releases, token)
        if path == f"/v1/{PIPELINE}/releases/-/rollouts":
            return 200, self._page("rollouts", self.rollouts, token)
        return self._act(path, body)

    def _act(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        name, _, verb = path.removeprefix("/v1/").partition(":")
        found = next((row for row in self.rollouts if row["name"] == name), None)
        if verb == "rollbackTarget" and name == PIPELINE:
            self.rollout(
                body["releaseId"],
                body["rolloutId"],
                body["targetId"],
                "PENDING_APPROVAL",
                "2026-11-21T12:00:00Z",
            )
            return 200, {"rollbackConfig": body["rollbackConfig"]}
        if found is None:
            return 404, {"error": {"code": 404, "message": "not found"}}
        if verb:
            found["state"] = "IN_PROGRESS"
        return 200, {} if verb else found

    def _page(self, key: str, rows: list[dict[str, Any]], token: str) -> dict[str, Any]:
        start = int(token or 0)
        end = start + self.page
        more = {"nextPageToken": str(end)} if end < len(rows) else {}
        return {key: rows[start:end]} | more


@contextmanager
def serve(cloud: CloudDeploy) -> Generator[str]:
    """Answer for `cloud` while inside; gives the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            parts = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said = cloud.answer(
                parts.path, parse_qs(parts.query), json.loads(content) if content else None
            )
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _respond  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
