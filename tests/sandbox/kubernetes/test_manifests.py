"""Manifests in a form that can be compared."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.kubernetes.manifests import (
    fill_defaults,
    inputs_of_live,
    normalise,
    prune,
    rewrite_quantities,
    to_manifest,
    to_properties,
)
from sandbox.kubernetes.state import State, mark_secrets, read_state, write_state
from sandbox.provider.wire import UNKNOWN, Secret
from tests.sandbox.kubernetes.conftest import manifest

VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def pod(**spec):
    return manifest("v1", "Pod", "p", "team", spec={"containers": [{"name": "a", "image": "x"}], **spec})


def test_fields_that_the_server_leaves_out_are_left_out():
    assert normalise(pod(hostNetwork=False, hostname="")) == pod()
    assert normalise(pod(hostNetwork=True)) == pod(hostNetwork=True)


def test_a_false_that_means_something_stays():
    """`automountServiceAccountToken` is on by default, so false is not the same as nothing."""
    assert normalise(pod(automountServiceAccountToken=False)) == pod(automountServiceAccountToken=False)


def test_what_only_the_server_sets_is_taken_away():
    live = {"name": "p", "uid": "1", "resourceVersion": "2", "managedFields": [], "labels": {"a": "b"}}
    assert normalise({**pod(), "metadata": live})["metadata"] == {"name": "p", "labels": {"a": "b"}}


def test_quantities_of_custom_resources_stay_as_they_are():
    queue = manifest("kueue.x-k8s.io/v1beta2", "ClusterQueue", "q", spec={"nominalQuota": "4000m"})
    assert normalise(queue) == queue


def test_a_manifest_with_unknown_parts_is_not_rewritten():
    assert normalise(pod(hostNetwork=False, nodeName=UNKNOWN))["spec"]["hostNetwork"] is False


def test_a_secrets_text_is_encoded_over_its_data():
    secret = manifest("v1", "Secret", "s", "team", data={"a": "eA==\n", "b": "eQ=="}, stringData={"b": "z"})
    assert normalise(secret)["data"] == {"a": "eA==", "b": "eg=="}
    assert "stringData" not in normalise(secret)


@given(VALUES)
def test_pruned_to_its_own_shape_a_value_is_itself(value):
    assert prune(value, value) == value


def test_a_live_value_is_cut_to_the_shape_asked_for():
    assert prune({"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"x": 9}}) == {"a": {"x": 1}}
    assert prune([{"x": 1, "y": 2}, {"x": 3}], [{"x": 0}]) == [{"x": 1}, {"x": 3}]


def test_defaults_of_a_schema_are_filled_in_at_any_depth():
    inner = {"type": "object", "properties": {"a": {"default": 1}, "b": {}}}
    schema = {"properties": {"one": inner, "many": {"items": inner}, "map": {"additionalProperties": inner}}}
    given_value = {"one": {"b": 2}, "many": [{}, {"a": 3}], "map": {"x": {}}}
    assert fill_defaults(schema, given_value) == {
        "one": {"a": 1, "b": 2},
        "many": [{"a": 1}, {"a": 3}],
        "map": {"x": {"a": 1}},
    }


def test_typed_clients_rewrite_the_quantities_of_a_schema():
    quantity = {"x-kubernetes-int-or-string": True, "pattern": "^([KMGTPE]i)$"}
    schema = {"properties": {"cpu": quantity, "port": {"x-kubernetes-int-or-string": True}}}
    assert rewrite_quantities(schema, {"cpu": 4, "port": 80}) == {"cpu": "4", "port": 80}


def test_the_extensions_of_schemas_have_dashes_on_the_server_and_underscores_in_the_state():
    assert to_manifest({"a": [{"x_kubernetes_list_type": "map"}]}) == {
        "a": [{"x-kubernetes-list-type": "map"}]
    }
    assert to_properties({"a": [{"x-kubernetes-list-type": "map"}]}) == {
        "a": [{"x_kubernetes_list_type": "map"}]
    }


def test_inputs_of_a_live_object_leave_out_what_controllers_set():
    annotations = {"deployment.kubernetes.io/revision": "1", "mine": "x"}
    live = {**pod(), "status": {"phase": "Running"}}
    live["metadata"] = {"name": "p", "uid": "1", "annotations": annotations}
    assert inputs_of_live(live) == {**pod(), "metadata": {"name": "p", "annotations": {"mine": "x"}}}


def test_the_state_comes_back_as_it_was_written():
    state = State(pod(), {**pod(), "status": {}}, "v1", "manager")
    assert read_state(write_state(state, {})) == state


def test_secret_inputs_are_secret_in_the_state_and_nothing_else_is():
    given_inputs = {
        "metadata": {"name": "x", "labels": Secret({"a": "b"})},
        "spec": {"list": [1, Secret(2)], "a": 3},
    }
    live = {"metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {"list": [2, 1, 5], "a": 3}}
    marked = mark_secrets(live, given_inputs)
    assert marked["metadata"] == {"name": "x", "labels": Secret({"a": "b"})}
    assert marked["spec"] == {"list": Secret([2, 1, 5]), "a": 3}


def test_a_secrets_data_are_secret_whatever_was_given():
    live = manifest("v1", "Secret", "s", data={"a": "eA=="})
    assert mark_secrets(live, {})["data"] == Secret({"a": "eA=="})
