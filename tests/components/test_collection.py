"""What collects metrics, as the engine is asked for it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headroom.alerts.contract import load_contract
from headroom.planning.collection import SCRAPE_LABEL
from headroom.planning.plan import Plan, plan_config
from headroom.spec.stack_file import load_config
from sandbox.kubernetes.kinds import find_kind
from sandbox.kubernetes.validation import check_manifest
from tests.components.test_queues import depends, of_kind
from tests.mocks import Registered

Run = Callable[[Plan], list[Registered]]
IMAGE = "us-docker.pkg.dev/acme-ml/mirror/pushgateway:v1.11.1"


@pytest.fixture
def graph(root: Path, run_program: Run) -> list[Registered]:
    config = load_config(root / "Pulumi.dev.yaml") | {"headroom:monitoring": {"pushgateway_image": IMAGE}}
    whole = run_program(plan_config(config, "dev", "f"))
    by_name = {each.name: each for each in whole}
    assert "dev-collection" in by_name
    return whole


def own(graph: list[Registered]) -> list[Registered]:
    return [each for each in graph if each.options.get("parent") == "dev-collection"]


def pod(graph: list[Registered]) -> dict[str, Any]:
    return of_kind(graph, "StatefulSet")["pushgateway"].inputs["spec"]["template"]["spec"]


def test_the_api_server_has_nothing_to_say_against_any_object(graph: list[Registered]) -> None:
    assert len(own(graph)) == 15
    for each in own(graph):
        kind = find_kind(each.inputs["apiVersion"], each.inputs["kind"])
        assert kind is not None, each.name
        # On the wire of the engine every number is a float.
        manifest = json.loads(json.dumps(each.inputs), parse_float=lambda text: int(float(text)))
        assert check_manifest(kind, manifest) == [], each.name


def test_another_pipeline_adds_no_object(root: Path, run_program: Run, graph: list[Registered]) -> None:
    config = load_config(root / "Pulumi.dev.yaml")
    config["headroom:pipelines"]["one-more"] = config["headroom:pipelines"]["feed-data"]
    more = run_program(plan_config(config, "dev", "f"))
    assert len(own(more)) == len(own(graph))


def test_one_target_scrapes_the_pods_of_all_pipelines(graph: list[Registered]) -> None:
    """M1 to M16: whoever has the label is scraped, as the pipeline whose namespace it is in."""
    spec = of_kind(graph, "ClusterPodMonitoring")["headroom-pipelines"].inputs["spec"]
    assert spec["selector"] == {"matchLabels": dict([SCRAPE_LABEL])}
    assert "namespace" in spec["targetLabels"]["metadata"]
    rules = spec["endpoints"][0]["metricRelabeling"]
    assert {"action": "replace", "sourceLabels": ["namespace"], "targetLabel": "pipeline"} in rules
    assert {"action": "replace", "targetLabel": "environment", "replacement": "dev"} in rules


def test_no_target_sets_a_label_that_collectors_protect(graph: list[Registered]) -> None:
    """The operator would refuse all of it, and nothing would be scraped (prometheus-engine, pod_config.go)."""
    protected = {"project_id", "location", "cluster", "namespace", "job", "instance", "__address__"}
    for target in of_kind(graph, "ClusterPodMonitoring").values():
        for rule in target.inputs["spec"]["endpoints"][0]["metricRelabeling"]:
            assert rule.get("targetLabel") not in protected


def test_a_target_keeps_more_labels_than_any_metric_of_the_contract_has(graph: list[Registered]) -> None:
    limits = of_kind(graph, "ClusterPodMonitoring")["headroom-pipelines"].inputs["spec"]["limits"]
    most = max(len(metric.labels) for metric in load_contract().metrics)
    of_targets = 8
    assert limits["labels"] >= most + of_targets + 2


def test_kueue_is_asked_over_tls_with_a_token_that_only_collectors_may_read(graph: list[Registered]) -> None:
    """Q3: without a token every alert on quota would be silent."""
    target = of_kind(graph, "ClusterPodMonitoring")["headroom-kueue"]
    endpoint = target.inputs["spec"]["endpoints"][0]
    secret = endpoint["authorization"]["credentials"]["secret"]
    assert (endpoint["scheme"], endpoint["authorization"]["type"]) == ("https", "Bearer")
    named = of_kind(graph, "Secret")[secret["name"]].inputs
    assert named["metadata"]["namespace"] == secret["namespace"] == "gmp-public"
    assert named["type"] == "kubernetes.io/service-account-token"
    assert "data" not in named
    (rule,) = of_kind(graph, "Role")["kueue-metrics"].inputs["rules"]
    assert rule["resourceNames"] == [secret["name"]]
    (reader,) = of_kind(graph, "RoleBinding")["kueue-metrics"].inputs["subjects"]
    assert (reader["name"], reader["namespace"]) == ("collector", "gmp-system")
    assert "dev-secret-kueue-metrics" in depends(graph, target)
    (token,) = [each for each in of_kind(graph, "Secret").values() if each.name == "dev-secret-kueue-metrics"]
    assert "dev-serviceaccount-kueue-metrics" in depends(graph, token)
    assert "dev-kueue" in depends(graph, of_kind(graph, "ClusterRoleBinding")["headroom-kueue-metrics"])


def test_the_pushgateway_hears_pipelines_and_collectors_and_speaks_to_nobody(graph: list[Registered]) -> None:
    spec = of_kind(graph, "NetworkPolicy")["headroom-monitoring"].inputs["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in spec
    (rule,) = spec["ingress"]
    kinds, collectors = (peer["namespaceSelector"] for peer in rule["from"])
    (expression,) = kinds["matchExpressions"]
    assert (expression["key"], expression["operator"]) == ("headroom/kind", "In")
    assert set(expression["values"]) == {"data", "training", "validation", "serving"}
    assert collectors == {"matchLabels": {"kubernetes.io/metadata.name": "gmp-system"}}
    assert rule["ports"] == [{"protocol": "TCP", "port": 9091}]


def test_pipelines_may_reach_the_pushgateway(graph: list[Registered]) -> None:
    place = {"matchLabels": {"kubernetes.io/metadata.name": "headroom-monitoring"}}
    for name in ("feed-data", "feed-serving"):
        rules = of_kind(graph, "NetworkPolicy")[name].inputs["spec"]["egress"]
        assert {
            "to": [{"namespaceSelector": place}],
            "ports": [{"protocol": "TCP", "port": 9091}],
        } in rules


def test_the_pushgateway_is_confined_as_pod_security_restricts(graph: list[Registered]) -> None:
    labels = of_kind(graph, "Namespace")["headroom-monitoring"].inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert "headroom/kind" not in labels, "Kueue would suspend it"
    assert pod(graph)["securityContext"]["runAsNonRoot"] is True
    assert pod(graph)["automountServiceAccountToken"] is False
    for container in pod(graph)["containers"]:
        assert container["image"] == IMAGE
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]


def test_the_pushgateway_runs_on_the_system_pool_and_within_its_quota(graph: list[Registered]) -> None:
    assert pod(graph)["nodeSelector"] == {"headroom/pool": "system"}
    (toleration,) = pod(graph)["tolerations"]
    assert toleration["key"] == "components.gke.io/gke-managed-components"
    hard = of_kind(graph, "ResourceQuota")["headroom-monitoring"].inputs["spec"]["hard"]
    asked = [container["resources"] for container in pod(graph)["containers"]]
    assert sum(mebibytes(each["limits"]["memory"]) for each in asked) <= mebibytes(hard["limits.memory"])
    assert sum(int(each["requests"]["cpu"].removesuffix("m")) for each in asked) <= 500
    (claim,) = of_kind(graph, "StatefulSet")["pushgateway"].inputs["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == hard["requests.storage"]


def mebibytes(text: str) -> int:
    return int(text[:-2]) * {"Mi": 1, "Gi": 1024}[text[-2:]]


def test_what_was_pushed_lies_under_the_environments_key_and_goes_with_the_namespace(
    graph: list[Registered],
) -> None:
    """A disk outlives the cluster that made it, unless its claim goes first."""
    storage = of_kind(graph, "StorageClass")["headroom-monitoring"].inputs
    assert storage["parameters"]["disk-encryption-kms-key"] == "dev-disks-id"
    assert storage["reclaimPolicy"] == "Delete"
    assert "deleted_with" not in of_kind(graph, "Namespace")["headroom-monitoring"].options


def test_tidying_knows_every_pipeline(graph: list[Registered]) -> None:
    data = of_kind(graph, "ConfigMap")["pushgateway"].inputs["data"]
    assert "feed-data" in data["pipelines"].splitlines()
    assert data["pipelines"].endswith("\n")
    assert int(data["seconds"]) == 35 * 86_400
    assert data["tidy.sh"].startswith("# Deletes")
