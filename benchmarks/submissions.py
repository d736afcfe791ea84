"""Submits jobs to a Kubernetes API server and sees when they get their quota.

Run as `python -m benchmarks.submissions KUBECONFIG NAMESPACE COUNT QUEUED` it is the errant pipeline: it
submits so many jobs, and those that are refused again and again until its standard input is closed.
"""

import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

THREADS = 4
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
FLOOD_REQUESTS = {"cpu": "1", "memory": "1Gi"}
THROWN = "thrown"

Manifest = dict[str, Any]


class Client:
    """Speaks to the API server as the user of a kubeconfig; threads may share it."""

    def __init__(self, kubeconfig: Path) -> None:
        from kubernetes.config import new_client_from_config

        api = new_client_from_config(str(kubeconfig))
        self._host, self._pool = api.configuration.host, api.rest_client.pool_manager

    def submit(self, manifest: Manifest) -> str | None:
        """Create the job; returns why it was refused, None where it was taken."""
        path = f"/apis/batch/v1/namespaces/{manifest['metadata']['namespace']}/jobs"
        answer = self._pool.request(
            "POST", self._host + path, body=json.dumps(manifest), headers={"Content-Type": "application/json"}
        )
        return None if answer.status == HTTPStatus.CREATED else answer.data.decode()

    def watch(self, path: str, seconds: int) -> Iterator[Manifest]:
        """Yield the objects of a collection as they are made and change, for so many seconds."""
        url = f"{self._host}{path}?watch=true&timeoutSeconds={seconds}"
        for line in self._pool.request("GET", url, preload_content=False, timeout=None):
            yield json.loads(line)["object"]


class Sightings:
    """When each job of a namespace got its quota, by a watch of its own from now on."""

    def __init__(self, client: Client, place: str, queued: bool, seconds: int) -> None:
        self._client = client
        self._seen: dict[str, float] = {}
        self._failure: Exception | None = None
        kind = "apis/kueue.x-k8s.io/v1beta2" if queued else "api/v1"
        path = f"/{kind}/namespaces/{place}/{'workloads' if queued else 'pods'}"
        has_quota = _has_reservation if queued else lambda _: True
        watch = threading.Thread(target=self._watch, args=(path, seconds, has_quota), daemon=True)
        watch.start()

    def of(self, name: str) -> float | None:
        """Return when the job of that name was first seen with its quota, None where it was not.

        Raises RuntimeError where the watch has ended.
        """
        if self._failure is not None:
            raise RuntimeError("the API server ended the watch") from self._failure
        return self._seen.get(name)

    def _watch(self, path: str, seconds: int, has_quota: Callable[[Manifest], bool]) -> None:
        from urllib3.exceptions import HTTPError

        try:
            for each in self._client.watch(path, seconds):
                if has_quota(each):
                    for owner in each["metadata"].get("ownerReferences", ()):
                        self._seen.setdefault(owner["name"], time.monotonic())
        except HTTPError as error:
            # So it ends with its server too, when nobody asks any more.
            self._failure = error


def make_job(name: str, place: str, queued: bool, requests: Mapping[str, str]) -> Manifest:
    """Return a job of one pod, in the queue of its namespace where there are queues."""
    container = {"name": "main", "image": "registry.k8s.io/pause:3.10", "resources": {"requests": requests}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": place, "labels": {QUEUE_LABEL: place} if queued else {}},
        "spec": {
            "suspend": queued,
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": 3600,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }


def _has_reservation(workload: Manifest) -> bool:
    conditions = workload.get("status", {}).get("conditions") or ()
    return any(each["type"] == "QuotaReserved" and each["status"] == "True" for each in conditions)


class Flood:
    """Jobs that are submitted, several at a time, until all are taken or it is stopped."""

    def __init__(self, client: Client, place: str, count: int, queued: bool) -> None:
        self._client, self._place, self._queued = client, place, queued
        self._left = deque(range(count))
        self._count, self._tried = count, 0
        self._counting = threading.Lock()
        self._stopped = threading.Event()
        self._thrown = threading.Event()
        self._threads = [threading.Thread(target=self._submit, daemon=True) for _ in range(THREADS)]

    def throw(self) -> None:
        """Start, and return once each job has been tried. Raises RuntimeError where no server answers."""
        for thread in self._threads:
            thread.start()
        while not self._thrown.wait(1.0):
            if not any(thread.is_alive() for thread in self._threads):
                raise RuntimeError("no API server answers")

    def stop(self) -> int:
        """End it; returns how many jobs were taken."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        return self._count - len(self._left)

    def _submit(self) -> None:
        while not self._stopped.is_set():
            try:
                number = self._left.popleft()
            except IndexError:
                break
            job = make_job(f"flood-{number}", self._place, self._queued, FLOOD_REQUESTS)
            if self._client.submit(job) is not None:
                self._left.append(number)
            with self._counting:
                self._tried += 1
                if self._tried == self._count:
                    self._thrown.set()


def _run_flood(kubeconfig: str, place: str, count: str, queued: str) -> None:
    flood = Flood(Client(Path(kubeconfig)), place, int(count), queued == "queued")
    flood.throw()
    print(THROWN, flush=True)
    sys.stdin.read()
    print(flood.stop(), flush=True)


if __name__ == "__main__":
    _run_flood(*sys.argv[1:])
