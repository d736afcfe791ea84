"""What Kueue is told, as the engine is asked for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom.planning.plan import Plan, plan_config
from headroom.spec.stack_file import load_config
from tests.mocks import Registered

Run = Callable[[Plan], list[Registered]]

QUEUE = "kubernetes:kueue.x-k8s.io/v1beta2:ClusterQueue"


@pytest.fixture
def graph(root: Path, run_program: Run) -> list[Registered]:
    config = load_config(root / "Pulumi.dev.yaml")
    config["headroom:pools"]["h100"]["capacity"] = "queued"
    return run_program(plan_config(config, "dev", "f"))


def of_kind(graph: list[Registered], kind: str) -> dict[str, Registered]:
    """Kubernetes objects of a kind, by their name in the cluster."""
    found = (each for each in graph if each.type.startswith("kubernetes:") and each.type.endswith(f":{kind}"))
    return {each.inputs["metadata"]["name"]: each for each in found}


def depends(graph: list[Registered], later: Registered) -> set[str]:
    """Names of everything that comes before a resource, however far."""
    by_name = {each.name: each for each in graph}
    reached: set[str] = set()
    waiting = list(later.options["depends_on"])
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += by_name[name].options["depends_on"] if name in by_name else []
    return reached


def test_queues_come_after_their_cohorts_flavors_and_doors_and_kueue(graph: list[Registered]) -> None:
    """Q3: a queue whose cohort is not there has no limits."""
    before = depends(graph, of_kind(graph, "ClusterQueue")["feed-training"])
    assert {"dev-cohort-pipelines", "dev-cohort-pool", "dev-flavor-v5e", "dev-kueue"} <= before
    assert "dev-policybinding-headroom-queues" in before


def test_kueue_comes_after_the_system_pool(graph: list[Registered]) -> None:
    release = next(each for each in graph if each.type == "kubernetes:helm.sh/v3:Release")
    provider = next(each for each in graph if each.type == "pulumi:providers:kubernetes")
    assert "dev-pool-system" in provider.options["depends_on"]
    assert (release.inputs["name"], release.inputs["version"]) == ("kueue", "0.19.2")


def test_a_queue_admits_only_its_own_namespace(graph: list[Registered]) -> None:
    """Q3."""
    for name, queue in of_kind(graph, "ClusterQueue").items():
        selector = queue.inputs["spec"]["namespaceSelector"]
        assert selector == {"matchLabels": {"kubernetes.io/metadata.name": name}}


def test_guarantees_are_reclaimed_and_borrowers_do_not_evict(graph: list[Registered]) -> None:
    """Q2."""
    for queue in of_kind(graph, "ClusterQueue").values():
        assert queue.inputs["spec"]["preemption"] == {
            "reclaimWithinCohort": "Any",
            "borrowWithinCohort": {"policy": "Never"},
            "withinClusterQueue": "LowerPriority",
        }


def test_provisioning_is_checked_in_the_place_where_kueue_looks(graph: list[Registered]) -> None:
    queues = of_kind(graph, "ClusterQueue")
    strategy = {"admissionChecks": [{"name": "queued-provisioning", "onFlavors": ["h100"]}]}
    assert queues["assistant-training"].inputs["spec"]["admissionChecksStrategy"] == strategy
    assert queues["experiments"].inputs["spec"]["admissionChecksStrategy"] == strategy
    assert "admissionChecksStrategy" not in queues["feed-training"].inputs["spec"]
    check = of_kind(graph, "AdmissionCheck")["queued-provisioning"]
    assert check.inputs["spec"]["controllerName"] == "kueue.x-k8s.io/provisioning-request"


def test_the_objects_in_the_cluster_go_with_it_but_for_those_that_hold_the_network(
    graph: list[Registered],
) -> None:
    inside = [each for each in graph if each.type.startswith("kubernetes:")]
    stay = {each.name for each in inside if not each.options.get("deleted_with")}
    serving = {f"dev-namespace-{model}-serving" for model in ("feed", "fraud", "assistant", "shelf")}
    balancing = {"dev-gateway", "dev-namespace-headroom-gateway", "dev-namespace-feed-serving-staging"}
    assert stay == serving | balancing | {"dev-namespace-headroom-monitoring"}


def test_no_object_carries_a_token_or_a_secret(graph: list[Registered]) -> None:
    provider = next(each for each in graph if each.type == "pulumi:providers:kubernetes")
    assert "token" not in provider.inputs["kubeconfig"].lower().replace("gke-gcloud-auth-plugin", "")
    assert provider.inputs["clusterIdentifier"] == '"acme-ml-dev/us-central1/dev-cluster"'.strip('"')


def test_resources_of_a_pipeline_are_few(root: Path, run_program: Run) -> None:
    """Eight objects in the cluster, and one binding for each cloud role."""
    config = load_config(root / "Pulumi.dev.yaml")

    def count() -> int:
        return len(run_program(plan_config(config, "dev", "f")))

    before = count()
    extra: dict[str, Any] = {
        "kind": "training",
        "model": "feed",
        "owner": "group:feed-ml@acme.example",
        "limits": {"l4": {"gpus": {"guarantee": 0, "cap": 1}}},
        "access": [{"role": "roles/storage.objectViewer", "bucket": "acme-feed"}],
    }
    config["headroom:pipelines"]["one-more"] = extra
    assert count() - before == 8 + 1
