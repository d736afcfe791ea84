"""Answers have what later resources read."""

import pytest

from sandbox.google.facts import load_facts
from sandbox.google.outputs import Birth, Settings, complete, last_segment, preview, project_number, render
from sandbox.google.schema import load_resource_type
from sandbox.provider.wire import UNKNOWN
from tests.sandbox.google.conftest import SETTINGS, World

POOL = "gcp:container/nodePool:NodePool"
CLUSTER_ID = "projects/acme-dev/locations/us-central1/clusters/dev"


@pytest.mark.parametrize(
    ("token", "inputs", "identity"),
    [
        ("container/cluster:Cluster", {"name": "dev", "location": "us-central1"}, CLUSTER_ID),
        ("container/nodePool:NodePool", {"name": "l4", "cluster": "dev"}, f"{CLUSTER_ID}/nodePools/l4"),
        ("container/nodePool:NodePool", {"name": "l4", "cluster": CLUSTER_ID}, f"{CLUSTER_ID}/nodePools/l4"),
        ("compute/network:Network", {"name": "vpc"}, "projects/acme-dev/global/networks/vpc"),
        (
            "compute/subnetwork:Subnetwork",
            {"name": "nodes", "network": "vpc", "ipCidrRange": "10.0.0.0/20"},
            "projects/acme-dev/regions/us-central1/subnetworks/nodes",
        ),
        (
            "compute/routerNat:RouterNat",
            {"name": "nat", "router": "router", "sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS"},
            "acme-dev/us-central1/router/nat",
        ),
        ("kms/cryptoKey:CryptoKey", {"name": "k", "keyRing": "projects/p/locations/l/keyRings/r"},
         "projects/p/locations/l/keyRings/r/cryptoKeys/k"),
        ("projects/service:Service", {"service": "container.googleapis.com"}, "acme-dev/container.googleapis.com"),
        (
            "projects/iAMMember:IAMMember",
            {"project": "acme-dev", "role": "roles/viewer", "member": "user:a@acme.example"},
            "acme-dev/roles/viewer/user:a@acme.example",
        ),
        (
            "storage/bucketIAMMember:BucketIAMMember",
            {"bucket": "data", "role": "roles/storage.admin", "member": "user:a@acme.example"},
            "b/data/roles/storage.admin/user:a@acme.example",
        ),
        ("storage/bucket:Bucket", {"name": "data", "location": "US"}, "data"),
        ("pubsub/topic:Topic", {"name": "events"}, "projects/acme-dev/topics/events"),
        (
            "logging/logView:LogView",
            {"name": "v", "bucket": "projects/other/locations/global/buckets/b"},
            "projects/other/locations/global/buckets/b/views/v",
        ),
    ],
)  # fmt: skip
def test_an_id_has_the_official_form(token: str, inputs: dict, identity: str) -> None:
    made, _ = _complete(f"gcp:{token}", inputs)

    assert made == identity


def _complete(token: str, inputs: dict, settings: Settings = SETTINGS, sequence: int = 1) -> tuple[str, dict]:
    return complete(load_resource_type(token), load_facts(token), inputs, settings, Birth(sequence, 0.0))


def test_a_service_account_has_all_the_names_that_others_read() -> None:
    _, account = _complete("gcp:serviceaccount/account:Account", {"accountId": "nodes"})

    assert account["email"] == "nodes@acme-dev.iam.gserviceaccount.com"
    assert account["member"] == f"serviceAccount:{account['email']}"
    assert account["name"] == f"projects/acme-dev/serviceAccounts/{account['email']}"
    assert len(account["uniqueId"]) == 21


def test_the_service_agent_of_gke_has_its_real_address() -> None:
    _, agent = _complete(
        "gcp:projects/serviceIdentity:ServiceIdentity", {"service": "container.googleapis.com"}
    )

    domain = "container-engine-robot.iam.gserviceaccount.com"
    assert agent["email"] == f"service-{project_number('acme-dev')}@{domain}"


def test_every_property_of_a_type_is_in_the_answer_and_no_pure_output_is_null() -> None:
    for token in ("gcp:container/cluster:Cluster", "gcp:redis/instance:Instance", POOL):
        resource = load_resource_type(token)
        _, made = _complete(token, {"name": "x"})

        assert set(made) == set(resource.outputs)
        pure = {name for name, kind in resource.outputs.items() if kind.name not in ("object", "any")}
        assert [name for name in pure - set(resource.inputs) if made[name] is None] == []


def test_what_google_adds_inside_a_given_object_stands_beside_what_was_given() -> None:
    given = {
        "name": "dev",
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}},
    }
    _, cluster = _complete("gcp:container/cluster:Cluster", given)

    dns = cluster["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]
    assert dns["allowExternalTraffic"] is True
    assert dns["endpoint"].endswith(".us-central1.gke.goog")


def test_labels_of_the_provider_the_tool_and_the_resource_are_merged() -> None:
    _, topic = _complete(
        "gcp:pubsub/topic:Topic", {"name": "t", "labels": {"environment": "own", "team": "ads"}}
    )

    assert topic["pulumiLabels"] == topic["effectiveLabels"]
    assert topic["effectiveLabels"] == {
        "environment": "own",
        "team": "ads",
        "goog-pulumi-provisioned": "true",
    }
    assert topic["labels"] == {"environment": "own", "team": "ads"}


def test_two_creations_of_the_same_name_have_different_unique_ids() -> None:
    ids = {
        _complete("gcp:serviceaccount/account:Account", {"accountId": "a"}, sequence=n)[1]["uniqueId"]
        for n in (1, 2)
    }

    assert len(ids) == 2


def test_a_preview_knows_the_inputs_and_the_project_and_not_the_rest() -> None:
    token = "gcp:serviceaccount/account:Account"
    known = preview(load_resource_type(token), load_facts(token), {"accountId": "nodes"}, SETTINGS)

    assert (known["accountId"], known["project"]) == ("nodes", "acme-dev")
    assert known["email"] is known["uniqueId"] is UNKNOWN
    assert known.get("description") is None


def test_a_preview_with_an_unknown_label_has_unknown_merged_labels() -> None:
    token = "gcp:pubsub/topic:Topic"
    known = preview(load_resource_type(token), load_facts(token), {"labels": {"a": UNKNOWN}}, SETTINGS)

    assert known["pulumiLabels"] is UNKNOWN


def test_a_template_of_one_field_keeps_the_fields_kind() -> None:
    assert render("{count}", {"count": 3}) == 3
    assert render({"a": ["{count} of {name}"]}, {"count": 3, "name": "x"}) == {"a": ["3 of x"]}


def test_the_short_name_of_a_link_is_its_last_part() -> None:
    assert last_segment("https://www.googleapis.com/compute/v1/projects/p/global/networks/n") == "n"
    assert last_segment("roles/viewer") == "roles/viewer"


def test_a_created_pool_holds_what_it_was_given(world: World) -> None:
    pool = world.make(POOL, cluster="dev", name="l4", nodeConfig={"machineType": "g2-standard-4"})

    assert pool.properties["nodeConfig"] == {"machineType": "g2-standard-4"}
    assert pool.properties["location"] == "us-central1"
