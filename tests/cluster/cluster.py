"""What tests do with a control plane: apply manifests, submit jobs, see what was admitted."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kubernetes import config as kubernetes_config
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

from tests.cluster.manifests import VERSION, Manifest, job

FIELD_MANAGER = "cluster-test"
THREADS = 4
POLL_S = 0.2
TIMEOUT_S = 180.0


class Cluster:
    """A client of the API server as the user of a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self._api: ApiClient = kubernetes_config.new_client_from_config(str(kubeconfig))
        self._client = DynamicClient(self._api)
        self._serial = 0

    def close(self) -> None:
        """Close the connections."""
        self._api.rest_client.pool_manager.clear()

    def apply(self, *manifests: Manifest) -> None:
        """Apply the manifests in turn, by server-side apply."""
        for manifest in manifests:
            self._kind(manifest["apiVersion"], manifest["kind"]).server_side_apply(
                body=manifest,
                name=manifest["metadata"]["name"],
                namespace=manifest["metadata"].get("namespace"),
                field_manager=FIELD_MANAGER,
                force_conflicts=True,
            )

    def create(self, manifest: Manifest) -> Any:
        """Create the object; raises ApiException where it is refused."""
        place = manifest["metadata"].get("namespace")
        return self._kind(manifest["apiVersion"], manifest["kind"]).create(body=manifest, namespace=place)

    def refusal(self, manifest: Manifest) -> str:
        """Why the API server refuses to create the object; fails where it does not."""
        try:
            self.create(manifest)
        except ApiException as error:
            return str(error.body)
        raise AssertionError(f"the API server took {manifest['kind']} {manifest['metadata']['name']}")

    def read(self, version: str, kind: str, name: str, place: str | None = None) -> dict[str, Any]:
        return self._kind(version, kind).get(name=name, namespace=place).to_dict()

    def list_all(self, version: str, kind: str, place: str | None = None) -> list[dict[str, Any]]:
        # Objects of the client's own take ten times as long to make as plain ones.
        answer = self._kind(version, kind).get(namespace=place, serialize=False)
        return json.loads(answer.data)["items"]

    def delete(self, version: str, kind: str, name: str, place: str | None = None) -> None:
        """Delete the object; what belongs to it goes afterwards."""
        self._kind(version, kind).delete(name=name, namespace=place, body={"propagationPolicy": "Background"})

    def submit(self, place: str, queue: str, count: int, requests: Mapping[str, str]) -> list[str]:
        """Create `count` jobs of one pod in the local queue; returns their names."""
        first, self._serial = self._serial, self._serial + count
        names = [f"{queue}-{number}" for number in range(first, first + count)]
        self.create_all(job(name, place, queue, requests) for name in names)
        return names

    def create_all(self, manifests: Iterable[Manifest]) -> None:
        """Create the objects, several at a time."""
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(self.create, manifests):
                pass

    def count_admitted(self, place: str) -> Counter[str]:
        """Workloads of the namespace that have their quota, by local queue."""
        workloads = self.list_all(VERSION, "Workload", place)
        return Counter(each["spec"]["queueName"] for each in workloads if has_quota(each))

    def count_admitted_by_flavor(self, place: str) -> Counter[tuple[str, str]]:
        """Workloads of the namespace that have their quota, by local queue and flavor of their cpu."""
        workloads = [each for each in self.list_all(VERSION, "Workload", place) if has_quota(each)]
        return Counter((each["spec"]["queueName"], flavor_of(each)) for each in workloads)

    def _kind(self, version: str, kind: str) -> Any:
        return self._client.resources.get(api_version=version, kind=kind)


def has_quota(workload: Mapping[str, Any]) -> bool:
    """Whether Kueue has reserved the workload's quota."""
    conditions = workload.get("status", {}).get("conditions") or []
    return any(each["type"] == "QuotaReserved" and each["status"] == "True" for each in conditions)


def flavor_of(workload: Mapping[str, Any], resource: str = "cpu") -> str:
    """The flavor that an admitted workload of one pod has its `resource` from."""
    return workload["status"]["admission"]["podSetAssignments"][0]["flavors"][resource]


def wait_until(
    is_done: Callable[[], bool], what: str | Callable[[], str], timeout_s: float = TIMEOUT_S
) -> float:
    """Wait until `is_done` and return the seconds that took; fails with `what` once the time is up."""
    started = time.monotonic()
    while not is_done():
        if time.monotonic() - started > timeout_s:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what() if callable(what) else what}")
        time.sleep(POLL_S)
    return time.monotonic() - started


def stays(is_so: Callable[[], bool], seconds: float) -> bool:
    """Whether `is_so` holds all the time for so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not is_so():
            return False
        time.sleep(POLL_S)
    return True
