"""The Kubernetes provider of the sandbox through the real engine, on the real API server and the real Kueue."""

import threading
import time
from pathlib import Path

import pytest

from sandbox.control_plane.plane import ControlPlane
from sandbox.kubernetes.cluster import Application, Place
from sandbox.kubernetes.connection import KUBECONFIG_VARIABLE
from sandbox.kubernetes.kubeconfig import parse_kubeconfig, read_access
from sandbox.kubernetes.live import LiveCluster
from tests.e2e.conftest import EngineSandbox, make_project, pulumi_cli

__all__ = ["make_project", "pulumi_cli"]
KUEUE = "kueue.x-k8s.io/v1beta2"
PROGRAM = """
import pulumi
import pulumi_kubernetes as k8s

def custom(resource, kind, depends_on=(), **parts):
    return k8s.apiextensions.CustomResource(
        resource, api_version="kueue.x-k8s.io/v1beta2", kind=kind,
        opts=pulumi.ResourceOptions(depends_on=list(depends_on)), **parts,
    )

team = k8s.core.v1.Namespace("team", metadata={"name": "PLACE"})
inside = {"namespace": team.metadata.name}
k8s.core.v1.ResourceQuota("quota", metadata={"name": "quota", **inside}, spec={"hard": {"requests.cpu": "4000m"}})
k8s.core.v1.Secret("token", metadata=inside, string_data={"token": pulumi.Output.secret("hush-4c1")})
template = {
    "metadata": {"labels": {"app": "x"}},
    "spec": {"hostNetwork": False, "containers": [
        {"name": "x", "image": "x", "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}}}
    ]},
}
k8s.apps.v1.Deployment(
    "idle",
    metadata={"name": "idle", "annotations": {"pulumi.com/skipAwait": "true"}, **inside},
    spec={"replicas": 1, "selector": {"matchLabels": {"app": "x"}}, "template": template},
)
flavor = custom("flavor", "ResourceFlavor", metadata={"name": "PLACE"})
resources = [{"name": "cpu", "nominalQuota": "4"}]
groups = [{"coveredResources": ["cpu"], "flavors": [{"name": "PLACE", "resources": resources}]}]
queue = custom("queue", "ClusterQueue", [flavor], metadata={"name": "PLACE"},
    spec={"namespaceSelector": {}, "resourceGroups": groups})
custom("local", "LocalQueue", [queue], metadata={"name": "local", **inside}, spec={"clusterQueue": "PLACE"})
"""
COUNT = 8


@pytest.fixture
def live(control_plane: ControlPlane):
    cluster = LiveCluster(read_access(parse_kubeconfig(str(control_plane.kubeconfig))))
    yield cluster
    cluster.close()


@pytest.fixture
def sandbox(
    control_plane: ControlPlane, make_project, monkeypatch: pytest.MonkeyPatch, request
) -> EngineSandbox:
    monkeypatch.setenv(KUBECONFIG_VARIABLE, str(control_plane.kubeconfig))
    place = request.node.originalname.removeprefix("test_").replace("_", "-")[:40].rstrip("-")
    return make_project(PROGRAM.replace("PLACE", place), dev="config: {}\n")


def edit(sandbox: EngineSandbox, old: str, new: str) -> None:
    program = sandbox.project / "infra" / "__main__.py"
    text = program.read_text()
    assert old in text
    program.write_text(text.replace(old, new))


def place_of(sandbox: EngineSandbox) -> str:
    (team,) = [each for each in sandbox.export("dev") if each["type"].endswith(":Namespace")]
    return team["id"]


def test_objects_stay_the_same_change_and_go(sandbox: EngineSandbox, live: LiveCluster):
    """Q3: a second `up` changes nothing, nor does a refresh, though server and webhooks write their own forms."""
    assert sandbox.preview("dev").require_success().changes == {"create": COUNT}
    sandbox.up("dev").require_success()
    assert sandbox.refresh("dev", "--expect-no-changes").require_success().changes == {"same": COUNT}
    assert sandbox.up("dev", "--expect-no-changes").require_success().changes == {"same": COUNT}
    edit(sandbox, '"nominalQuota": "4"', '"nominalQuota": "8"')
    assert sandbox.up("dev").require_success().changes == {"same": COUNT - 1, "update": 1}
    name = place_of(sandbox)
    queue = live.read(Place(live.find_kind(KUEUE, "ClusterQueue"), "", name))
    assert queue["spec"]["resourceGroups"][0]["flavors"][0]["resources"][0]["nominalQuota"] == "8"
    managers = {each["manager"] for each in queue["metadata"]["managedFields"]}
    assert any(each.startswith("pulumi-kubernetes-") for each in managers)
    assert sandbox.destroy("dev").require_success().changes == {"delete": COUNT}


def test_refusals_name_the_field_and_the_next_up_recovers(sandbox: EngineSandbox, live: LiveCluster):
    """A field of somebody else, an immutable one, one that there is not: each refused with its path."""
    sandbox.up("dev").require_success()
    edit(sandbox, '"namespaceSelector": {}', '"admissionChecks": ["x"], "namespaceSelector": {}')
    assert any(".spec.admissionChecks: field not declared" in each for each in sandbox.preview("dev").errors)
    edit(sandbox, '"admissionChecks": ["x"]', '"stopPolicy": "None"')
    name = place_of(sandbox)
    hold = {
        "apiVersion": KUEUE,
        "kind": "ClusterQueue",
        "metadata": {"name": name},
        "spec": {"stopPolicy": "Hold"},
    }
    place = Place(live.find_kind(KUEUE, "ClusterQueue"), "", name)
    live.apply(place, hold, Application("somebody", force=True))
    errors = sandbox.up("dev").errors
    assert any('conflict with "somebody": .spec.stopPolicy' in each for each in errors)
    edit(sandbox, '"stopPolicy": "None", ', "")
    sandbox.up("dev").require_success()
    assert live.read(place)["spec"]["stopPolicy"] == "Hold"
    edit(sandbox, f'spec={{"clusterQueue": "{name}"}}', 'spec={"clusterQueue": "other"}')
    assert any("field is immutable" in each for each in sandbox.up("dev").errors)
    edit(sandbox, 'spec={"clusterQueue": "other"}', f'spec={{"clusterQueue": "{name}"}}')
    sandbox.up("dev").require_success()
    sandbox.destroy("dev").require_success()


def test_a_finalizer_holds_a_deletion_up_to_its_timeout(sandbox: EngineSandbox, live: LiveCluster):
    """Kueue's finalizer holds a queue with running jobs: the error names it, and the state keeps the object."""
    sandbox.up("dev").require_success()
    name = place_of(sandbox)
    place = Place(live.find_kind("v1", "ResourceQuota"), name, "quota")
    held = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "quota", "finalizers": ["acme.example/held"]},
    }
    live.apply(place, held, Application("somebody"))
    program = sandbox.project / "infra" / "__main__.py"
    text = program.read_text()
    bounded = text.replace(
        '"requests.cpu": "4000m"}})',
        '"requests.cpu": "4000m"}}, opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="2s")))',
    )
    assert bounded != text
    program.write_text(bounded)
    sandbox.up("dev").require_success()
    errors = sandbox.destroy("dev").errors
    assert any("finalizers might be preventing deletion (acme.example/held)" in each for each in errors)
    assert any(each.get("id") == f"{name}/quota" for each in sandbox.export("dev"))
    live.apply(place, {**held, "metadata": {"name": "quota", "finalizers": []}}, Application("somebody"))
    sandbox.destroy("dev").require_success()


VANISHING = """
import pathlib
import time
import pulumi
import pulumi_kubernetes as k8s

team = k8s.core.v1.Namespace("team", metadata={"name": "team"})

def wait(name):
    pathlib.Path("MADE").write_text(name)
    while not pathlib.Path("STOPPED").exists():
        time.sleep(0.05)
    return "late"

late = {"name": "late", "namespace": team.id.apply(lambda name: wait(name) and name)}
k8s.core.v1.ConfigMap("late", metadata=late, data={"a": "b"})
"""


def test_an_api_server_that_vanishes_leaves_a_state_to_go_on_from(
    make_project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """What was made is in the state, the error says who does not answer, and the next `up` makes the rest."""
    made, stopped = tmp_path / "made", tmp_path / "stopped"
    with ControlPlane(None) as plane:
        monkeypatch.setenv(KUBECONFIG_VARIABLE, str(plane.kubeconfig))
        program = VANISHING.replace("MADE", str(made)).replace("STOPPED", str(stopped))
        sandbox = make_project(program, dev="config: {}\n")
        watcher = threading.Thread(target=_stop_once_made, args=(plane, made, stopped))
        watcher.start()
        broken = sandbox.up("dev")
        watcher.join()
        assert broken.exit_code != 0
        assert any("does not answer" in each for each in broken.errors)
        assert any("the next update goes on from there" in each for each in broken.errors)
        types = {each["type"] for each in sandbox.export("dev")}
        assert "kubernetes:core/v1:Namespace" in types
        assert "kubernetes:core/v1:ConfigMap" not in types
        plane.start_api_server()
        assert sandbox.up("dev").require_success().changes["create"] == 1
        assert set(sandbox.up("dev", "--expect-no-changes").require_success().changes) == {"same"}


def _stop_once_made(plane: ControlPlane, made: Path, stopped: Path) -> None:
    """Stop the API server when the program has its namespace, and let the program go on."""
    end = time.monotonic() + 120
    while not made.exists() and time.monotonic() < end:
        time.sleep(0.05)
    plane.stop_api_server(kill=True)
    stopped.touch()
