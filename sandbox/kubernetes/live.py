"""A real API server over HTTP, with the credentials of a kubeconfig."""

import json
import ssl
import tempfile
import threading
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import urllib3

from sandbox.kubernetes.cluster import Application, Manifest, Place
from sandbox.kubernetes.errors import ApiError, UnreachableError
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.kubeconfig import ClusterAccess, KubeconfigError
from sandbox.kubernetes.ownership import adopt_fields

_CONNECTIONS: Final = 64
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=60)
_APPLY: Final = "application/apply-patch+yaml"
_JSON_PATCH: Final = "application/json-patch+json"


class LiveCluster:
    """The API server that a kubeconfig names. Raises KubeconfigError for credentials it cannot use."""

    has_controllers = True
    retry_scale = 1.0

    def __init__(self, access: ClusterAccess) -> None:
        if access.has_plugin and not (access.token or access.certificate):
            raise KubeconfigError("the kubeconfig's user has a plugin: give it a token or a certificate")
        self.server = access.server
        headers = {"Accept": "application/json", "User-Agent": "headroom-sandbox"}
        if access.token:
            headers["Authorization"] = f"Bearer {access.token}"
        self._pool = urllib3.PoolManager(
            maxsize=_CONNECTIONS,
            headers=headers,
            ssl_context=_make_context(access) if access.server.startswith("https") else None,
            server_hostname=access.tls_server_name,
            assert_hostname=access.tls_server_name,
        )
        self._kinds: dict[str, dict[str, Kind]] = {}
        self._turn = threading.Lock()

    def close(self) -> None:
        """Close the connections; another use opens them again."""
        self._pool.clear()

    def require_answer(self) -> None:
        """Raise UnreachableError unless the API server answers."""
        self._request("GET", "/version")

    def find_kind(self, api_version: str, name: str) -> Kind | None:
        """The kind as the server's discovery has it; what is not there is asked for anew each time."""
        with self._turn:
            if name not in self._kinds.get(api_version, {}):
                self._kinds[api_version] = self._discover(api_version)
            return self._kinds[api_version].get(name)

    def _discover(self, api_version: str) -> dict[str, Kind]:
        try:
            answer = self._request("GET", _root(api_version))
        except ApiError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return {}
            raise
        return {
            row["kind"]: Kind(api_version, row["kind"], row["name"], row["namespaced"])
            for row in answer.get("resources", ())
            if "/" not in row["name"]
        }

    def read(self, place: Place) -> Manifest:
        """GET."""
        return self._request("GET", _path(place))

    def create(self, place: Place, manifest: Manifest, how: Application) -> Manifest:
        """POST, with strict field validation."""
        return self._request("POST", _collection(place), manifest, fields=_fields(how))

    def apply(self, place: Place, manifest: Manifest, how: Application) -> Manifest:
        """PATCH by server-side apply, with strict field validation."""
        fields = _fields(how) | {"force": "true" if how.force else "false"}
        return self._request("PATCH", _path(place), manifest, fields, _APPLY)

    def replace(self, place: Place, manifest: Manifest, how: Application) -> Manifest:
        """PUT over the version that is there."""
        version = self.read(place)["metadata"]["resourceVersion"]
        metadata = {**manifest["metadata"], "resourceVersion": version}
        return self._request("PUT", _path(place), {**manifest, "metadata": metadata}, _fields(how))

    def adopt(self, place: Place, live: Manifest, manager: str) -> Manifest:
        """PATCH the managed fields, if client-side managers of the provider own any."""
        managed = adopt_fields(live["metadata"].get("managedFields", []), manager)
        if managed is None:
            return live
        patch = [
            {"op": "replace", "path": "/metadata/managedFields", "value": managed},
            {
                "op": "replace",
                "path": "/metadata/resourceVersion",
                "value": live["metadata"]["resourceVersion"],
            },
        ]
        return self._request("PATCH", _path(place), patch, content_type=_JSON_PATCH)

    def delete(self, place: Place, propagation: str) -> None:
        """DELETE."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        self._request("DELETE", _path(place), options)

    def _request(
        self,
        method: str,
        path: str,
        body: Any = None,
        fields: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        query = "&".join(f"{key}={quote(value)}" for key, value in (fields or {}).items())
        try:
            answer = self._pool.request(
                method,
                f"{self.server}{path}{'?' if query else ''}{query}",
                body=None if body is None else json.dumps(body).encode(),
                headers={**self._pool.headers, "Content-Type": content_type},
                timeout=_TIMEOUT,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(self.server, error) from None
        content = _decode(answer.data)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise _error(answer.status, content)
        return content


def _make_context(access: ClusterAccess) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=access.authority)
    if not access.is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if access.certificate and access.key:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(f"{access.certificate}\n{access.key}\n")
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _collection(place: Place) -> str:
    inside = f"/namespaces/{quote(place.namespace)}" if place.namespace else ""
    return f"{_root(place.kind.api_version)}{inside}/{place.kind.plural}"


def _path(place: Place) -> str:
    return f"{_collection(place)}/{quote(place.name)}"


def _fields(how: Application) -> dict[str, str]:
    trial = {"dryRun": "All"} if how.dry_run else {}
    return {"fieldManager": how.manager, "fieldValidation": "Strict", **trial}


def _decode(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except ValueError:
        return {"message": data.decode(errors="replace").strip()}
    return content if isinstance(content, dict) else {}


def _error(code: int, content: Mapping[str, Any]) -> ApiError:
    details = content.get("details") or {}
    message = content.get("message") or f"HTTP {code}"
    return ApiError(code, content.get("reason") or "", message, about=details.get("kind", ""))


def _unreachable(server: str, error: Exception) -> UnreachableError:
    cause = _innermost(error)
    return UnreachableError(
        f"the Kubernetes API server at {server} does not answer ({cause}): see that it runs and that the "
        "kubeconfig is right; what was made so far is in the state, and the next update goes on from there"
    )


def _innermost(error: BaseException) -> str:
    """The cause at the bottom of a chain of exceptions, without the addresses of objects."""
    chain: Iterable[Any] = (error, getattr(error, "reason", None), error.__cause__, error.__context__)
    nested = [each for each in chain if isinstance(each, OSError)]
    text = str(nested[-1]) if nested else str(error)
    return text.rpartition(": ")[2] if "object at 0x" in text else text
