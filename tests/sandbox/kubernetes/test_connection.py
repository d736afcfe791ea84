"""Which cluster a configuration means."""

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.delays import SCALE
from sandbox.google.facts import load_table
from sandbox.google.outputs import Settings as GoogleSettings
from sandbox.google.store import Store as CloudStore
from sandbox.kubernetes.configuration import Settings
from sandbox.kubernetes.connection import KUBECONFIG_VARIABLE, connect, identify
from sandbox.kubernetes.errors import UnreachableError
from tests.sandbox.kubernetes.conftest import kubeconfig

GOOGLE = GoogleSettings("acme-dev", "us-central1", "us-central1-a", {})
CLUSTER = "gcp:container/cluster:Cluster"


@pytest.fixture
def world(cloud):
    """The imitated Google Cloud with its APIs enabled."""
    world = Cloud(CloudStore(cloud))
    with world.store.transaction():
        world.store.turn(SCALE, "0")
    for api in {*load_table("services")["modules"].values()}:
        world.create("gcp:projects/service:Service", {"service": api}, GOOGLE)
    yield world
    world.store.close()


def make_cluster(world, **inputs):
    wanted = {"name": "dev", "location": "us-central1", "deletionProtection": False, **inputs}
    return world.create(CLUSTER, wanted, GOOGLE)


def dns(cluster):
    return f"https://{cluster.properties['controlPlaneEndpointsConfig']['dnsEndpointConfig']['endpoint']}"


def test_both_addresses_of_a_gke_cluster_mean_that_cluster(world, cloud):
    cluster = make_cluster(world)
    by_name = identify(dns(cluster), "", cloud)
    by_number = identify(f"https://{cluster.properties['endpoint']}", "other", cloud)
    assert by_name == by_number
    assert by_name.key.startswith("projects/acme-dev/locations/us-central1/clusters/dev#")


def test_a_cluster_that_was_made_anew_is_another_one(world, cloud):
    first = make_cluster(world)
    key = identify(dns(first), "", cloud).key
    world.delete(CLUSTER, first.id)
    assert identify(dns(make_cluster(world)), "", cloud).key != key


def test_behind_the_address_of_a_deleted_cluster_nobody_answers(world, cloud):
    cluster = make_cluster(world)
    world.delete(CLUSTER, cluster.id)
    with pytest.raises(UnreachableError, match="no cluster behind"):
        identify(dns(cluster), "", cloud)


@pytest.mark.parametrize(
    ("inputs", "origins", "has_collection"),
    [
        ({}, {"monitoring", "provisioning"}, True),
        (
            {"gatewayApiConfig": {"channel": "CHANNEL_STANDARD"}},
            {"monitoring", "provisioning", "gateway"},
            True,
        ),
        ({"gatewayApiConfig": {"channel": "CHANNEL_DISABLED"}}, {"monitoring", "provisioning"}, True),
        ({"monitoringConfig": {"managedPrometheus": {"enabled": False}}}, {"provisioning"}, False),
    ],
)
def test_a_gke_cluster_serves_the_kinds_that_it_switches_on(world, cloud, inputs, origins, has_collection):
    found = identify(dns(make_cluster(world, **inputs)), "", cloud)
    assert found.origins == origins
    assert ("gmp-public" in found.namespaces) is has_collection
    assert "kube-system" in found.namespaces


def test_any_other_address_is_a_cluster_that_is_always_there(cloud):
    assert identify("https://10.0.0.1", "", cloud).key == "https://10.0.0.1"
    assert identify("https://10.0.0.1", "dev", cloud).key == "dev"
    assert identify("", "", cloud).key == "default"
    assert identify("", "", cloud).origins == {"monitoring", "provisioning", "gateway"}


def test_without_a_cluster_everything_is_recorded(store, cloud):
    connection = connect(Settings(kubeconfig=kubeconfig(token="x")), store, cloud, {})
    assert not connection.cluster.has_controllers
    assert (connection.key, connection.namespace) == ("https://kubernetes.example", "default")


def test_the_variable_sends_everything_to_the_cluster_that_it_names(store, cloud, tmp_path):
    path = tmp_path / "config"
    path.write_text(kubeconfig("http://127.0.0.1:9"))
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:9 does not answer"):
        connect(Settings(), store, cloud, {KUBECONFIG_VARIABLE: str(path)})
