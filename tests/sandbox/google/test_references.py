"""What is named has to be there, and what is needed cannot go."""

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.errors import ApiError
from sandbox.google.facts import load_table
from sandbox.google.schema import load_resource_type
from tests.sandbox.google.conftest import SETTINGS, World

CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ROUTER = "gcp:compute/router:Router"
FIREWALL = "gcp:compute/firewall:Firewall"
KEY = "gcp:kms/cryptoKey:CryptoKey"
RANGE = {"ipCidrRange": "10.0.0.0/20"}


@pytest.mark.parametrize(
    ("token", "inputs", "message"),
    [
        (POOL, {"cluster": "none", "name": "p"}, "Error 404: Not found: projects/acme-dev/locations/us-central1/clus"),
        (SUBNETWORK, {"name": "s", "network": "none", **RANGE}, "Error 404: The resource 'projects/acme-dev/global/n"),
        (ROUTER, {"name": "r", "network": "none"}, "Error 404: The resource 'projects/acme-dev/global/networks/none'"),
        (
            "gcp:compute/routerNat:RouterNat",
            {"name": "n", "router": "none", "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES"},
            "Error 404: The resource 'projects/acme-dev/regions/us-central1/routers/none' was not found",
        ),
        (KEY, {"name": "k", "keyRing": "projects/p/locations/l/keyRings/none"}, "Error 404: KeyRing projects/p/locati"),
        (
            "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
            {"cryptoKeyId": "projects/p/none", "role": "r", "member": "user:a@acme.example"},
            "Error 404: CryptoKey projects/p/none not found",
        ),
        (
            "gcp:serviceaccount/iAMMember:IAMMember",
            {
                "serviceAccountId": "projects/acme-dev/serviceAccounts/none@acme-dev.iam.gserviceaccount.com",
                "role": "roles/iam.workloadIdentityUser",
                "member": "user:a@acme.example",
            },
            "Error 400: Service account projects/acme-dev/serviceAccounts/none@acme-dev",
        ),
        (
            POOL,
            {"cluster": "dev", "name": "p", "nodeConfig": {"serviceAccount": "none@acme-dev.iam.gserviceaccount.com"}},
            "Error 400: Service account none@acme-dev.iam.gserviceaccount.com does not exist",
        ),
        (
            "gcp:storage/bucketIAMMember:BucketIAMMember",
            {"bucket": "none", "role": "r", "member": "user:a@acme.example"},
            "Error 404: The specified bucket does not exist",
        ),
        (CLUSTER, {"name": "c", "network": "none"}, "Error 404: The resource 'projects/acme-dev/global/networks/none'"),
    ],
)  # fmt: skip
def test_a_reference_to_what_is_not_there_is_refused(
    world: World, token: str, inputs: dict, message: str
) -> None:
    with pytest.raises(ApiError) as caught:
        world.make(token, **inputs)

    assert message in str(caught.value)


@pytest.mark.parametrize("by", ["name", "id", "selfLink"])
def test_a_network_is_found_by_name_id_and_link(world: World, by: str) -> None:
    network = world.make(NETWORK, name="vpc")
    reference = network.id if by == "id" else network.properties[by]

    assert world.make(SUBNETWORK, name="nodes", network=reference, **RANGE).id


def test_the_default_network_is_there_without_anybody_having_made_it(world: World) -> None:
    assert world.make(SUBNETWORK, name="nodes", network="default", **RANGE).id


def test_a_refused_resource_leaves_nothing_behind(world: World, cloud: Cloud) -> None:
    with pytest.raises(ApiError):
        world.make(SUBNETWORK, name="nodes", network="none", **RANGE)

    assert cloud.store.objects(SUBNETWORK) == []


def test_a_network_in_use_cannot_be_deleted(world: World, cloud: Cloud) -> None:
    network = world.make(NETWORK, name="vpc")
    subnetwork = world.make(SUBNETWORK, name="nodes", network=network.id, **RANGE)

    with pytest.raises(
        ApiError, match=r"is already being used by .*subnetworks/nodes.*resourceInUseByAnotherRes"
    ):
        cloud.delete(NETWORK, network.id)
    cloud.delete(SUBNETWORK, subnetwork.id)
    cloud.delete(NETWORK, network.id)
    assert cloud.read(NETWORK, network.id) is None


def test_a_cluster_keeps_its_network_and_subnetwork(world: World, cloud: Cloud) -> None:
    network = world.make(NETWORK, name="vpc")
    subnetwork = world.make(SUBNETWORK, name="nodes", network=network.id, **RANGE)
    cluster = world.make(
        CLUSTER, name="c", network=network.id, subnetwork=subnetwork.id, deletionProtection=False
    )

    with pytest.raises(ApiError, match=r"already being used by .*clusters/c"):
        cloud.delete(SUBNETWORK, subnetwork.id)
    cloud.delete(CLUSTER, cluster.id)
    cloud.delete(SUBNETWORK, subnetwork.id)


def test_the_pools_of_a_cluster_go_with_it(world: World, cloud: Cloud) -> None:
    pool = world.make(POOL, cluster="dev", name="p", nodeCount=1)
    cloud.delete(CLUSTER, "projects/acme-dev/locations/us-central1/clusters/dev")

    assert cloud.read(POOL, pool.id) is None
    assert cloud.store.draws("acme-dev") == {}


def test_an_update_moves_what_is_needed(world: World, cloud: Cloud) -> None:
    first, second = (world.make(NETWORK, name=name) for name in ("one", "two"))
    inputs = {"name": "f", "network": first.id, "allows": [{"protocol": "tcp"}]}
    firewall = world.make(FIREWALL, **inputs)
    cloud.update(FIREWALL, firewall.id, inputs, inputs | {"network": second.id}, SETTINGS)

    cloud.delete(NETWORK, first.id)
    with pytest.raises(ApiError, match="already being used"):
        cloud.delete(NETWORK, second.id)


def test_every_row_names_properties_and_types_that_exist() -> None:
    table = load_table("references")
    for kind in table["kinds"].values():
        assert load_resource_type(kind["type"])
    for token, rows in table["types"].items():
        for row in rows:
            assert row["kind"] in table["kinds"]
            assert row["property"].split(".")[0] in load_resource_type(token).inputs
