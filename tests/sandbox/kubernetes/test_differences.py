"""What changes, and what it takes to change it."""

import pytest

from sandbox.kubernetes.differences import Mutability, diff_object, format_path, parse_path
from sandbox.kubernetes.kinds import find_kind
from sandbox.kubernetes.state import State
from sandbox.provider.wire import UNKNOWN
from tests.sandbox.kubernetes.conftest import manifest


def state(inputs, **live):
    full = {**inputs, **live}
    return State(inputs, {**full, "status": {"phase": "Active"}}, inputs["apiVersion"], "manager")


def changes(old, new, mutable=None, ignored=(), **live):
    kind = find_kind(old["apiVersion"], old["kind"])
    found = diff_object(kind, state(old, **live), new, ignored, mutable or Mutability())
    return {each.path: (each.kind, each.replaces) for each in found.changes}


def quota(**hard):
    return manifest("v1", "ResourceQuota", "q", "team", spec={"hard": hard})


def test_the_same_inputs_change_nothing():
    assert changes(quota(cpu="4"), quota(cpu="4")) == {}


def test_another_notation_of_the_same_quantity_is_no_change():
    assert changes(quota(cpu="4"), quota(cpu="4000m")) == {}


def test_what_the_server_added_is_no_change():
    old = manifest("v1", "Namespace", "team")
    live = {**old["metadata"], "uid": "1", "labels": {"kubernetes.io/metadata.name": "team"}}
    assert changes(old, old, metadata=live) == {}


def test_what_somebody_changed_by_hand_is_a_change_back():
    old = quota(cpu="4")
    assert changes(old, old, spec={"hard": {"cpu": "8"}}) == {"spec.hard.cpu": ("UPDATE", False)}
    assert changes(old, old, spec={}) == {"spec.hard": ("ADD", False)}


def test_fields_are_added_changed_and_taken_away_in_place():
    old, new = quota(cpu="4", memory="1Gi"), quota(cpu="8", pods="3")
    assert changes(old, new) == {
        "spec.hard.cpu": ("UPDATE", False),
        "spec.hard.memory": ("DELETE", False),
        "spec.hard.pods": ("ADD", False),
    }


def test_an_unknown_value_is_a_change():
    assert changes(quota(cpu="4"), quota(cpu=UNKNOWN)) == {"spec.hard.cpu": ("UPDATE", False)}


def test_true_and_one_are_different():
    old = manifest("v1", "ConfigMap", "c", "team", immutable=True)
    assert changes(old, {**old, "immutable": 1}) == {"immutable": ("UPDATE", False)}


@pytest.mark.parametrize("part", ["name", "namespace"])
def test_another_name_or_namespace_replaces_the_object_after_the_new_one_is_there(part):
    old = quota(cpu="4")
    new = {**old, "metadata": {**old["metadata"], part: "other"}}
    assert changes(old, new) == {f"metadata.{part}": ("UPDATE", True)}
    assert not diff_object(find_kind("v1", "ResourceQuota"), state(old), new).delete_before_replace


def test_no_namespace_is_the_default_one():
    old = manifest("v1", "ConfigMap", "c", "default")
    assert changes(old, manifest("v1", "ConfigMap", "c")) == {}


def test_an_immutable_field_replaces_the_object_once_the_old_one_is_gone():
    old = manifest(
        "rbac.authorization.k8s.io/v1", "RoleBinding", "b", "team", roleRef={"kind": "Role", "name": "a"}
    )
    new = {**old, "roleRef": {"kind": "Role", "name": "b"}}
    found = diff_object(find_kind(old["apiVersion"], "RoleBinding"), state(old), new)
    assert found.replaces == ("roleRef.name",)
    assert found.delete_before_replace


def test_a_whole_that_holds_an_immutable_field_replaces_as_it_comes():
    old = manifest("batch/v1", "Job", "j", "team")
    assert changes(old, {**old, "spec": {"suspend": True}}) == {"spec": ("ADD", False)}
    assert changes(old, {**old, "spec": {"completions": 3}}) == {"spec": ("ADD", True)}


def test_a_list_item_of_an_immutable_pattern_replaces():
    old = manifest("v1", "Pod", "p", "team", spec={"containers": [{"name": "a", "image": "x"}]})
    new = {**old, "spec": {"containers": [{"name": "a", "image": "y"}]}}
    assert changes(old, new) == {"spec.containers[0].image": ("UPDATE", True)}


@pytest.mark.parametrize(
    ("mutable", "is_marked", "replaces"),
    [
        (Mutability(), False, True),
        (Mutability(config_maps=True), False, False),
        (Mutability(config_maps=True), True, True),
    ],
)
def test_a_config_maps_data_replace_it_unless_the_provider_says_otherwise(mutable, is_marked, replaces):
    mark = {"immutable": True} if is_marked else {}
    old = manifest("v1", "ConfigMap", "c", "team", data={"a": "b"}, **mark)
    assert changes(old, {**old, "data": {"a": "c"}}, mutable) == {"data.a": ("UPDATE", replaces)}


@pytest.mark.parametrize(("mutable", "replaces"), [(Mutability(), True), (Mutability(secrets=True), False)])
def test_a_secrets_data_replace_it_unless_the_provider_says_otherwise(mutable, replaces):
    old = manifest("v1", "Secret", "s", "team", data={"a": "Yg=="})
    new = manifest("v1", "Secret", "s", "team", stringData={"a": "c"})
    assert changes(old, new, mutable) == {"data.a": ("UPDATE", replaces)}


def test_text_and_the_same_text_encoded_are_no_change():
    old = manifest("v1", "Secret", "s", "team", data={"a": "Yg=="})
    assert changes(old, manifest("v1", "Secret", "s", "team", stringData={"a": "b"})) == {}


def test_changes_of_ignored_paths_are_left_out():
    old, new = quota(cpu="4", pods="2"), quota(cpu="8", pods="3")
    assert changes(old, new, ignored=("spec.hard.cpu",)) == {"spec.hard.pods": ("UPDATE", False)}
    assert changes(old, new, ignored=("spec",)) == {}


def test_a_kind_that_nobody_serves_is_taken_to_be_in_a_namespace():
    old = manifest("acme.example/v1", "Thing", "t", spec={"a": 1})
    live = State(old, {**old, "metadata": {"name": "t", "namespace": "default"}}, "acme.example/v1", "")
    assert diff_object(None, live, old).changes == ()


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("spec.containers[0].env", ("spec", "containers", 0, "env")),
        ('metadata.labels["a.b/c"]', ("metadata", "labels", "a.b/c")),
        ("spec.containers[*]", ("spec", "containers", "*")),
    ],
)
def test_paths_are_read_as_the_engine_writes_them(path, steps):
    assert parse_path(path) == steps
    if "*" not in steps:
        assert format_path(steps) == path
