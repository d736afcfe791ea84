"""The program's own queues and namespaces in a real API server, with the real Kueue."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.control_plane.kueue import platform_values
from sandbox.control_plane.plane import ControlPlane
from sandbox.engine.install import locate_pulumi
from sandbox.engine.working_copy import copy_project
from sandbox.engine.workspace import SOURCE_ROOT, Sandbox
from tests.cluster.cluster import Cluster, has_quota, stays, wait_until
from tests.cluster.escapes import ESCAPES
from tests.cluster.manifests import HOST, VERSION, expiring, job
from tests.e2e.conftest import EngineSandbox

STACK = "shared"
A, OWNER = ["us-central1-a"], {"model": "m", "owner": "user:ada@acme.example"}
GPU, TPU = "nvidia.com/gpu", "google.com/tpu"

CONFIG: dict[str, Any] = {
    "gcp:project": "acme-ml-shared",
    "gcp:region": "us-central1",
    "headroom:environment": {"tier": "development"},
    "headroom:cluster": {"zones": ["us-central1-a", "us-central1-b"]},
    "headroom:pools": {
        "cpu": {"machine": "n2-standard-16", "nodes": {"max": 2}},
        "l4": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 5}},
        "spot": {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 5}, "capacity": "spot"},
        "later": {"machine": "a3-highgpu-8g", "zones": A, "nodes": {"max": 2}, "capacity": "queued"},
        "v6e": {"machine": "ct6e-standard-4t", "zones": ["us-central1-b"], "nodes": {"max": 5}},
    },
    "headroom:quota": {"experiments": {"share": 0.2, "owners": ["user:eve@acme.example"]}},
    "headroom:pipelines": {
        "errant": OWNER
        | {
            "kind": "training",
            "limits": {
                "cpu": {"cpu": {"guarantee": 4, "cap": 10}, "memory": {"guarantee": "4Gi", "cap": "20Gi"}},
                "l4": {"gpus": {"guarantee": 2, "cap": 8}},
                "v6e": {"chips": {"guarantee": 4, "cap": 12}},
            },
        },
        "steady": OWNER | {"kind": "validation", "limits": {"l4": {"gpus": {"guarantee": 8, "cap": 12}}}},
        "wide": OWNER
        | {
            "kind": "training",
            "limits": {
                "l4": {"gpus": {"guarantee": 0, "cap": 4}},
                "spot": {"gpus": {"guarantee": 0, "cap": 6}},
            },
        },
        "patient": OWNER | {"kind": "training", "limits": {"later": {"gpus": {"guarantee": 0, "cap": 8}}}},
    },
}


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane(platform_values(), lambda line: print(line, file=sys.stderr)) as started:
        yield started


@pytest.fixture(scope="module")
def platform(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSandbox]:
    """The program, brought up against the API server."""
    folder: Path = tmp_path_factory.mktemp("platform")
    project = copy_project(SOURCE_ROOT, folder / "project")
    (project / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": CONFIG}))
    cli = locate_pulumi(lambda line: print(line, file=sys.stderr))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADROOM_SANDBOX_KUBECONFIG", str(plane.kubeconfig))
        sandbox = EngineSandbox(Sandbox(project, folder / "state"), cli)
        sandbox.up(STACK).require_success()
        yield sandbox


@pytest.fixture(scope="module")
def admin(plane: ControlPlane) -> Iterator[Cluster]:
    client = Cluster(plane.kubeconfig)
    yield client
    client.close()


@pytest.fixture
def cluster(platform: EngineSandbox, admin: Cluster) -> Iterator[Cluster]:
    """The administrator's client; what a test submitted is gone before the next begins."""
    yield admin
    places = [*CONFIG["headroom:pipelines"], "experiments"]
    for place in places:
        for each in admin.list_all("batch/v1", "Job", place):
            admin.delete("batch/v1", "Job", each["metadata"]["name"], place)
    wait_until(lambda: not any(admin.list_all(VERSION, "Workload", place) for place in places), "left over")


def submit(cluster: Cluster, place: str, count: int, requests: dict[str, str], pool: str = "") -> None:
    """Create so many jobs in the queue of the namespace, for the pool where one is named."""
    serial = len(cluster.list_all("batch/v1", "Job", place))
    cluster.create_all(
        expiring(job(f"{place}-{serial + number}", place, place, requests), pool) for number in range(count)
    )


def admitted(cluster: Cluster, place: str) -> int:
    return sum(cluster.count_admitted(place).values())


def becomes(cluster: Cluster, place: str, count: int) -> None:
    """Wait until so many are admitted, and see that it stays so."""
    wait_until(
        lambda: admitted(cluster, place) == count,
        lambda: f"{count} admitted in {place}, rather {admitted(cluster, place)}",
    )
    assert stays(lambda: admitted(cluster, place) == count, 1.5)


@pytest.mark.parametrize(
    ("pool", "requests", "cap"),
    [
        ("cpu", {"cpu": "1", "memory": "1Gi"}, 10),
        ("cpu", {"cpu": "100m", "memory": "2Gi"}, 10),
        ("l4", HOST | {GPU: "1"}, 8),
        ("v6e", HOST | {TPU: "4"}, 3),
    ],
    ids=["cpu", "memory", "GPU", "TPU"],
)
def test_an_errant_pipeline_gets_its_cap_and_no_more_while_experiments_are_admitted(
    cluster: Cluster, pool: str, requests: dict[str, str], cap: int
) -> None:
    """Q3, Q5."""
    submit(cluster, "errant", 30, requests, pool)
    becomes(cluster, "errant", cap)
    submit(cluster, "experiments", 1, requests, pool)
    becomes(cluster, "experiments", 1)
    assert admitted(cluster, "errant") == cap


def test_a_guarantee_is_taken_back_from_those_that_borrowed_it(cluster: Cluster) -> None:
    """Q2: 16 GPUs are the pipelines'; errant has 8 and wide 4 of them until steady wants its 8."""
    one = HOST | {GPU: "1"}
    submit(cluster, "errant", 10, one, "l4")
    submit(cluster, "wide", 6, one, "l4")
    becomes(cluster, "errant", 8)
    becomes(cluster, "wide", 4)
    submit(cluster, "steady", 8, one)
    becomes(cluster, "steady", 8)
    assert admitted(cluster, "errant") + admitted(cluster, "wide") == 8
    assert admitted(cluster, "errant") >= 2


def test_an_idle_guarantee_is_lent_and_comes_back_to_the_next(cluster: Cluster) -> None:
    """Q2."""
    one = HOST | {GPU: "1"}
    submit(cluster, "steady", 12, one)
    becomes(cluster, "steady", 12)
    submit(cluster, "errant", 4, one, "l4")
    becomes(cluster, "errant", 4)
    for number in range(12):
        cluster.delete("batch/v1", "Job", f"steady-{number}", "steady")
    submit(cluster, "errant", 8, one, "l4")
    becomes(cluster, "errant", 8)


def test_all_pipelines_together_never_reach_into_the_headroom(cluster: Cluster) -> None:
    """Q5: 20 GPUs, of which 4 are never theirs."""
    one = HOST | {GPU: "1"}
    for place in ("errant", "steady", "wide"):
        submit(cluster, place, 20, one, "l4")
    pipelines = ("errant", "steady", "wide")
    wait_until(lambda: sum(admitted(cluster, place) for place in pipelines) == 16, "16 admitted")
    assert stays(lambda: sum(admitted(cluster, place) for place in pipelines) <= 16, 2)
    submit(cluster, "experiments", 4, one, "l4")
    becomes(cluster, "experiments", 4)
    assert sum(admitted(cluster, place) for place in pipelines) == 16


def test_experiments_use_what_is_idle_and_give_it_back(cluster: Cluster) -> None:
    """Q5, Q2: beyond its headroom an experiment borrows."""
    one = HOST | {GPU: "1"}
    submit(cluster, "experiments", 20, one, "l4")
    becomes(cluster, "experiments", 20)
    submit(cluster, "steady", 8, one)
    becomes(cluster, "steady", 8)
    assert admitted(cluster, "experiments") == 12


def test_a_cap_holds_on_each_of_two_pools(cluster: Cluster) -> None:
    """Q3."""
    submit(cluster, "wide", 20, HOST | {GPU: "1"})
    wait_until(lambda: admitted(cluster, "wide") == 10, "10 admitted")
    assert stays(lambda: admitted(cluster, "wide") == 10, 1.5)
    flavors = cluster.count_admitted_by_flavor("wide")
    assert flavors == {("wide", "l4"): 4, ("wide", "spot"): 6}


def test_a_flood_is_refused_at_the_api(cluster: Cluster) -> None:
    """Q3: the controller works through a flood for everybody, so it must not get that far."""
    with pytest.raises(Exception, match=r"exceeded quota: steady, requested: count/jobs\.batch=1"):
        submit(cluster, "steady", 60, HOST | {GPU: "1"})


def test_queued_capacity_is_not_admitted_before_its_nodes_are_there(cluster: Cluster) -> None:
    submit(cluster, "patient", 1, HOST | {GPU: "8"})
    requests = "autoscaling.x-k8s.io/v1"
    wait_until(lambda: bool(cluster.list_all(requests, "ProvisioningRequest", "patient")), "asked for nodes")
    (workload,) = cluster.list_all(VERSION, "Workload", "patient")
    assert has_quota(workload)
    conditions = {each["type"]: each["status"] for each in workload["status"]["conditions"]}
    assert conditions.get("Admitted", "False") == "False"
    (request,) = cluster.list_all(requests, "ProvisioningRequest", "patient")
    assert request["spec"]["provisioningClassName"] == "queued-provisioning.gke.io"


@pytest.mark.parametrize("way", ESCAPES)
def test_ways_around_the_limits_are_refused_with_what_to_do(cluster: Cluster, way: str) -> None:
    """Q3."""
    manifest, message = ESCAPES[way]
    assert message in cluster.refusal(manifest)


@pytest.fixture
def ada(plane: ControlPlane, platform: EngineSandbox) -> Iterator[Cluster]:
    client = Cluster(plane.kubeconfig_for("ada@acme.example", []))
    yield client
    client.close()


def test_an_owner_runs_work_and_changes_no_limit(cluster: Cluster, ada: Cluster) -> None:
    """Q3, M17."""
    ada.create(expiring(job("mine", "errant", "errant", HOST | {GPU: "1"}), "l4"))
    becomes(cluster, "errant", 1)
    quota = cluster.read("v1", "ResourceQuota", "errant", "errant")
    quota["metadata"].pop("managedFields")
    with pytest.raises(Exception, match=r"cannot patch resource .{1,3}resourcequotas"):
        ada.apply({**quota, "apiVersion": "v1", "kind": "ResourceQuota"})
    assert "cannot create resource" in ada.refusal(
        expiring(job("theirs", "experiments", "experiments", HOST))
    )


def test_a_second_up_changes_nothing(platform: EngineSandbox) -> None:
    assert set(platform.preview(STACK, "--refresh").require_success().changes) == {"same"}


def test_lowering_a_cap_evicts_nobody_and_admits_nobody(cluster: Cluster, platform: EngineSandbox) -> None:
    """Q3."""
    submit(cluster, "steady", 14, HOST | {GPU: "1"})
    becomes(cluster, "steady", 12)

    def cap(value: int) -> None:
        def edit(config: dict[str, Any]) -> None:
            config["headroom:pipelines"]["steady"]["limits"]["l4"]["gpus"] = {"guarantee": 8, "cap": value}

        platform.edit_stack_file(STACK, edit)
        platform.up(STACK).require_success()

    cap(9)
    try:
        becomes(cluster, "steady", 12)
        for number in range(4):
            cluster.delete("batch/v1", "Job", f"steady-{number}", "steady")
        wait_until(lambda: len(cluster.list_all(VERSION, "Workload", "steady")) == 10, "four are gone")
        becomes(cluster, "steady", 9)
    finally:
        cap(12)


def test_renaming_a_pipeline_replaces_its_objects_only_though_it_is_at_work(
    cluster: Cluster, platform: EngineSandbox
) -> None:
    submit(cluster, "wide", 3, HOST | {GPU: "1"}, "l4")
    becomes(cluster, "wide", 3)

    def rename(old: str, new: str) -> None:
        def edit(config: dict[str, Any]) -> None:
            config["headroom:pipelines"][new] = config["headroom:pipelines"].pop(old)

        platform.edit_stack_file(STACK, edit)

    rename("wide", "wider")
    try:
        steps = platform.preview(STACK).require_success().steps
        touched = {urn.rsplit("::", 1)[1]: step for urn, step in steps.items()}
        assert {step for name, step in touched.items() if name.endswith("-wide")} == {"delete"}
        assert {step for name, step in touched.items() if name.endswith("-wider")} == {"create"}
        made = [name for name, step in touched.items() if step in ("create", "delete")]
        assert len(made) == 16
        shared = {name for name in touched.keys() - set(made) if "-logs-" not in name}
        assert shared == {f"{STACK}-tidy-pushgateway"}  # which lists the pipelines
        platform.up(STACK).require_success()
        assert "wide" not in {each["metadata"]["name"] for each in cluster.list_all("v1", "Namespace")}
    finally:
        rename("wider", "wide")
        platform.up(STACK).require_success()


@pytest.mark.parametrize("server", ["api_server", "kueue"])
def test_an_update_that_meets_a_dead_server_is_recovered_by_the_next(
    cluster: Cluster, platform: EngineSandbox, plane: ControlPlane, server: str
) -> None:
    def add(config: dict[str, Any]) -> None:
        config["headroom:pipelines"]["late"] = OWNER | {
            "kind": "validation",
            "limits": {"l4": {"gpus": {"guarantee": 0, "cap": 2}}},
        }

    platform.edit_stack_file(STACK, add)
    getattr(plane, f"stop_{server}")()
    try:
        failed = platform.up(STACK)
        assert failed.exit_code != 0
        assert failed.errors
    finally:
        getattr(plane, f"start_{server}")()
    platform.up(STACK).require_success()
    assert platform.preview(STACK).require_success().steps == {}
    platform.edit_stack_file(STACK, lambda config: config["headroom:pipelines"].pop("late"))
    platform.up(STACK).require_success()
