"""Service Usage: which of Google's APIs are enabled in a project."""

from collections.abc import Sequence
from typing import Final

from headroom.live.connection import Connection, answers, bounds

_AT_ONCE: Final = 20
"""How many services one request may name: Service Usage allows 30."""


def list_enabled(connection: Connection, apis: Sequence[str]) -> frozenset[str]:
    """Return those of `apis` (such as `compute.googleapis.com`) that are enabled. Raises UnansweredError."""
    from google.cloud.service_usage_v1 import BatchGetServicesRequest, ServiceUsageClient, State

    parent = f"projects/{connection.project}"
    enabled: set[str] = set()
    with answers(connection.project):
        client = connection.client(ServiceUsageClient)
        for start in range(0, len(apis), _AT_ONCE):
            names = [f"{parent}/services/{api}" for api in apis[start : start + _AT_ONCE]]
            answer = client.batch_get_services(
                request=BatchGetServicesRequest(parent=parent, names=names), **bounds()
            )
            enabled.update(
                service.name.rsplit("/", 1)[1]
                for service in answer.services
                if service.state == State.ENABLED
            )
    return frozenset(enabled)
