"""The provider speaks the engine's protocol."""

from pathlib import Path

import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.kubernetes.connection import KUBECONFIG_VARIABLE
from sandbox.kubernetes.listing import drift, list_objects
from sandbox.kubernetes.provider import KubernetesProvider
from sandbox.kubernetes.store import Store
from sandbox.provider.wire import UNKNOWN, Secret, encode
from tests.sandbox.kubernetes.conftest import (
    NAMESPACE,
    QUEUE,
    QUOTA,
    CallAbortedError,
    Engine,
    IncompleteCallError,
    kubeconfig,
    manifest,
)

KINDS = provider_pb2.PropertyDiff.Kind
ROOT = Path(__file__).parents[3]
SECRET = "kubernetes:core/v1:Secret"
RELEASE = "kubernetes:helm.sh/v3:Release"
TEAM = manifest("v1", "Namespace", "team")


def quota(cpu="4", namespace="default"):
    return manifest("v1", "ResourceQuota", "q", namespace, spec={"hard": {"cpu": cpu}})


def test_what_was_created_reads_back_without_a_difference(engine: Engine):
    """The ground of Q3's second `up` that changes nothing."""
    inputs, identity, state = engine.make(QUOTA, quota("4000m"))
    read_id, read_state, read_inputs = engine.read(QUOTA, identity, inputs, state)
    assert read_id == identity == "default/q"
    assert read_inputs == inputs
    assert read_state == state
    assert engine.diff(QUOTA, read_state, read_inputs, inputs).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_refresh_sees_what_somebody_changed_and_an_update_reports_the_conflict(engine: Engine, cloud: Path):
    inputs, identity, state = engine.make(QUOTA, quota())
    drift(cloud, "ResourceQuota", identity, "spec.hard.cpu", "9")
    _, seen, _ = engine.read(QUOTA, identity, inputs, state)
    assert seen["spec"]["hard"]["cpu"] == "9"
    assert set(engine.diff(QUOTA, seen, inputs, inputs).detailedDiff) == {"spec.hard.cpu"}
    with pytest.raises(
        IncompleteCallError, match=r'conflict with "kubectl-edit" using v1: \.spec\.hard\.cpu'
    ) as error:
        engine.update(QUOTA, identity, seen, inputs)
    assert error.value.detail.id == identity
    assert error.value.detail.properties["spec"]["hard"]["cpu"] == "9"


def test_an_update_answers_the_new_state_and_a_preview_changes_nothing(engine: Engine):
    inputs, identity, state = engine.make(QUOTA, quota())
    news, _ = engine.check(QUOTA, quota("8"), inputs)
    assert engine.update(QUOTA, identity, state, news, preview=True)["spec"]["hard"] == {"cpu": "8"}
    assert engine.read(QUOTA, identity, inputs, state)[1]["spec"]["hard"] == {"cpu": "4"}
    assert engine.update(QUOTA, identity, state, news)["spec"]["hard"] == {"cpu": "8"}
    assert engine.read(QUOTA, identity, inputs, state)[1]["spec"]["hard"] == {"cpu": "8"}


def test_a_preview_before_the_namespace_or_the_kind_is_there_is_the_inputs(engine: Engine, cloud: Path):
    inputs, _ = engine.check(QUOTA, quota(namespace="team"))
    assert engine.create(QUOTA, inputs, preview=True) == ("", inputs)
    queue, failures = engine.check(QUEUE, manifest("kueue.x-k8s.io/v1beta2", "ClusterQueue", "q", spec={}))
    assert failures == {}
    assert engine.create(QUEUE, queue, preview=True) == ("", queue)
    assert list_objects(cloud) == []


def test_an_update_to_a_namespace_or_a_kind_that_never_comes_fails(engine: Engine):
    inputs, _ = engine.check(QUOTA, quota(namespace="team"))
    with pytest.raises(CallAbortedError, match=r'not successfully created .*: namespaces "team" not found'):
        engine.create(QUOTA, inputs)
    queue, _ = engine.check(QUEUE, manifest("kueue.x-k8s.io/v1beta2", "ClusterQueue", "q", spec={}))
    with pytest.raises(CallAbortedError, match=r'no matches for kind "ClusterQueue" in version .*CRDs'):
        engine.create(QUEUE, queue)


def test_a_preview_asks_the_server_and_leaves_out_the_status(engine: Engine):
    inputs, _ = engine.check(NAMESPACE, TEAM)
    identity, state = engine.create(NAMESPACE, inputs, preview=True)
    assert identity == ""
    assert "uid" in state["metadata"]
    assert "status" not in state


def test_check_answers_failures_with_their_paths(engine: Engine):
    wrong = manifest("v1", "ResourceQuota", "q", "default", spec={"hrad": {}})
    assert engine.check(QUOTA, wrong)[1] == {"spec.hrad": "unknown field; did you mean hard?"}


def test_an_object_without_a_name_gets_one_and_keeps_it(engine: Engine):
    bare = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}
    token = "kubernetes:core/v1:ConfigMap"
    first, _ = engine.check(token, bare, name="settings")
    name = first["metadata"]["name"]
    assert name.startswith("settings-")
    assert len(name) == len("settings-") + 8
    assert first["metadata"]["namespace"] == "default"
    assert first["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert engine.check(token, bare, first, name="other")[0]["metadata"]["name"] == name


def test_a_name_that_the_server_should_make_is_refused(engine: Engine):
    with pytest.raises(CallAbortedError, match="generateName"):
        engine.check(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "x-"}})


def test_secrets_stay_secret(engine: Engine):
    given = {**manifest("v1", "Secret", "s", "default"), "stringData": {"token": Secret("hush")}}
    inputs, _, state = engine.make(SECRET, given)
    assert isinstance(inputs["data"], Secret)
    assert isinstance(state["data"], Secret)
    assert isinstance(state["__inputs"]["data"], Secret)
    assert "stringData" not in state


def test_an_import_gives_the_inputs_of_the_live_object(engine: Engine):
    made, identity, state = engine.make(QUOTA, quota())
    read_id, imported, inputs = engine.read(QUOTA, identity)
    assert read_id == identity
    assert inputs == made
    assert imported["metadata"] == state["metadata"]
    assert engine.diff(QUOTA, imported, inputs, made).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_deleted_means_gone_and_gone_is_deleted_well(engine: Engine):
    _, identity, state = engine.make(NAMESPACE, TEAM)
    engine.delete(NAMESPACE, identity, state)
    assert engine.read(NAMESPACE, identity, {}, state)[0] == ""
    engine.delete(NAMESPACE, identity, state)


def test_a_changed_name_replaces_and_the_answer_says_so(engine: Engine):
    inputs, _, state = engine.make(NAMESPACE, TEAM)
    answer = engine.diff(NAMESPACE, state, inputs, manifest("v1", "Namespace", "other"))
    assert list(answer.replaces) == ["metadata.name"]
    assert answer.detailedDiff["metadata.name"].kind == KINDS.UPDATE_REPLACE
    assert list(answer.diffs) == ["metadata"]


def test_a_part_of_an_object_of_others_is_changed_and_left(engine: Engine):
    engine.make(NAMESPACE, TEAM)
    token, part = (
        "kubernetes:core/v1:NamespacePatch",
        {**TEAM, "metadata": {"name": "team", "labels": {"a": "b"}}},
    )
    _, identity, state = engine.make(token, part)
    assert state["metadata"]["labels"] == {"a": "b"}
    engine.delete(token, identity, state)
    assert engine.read(NAMESPACE, "team", TEAM, state)[0] == "team"


@pytest.mark.parametrize("token", ["kubernetes:core/v1:PodList", "kubernetes:yaml:ConfigFile"])
def test_what_is_no_object_is_refused(engine: Engine, token: str):
    with pytest.raises(CallAbortedError, match=r"is a list|is a component"):
        engine.check(token, {})


def test_a_function_is_refused_by_name(engine: Engine):
    request = provider_pb2.InvokeRequest(tok="kubernetes:yaml:decode", args=encode({}))
    with pytest.raises(CallAbortedError, match="no function kubernetes:yaml:decode"):
        engine.provider.Invoke(request, engine.context)


def test_a_release_goes_the_same_way(engine: Engine, cloud: Path):
    given = {"chart": "kueue", "name": "kueue", "namespace": "default", "values": {"enablePrometheus": True}}
    inputs, failures = engine.check(RELEASE, given)
    assert failures == {}
    assert engine.create(RELEASE, inputs, preview=True)[1]["status"] is UNKNOWN
    identity, state = engine.create(RELEASE, inputs)
    assert identity == "default/kueue"
    assert engine.diff(RELEASE, state, inputs, inputs).changes == provider_pb2.DiffResponse.DIFF_NONE
    assert engine.read(RELEASE, identity, inputs, state) == (identity, state, inputs)
    assert [item.type for item in list_objects(cloud)] == ["helm.sh/v3/Release"]
    engine.delete(RELEASE, identity, state)
    assert engine.read(RELEASE, identity, inputs, state)[0] == ""


@pytest.fixture
def lost(store: Store, cloud: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes a provider whose cluster does not answer."""

    def make(**settings):
        path = tmp_path / "config"
        path.write_text(kubeconfig("http://127.0.0.1:9"))
        monkeypatch.setenv(KUBECONFIG_VARIABLE, str(path))
        engine = Engine(KubernetesProvider(store, cloud, "4.34.2"))
        engine.configure(**settings)
        return engine

    return make


def test_without_an_answer_every_use_says_so_and_a_preview_goes_on(lost):
    engine = lost()
    inputs, _ = engine.check(NAMESPACE, TEAM)
    assert engine.create(NAMESPACE, inputs, preview=True) == ("", inputs)
    with pytest.raises(CallAbortedError, match=r"http://127\.0\.0\.1:9 does not answer"):
        engine.create(NAMESPACE, inputs)
    with pytest.raises(CallAbortedError, match="PULUMI_K8S_DELETE_UNREACHABLE"):
        engine.read(NAMESPACE, "team", inputs, inputs)
    with pytest.raises(CallAbortedError, match="PULUMI_K8S_DELETE_UNREACHABLE"):
        engine.delete(NAMESPACE, "team", inputs)


def test_what_was_on_a_lost_cluster_is_forgotten_where_the_provider_may(lost):
    engine = lost(deleteUnreachable="true")
    assert engine.read(NAMESPACE, "team", TEAM, TEAM)[0] == ""
    engine.delete(NAMESPACE, "team", TEAM)
    kept = lost(skipUpdateUnreachable="true")
    assert kept.read(NAMESPACE, "team", TEAM, TEAM) == ("team", TEAM, TEAM)


def test_another_cluster_replaces_the_provider(engine: Engine):
    request = provider_pb2.DiffRequest(
        old_inputs=encode({"clusterIdentifier": "a"}), news=encode({"clusterIdentifier": "b"})
    )
    assert list(engine.provider.DiffConfig(request, engine.context).replaces) == ["clusterIdentifier"]
