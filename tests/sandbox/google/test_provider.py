"""The provider speaks the engine's protocol."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.provider.wire import UNKNOWN, Secret, decode, encode
from tests.sandbox.google.conftest import CallAbortedError, Engine

POOL = "gcp:container/nodePool:NodePool"
ACCOUNT = "gcp:serviceaccount/account:Account"
KINDS = provider_pb2.PropertyDiff.Kind
ROOT = Path(__file__).parents[3]


def test_the_configuration_is_checked(engine: Engine) -> None:
    request = provider_pb2.CheckRequest(news=encode({"project": "acme-dev", "regoin": "us-central1"}))
    answer = engine.provider.CheckConfig(request, engine.context)

    assert [failure.reason for failure in answer.failures] == [
        "unexpected property 'regoin'; did you mean 'region'?"
    ]


@pytest.mark.parametrize(("region", "kind"), [("us-central1", "DIFF_NONE"), ("us-east1", "DIFF_SOME")])
def test_a_changed_configuration_replaces_no_provider(engine: Engine, region: str, kind: str) -> None:
    request = provider_pb2.DiffRequest(
        old_inputs=encode({"region": "us-central1"}), news=encode({"region": region})
    )
    answer = engine.provider.DiffConfig(request, engine.context)

    assert answer.changes == provider_pb2.DiffResponse.DiffChanges.Value(kind)
    assert list(answer.replaces) == []


def test_check_answers_failures_with_their_paths(engine: Engine) -> None:
    _, failures = engine.check(POOL, {"cluster": "dev", "nodeConfig": {"spott": True}})

    assert list(failures) == ["nodeConfig.spott"]


def test_an_unknown_type_is_an_error_that_names_it(engine: Engine) -> None:
    with pytest.raises(CallAbortedError, match="no type gcp:container/pool:Pool"):
        engine.check("gcp:container/pool:Pool", {})


def test_what_was_created_reads_back_without_a_difference(engine: Engine) -> None:
    """The ground of Q1's second `up` that changes nothing."""
    inputs, failures = engine.check(POOL, {"cluster": "dev", "nodeConfig": {"machineType": "g2-standard-4"}})
    identity, state = engine.create(POOL, inputs)
    read_id, read_state, read_inputs = engine.read(POOL, identity, inputs)

    assert failures == {}
    assert (read_id, read_state, read_inputs) == (identity, state, inputs)
    assert engine.diff(POOL, state, read_inputs, inputs).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_an_import_reads_all_that_was_given_and_no_more(engine: Engine) -> None:
    inputs, _ = engine.check(POOL, {"cluster": "dev", "name": "l4", "autoscaling": {"maxNodeCount": 3}})
    identity, _ = engine.create(POOL, inputs)

    _, _, imported = engine.read(POOL, identity)
    assert {key: imported[key] for key in ("cluster", "name", "autoscaling")} == {
        "cluster": "dev",
        "name": "l4",
        "autoscaling": {"maxNodeCount": 3},
    }
    assert engine.check(POOL, imported)[1] == {}


def test_a_resource_that_is_gone_reads_as_nothing(engine: Engine) -> None:
    assert engine.read(POOL, "projects/acme-dev/locations/x/clusters/dev/nodePools/none") == ("", {}, {})


def test_a_preview_creates_nothing_and_leaves_ids_unknown(engine: Engine) -> None:
    identity, known = engine.create(ACCOUNT, {"accountId": "gke-nodes"}, preview=True)

    assert (identity, known["email"]) == ("", UNKNOWN)
    assert engine.provider._cloud.store.objects(ACCOUNT) == []


def test_a_preview_tolerates_unknown_inputs(engine: Engine) -> None:
    inputs, failures = engine.check(POOL, {"cluster": UNKNOWN, "nodeConfig": {"serviceAccount": UNKNOWN}})
    _, known = engine.create(POOL, inputs, preview=True)

    assert failures == {}
    assert known["cluster"] is UNKNOWN


def test_a_secret_input_is_a_secret_output(engine: Engine) -> None:
    inputs, _ = engine.check(ACCOUNT, {"accountId": "gke-nodes", "displayName": Secret("hidden")})
    identity, state = engine.create(ACCOUNT, inputs)

    assert inputs["displayName"] == state["displayName"] == Secret("hidden")
    assert engine.read(ACCOUNT, identity, inputs)[2]["displayName"] == Secret("hidden")


def test_a_diff_says_kind_place_and_replacement_of_each_change(engine: Engine) -> None:
    olds, _ = engine.check(POOL, {"cluster": "dev", "autoscaling": {"maxNodeCount": 3}})
    news, _ = engine.check(POOL, {"cluster": "dev", "nodeConfig": {"spot": True}}, olds)
    answer = engine.diff(POOL, {}, olds, news)

    assert {path: diff.kind for path, diff in answer.detailedDiff.items()} == {
        "autoscaling": KINDS.Value("DELETE"),
        "nodeConfig": KINDS.Value("ADD_REPLACE"),
    }
    assert (list(answer.replaces), answer.deleteBeforeReplace) == (["nodeConfig"], False)


def test_changed_default_labels_update_resources_with_labels_only(engine: Engine) -> None:
    topic, _ = engine.check("gcp:pubsub/topic:Topic", {"name": "events"})
    _, state = engine.create("gcp:pubsub/topic:Topic", topic)
    engine.configure(project="acme-dev", defaultLabels='{"environment": "prod"}')

    answer = engine.diff("gcp:pubsub/topic:Topic", state, topic, topic)
    assert list(answer.detailedDiff) == ["pulumiLabels"]
    assert (
        engine.diff(POOL, {}, {"cluster": "a"}, {"cluster": "a"}).changes
        == provider_pb2.DiffResponse.DIFF_NONE
    )


def test_an_update_answers_the_new_state(engine: Engine) -> None:
    olds, _ = engine.check(POOL, {"cluster": "dev", "autoscaling": {"maxNodeCount": 3}})
    identity, state = engine.create(POOL, olds)
    news = olds | {"autoscaling": {"maxNodeCount": 5}}

    previewed = engine.update(POOL, identity, state, olds, news, preview=True)
    assert previewed["autoscaling"] == {"maxNodeCount": 5}
    assert engine.read(POOL, identity, olds)[1]["autoscaling"] == {"maxNodeCount": 3}
    engine.update(POOL, identity, state, olds, news)
    assert engine.read(POOL, identity, news)[1]["autoscaling"] == {"maxNodeCount": 5}


def test_a_refusal_of_the_cloud_is_an_error_with_googles_words(engine: Engine) -> None:
    inputs, _ = engine.check(ACCOUNT, {"accountId": "gke-nodes"})
    engine.create(ACCOUNT, inputs)

    with pytest.raises(CallAbortedError, match=r"googleapi: Error 409: .*, alreadyExists"):
        engine.create(ACCOUNT, inputs)


def test_deleted_means_gone(engine: Engine) -> None:
    identity, _ = engine.create(ACCOUNT, {"accountId": "gke-nodes"})
    engine.delete(ACCOUNT, identity)

    assert engine.read(ACCOUNT, identity)[0] == ""


def test_a_project_can_be_asked_for(engine: Engine) -> None:
    request = provider_pb2.InvokeRequest(tok="gcp:organizations/getProject:getProject", args=encode({}))
    answer = getattr(engine.provider.Invoke(request, engine.context), "return")

    assert answer["projectId"] == "acme-dev"
    assert answer["number"].isdigit()


def test_every_version_of_a_secret_has_a_value_that_stands_in_for_it(engine: Engine) -> None:
    token = "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess"
    asked = encode({"project": "acme-dev", "secret": "pager", "version": "3"})
    request = provider_pb2.InvokeRequest(tok=token, args=asked)
    answer = decode(getattr(engine.provider.Invoke(request, engine.context), "return"))

    assert answer["secretData"] == "stand-in-for-pager-3"
    assert answer["name"].endswith("/secrets/pager/versions/3")


def test_a_function_that_is_not_imitated_is_refused_by_name(engine: Engine) -> None:
    request = provider_pb2.InvokeRequest(tok="gcp:compute/getZones:getZones", args=encode({}))

    with pytest.raises(CallAbortedError, match="no function gcp:compute/getZones:getZones"):
        engine.provider.Invoke(request, engine.context)


def test_the_type_is_read_from_the_urn_when_the_request_has_none(engine: Engine) -> None:
    request = SimpleNamespace(
        type="", urn=f"urn:pulumi:dev::p::headroom:infra:Cluster${ACCOUNT}::nodes", id="none"
    )

    assert engine.provider.Read(request, engine.context).id == ""


def test_a_preview_of_an_update_knows_what_google_added_inside_a_block(engine: Engine) -> None:
    olds = {
        "name": "ml",
        "location": "us-central1",
        "deletionProtection": True,
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}},
    }
    token = "gcp:container/cluster:Cluster"
    identity, state = engine.create(token, olds)
    known = engine.update(token, identity, state, olds, olds | {"deletionProtection": False}, preview=True)

    assert known["controlPlaneEndpointsConfig"] == state["controlPlaneEndpointsConfig"]
    assert known["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"].endswith(".gke.goog")


def test_a_preview_of_a_creation_does_not_know_what_google_will_add_inside_a_block(engine: Engine) -> None:
    dns = {"allowExternalTraffic": True}
    inputs = {"name": "ml", "controlPlaneEndpointsConfig": {"dnsEndpointConfig": dns}}
    _, known = engine.create("gcp:container/cluster:Cluster", inputs, preview=True)

    assert known["controlPlaneEndpointsConfig"]["dnsEndpointConfig"] == dns | {"endpoint": UNKNOWN}
