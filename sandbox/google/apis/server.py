"""Serves the APIs over HTTP on this machine."""

import json
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.google.apis import (
    cloud_billing,
    cloud_identity,
    cloud_quotas,
    cluster_endpoint,
    compute,
    container,
    monitoring,
    org_policy,
    resource_manager,
    service_usage,
    storage,
    storage_objects,
)
from sandbox.google.apis.exchange import SYSTEM_PARAMETERS, Call, Route, denied, describe_error, invalid
from sandbox.google.delays import read_pace
from sandbox.google.errors import ApiError
from sandbox.google.outputs import project_number
from sandbox.google.rules import Surroundings
from sandbox.google.services import is_enabled
from sandbox.google.store import Store

MODULES: Final = (
    cloud_billing,
    cloud_identity,
    cloud_quotas,
    cluster_endpoint,
    compute,
    container,
    monitoring,
    org_policy,
    resource_manager,
    service_usage,
    storage,
    storage_objects,
)
ROUTES: Final[tuple[Route, ...]] = tuple(route for module in MODULES for route in module.ROUTES)

_LARGEST_BODY: Final = 1 << 23
_NO_JSON: Final = ("application/x-www-form-urlencoded", "multipart/")
_USER_PROJECT: Final = "x-goog-user-project"


@contextmanager
def serve(cloud: Path) -> Generator[str]:
    """Answer for the world in the SQLite file `cloud` while inside; gives the base URL."""
    store = Store(cloud)

    class Handler(_Handler):
        world = store

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        store.close()


def answer(
    store: Store, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, Any]:
    """The status and body with which the APIs answer a request: data for JSON, or bytes."""
    metadata: dict[str, str] = {}
    try:
        route, call = _route(store, method, target, headers, body)
        metadata |= {"service": route.api, "consumer": f"projects/{project_number(call.names['project'])}"}
        _require_access(route, call)
        return HTTPStatus.OK, route.answer(call)
    except ApiError as error:
        return int(error.code), describe_error(error, metadata)


def _route(
    store: Store, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> tuple[Route, Call]:
    parts = urlsplit(target)
    path = unquote(parts.path)
    matches = [(route, found) for route in ROUTES if (found := route.path.fullmatch(path))]
    if not matches:
        raise ApiError(HTTPStatus.NOT_FOUND, f"The requested URL {path} was not found.", "notFound")
    chosen = next(((route, found) for route, found in matches if route.method == method), None)
    if chosen is None:
        message = f"{method} is not answered here: the imitation's APIs are read only."
        raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, message, "methodNotAllowed")
    route, found = chosen
    query = parse_qs(parts.query, keep_blank_values=True)
    for name in query.keys() - SYSTEM_PARAMETERS - route.parameters:
        raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.')
    names = {"project": headers.get(_USER_PROJECT, "")} | found.groupdict()
    kind = headers.get("content-type", "")
    said = {} if kind.startswith(_NO_JSON) else Call.parse(body)
    return route, Call(names, query, said, store, time.time(), body, kind)


def _require_access(route: Route, call: Call) -> None:
    """Raise `ApiError` 403 if the project is not there, or the API not enabled in it."""
    if not call.project:
        return
    if not call.settings.exists:
        resource = f"//cloudresourcemanager.googleapis.com/projects/{call.project}"
        raise denied("resourcemanager.projects.get", resource)
    around = Surroundings(call.store, read_pace(call.store).lag)
    if not is_enabled(route.api, call.project, call.moment, around):
        message = (
            f"{route.api} has not been used in project {project_number(call.project)} before or it is "
            "disabled. Enable it, wait a few minutes, then retry."
        )
        raise ApiError(HTTPStatus.FORBIDDEN, message, "SERVICE_DISABLED")


class _Server(ThreadingHTTPServer):
    # Clients ask many things at once; one that finds the queue full waits a second.
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    world: Store
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: in two, the second waits 40 ms for the first one's acknowledgement.
    wbufsize = 1 << 16

    def _respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST_BODY:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, body = answer(self.world, self.command, self.path, headers, self.rfile.read(length))
        is_data = not isinstance(body, bytes)
        content = json.dumps(dict(body)).encode() if is_data else body
        self.send_response(status)
        kind = "application/json; charset=UTF-8" if is_data else "application/octet-stream"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.world.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the answers are the log."""
