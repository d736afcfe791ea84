"""The release of Kueue, sized for its cluster."""

import pytest
import yaml

from headroom.planning.kueue_release import kueue_values, plan_kueue
from headroom.planning.tenancy import KIND_LABEL

TAINT = ("key", "value")


@pytest.mark.parametrize(
    ("nodes", "cpu_millis", "memory_mib"), [(1, 2000, 4096), (128, 2000, 4096), (1000, 4000, 32000)]
)
def test_kueue_grows_with_the_nodes(nodes: int, cpu_millis: int, memory_mib: int) -> None:
    plan = plan_kueue(nodes, "system", TAINT)
    assert (plan.cpu_millis, plan.memory_mib) == (cpu_millis, memory_mib)


def test_kueue_runs_twice_on_the_system_pool() -> None:
    manager = kueue_values(plan_kueue(10, "system", TAINT))["controllerManager"]
    assert manager["replicas"] == 2
    assert manager["nodeSelector"] == {"headroom/pool": "system"}
    assert manager["tolerations"] == [{"key": "key", "operator": "Equal", "value": "value"}]
    assert manager["podDisruptionBudget"]["enabled"]


def test_kueue_minds_marked_namespaces_and_everything_in_them() -> None:
    """Q3: a dead Kueue stops no system workload, and nothing in a pipeline's namespace goes around it."""
    values = kueue_values(plan_kueue(10, "system", TAINT))
    config = yaml.safe_load(values["managerConfig"]["controllerManagerConfigYaml"])
    assert config["managedJobsNamespaceSelector"]["matchExpressions"] == [
        {"key": KIND_LABEL, "operator": "Exists"}
    ]
    assert config["manageJobsWithoutQueueName"] is True
    assert config["metrics"]["enableClusterQueueResources"] is True
    assert config["waitForPodsReady"]["blockAdmission"] is False
    assert {"batch/job", "pod", "deployment", "statefulset"} <= set(config["integrations"]["frameworks"])
