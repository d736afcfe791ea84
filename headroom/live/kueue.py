"""The cluster through the Kubernetes API: Kueue's queues, nodes, and pods that no queue has admitted.

Only lists are asked for: of nodes, pods, and Kueue's objects (docs/audit.md has the permissions).
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from headroom.audit.kueue_objects import read_all, read_cluster_queue, read_cohort, read_local_queue
from headroom.audit.snapshot import QueuesNow, Unmanaged
from headroom.audit.unmanaged import find_unmanaged
from headroom.live.connection import TIMEOUT_S, Connection, UnansweredError
from headroom.spec.base import POOL_LABEL

_GROUP: Final = ("kueue.x-k8s.io", "v1beta2")
_PAGE: Final = 500
_BUSY: Final = (429, 500, 502, 503, 504)
_PAUSES_S: Final = (0.5, 2.0)
_LIVING: Final = "status.phase!=Succeeded,status.phase!=Failed"


def open_kubeconfig(path: Path | None, context: str | None) -> Any:
    """Return a client by a kubeconfig, by default the one of `kubectl`. Raises UnansweredError."""
    import yaml
    from kubernetes import config
    from kubernetes.config.config_exception import ConfigException

    try:
        file = str(path) if path else None
        return _without_repeats(config.new_client_from_config(file, context=context))
    except (ConfigException, OSError, ValueError, TypeError, yaml.YAMLError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise UnansweredError(f"the kubeconfig cannot be used: {first[:200]}") from None


def open_endpoint(connection: Connection, endpoint: str) -> Any:
    """Return a client of a cluster by its DNS endpoint, with the application default credentials.

    An imitation of Google Cloud has the endpoints of its clusters as paths, and asks nobody who it is.
    """
    from kubernetes.client import ApiClient, Configuration

    if connection.endpoint:
        return _without_repeats(ApiClient(Configuration(host=f"{connection.endpoint}/{endpoint}")))
    settings = Configuration(host=f"https://{endpoint}")
    settings.api_key = {"authorization": f"Bearer {connection.credentials.token}"}
    return _without_repeats(ApiClient(settings))


def read_queues(client: Any) -> tuple[QueuesNow, tuple[str, ...]]:
    """Return all of Kueue's queues, and what of them could not be read. Raises UnansweredError."""
    gaps: list[str] = []
    queues = read_all(_custom(client, "clusterqueues"), read_cluster_queue, gaps)
    cohorts = read_all(_custom(client, "cohorts"), read_cohort, gaps)
    local_queues = read_all(_custom(client, "localqueues"), read_local_queue, gaps)
    return QueuesNow(queues, cohorts, local_queues), tuple(gaps)


def read_nodes(client: Any) -> dict[str, str]:
    """Return for each node the pool that it is of, empty where it says none. Raises UnansweredError."""
    from kubernetes.client import CoreV1Api

    found = _pages(CoreV1Api(client).list_node, "nodes")
    return {
        node["metadata"]["name"]: (node["metadata"].get("labels") or {}).get(POOL_LABEL, "") for node in found
    }


def count_nodes(nodes: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """Return how many nodes each pool has."""
    return tuple(sorted(Counter(pool for pool in nodes.values() if pool).items()))


def read_unmanaged(client: Any, nodes: Mapping[str, str]) -> tuple[Unmanaged, ...]:
    """Return the pods on the pools' nodes that no queue has admitted. Raises UnansweredError."""
    from kubernetes.client import CoreV1Api

    pods = _pages(CoreV1Api(client).list_pod_for_all_namespaces, "pods", field_selector=_LIVING)
    return find_unmanaged(pods, nodes)


def _custom(client: Any, plural: str) -> Iterator[dict[str, Any]]:
    from kubernetes.client import CustomObjectsApi

    def ask(**options: Any) -> Any:
        return CustomObjectsApi(client).list_cluster_custom_object(*_GROUP, plural, **options)

    return _pages(ask, plural)


def _pages(ask: Callable[..., Any], what: str, **options: Any) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        more = {"_continue": token} if token else {}
        answer = _repeat(lambda more=more: ask(limit=_PAGE, **options, **more, **_plain()), what)
        items, token = _read_page(answer, what)
        yield from items
        if not token:
            return


def _plain() -> dict[str, Any]:
    """Bytes rather than objects of the client's own, which take ten times as long to make."""
    return {"_preload_content": False, "_request_timeout": TIMEOUT_S}


def _read_page(answer: Any, what: str) -> tuple[list[dict[str, Any]], str]:
    try:
        content = json.loads(answer.data)
        items = content["items"]
        return [each for each in items if isinstance(each, dict)], str(
            (content.get("metadata") or {}).get("continue") or ""
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnansweredError(f"the answer about {what} is not what Kubernetes answers") from None


def _repeat(ask: Callable[[], Any], what: str) -> Any:
    for pause in (*_PAUSES_S, None):
        try:
            with _explained(what):
                return ask()
        except UnansweredError as error:
            if pause is None or error.status not in _BUSY:
                raise
        time.sleep(pause)
    raise AssertionError("the last question is answered or raises")


@contextmanager
def _explained(what: str) -> Generator[None]:
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        raise _refusal(int(error.status or 0), what) from None
    except HTTPError:
        raise UnansweredError("the API server could not be reached, or did not answer in time") from None


def _refusal(status: int, what: str) -> UnansweredError:
    if status == 0:
        # As the client reports what TLS refuses, such as a certificate that nobody vouches for.
        return UnansweredError("the API server's certificate is not to be trusted")
    if status in (401, 403):
        who = "kubectl auth can-i list " + what
        return UnansweredError(f"the API server refuses: you may not list {what}", remedy=who, status=status)
    if status == 404:
        return UnansweredError(f"the cluster knows no {what}: is Kueue installed?", status=status)
    return UnansweredError(f"the API server answered {status} for {what}", status=status)


def _without_repeats(client: Any) -> Any:
    """The client's own repeats would come on top of those here, without a pause."""
    client.rest_client.pool_manager.connection_pool_kw["retries"] = False
    return client
