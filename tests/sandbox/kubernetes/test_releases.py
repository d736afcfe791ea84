"""Helm releases: what is refused, what is recorded, what goes with them."""

import pytest

from sandbox.kubernetes import charts
from sandbox.kubernetes.charts import check_rendering, check_values, find_chart
from sandbox.kubernetes.cluster import Application
from sandbox.kubernetes.errors import RefusedError
from sandbox.kubernetes.releases import Releases, check_release, complete_inputs, diff_release, preview_state
from sandbox.provider.wire import UNKNOWN, Secret
from tests.sandbox.kubernetes.conftest import manifest, place

CHART = "oci://registry.k8s.io/kueue/charts/kueue"
CONFIGURATION = "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n"


@pytest.fixture(autouse=True)
def _no_helm(monkeypatch):
    monkeypatch.setattr(charts, "_find_tools", lambda: None)


@pytest.fixture
def releases(store, cluster):
    cluster.create(
        place("v1", "Namespace", "kueue-system"),
        manifest("v1", "Namespace", "kueue-system"),
        Application("x"),
    )
    return Releases(store, cluster, "here")


def inputs(**parts):
    given = {
        "chart": CHART,
        "version": "0.19.2",
        "name": "kueue",
        "namespace": "kueue-system",
        "compat": "true",
    }
    return complete_inputs({**given, **parts}, {}, "kueue-12345678", "default")


def problems(**parts):
    return {each.path: each.reason for each in check_release(inputs(**parts))}


def test_a_name_a_namespace_a_timeout_and_the_version_are_filled_in():
    filled = complete_inputs({"chart": "kueue"}, {}, "kueue-12345678", "default")
    assert filled == {
        "chart": "kueue",
        "name": "kueue-12345678",
        "namespace": "default",
        "timeout": 300,
        "version": "0.19.2",
    }
    assert complete_inputs({"chart": "kueue"}, {"name": "old"}, "new", "default")["name"] == "old"
    assert "timeout" not in complete_inputs({"chart": "kueue", "skipAwait": True}, {}, "new", "default")


def test_values_that_the_chart_has_are_taken():
    manager = {"resources": {"limits": {"memory": "4Gi"}}, "priorityClassName": "high"}
    values = {
        "controllerManager": {"replicas": 2, "manager": manager, "featureGates": [{"name": "x"}]},
        "managerConfig": {"controllerManagerConfigYaml": CONFIGURATION},
    }
    assert problems(values=values) == {}


@pytest.mark.parametrize(
    ("values", "path", "cause"),
    [
        ({"controllerManager": {"replica": 2}}, "values.controllerManager.replica", "did you mean replicas?"),
        ({"controllerManager": 2}, "values.controllerManager", "must be an object"),
        ({"controllerManager": {"replicas": "2"}}, "values.controllerManager.replicas", "must be a number"),
        ({"enablePrometheus": 1}, "values.enablePrometheus", "must be true or false"),
        (
            {"managerConfig": {"controllerManagerConfigYaml": "a: [b"}},
            "values.managerConfig.controllerManagerConfigYaml",
            "is no YAML",
        ),
        (
            {"managerConfig": {"controllerManagerConfigYaml": CONFIGURATION.replace("v1beta2", "v1beta1")}},
            "values.managerConfig.controllerManagerConfigYaml",
            "apiVersion must be config.kueue.x-k8s.io/v1beta2",
        ),
    ],
)
def test_values_that_the_chart_does_not_have_are_refused(values, path, cause):
    found = problems(values=values)
    assert list(found) == [path]
    assert cause in found[path]


def test_what_is_unknown_is_taken_to_be_right():
    assert problems(values={"controllerManager": {"replicas": UNKNOWN}}) == {}
    assert problems(values=UNKNOWN) == {}
    assert problems(version=UNKNOWN) == {}


@pytest.mark.parametrize("parts", [{"chart": "kueu"}, {"version": "0.19.1"}])
def test_a_chart_that_the_sandbox_does_not_have_is_refused_with_those_it_has(parts):
    assert "which has kueue 0.19.2" in problems(**parts)["chart"]


def test_helm_has_the_last_word_where_it_is_there(monkeypatch, tmp_path):
    helm = tmp_path / "helm"
    helm.write_text("#!/bin/sh\necho 'Error: template: no' >&2\nexit 1\n")
    helm.chmod(0o755)
    monkeypatch.setattr(charts, "_find_tools", lambda: (helm, tmp_path))
    chart = find_chart("kueue", "")
    (problem,) = check_rendering(chart, "kueue", "kueue-system", {})
    assert problem.reason == "chart kueue 0.19.2 cannot be rendered: Error: template: no"
    assert list(check_rendering(chart, "kueue", "kueue-system", {"a": UNKNOWN})) == []


def test_every_default_of_the_chart_is_a_value_of_the_chart():
    chart = find_chart("kueue", "")
    assert list(check_values(chart, chart.values)) == []


def test_a_release_is_recorded_with_its_status(releases):
    state = releases.create(inputs(values={"controllerManager": {"replicas": 2}}))
    assert state["status"] == {
        "appVersion": "v0.19.2",
        "chart": "kueue",
        "name": "kueue",
        "namespace": "kueue-system",
        "revision": 1,
        "status": "deployed",
        "version": "0.19.2",
    }
    again = releases.update(state, inputs(values={"controllerManager": {"replicas": 3}}))
    assert again["status"]["revision"] == 2
    found = releases.read("kueue-system/kueue", inputs())
    assert found is not None
    assert found[0]["status"]["revision"] == 2


def test_a_name_in_use_and_a_namespace_that_is_not_there_are_refused(releases):
    releases.create(inputs())
    with pytest.raises(RefusedError, match="cannot re-use a name that is still in use"):
        releases.create(inputs())
    with pytest.raises(RefusedError, match='namespaces "nowhere" not found'):
        releases.create(inputs(namespace="nowhere"))


def test_a_namespace_is_made_where_the_release_says_so(releases, cluster):
    releases.create(inputs(namespace="new", createNamespace=True))
    assert cluster.read(place("v1", "Namespace", "new"))["metadata"]["name"] == "new"


def test_a_deleted_release_takes_the_objects_of_its_kinds_along(releases, cluster, store):
    """Kueue's CRDs are templates: replacing the release deletes every queue."""
    state = releases.create(inputs())
    queue = place("kueue.x-k8s.io/v1beta2", "ClusterQueue", "q")
    cluster.create(queue, manifest("kueue.x-k8s.io/v1beta2", "ClusterQueue", "q", spec={}), Application("x"))
    releases.delete(state)
    assert [item.kind for item in store.objects()] == ["Namespace"]
    with pytest.raises(RefusedError, match="release: not found"):
        releases.delete(state)


def test_another_value_changes_a_release_and_another_name_replaces_it(releases):
    state = releases.create(inputs(values={"controllerManager": {"replicas": 2}}))
    assert diff_release(state, inputs(values={"controllerManager": {"replicas": 2}})) == ()
    (change,) = diff_release(state, inputs(values={"controllerManager": {"replicas": 3}}))
    assert (change.path, change.replaces) == ("values.controllerManager.replicas", False)
    names = {each.path: each.replaces for each in diff_release(state, inputs(name="other"))}
    assert names == {"name": True, "values": False}


def test_secret_values_stay_secret():
    state = preview_state({"values": {"token": Secret("hush")}, "name": "x"})
    assert state["values"] == {"token": Secret("hush")}
    assert isinstance(state["__inputs"], Secret)
    assert state["status"] is UNKNOWN
