"""Nothing is granted to somebody who is not there, and keys serve only whom they were granted to."""

import time

import pytest

from sandbox.google.cloud import Cloud
from sandbox.google.delays import SCALE, Pace
from sandbox.google.errors import ApiError
from sandbox.google.outputs import project_number
from tests.sandbox.google.conftest import World

ACCOUNT = "gcp:serviceaccount/account:Account"
BINDING = "gcp:projects/iAMMember:IAMMember"
CLUSTER = "gcp:container/cluster:Cluster"
GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
NUMBER = project_number("acme-dev")
EMAIL = "gke-nodes@acme-dev.iam.gserviceaccount.com"
POOL_MEMBER = "serviceAccount:acme-dev.svc.id.goog[jobs/runner]"
ENCRYPT = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


def grant(world: World, member: str) -> str:
    return world.make(BINDING, project="acme-dev", role="roles/viewer", member=member).id


def test_a_service_account_that_is_not_there_is_granted_nothing(world: World) -> None:
    with pytest.raises(ApiError, match=rf"Error 400: Service account {EMAIL} does not exist., badRequest"):
        grant(world, f"serviceAccount:{EMAIL}")
    world.make(ACCOUNT, accountId="gke-nodes")

    assert grant(world, f"serviceAccount:{EMAIL}")


def test_a_new_service_account_is_seen_late(
    world: World, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.google.cloud.wait", lambda _: None)
    account = world.make(ACCOUNT, accountId="gke-nodes")
    cloud.store.turn(SCALE, "1")
    lag = Pace(scale=1).lag("account", ACCOUNT, account.id)
    later = account.created + 10_000

    monkeypatch.setattr(time, "time", lambda: later)
    assert grant(world, f"serviceAccount:{EMAIL}")
    cloud.store.turn(SCALE, str(10_000 / lag * 2))
    with pytest.raises(ApiError, match="does not exist"):
        grant(world, f"serviceAccount:{EMAIL}")


@pytest.mark.parametrize(
    "member", ["user:a@acme.example", "group:ml@acme.example", "domain:acme.example", "allAuthenticatedUsers"]
)
def test_people_and_groups_are_taken_to_exist(world: World, member: str) -> None:
    assert grant(world, member)


def test_the_workload_identity_pool_is_there_only_after_the_first_cluster_that_has_it(world: World) -> None:
    with pytest.raises(ApiError, match=r"Identity Pool does not exist \(acme-dev.svc.id.goog\)"):
        grant(world, POOL_MEMBER)
    world.make(CLUSTER, name="c", workloadIdentityConfig={"workloadPool": "acme-dev.svc.id.goog"})

    assert grant(world, POOL_MEMBER)


def test_a_federated_principal_of_the_workload_pool_is_checked_too(world: World) -> None:
    pool = "projects/1/locations/global/workloadIdentityPools/acme-dev.svc.id.goog"

    with pytest.raises(ApiError, match="Identity Pool does not exist"):
        grant(world, f"principal://iam.googleapis.com/{pool}/subject/ns/jobs/sa/runner")


def test_an_identity_pool_has_to_be_there(world: World) -> None:
    member = (
        f"principalSet://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/github/"
        "attribute.repository/acme/ml"
    )
    with pytest.raises(ApiError, match=r"Identity Pool does not exist \(github\)"):
        grant(world, member)
    world.make("gcp:iam/workloadIdentityPool:WorkloadIdentityPool", workloadIdentityPoolId="github")

    assert grant(world, member)


def test_an_agent_comes_with_its_api_or_with_its_identity(world: World) -> None:
    assert grant(world, f"serviceAccount:service-{NUMBER}@compute-system.iam.gserviceaccount.com")
    agent = f"serviceAccount:service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
    with pytest.raises(ApiError, match="does not exist"):
        grant(world, agent)
    world.make("gcp:projects/serviceIdentity:ServiceIdentity", service="pubsub.googleapis.com")

    assert grant(world, agent)


def test_an_agent_of_another_project_is_not_there(world: World) -> None:
    with pytest.raises(ApiError, match="does not exist"):
        grant(world, "serviceAccount:service-1@compute-system.iam.gserviceaccount.com")


def make_key(world: World) -> str:
    ring = world.make("gcp:kms/keyRing:KeyRing", name="ring", location="us-central1")
    return world.make("gcp:kms/cryptoKey:CryptoKey", name="key", keyRing=ring.id).id


def test_a_cluster_needs_the_agents_right_to_use_its_key(world: World) -> None:
    key = make_key(world)
    encryption = {"state": "ENCRYPTED", "keyName": key}
    agent = f"serviceAccount:service-{NUMBER}@container-engine-robot.iam.gserviceaccount.com"

    with pytest.raises(ApiError, match=rf"Error 403: Permission .*useToEncrypt' denied on resource '{key}'"):
        world.make(CLUSTER, name="c", databaseEncryption=encryption)
    world.make(GRANT, cryptoKeyId=key, role=ENCRYPT, member=agent)
    assert world.make(CLUSTER, name="c", databaseEncryption=encryption).id


def test_disks_need_another_agents_right(world: World) -> None:
    key = make_key(world)
    gke = f"serviceAccount:service-{NUMBER}@container-engine-robot.iam.gserviceaccount.com"
    world.make(GRANT, cryptoKeyId=key, role=ENCRYPT, member=gke)

    with pytest.raises(ApiError, match=r"for serviceAccount:service-.*@compute-system"):
        world.make(
            "gcp:container/nodePool:NodePool", cluster="dev", name="p", nodeConfig={"bootDiskKmsKey": key}
        )


def test_a_binding_of_the_whole_role_serves_as_well(world: World) -> None:
    key = make_key(world)
    agent = f"serviceAccount:service-{NUMBER}@compute-system.iam.gserviceaccount.com"
    world.make(
        "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding", cryptoKeyId=key, role=ENCRYPT, members=[agent]
    )

    assert world.make(
        "gcp:container/nodePool:NodePool", cluster="dev", name="p", nodeConfig={"bootDiskKmsKey": key}
    ).id
