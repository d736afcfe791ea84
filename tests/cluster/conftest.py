"""The control plane that all cluster tests share: real API server, real Kueue, no nodes."""

import sys
from collections.abc import Iterator

import pytest

from sandbox.control_plane.kueue import platform_values
from sandbox.control_plane.plane import ControlPlane
from tests.cluster.cluster import Cluster
from tests.cluster.manifests import Manifest, namespace, resource_flavor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/cluster/"):
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """Started once; tests keep apart by the names of their namespaces, queues and cohorts."""
    with ControlPlane(platform_values(), lambda line: print(line, file=sys.stderr)) as plane:
        yield plane


@pytest.fixture(scope="session")
def cluster(control_plane: ControlPlane) -> Iterator[Cluster]:
    """The administrator's client."""
    client = Cluster(control_plane.kubeconfig)
    yield client
    client.close()


@pytest.fixture(scope="session")
def flavors(cluster: Cluster) -> tuple[str, str]:
    """Two flavors that every test may use."""
    names = ("first", "second")
    cluster.apply(*(resource_flavor(name) for name in names))
    return names


@pytest.fixture
def place(request: pytest.FixtureRequest, cluster: Cluster) -> str:
    """A namespace of the test's own, in which Kueue manages jobs."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:50].rstrip("-")
    manifest: Manifest = namespace(name)
    cluster.apply(manifest)
    return name
