"""Namespaces of pipelines, as the engine is asked for them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from headroom.planning.plan import Plan, plan_config
from headroom.spec.stack_file import load_config
from tests.components.test_queues import depends, of_kind
from tests.mocks import NUMBER, Registered

Run = Callable[[Plan], list[Registered]]


@pytest.fixture
def graph(root: Path, run_program: Run) -> list[Registered]:
    config = load_config(root / "Pulumi.dev.yaml")
    config["headroom:pipelines"]["feed-data"]["access"] = [
        {"role": "roles/storage.objectUser", "bucket": "acme-feed"},
        {"role": "roles/bigquery.dataEditor", "dataset": "feed"},
        {"role": "roles/bigquery.jobUser"},
    ]
    return run_program(plan_config(config, "dev", "f"))


def test_a_namespace_comes_after_its_queue_so_that_its_work_ends_before_it(graph: list[Registered]) -> None:
    namespace = of_kind(graph, "Namespace")["feed-training"]
    assert namespace.options["depends_on"] == ["dev-queue-feed-training"]


def test_all_of_a_namespaces_objects_come_after_it(graph: list[Registered]) -> None:
    tenants = (each for each in graph if each.options.get("parent") == "dev-tenancy")
    inside = [each for each in tenants if each.inputs.get("metadata", {}).get("namespace")]
    assert inside
    for each in inside:
        assert f"dev-namespace-{each.inputs['metadata']['namespace']}" in depends(graph, each)


def test_pipelines_run_under_the_baseline_of_pod_security(graph: list[Registered]) -> None:
    tenants = [each for each in graph if each.options.get("parent") == "dev-tenancy"]
    for namespace in of_kind(tenants, "Namespace").values():
        labels = namespace.inputs["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "baseline"
        assert labels["headroom/kind"] in ("data", "training", "validation", "serving", "experiment")


def test_owners_have_a_role_without_limits_queues_roles_or_secrets(graph: list[Registered]) -> None:
    """M17: what owners may do is named, one by one."""
    role = of_kind(graph, "ClusterRole")["headroom-pipeline-owner"]
    writable = {
        resource
        for rule in role.inputs["rules"]
        if set(rule["verbs"]) - {"get", "list", "watch"}
        for resource in rule["resources"]
    }
    assert not writable & {
        "resourcequotas", "limitranges", "localqueues", "workloads", "roles", "rolebindings", "secrets",
        "networkpolicies", "serviceaccounts", "namespaces", "*",
    }  # fmt: skip
    assert all("*" not in rule["verbs"] for rule in role.inputs["rules"])
    binding = of_kind(graph, "RoleBinding")["feed-data"]
    assert binding.inputs["subjects"] == [
        {"kind": "Group", "name": "feed-ml@acme.example", "apiGroup": "rbac.authorization.k8s.io"}
    ]


def test_cloud_roles_are_bound_to_the_pipelines_own_identity(graph: list[Registered]) -> None:
    principal = (
        f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/"
        "acme-ml-dev.svc.id.goog/subject/ns/feed-data/sa/pipeline"
    )
    bound = {each.type: each for each in graph if each.inputs.get("member") == principal}
    assert set(bound) == {
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        "gcp:bigquery/datasetIamMember:DatasetIamMember",
        "gcp:projects/iAMMember:IAMMember",
    }
    for each in bound.values():
        assert "dev-cluster" in depends(graph, each)


def test_doors_are_shut_but_for_names_metadata_and_https(graph: list[Registered]) -> None:
    tenants = [each for each in graph if each.options.get("parent") == "dev-tenancy"]
    policies = of_kind(tenants, "NetworkPolicy")
    for policy in policies.values():
        assert policy.inputs["spec"]["policyTypes"] == ["Ingress", "Egress"]
        wide = [
            (rule, peer["ipBlock"])
            for rule in policy.inputs["spec"]["egress"]
            for peer in rule["to"]
            if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
        ]
        ((rule, block),) = wide
        assert rule["ports"] == [{"protocol": "TCP", "port": 443}]
        assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(block["except"])
    sources = [rule["from"] for rule in policies["feed-serving"].inputs["spec"]["ingress"]]
    assert any({"ipBlock": {"cidr": "35.191.0.0/16"}} in source for source in sources)
    sources = [rule["from"] for rule in policies["feed-data"].inputs["spec"]["ingress"]]
    assert not any("ipBlock" in peer for source in sources for peer in source)


def test_service_accounts_hand_no_token_to_pods_that_do_not_ask(graph: list[Registered]) -> None:
    accounts = [each for each in graph if each.type == "kubernetes:core/v1:ServiceAccount"]
    assert accounts
    assert all(each.inputs["automountServiceAccountToken"] is False for each in accounts)
